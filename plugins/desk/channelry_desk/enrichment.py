"""Language and sentiment of what customers write, and the observers: behind the hot path, in small batches.

A cursor in the database says how far each has come, so a message costs nothing at intake and a restart loses none.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

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
from .store import Store
from .unjudged import BATCH, LAST, PERIOD, Due, due

IDLE = 0.5
REPAIR = 60 * SECOND
"""Until the first second look at what stayed blank while a provider failed."""
ENRICHERS = ("detect_language", "score_sentiment")


@frozen
class Found:
    """What was found of a text (None: nobody was sure), and by whom: the provider and its version, or `""`."""

    answer: Any
    by: str


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
        texts = await self.store.read(lambda db: due(db, last))
        if not texts:
            return IDLE
        began = self.hub.clock.monotonic()
        judged = await self._judge(texts)
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
        return max(took * (1 - share) / share, 0.0 if len(texts) == BATCH else IDLE)

    async def judge(self, message: int) -> bool:
        """Judge one message again; tell whether nothing more can be expected."""
        judged = await self._judge(await self.store.read(lambda db: due(db, message - 1, message)))
        await self.store.write(partial(_write, judged=judged))
        return not any(one.blank for one in judged)

    async def redo(self, since: int, until: int, told: Callable[[int], object]) -> int:
        """Judge all that was recorded in a period again, from `since` until before `until` (microseconds); tell of
        each batch how many it was, and give how many may have been kept back by an outage and stay as they were."""
        last, blank = 0, 0
        while texts := await self.store.read(partial(due, after=last, since=since, until=until)):
            judged = await self._judge(texts)
            await self.store.write(partial(_write, judged=judged))
            blank += sum(one.blank for one in judged)
            last = judged[-1].message
            told(len(judged))
        return blank

    async def count(self, since: int, until: int) -> int:
        """Give how many messages `redo` would judge."""
        return await self.store.read(
            lambda db: int(db.execute(f"SELECT count(*) {PERIOD}", (0, LAST, since, until)).fetchone()[0])
        )

    def healthy(self, *hooks: str) -> bool:
        """Tell whether every provider of some hooks works, so that a blank is its answer and not its failure."""
        named = {path for hook in hooks for path in self.hub.configuration.orders.get(hook, ())}
        return all(status.state == "ready" for status in self.hub.status() if status.name in named)

    async def _judge(self, texts: Sequence[Due]) -> list[Judged]:
        asked = [evolve(one.text, languages=self._languages(one.connection)) for one in texts]
        languages = await self._found("detect_language", asked)
        told = [
            evolve(text, language=found.answer.code if found.answer else one.spoken)
            for one, text, found in zip(texts, asked, languages, strict=True)
        ]
        sentiments = await self._found("score_sentiment", told)
        final = self.healthy(*ENRICHERS)
        return [
            Judged(one.message, one.conversation, language, sentiment, final)
            for one, language, sentiment in zip(texts, languages, sentiments, strict=True)
        ]

    def _languages(self, connection: str) -> tuple[str, ...]:
        """Give the languages that a connection is configured for; none if it is gone from the configuration."""
        instance = self.hub.connections.get(connection)
        return instance.entry.languages if instance else ()

    async def _found(self, hook: str, texts: Sequence[Text]) -> list[Found]:
        found, _ = await self.hub.enrich(hook, texts)
        return [Found(one.answer, self._named(one.by) if one.by else "") for one in found]

    def _named(self, provider: str) -> str:
        entry = self.hub.instances[provider].entry
        return f"{entry.plugin} {entry.version}".strip()

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
