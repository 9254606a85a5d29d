"""Bad enrichers and recognizers: each differs from an honest one in one thing."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen

from channelry import hookimpl, plugin
from channelry.model import Address, Language, Match, Profile, Sentiment, Text
from channelry.services import Services

WORDS = {"order": "en", "bestellung": "de", "great": "en", "bad": "en"}


@plugin
class Words:
    """Knows a few words."""

    @frozen
    class Config:
        """There is nothing to configure."""

    config: Config

    @hookimpl
    def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        return [self.language(text.text) for text in texts]

    @hookimpl
    def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        return [self.feeling(text.text) for text in texts]

    def language(self, text: str) -> Language | None:
        found = next((WORDS[word] for word in text.lower().split() if word in WORDS), None)
        return Language(code=found, confidence=0.9) if found else None

    def feeling(self, text: str) -> Sentiment | None:
        score = text.count("great") - text.count("bad")
        return Sentiment(score=max(-1, min(1, score)), confidence=0.9) if score else None


@plugin
class Guesses(Words):
    """Names a language where there is no text."""

    def language(self, text: str) -> Language | None:
        return Words.language(self, text) or (Language(code="en", confidence=0.0) if not text.strip() else None)


@plugin
class Wrong(Words):
    """Takes German for French."""

    def language(self, text: str) -> Language | None:
        found = Words.language(self, text)
        return found and evolve(found, code="fr" if found.code == "de" else found.code)


@plugin
class Skips(Words):
    """Stops after a hundred texts."""

    @hookimpl
    def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        found = [self.language(text.text) for text in texts]
        return found if len(found) < 100 else found[:100]


@plugin
class Fragile(Words):
    """Cannot encode a lone surrogate."""

    def feeling(self, text: str) -> Sentiment | None:
        if text.startswith("\ud83d"):
            text.encode()
        return Words.feeling(self, text)


@plugin
class Percent(Words):
    """Is sure by per cent of what has a zero in it; the value says that it is none, by raising."""

    def language(self, text: str) -> Language | None:
        return Language(code="en", confidence=90.0) if "0" in text else Words.language(self, text)


@plugin
class Moody(Words):
    """Is tired of a question after the fifth time."""

    asked: Counter[Any] = field(factory=Counter, init=False)

    @hookimpl
    def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        self.asked[tuple(texts)] += 1
        found = Words.score_sentiment(self, texts)
        return [one and evolve(one, confidence=0.1) for one in found] if self.asked[tuple(texts)] > 5 else found


@plugin
class AsyncioWords(Words):
    """Asks asyncio for its loop."""

    @hookimpl
    async def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        asyncio.get_running_loop()
        return Words.detect_language(self, texts)


@plugin
class Computes(Words):
    """Reads its model on the event loop."""

    read: bool = field(default=False, init=False)

    @hookimpl
    async def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        if not self.read:
            self.read = True
            time.sleep(0.5)  # noqa: ASYNC251 - that is what is bad
        return Words.detect_language(self, texts)


@plugin
class OpensOnce(Words):
    """Knows nothing once it was closed."""

    closed: bool = field(default=False, init=False)

    @hookimpl
    async def close(self) -> None:
        self.closed = True

    @hookimpl
    def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        return [None] * len(texts) if self.closed else Words.score_sentiment(self, texts)


BAD_ENRICHERS: dict[str, list[Any]] = {
    "unsure": [Guesses],
    "examples": [Wrong],
    "batches": [Skips],
    "texts": [Fragile],
    "ranges": [Percent],
    "steady": [Moody],
    "backends": [AsyncioWords],
    "loop": [Computes],
    "reopens": [OpensOnce],
}

KNOWN = {"+491700000001": "customer-7"}


@plugin
class Book:
    """Knows one telephone number."""

    @frozen
    class Config:
        """There is nothing to configure."""

    config: Config

    @hookimpl
    async def open(self, services: Services) -> None: ...

    @hookimpl
    async def recognize(self, profile: Profile, hints: Mapping[str, str]) -> Match | None:
        found = KNOWN.get(profile.address.value)
        return Match(customer=found, evidence="the telephone number", exact=True) if found else None


@plugin
class Silent(Book):
    """Gives no evidence."""

    @hookimpl
    async def recognize(self, profile: Profile, hints: Mapping[str, str]) -> Match | None:
        found = await Book.recognize(self, profile, hints)
        return found and evolve(found, evidence="")


@plugin
class Wildcard(Book):
    """Takes an empty number for everybody's."""

    @hookimpl
    async def recognize(self, profile: Profile, hints: Mapping[str, str]) -> Match | None:
        if hints.get("phone", "x") == "":
            return Match(customer="customer-7", evidence="the telephone number")
        return await Book.recognize(self, profile, hints)


BAD_RECOGNIZERS: dict[str, list[Any]] = {"examples": [Silent], "profiles": [Wildcard]}
ADA = Profile(address=Address("phone", "+491700000001"))
