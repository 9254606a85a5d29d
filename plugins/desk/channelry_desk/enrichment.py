"""Language and sentiment of what customers write, and the observers: behind the hot path, in small batches.

A cursor in the database says how far each has come, so a message costs nothing at intake and a restart loses none.
"""

import sqlite3
from collections.abc import Sequence

from attrs import define, evolve

from channelry.hub import Hub
from channelry.model import Language, Received, Sentiment, Text

from .store import Store
from .texts import request_of

BATCH = 32
DUTY = 0.2
"""The share of time that enrichment may take: unthrottled in a thread it halves the speed of intake."""
IDLE = 0.5
REPAIR = 60.0
"""Seconds between two looks at what stayed blank while a provider failed."""
WINDOW = 6
"""Customer messages over which a conversation's sentiment is the mean."""


@define(eq=False)
class Enrichment:
    """Judges texts and shows events to observers, in the order in which they were recorded."""

    hub: Hub
    store: Store

    async def step(self) -> float:
        """Judge the next texts; give the seconds to rest."""
        orders = self.hub.configuration.orders
        if not (orders.get("detect_language") or orders.get("score_sentiment")):
            return 60.0
        cursor = await self.store.read(lambda db: _cursor(db, "enrichment"))
        rows = await self.store.read(lambda db: _next_texts(db, cursor))
        if not rows:
            return IDLE
        began = self.hub.clock.monotonic()
        texts = [Text(text=text, hint=locale) for _, text, locale in rows]
        languages: Sequence[Language | None] = await self.hub.detect_language(texts)
        told = [evolve(text, language=one.code if one else "") for text, one in zip(texts, languages, strict=True)]
        sentiments: Sequence[Sentiment | None] = await self.hub.score_sentiment(told)
        if not self._healthy():  # the blanks may be an outage's: judged again when it is over
            judged = [number for number, one in enumerate(zip(languages, sentiments, strict=True)) if any(one)]
            if not judged:
                return REPAIR
        took = self.hub.clock.monotonic() - began

        def write(db: sqlite3.Connection) -> None:
            for (number, _, _), language, sentiment in zip(rows, languages, sentiments, strict=True):
                _write(db, number, language, sentiment)
            _advance(db, "enrichment", rows[-1][0])

        await self.store.write(write)
        return max(took * (1 - DUTY) / DUTY, 0.0 if len(rows) == BATCH else IDLE)

    def _healthy(self) -> bool:
        named = {path for hook in ("detect_language", "score_sentiment")
                 for path in self.hub.configuration.orders.get(hook, ())}  # fmt: skip
        return all(status.state == "ready" for status in self.hub.status() if status.name in named)

    async def observe(self) -> float:
        """Show the next recorded requests' events to the plugins that observe."""
        if not any("observe" in instance.hooks for instance in self.hub.instances.values()):
            return 60.0
        cursor = await self.store.read(lambda db: _cursor(db, "observers"))
        rows = await self.store.read(lambda db: _next_requests(db, cursor))
        for row in rows:
            instance = self.hub.connections.get(row["connection"])
            if instance is not None and instance.plugin is not None and row["body"]:
                parsed: Received = self.hub.parsed(instance, request_of(row))
                for event in parsed.events:
                    if instance.claims(event):
                        await self.hub.observe(event, row["connection"])
        if rows:
            await self.store.write(lambda db: _advance(db, "observers", rows[-1]["id"]))
        return 0.0 if len(rows) == BATCH else IDLE


def _cursor(db: sqlite3.Connection, name: str) -> int:
    row = db.execute("SELECT value FROM state WHERE owner = 'desk' AND key = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def _advance(db: sqlite3.Connection, name: str, to: int) -> None:
    db.execute(
        "INSERT INTO state (owner, key, value) VALUES ('desk', ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (name, str(to)),
    )


def _next_texts(db: sqlite3.Connection, cursor: int) -> list[tuple[int, str, str]]:
    return db.execute(
        "SELECT m.id, m.text, p.locale FROM messages m JOIN conversations c ON c.id = m.conversation"
        " JOIN profiles p ON p.id = c.profile WHERE m.id > ? AND m.direction = 'in' AND m.text <> ''"
        " ORDER BY m.id LIMIT ?",
        (cursor, BATCH),
    ).fetchall()


def _next_requests(db: sqlite3.Connection, cursor: int) -> list[sqlite3.Row]:
    found = db.cursor()
    found.row_factory = sqlite3.Row
    return found.execute("SELECT * FROM journal WHERE id > ? ORDER BY id LIMIT ?", (cursor, BATCH)).fetchall()


def _write(db: sqlite3.Connection, message: int, language: Language | None, sentiment: Sentiment | None) -> None:
    """Write what was found to the message, and what follows from it to its conversation."""
    db.execute(
        "UPDATE messages SET language = ?, sentiment = ? WHERE id = ? AND deleted_at IS NULL",
        (language.code if language else None, sentiment.score if sentiment else None, message),
    )
    db.execute(
        "UPDATE conversations SET language = coalesce((SELECT language FROM messages m WHERE m.conversation ="
        " conversations.id AND m.language IS NOT NULL ORDER BY m.id DESC LIMIT 1), ''), sentiment ="
        " (SELECT avg(sentiment) FROM (SELECT sentiment FROM messages m WHERE m.conversation = conversations.id"
        " AND m.direction = 'in' ORDER BY m.id DESC LIMIT ?))"
        " WHERE id = (SELECT conversation FROM messages WHERE id = ?)",
        (WINDOW, message),
    )
