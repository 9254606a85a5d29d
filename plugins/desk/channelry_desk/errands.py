"""What is done after the acknowledgement: who is it, how are they called, what was announced, which files came.

Each errand is a row until it is done, so a restart loses none; each is repeatable; one that fails is tried again with
growing pauses, and harms no other.
"""

import logging
from collections.abc import Mapping
from random import Random

import orjson
from attrs import define, evolve, field

from channelry import codec
from channelry.errors import PermanentError, RetryableError
from channelry.hub import Hub
from channelry.model import Announced, Media, Profile, Received, Request, Unparsed
from channelry.secrets import one_line

from . import customers, jobs, recognition, rules, visits
from .config import DeskConfig
from .database import Database
from .enrichment import Enrichment
from .folder import UNKNOWN, Folder, sniffed
from .grants import SYSTEM
from .intake import Intake, bury_again, settle
from .jobs import Job
from .moments import SECOND, micros
from .store import Store
from .texts import event_of, json_of, visible
from .values import Candidate

log = logging.getLogger("channelry.desk")


@define(eq=False)
class Errands:
    """Does jobs, by their kind."""

    hub: Hub
    store: Store
    config: DeskConfig
    intake: Intake
    enrichment: Enrichment
    folder: Folder
    random: Random = field(factory=Random)

    async def do(self, job: Job) -> None:
        """Do one job; what it raises but for cancellation postpones it."""
        work = {
            "recognize": self._recognize, "profile": self._profile, "expand": self._expand, "media": self._media,
            "judge": self._judge, "unlink": self._unlink,
        }  # fmt: skip
        try:
            await work[job.kind](job)
        except Exception as error:  # the provider's, a plugin's, or the store's: later again
            reason = visible(one_line(f"{type(error).__name__}: {error}")[:500])
            last = job.attempts + 1 >= jobs.ATTEMPTS or isinstance(error, PermanentError)
            pause = rules.back_off(job.attempts + 1, self.random, 1.0)
            until = None if last else self._now() + round(pause * SECOND)
            if job.kind == "expand":
                log.warning(
                    "%s: what was announced is not read (attempt %d): %s", job.connection, job.attempts + 1, reason
                )
            await self.store.write(lambda db: self._postpone(db, job, until, reason))

    def _postpone(self, db: Database, job: Job, until: int | None, reason: str) -> None:
        """Do it later, or no more: then what is missing is told where people look for it."""
        jobs.postpone(db, job.id, until, reason)
        if job.kind == "expand" and until is None and (stored := _read_event(db, job.subject)) is not None:
            payload, journal = stored
            bury_again(db, job.connection, event_of(payload), journal, reason, self._now())
        if job.kind == "media" and until is None:
            db.execute("UPDATE media SET state = 'failed', reason = ? WHERE id = ?", (reason, job.subject))

    async def _recognize(self, job: Job) -> None:
        """Ask our own records, then the recognizers: what is certain links by itself."""
        profile, told, own = await self.store.read(lambda db: self._known(db, job.subject))
        match = None
        if own is None:
            hints = {one.scheme: one.value for one in profile.aliases if one.scheme in ("phone", "email")}
            match = await self.hub.recognize(profile, {**told, **hints})
            if match is None and not self.enrichment.healthy("recognize"):
                raise RetryableError("a recognizer fails")

        def write(db: Database) -> None:
            jobs.done(db, job.id)
            if customers.read_profile(db, job.subject).customer is not None:
                return
            if own is not None:
                customers.relate(db, SYSTEM, job.subject, own.customer.id, self._now(), "recognized")
            elif match is not None:
                names = (profile.first_name or profile.name, profile.last_name)
                customers.recognize(db, SYSTEM, job.subject, match, names, self._now())

        await self.store.write(write)

    def _known(self, db: Database, number: int) -> tuple[Profile, Mapping[str, str], Candidate | None]:
        own = recognition.certain(customers.candidates(db, number, self.config.region))
        return customers.told_by_channel(db, number), visits.told(db, number).answers, own

    async def _judge(self, job: Job) -> None:
        if not await self.enrichment.judge(job.subject):
            raise RetryableError("an enricher fails")
        await self.store.write(lambda db: jobs.done(db, job.id))

    async def _profile(self, job: Job) -> None:
        profile = await self.store.read(lambda db: customers.told_by_channel(db, job.subject))
        found = await self.hub.profile(job.connection, profile.address)

        def write(db: Database) -> None:
            if found is not None:
                db.execute(
                    "UPDATE profiles SET name = ?, first_name = ?, last_name = ?, picture = ?,"
                    " locale = coalesce(nullif(?, ''), locale) WHERE id = ?",
                    (*map(visible, (found.name, found.first_name, found.last_name, found.picture, found.locale)),
                     job.subject),
                )  # fmt: skip
                jobs.add(db, "recognize", job.connection, job.subject, self._now())
            jobs.done(db, job.id)

        await self.store.write(write)

    async def _expand(self, job: Job) -> None:
        stored = await self.store.read(lambda db: _read_event(db, job.subject))
        if stored is None:
            await self.store.write(lambda db: jobs.done(db, job.id))
            return
        payload, journal = stored
        event = event_of(payload)
        assert isinstance(event, Announced)
        events = [one for one in await self.hub.expand(job.connection, event) if one != event]
        request = Request("EXPAND", "", (), b"", self.hub.clock.now())
        received = Received(request, tuple(events), connection=job.connection)
        unread = next((one.reason for one in events if isinstance(one, Unparsed)), None)

        def write(db: Database) -> None:
            for one in events:
                if not isinstance(one, Unparsed):
                    self.intake.apply(db, received, one, journal)
            if unread is not None:  # the announcement stays, and can be asked about again
                bury_again(db, job.connection, event, journal, unread, self._now())
            else:
                db.execute("UPDATE events SET settled = 1 WHERE id = ?", (job.subject,))
                settle(db, job.connection, event, self._now())
            jobs.done(db, job.id)

        await self.store.write(write)

    async def _media(self, job: Job) -> None:
        """Download one file under a name of ours; it counts once all of it lies there."""
        stored = await self.store.read(lambda db: _read_media(db, job.subject))
        if stored is None:
            await self.store.write(lambda db: jobs.done(db, job.id))
            return
        media: Media = codec.from_json(orjson.loads(stored), Media)
        async with self.folder.writing(self.config.media_limit) as file:
            if media.content:
                await file.save(media.content)
                found = media
            else:
                found = await self.hub.fetch(job.connection, media, file.save)
        told = sniffed(file.head, found.name)
        kept = evolve(found, size=file.size, content=b"", media_type=found.media_type if told == UNKNOWN else told)

        def write(db: Database) -> bool:
            jobs.done(db, job.id)
            return bool(
                db.execute(
                    "UPDATE media SET state = 'stored', file = ?, payload = ? WHERE id = ? AND state <> 'expired'",
                    (file.name, json_of(kept), job.subject),
                ).rowcount
            )

        if not await self.store.write(write):  # its message was deleted meanwhile
            await self.folder.remove(file.name)

    async def _unlink(self, job: Job) -> None:
        """Delete the file of a message that was deleted."""
        statement = "SELECT file FROM media WHERE id = ? AND file <> ''"
        row = await self.store.read(lambda db: db.execute(statement, (job.subject,)).fetchone())
        if row is not None:
            await self.folder.remove(row[0])

        def write(db: Database) -> None:
            db.execute("UPDATE media SET file = '' WHERE id = ?", (job.subject,))
            jobs.done(db, job.id)

        await self.store.write(write)

    def _now(self) -> int:
        return micros(self.hub.clock.now())


def _read_event(db: Database, number: int) -> tuple[str, int | None] | None:
    row: tuple[str, int | None] | None = db.execute(
        "SELECT payload, journal FROM events WHERE id = ?", (number,)
    ).fetchone()
    return row


def _read_media(db: Database, number: int) -> str | None:
    row = db.execute("SELECT payload FROM media WHERE id = ? AND state = 'pending'", (number,)).fetchone()
    return None if row is None else str(row[0])
