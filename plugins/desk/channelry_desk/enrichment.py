"""Language and sentiment of what customers write, and the observers: behind the hot path, in small batches.

A cursor in the database says how far each has come, so a message costs nothing at intake and a restart loses none.
"""

from collections.abc import Callable, Sequence
from functools import partial

from attrs import define, evolve, frozen

from channelry.hub import Hub
from channelry.model import Received, Text

from . import jobs
from .config import DeskConfig
from .cursors import advance, cursor
from .database import Database, Row
from .journal import request_of
from .moments import SECOND, micros
from .mood import WINDOW, conversation_score
from .providers import Found, asked
from .store import Store

BATCH = 32
IDLE = 0.5
REPAIR = 60 * SECOND
"""Until the first second look at what stayed blank while a provider failed."""
ENRICHERS = ("detect_language", "score_sentiment")


@frozen
class Judged:
    """What was found of one message; `final`: every provider worked, so that a blank is their answer."""

    message: int
    conversation: int
    language: Found
    sentiment: Found
    final: bool

    @property
    def blank(self) -> bool:
        """Whether an outage may have kept something back."""
        return not self.final and None in (self.language.answer, self.sentiment.answer)


@define(eq=False)
class Enrichment:
    """Judges texts and shows events to observers, in the order in which they were recorded."""

    hub: Hub
    store: Store
    config: DeskConfig

    async def step(self) -> float:
        """Judge the next texts; give the seconds to rest."""
        if not any(self.hub.configuration.orders.get(hook) for hook in ENRICHERS):
            return 60.0
        last = await self.store.read(lambda db: cursor(db, "enrichment"))
        rows = await self.store.read(lambda db: _texts(db, last))
        if not rows:
            return IDLE
        began = self.hub.clock.monotonic()
        judged = await self._judge(rows)
        took = self.hub.clock.monotonic() - began
        later = micros(self.hub.clock.now()) + REPAIR

        def write(db: Database) -> None:
            _write(db, judged)
            for one in judged:
                if one.blank:
                    jobs.add(db, "judge", "", one.message, later)
            advance(db, "enrichment", judged[-1].message)

        await self.store.write(write)
        share = self.config.enrichment_duty
        return max(took * (1 - share) / share, 0.0 if len(rows) == BATCH else IDLE)

    async def judge(self, message: int) -> bool:
        """Judge one message again; tell whether nothing more can be expected."""
        judged = await self._judge(await self.store.read(lambda db: _texts(db, message - 1, message)))
        await self.store.write(partial(_write, judged=judged))
        return not any(one.blank for one in judged)

    async def redo(self, since: int, until: int, told: Callable[[int], object]) -> int:
        """Judge all that was recorded in a period again, from `since` until before `until` (microseconds); tell of
        each batch how many it was, and give how many may have been kept back by an outage and stay as they were."""
        last, blank = 0, 0
        while rows := await self.store.read(partial(_texts, after=last, since=since, until=until)):
            judged = await self._judge(rows)
            await self.store.write(partial(_write, judged=judged))
            blank += sum(one.blank for one in judged)
            last = judged[-1].message
            told(len(judged))
        return blank

    async def count(self, since: int, until: int) -> int:
        """Give how many messages `redo` would judge."""
        return await self.store.read(
            lambda db: int(db.execute(f"SELECT count(*) {_PERIOD}", (0, LAST, since, until)).fetchone()[0])
        )

    def healthy(self, *hooks: str) -> bool:
        """Tell whether every provider of some hooks works, so that a blank is its answer and not its failure."""
        named = {path for hook in hooks for path in self.hub.configuration.orders.get(hook, ())}
        return all(status.state == "ready" for status in self.hub.status() if status.name in named)

    async def _judge(self, rows: Sequence[Row]) -> list[Judged]:
        texts = [Text(text=row["text"], language=row["language"], hint=row["locale"]) for row in rows]
        languages = await asked(self.hub, "detect_language", texts)
        told = [
            evolve(text, language=found.answer.code) if found.answer else text
            for text, found in zip(texts, languages, strict=True)
        ]
        sentiments = await asked(self.hub, "score_sentiment", told)
        final = self.healthy(*ENRICHERS)
        return [
            Judged(row["id"], row["conversation"], language, sentiment, final)
            for row, language, sentiment in zip(rows, languages, sentiments, strict=True)
        ]

    async def observe(self) -> float:
        """Show the next recorded requests' events to the plugins that observe."""
        if not any("observe" in instance.hooks for instance in self.hub.instances.values()):
            return 60.0
        last = await self.store.read(lambda db: cursor(db, "observers"))
        rows = await self.store.read(lambda db: _next_requests(db, last))
        for row in rows:
            instance = self.hub.connections.get(row["connection"])
            if instance is not None and instance.plugin is not None and row["body"]:
                parsed: Received = self.hub.parsed(instance, request_of(row))
                for event in parsed.events:
                    if instance.claims(event):
                        await self.hub.observe(event, row["connection"])
        if rows:
            await self.store.write(lambda db: advance(db, "observers", rows[-1]["id"]))
        return 0.0 if len(rows) == BATCH else IDLE


LAST = 2**63 - 1
_PERIOD = (
    "FROM messages m JOIN conversations c ON c.id = m.conversation JOIN profiles p ON p.id = c.profile"
    " WHERE m.id > ? AND m.id <= ? AND m.recorded_at >= ? AND m.recorded_at < ? AND m.direction = 'in' AND m.text <> ''"
)


def _texts(db: Database, after: int, last: int = LAST, since: int = 0, until: int = LAST) -> list[Row]:
    """Give what customers wrote after a message, each with the language that its conversation has by now."""
    return db.rows(
        f"SELECT m.id, m.conversation, m.text, c.language, p.locale {_PERIOD} ORDER BY m.id LIMIT ?",
        (after, last, since, until, BATCH),
    )


def _next_requests(db: Database, last: int) -> list[Row]:
    return db.rows("SELECT * FROM journal WHERE id > ? ORDER BY id LIMIT ?", (last, BATCH))


def _write(db: Database, judged: Sequence[Judged]) -> None:
    """Write what was found to the messages, and what follows from it to their conversations."""
    for one in judged:
        language, sentiment = one.language.answer, one.sentiment.answer
        if language is not None or one.final:
            found = (language.code, language.confidence) if language else (None, None)
            db.execute(
                "UPDATE messages SET language = ?, confidence = ?, language_by = ? WHERE id = ? AND deleted_at IS NULL",
                (*found, one.language.by, one.message),
            )
        if sentiment is not None or one.final:
            db.execute(
                "UPDATE messages SET sentiment = ?, sentiment_by = ? WHERE id = ? AND deleted_at IS NULL",
                (sentiment.score if sentiment else None, one.sentiment.by, one.message),
            )
    for conversation in sorted({one.conversation for one in judged}):
        _sum_up(db, conversation)


def _sum_up(db: Database, conversation: int) -> None:
    """Give a conversation the language that most speaks for, a short text less than a long one, and its mood."""
    language = db.execute(
        "SELECT language FROM messages WHERE conversation = ? AND direction = 'in' AND language IS NOT NULL"
        " GROUP BY language ORDER BY sum(confidence) DESC, max(id) DESC LIMIT 1",
        (conversation,),
    ).fetchone()
    scores = db.execute(
        "SELECT sentiment FROM messages WHERE conversation = ? AND direction = 'in' ORDER BY id DESC LIMIT ?",
        (conversation, WINDOW),
    ).fetchall()
    mood = conversation_score([score for (score,) in reversed(scores)])
    found = "" if language is None else language[0]
    db.execute("UPDATE conversations SET language = ?, sentiment = ? WHERE id = ?", (found, mood, conversation))
