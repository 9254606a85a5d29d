"""Dead letters, and the journal that they are replayed from."""

from collections.abc import Sequence
from datetime import datetime

import attrs
from attrs import define

from channelry.instance import Instance
from channelry.model import Announced, Event, Received, Unparsed

from .. import grants, journal, log, queries
from ..database import Database
from ..errors import NotFoundError, StoreError
from ..grants import Access, User
from ..intake import ask_again
from ..moments import micros
from ..values import DeadLetter, JournalEntry, Page, Replayed
from .topic import LIMIT, Topic


@define(eq=False)
class Letters(Topic):
    """What could not be understood; for administrators."""

    async def dead(self, *, by: User, settled: bool = False, limit: int = LIMIT, cursor: str = "") -> Page[DeadLetter]:
        """Give a page of what could not be understood or applied."""
        grants.require_access(by, Access.ADMINISTRATION)
        return await self.store.read(lambda db: queries.dead_letters(db, settled, limit, cursor))

    async def replay(self, *, by: User, dead_letter: int) -> Replayed:
        """Parse the journaled request of a dead letter again, without verifying it (secrets rotate); tell whether it
        is understood and applied now. What was applied before is known by its key and stays as it is; what it only
        announced is asked about again, which settles the letter if it succeeds."""
        grants.require_access(by, Access.ADMINISTRATION)
        key, entry = await self.store.read(lambda db: queries.dead_letter(db, dead_letter))
        if not entry.request.body:  # a deletion has emptied it: nothing is left to be understood
            return Replayed.DEAD
        found = self._parsed_again(entry)
        now = self.now()

        def write(db: Database) -> Replayed:
            asked = False
            for received in found:
                for event in received.events:
                    if not self.intake.apply(db, received, event, entry.id) and isinstance(event, Announced):
                        asked |= ask_again(db, received.connection, event, now) and event.key == key
            still = any(
                not received.connection
                or (type(event) is Unparsed and (event.key == key or event.raw == entry.request.body))
                for received in found
                for event in received.events
            )
            if still or asked:
                return Replayed.DEAD if still else Replayed.ASKED
            db.execute("UPDATE dead_letters SET settled_at = ? WHERE id = ?", (now, dead_letter))
            log.changed(db, by.id, now, log.LETTER, dead_letter, "settled")
            return Replayed.SETTLED

        try:
            return await self.store.write(write)
        except Exception as error:  # what the event itself makes the store raise: as dead as before
            if isinstance(error, StoreError):
                raise
            return Replayed.DEAD

    async def since(self, *, by: User, moment: datetime) -> Sequence[int]:
        """Name the journaled requests that came at a moment or later, in their order."""
        grants.require_access(by, Access.ADMINISTRATION)
        return await self.store.read(lambda db: journal.since(db, micros(moment)))

    async def replay_request(self, *, by: User, request: int) -> int:
        """Parse a journaled request again, as `replay` does, and give how many of its events are new; what cannot be
        applied becomes a dead letter. NotFoundError where it has left the journal."""
        grants.require_access(by, Access.ADMINISTRATION)
        entry = await self.store.read(lambda db: journal.read(db, request))
        if not entry.request.body:
            return 0
        found = self._parsed_again(entry)
        return await self.store.write(lambda db: sum(self.intake.apply_singly(db, one, entry.id) for one in found))

    def _parsed_again(self, entry: JournalEntry) -> list[Received]:
        """Parse a request by its connection; an unclaimed one by every connection of the endpoint in its path."""
        if entry.connection:
            instance = self.hub.connections.get(entry.connection)
            if instance is None or instance.plugin is None:
                raise NotFoundError(f"the connection {entry.connection!r} is not loaded")
            parsed = self._parsed(instance, entry)
            own = tuple(event for event in parsed.events if instance.claims(event))
            return [attrs.evolve(parsed, events=own, connection=entry.connection)]
        endpoint = entry.request.path.removeprefix("/hooks/").partition("/")[0].partition("?")[0]
        received = []
        for group in self.hub.endpoints.get(endpoint, ()):
            loaded = [one for one in group if one.plugin is not None]
            if not loaded:
                continue
            parsed = self._parsed(loaded[0], entry)
            claimed: dict[str, list[Event]] = {}
            for event in parsed.events:
                owner = next((one.entry.name for one in loaded if one.claims(event)), "")
                claimed.setdefault(owner, []).append(event)
            received += [attrs.evolve(parsed, connection=name, events=tuple(own)) for name, own in claimed.items()]
        return received

    def _parsed(self, instance: Instance, entry: JournalEntry) -> Received:
        """Parse a request as it came; what is new in it arrives now, for its conversation opens now and stays open as
        long as any."""
        parsed = self.hub.parsed(instance, entry.request)
        return attrs.evolve(parsed, request=attrs.evolve(parsed.request, received_at=self.hub.clock.now()))

    async def journal(self, *, by: User, limit: int = LIMIT, cursor: str = "") -> Page[JournalEntry]:
        """Give a page of the verified raw requests."""
        grants.require_access(by, Access.ADMINISTRATION)
        return await self.store.read(lambda db: queries.journal(db, limit, cursor))
