"""What the providers answer, and which of them it was."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from attrs import evolve, frozen

from channelry.dispatch import first_per_item
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
    told = [evolve(text, language=one.code if one else "") for text, (one, _) in zip(texts, languages, strict=True)]
    sentiments = await asked(hub, "score_sentiment", told, complain)
    seconds = (time.perf_counter() - began) / len(texts)
    return [
        Answer(text.text, language, sentiment, tuple(dict.fromkeys(filter(None, (named, scored)))), seconds)
        for text, (language, named), (sentiment, scored) in zip(texts, languages, sentiments, strict=True)
    ]


async def asked(hub: Hub, hook: str, texts: Sequence[Text], complain: Complain) -> list[tuple[Any, str]]:
    """Ask the providers of a hook in their order, each for what is still open; give each answer with who gave it."""
    answers: list[tuple[Any, str]] = [(None, "")] * len(texts)
    for path in hub.configuration.orders.get(hook, ()):
        instance = hub.instances[path]
        still_open = [index for index, (answer, _) in enumerate(answers) if answer is None]
        if not still_open or instance.state != "ready":
            continue
        found, (outcome,) = await first_per_item([instance.hooks[hook]], [texts[index] for index in still_open])
        if outcome.error is not None:
            complain(path, str(outcome.error))
        for index, answer in zip(still_open, found, strict=True):
            if answer is not None:
                answers[index] = answer, instance.entry.plugin
    return answers
