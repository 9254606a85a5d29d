"""What the providers answer, and which of them it was."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from attrs import evolve, frozen

from channelry.dispatch import Found
from channelry.hub import Hub
from channelry.model import Language, Sentiment, Text
from channelry_desk.mood import mood

Complain: TypeAlias = Callable[[str, str], object]
"""Is told of each provider that failed: its path (`enrichment.azure`), and the reason."""


@frozen
class Answer:
    """What was found of one text, None where nobody was sure; `plugins` found it, in `seconds`."""

    text: str
    language: Language | None
    sentiment: Sentiment | None
    plugins: tuple[str, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "language": self.language and self.language.code,
            "confidence": self.language and round(self.language.confidence, 4),
            "sentiment": self.sentiment and mood(self.sentiment.score),
            "score": self.sentiment and round(self.sentiment.score, 4),
            "plugin": ",".join(self.plugins) or None,
            "ms": round(self.seconds * 1000, 3),
        }


async def enriched(hub: Hub, texts: Sequence[Text], complain: Complain) -> list[Answer]:
    """Name the language of each text, then score it."""
    began = time.perf_counter()
    languages = await asked(hub, "detect_language", texts, complain)
    told = [
        evolve(text, language=one.answer.code if one.answer else "") for text, one in zip(texts, languages, strict=True)
    ]
    sentiments = await asked(hub, "score_sentiment", told, complain)
    seconds = (time.perf_counter() - began) / len(texts)
    return [
        Answer(text.text, language.answer, sentiment.answer, _named(hub, language.by, sentiment.by), seconds)
        for text, language, sentiment in zip(texts, languages, sentiments, strict=True)
    ]


async def asked(hub: Hub, hook: str, texts: Sequence[Text], complain: Complain) -> list[Found]:
    """Ask the providers of a hook in their order, each for what is still open."""
    found, outcomes = await hub.enrich(hook, texts)
    for outcome in outcomes:
        if outcome.error is not None:
            complain(outcome.plugin, str(outcome.error))
    return found


def _named(hub: Hub, *providers: str) -> tuple[str, ...]:
    """Give the names of the plugins behind some paths, each once."""
    return tuple(dict.fromkeys(hub.instances[path].entry.plugin for path in providers if path))
