"""Language and sentiment of what customers write, and the observers: behind the hot path, in small batches.

A cursor in the database says how far each has come, so a message costs nothing at intake and a restart loses none.
"""

from collections.abc import Sequence
from functools import partial

from attrs import define, evolve

from channelry.hub import Hub
from channelry.model import Language, Received, Sentiment, Text

from . import jobs
from .cursors import advance, cursor
from .database import Database, Row
from .journal import request_of
from .moments import SECOND, micros
from .store import Store

BATCH = 32
DUTY = 0.2
"""The share of time that enrichment may take: unthrottled in a thread it halves the speed of intake."""
IDLE = 0.5
REPAIR = 60 * SECOND
"""Until the first second look at what stayed blank while a provider failed."""
ENRICHERS = ("detect_language", "score_sentiment")
WINDOW = 6
"""Customer messages over which a conversation's sentiment is the mean."""


@define(eq=False)
class Enrichment:
    """Judges texts and shows events to observers, in the order in which they were recorded."""

    hub: Hub
    store: Store

    async def step(self) -> float:
        """Judge the next texts; give the seconds to rest."""
        if not self._orders():
            return 60.0
        last = await self.store.read(lambda db: cursor(db, "enrichment"))
        rows = await self.store.read(lambda db: _next_texts(db, last))
        if not rows:
            return IDLE
        began = self.hub.clock.monotonic()
        judged = await self._judge(rows)
        took = self.hub.clock.monotonic() - began
        later = micros(self.hub.clock.now()) + REPAIR
        blank = [] if self.healthy(*ENRICHERS) else [number for number, *found in judged if None in found]

        def write(db: Database) -> None:
            for one in judged:
                _write(db, *one)
            for number in blank:  # perhaps the outage's
                jobs.add(db, "judge", "", number, later)
            advance(db, "enrichment", rows[-1][0])

        await self.store.write(write)
        return max(took * (1 - DUTY) / DUTY, 0.0 if len(rows) == BATCH else IDLE)

    async def judge(self, message: int) -> bool:
        """Judge one message again; tell whether nothing more can be expected."""
        rows = await self.store.read(lambda db: _text(db, message))
        for one in await self._judge(rows):
            await self.store.write(partial(_write, message=one[0], language=one[1], sentiment=one[2]))
            if None in one and not self.healthy(*ENRICHERS):
                return False
        return True

    def healthy(self, *hooks: str) -> bool:
        """Tell whether every provider of some hooks works, so that a blank is its answer and not its failure."""
        named = {path for hook in hooks for path in self.hub.configuration.orders.get(hook, ())}
        return all(status.state == "ready" for status in self.hub.status() if status.name in named)

    def _orders(self) -> bool:
        return any(self.hub.configuration.orders.get(hook) for hook in ENRICHERS)

    async def _judge(self, rows: Sequence[tuple[int, str, str]]) -> list[tuple[int, Language | None, Sentiment | None]]:
        texts = [Text(text=text, hint=locale) for _, text, locale in rows]
        languages = await self.hub.detect_language(texts)
        told = [evolve(text, language=one.code if one else "") for text, one in zip(texts, languages, strict=True)]
        sentiments = await self.hub.score_sentiment(told)
        found = zip(rows, languages, sentiments, strict=True)
        return [(row[0], language, sentiment) for row, language, sentiment in found]

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


def _next_texts(db: Database, last: int) -> list[tuple[int, str, str]]:
    return db.execute(
        "SELECT m.id, m.text, p.locale FROM messages m JOIN conversations c ON c.id = m.conversation"
        " JOIN profiles p ON p.id = c.profile WHERE m.id > ? AND m.direction = 'in' AND m.text <> ''"
        " ORDER BY m.id LIMIT ?",
        (last, BATCH),
    ).fetchall()


def _text(db: Database, message: int) -> list[tuple[int, str, str]]:
    return db.execute(
        "SELECT m.id, m.text, p.locale FROM messages m JOIN conversations c ON c.id = m.conversation"
        " JOIN profiles p ON p.id = c.profile WHERE m.id = ? AND m.text <> ''",
        (message,),
    ).fetchall()


def _next_requests(db: Database, last: int) -> list[Row]:
    return db.rows("SELECT * FROM journal WHERE id > ? ORDER BY id LIMIT ?", (last, BATCH))


def _write(db: Database, message: int, language: Language | None, sentiment: Sentiment | None) -> None:
    """Write what was found to the message, and what follows from it to its conversation."""
    db.execute(
        "UPDATE messages SET language = ?, sentiment = ? WHERE id = ? AND deleted_at IS NULL",
        (language.code if language else None, sentiment.score if sentiment else None, message),
    )
    db.execute(
        "UPDATE conversations SET language = coalesce((SELECT language FROM messages m WHERE m.conversation ="
        " conversations.id AND m.language IS NOT NULL ORDER BY m.id DESC LIMIT 1), ''), sentiment ="
        " (SELECT avg(sentiment) FROM (SELECT sentiment FROM messages m WHERE m.conversation = conversations.id"
        " AND m.direction = 'in' ORDER BY m.id DESC LIMIT ?) AS latest)"
        " WHERE id = (SELECT conversation FROM messages WHERE id = ?)",
        (WINDOW, message),
    )
