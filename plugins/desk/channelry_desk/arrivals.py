"""The hot path: requests that arrived together are recorded together.

What is usual (one plain message of somebody known, in a conversation that is open) takes one look and three rows, which
go in with those of its neighbours. Everything else goes by `Intake`, in its turn.
"""

from collections.abc import Sequence
from typing import Any

from attrs import define, field

from channelry.model import MessageReceived, Received

from . import sql
from .database import Database, Row
from .intake import Intake, signature
from .journal import row_of
from .moments import micros
from .states import ConversationState
from .texts import payload, visible


@define(eq=False)
class Arrivals:
    """Records what arrives."""

    intake: Intake

    def record(self, db: Database, arrived: Sequence[Received]) -> list[int]:
        """Record requests; give how many events of each were new."""
        looks = {number: look for number, one in enumerate(arrived) if (look := self._look(one)) is not None}
        found = dict(zip(looks, db.each(sql.LOOK, list(looks.values())), strict=True))
        together = _Together(db)
        results = []
        for number, one in enumerate(arrived):
            row = found.get(number)
            if row is not None and _is_usual(one, row) and together.takes(one):
                together.add(one, row[1], row[3])
                results.append(1)
            else:
                together.write()
                results.append(self.intake.record(db, one))
        together.write()
        return results

    def _look(self, one: Received) -> tuple[str, ...] | None:
        """Give what a request that may be usual is looked up by."""
        if len(one.events) != 1 or not one.connection:
            return None
        (event,) = one.events
        if type(event) is not MessageReceived or event.parts or event.thread is not None:
            return None
        address, channel = event.sender.address, self.intake.channels.get(one.connection, one.connection)
        return (one.connection, event.external_id, event.key, channel, address.scheme, address.value, address.scope)


def _is_usual(one: Received, row: Row) -> bool:
    """Tell whether the person and the conversation are known as they are, and the message and what is about it not."""
    seen, conversation, state, _, expires_at, early, known = row
    (event,) = one.events
    assert isinstance(event, MessageReceived)
    if conversation is None or early or known or seen != signature(event.sender):
        return False
    return bool(state != ConversationState.WAITING and micros(one.request.received_at) <= expires_at)


@define(eq=False)
class _Together:
    """Rows that are written in one go."""

    db: Database
    _journal: int = 0
    _message: int = 0
    _keys: set[tuple[str, str]] = field(factory=set)
    _requests: list[tuple[Any, ...]] = field(factory=list)
    _messages: list[tuple[Any, ...]] = field(factory=list)
    _touches: list[tuple[Any, ...]] = field(factory=list)

    def takes(self, one: Received) -> bool:
        """Tell whether a message is not among these already."""
        return (one.connection, one.events[0].key) not in self._keys

    def add(self, one: Received, conversation: int, open_for: int) -> None:
        (event,) = one.events
        assert isinstance(event, MessageReceived)
        if not self._requests:
            journal, message = self.db.execute(sql.LAST).fetchone()
            self._journal, self._message = journal or 0, message or 0
        self._journal += 1
        at, occurred_at, key = micros(one.request.received_at), micros(event.occurred_at), event.key
        external_id = None if event.external_id == key else event.external_id
        self._keys.add((one.connection, key))
        self._requests.append((self._journal, *row_of(one)))
        self._messages.append((conversation, one.connection, key, external_id, occurred_at, at, visible(event.text),
                               payload(event), self._journal))  # fmt: skip
        self._touches.append((at, at + open_for, occurred_at, conversation))

    def write(self) -> None:
        if self._requests:
            self.db.executeall(
                (sql.REQUEST, self._requests), (sql.APPEND, self._messages), (sql.TOUCH, self._touches),
                (sql.LOG_RECEIVED, [(self._message,)]),
            )  # fmt: skip
            for rows in (self._requests, self._messages, self._touches):
                rows.clear()
