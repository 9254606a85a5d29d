"""The hot path: requests that arrived together are recorded together.

What is usual (one plain message of somebody known, in a conversation that is open) goes in with its neighbours, by few
statements for all of them. Everything else goes by `Intake`, in its turn.
"""

from collections.abc import Collection, Sequence
from typing import Any

from attrs import define

from channelry.model import Address, MessageReceived, Received, Surface

from . import rules, sql
from .database import Database
from .intake import Intake, signature
from .journal import row_of
from .moments import micros
from .texts import payload, visible


@define(eq=False)
class Arrivals:
    """Records what arrives."""

    intake: Intake

    def record(self, db: Database, arrived: Sequence[Received]) -> list[int]:
        """Record requests; give how many events of each were new."""
        together = self._together(db, _plain(arrived), arrived)
        return [1 if number in together else self.intake.record(db, one) for number, one in enumerate(arrived)]

    def _together(self, db: Database, numbers: Sequence[int], arrived: Sequence[Received]) -> Collection[int]:
        """Record those of some requests that are usual; give which these are."""
        if not numbers:
            return ()
        request, message = db.execute(sql.LAST).fetchone()
        journal = (request or 0) + 1 - numbers[0]  # the number of a request in the journal, less that among these
        last = (message or 0,)
        messages = [self._message(arrived[number], journal + number) for number in numbers]
        requests = [(journal + number, *row_of(arrived[number])) for number in numbers]
        appended = db.given(
            (sql.USUAL, messages), (sql.REQUESTS, requests), (sql.TOUCH_ALL, [last]), (sql.LOG_ALL, [last])
        )
        after = (*last, len(numbers))
        if appended is None:
            (appended,) = db.execute(sql.APPENDED, after).fetchone()
        if appended < len(numbers):
            usual = {of - journal for (of,) in db.execute(sql.OF_WHICH, after)}
            db.executemany(sql.UNREQUEST, [(journal + number,) for number in numbers if number not in usual])
            return usual
        return frozenset(numbers)

    def _message(self, one: Received, journal: int) -> tuple[Any, ...]:
        (event,) = one.events
        assert type(event) is MessageReceived
        channel = self.intake.channels.get(one.connection, one.connection)
        address = event.sender.address
        return (one.connection, event.key, event.external_id, channel, address.scheme, address.value, address.scope,
                signature(event.sender), micros(event.occurred_at), micros(one.request.received_at),
                visible(event.text), payload(event), journal)  # fmt: skip


def _plain(arrived: Sequence[Received]) -> list[int]:
    """Give which requests are plain: none that follows what its writer said otherwise, for that comes first."""
    plain, others = list[int](), set[Address]()
    for number, one in enumerate(arrived):
        if _is_plain(one) and not (others and rules.writer(one.events[0]) in others):
            plain.append(number)
        else:
            others.update(filter(None, map(rules.writer, one.events)))
    return plain


def _is_plain(one: Received) -> bool:
    """Tell whether a request is one message of text, to us alone."""
    if len(one.events) != 1 or not one.connection:
        return False
    (event,) = one.events
    if type(event) is not MessageReceived or event.parts:
        return False
    return event.thread is None and event.surface is Surface.DIRECT
