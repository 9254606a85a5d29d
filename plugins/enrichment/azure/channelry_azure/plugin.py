"""Azure as an enricher: its configuration and its hooks. The SDK is imported when the first text comes."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import field, frozen, validators

from channelry import hookimpl, plugin
from channelry.errors import PermanentError
from channelry.model import Language, Sentiment, Text
from channelry.secrets import Secret
from channelry.services import Clock, Services, SystemClock

from . import documents
from .entra import Entra
from .masking import Kind, mask

if TYPE_CHECKING:
    from .service import Service


def _address(config: Any, attribute: Any, value: str) -> None:
    parts = urlsplit(value)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1") and config.entra is None
    if not parts.hostname or parts.scheme not in (("https", "http") if local else ("https",)) or "@" in parts.netloc:
        raise ValueError(f"{attribute.name!r} must be an address as https://NAME.cognitiveservices.azure.com")


def _proof(config: Any, attribute: Any, value: Any) -> None:
    if (config.key is None) == (value is None):
        raise ValueError(f"{attribute.name!r} must be there if `key` is not, and only then")


def _patterns(_: Any, attribute: Any, value: Sequence[str]) -> None:
    for pattern in value:
        try:
            re.compile(pattern)
        except re.error:
            raise ValueError(f"{attribute.name!r} must be an array of regular expressions") from None


def _country(_: Any, attribute: Any, value: str) -> None:
    if value and not (len(value) == 2 and value.isascii() and value.isalpha()):
        raise ValueError(f"{attribute.name!r} must be a country of two letters (ISO 3166-1), or empty")


@plugin
class Azure:
    """One Language resource of Azure, for language and sentiment."""

    @frozen(kw_only=True)
    class Config:
        """One resource.

        - `base_url`: its endpoint, as Azure's portal calls it; https, for key or token travel with each request.
        - `key`: one of its two keys; or `entra`.
        - `country_hint`: the country (ISO 3166-1, two letters) where most customers write, for texts that could be
          of several languages and bring neither a locale nor the country of a phone, and for phone numbers to be
          masked.
        - `min_confidence`: from 0 to 1; what Azure is less sure of is left open.
        - `timeout`: seconds that one batch of texts may take, in all its requests.
        - `linger`: seconds that a request which is not full waits for texts of other callers.
        - `remember`: so many answers are kept, for texts that come again.
        - `disable_service_logs`: whether Azure, which else keeps texts for 48 hours, is to keep none.
        - `mask`: what of `email`, `phone` and `card` is masked before a text leaves the machine.
        - `mask_patterns`: regular expressions of what else is masked.
        """

        base_url: str = field(validator=_address)
        key: Secret | None = None
        entra: Entra | None = field(default=None, validator=_proof)
        country_hint: str = field(default="", validator=_country)
        min_confidence: float = field(default=0.5, validator=[validators.ge(0), validators.le(1)])
        timeout: float = field(default=15.0, validator=validators.gt(0))
        linger: float = field(default=0.02, validator=[validators.ge(0), validators.le(1)])
        remember: int = field(default=1_000, validator=validators.ge(0))
        disable_service_logs: bool = True
        mask: tuple[Kind, ...] = ()
        mask_patterns: tuple[str, ...] = field(default=(), validator=_patterns)

    config: Config
    billed: Counter[str] = field(factory=Counter, init=False)
    """Text records of answered requests since the start, by what was asked."""
    _clock: Clock = field(factory=SystemClock, init=False, repr=False)
    _log: logging.Logger = field(factory=lambda: logging.getLogger(__name__), init=False, repr=False)
    _service: "Service | None" = field(default=None, init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    @hookimpl
    def open(self, services: Services) -> None:
        self._clock, self._log = services.clock, services.log

    @hookimpl
    def close(self) -> None:
        with self._lock:
            if self._service is not None:
                self._service.close()
                self._service = None
                told = ", ".join(f"{count} of {name}" for name, count in sorted(self.billed.items()))
                self._log.info("Azure bills these text records since the start: %s", told or "none")

    @hookimpl
    def check(self) -> None:
        if not self._connected().answers({"text": "Hello", "country_hint": ""}, self.config.timeout):
            raise PermanentError("Azure refuses to name the language of a plain text", code="refused")

    @hookimpl
    def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        """Ask about the first piece of each text: of a long one it tells as much as the whole."""
        found: list[Language | None] = [None] * len(texts)
        asked = [
            (index, {"text": pieces[0], "country_hint": self._country(text)})
            for index, text in enumerate(texts)
            if (pieces := self._pieces(text))
        ]
        answers = self._connected().languages([document for _, document in asked]) if asked else []
        for (index, _), answer in zip(asked, answers, strict=True):
            found[index] = answer and documents.language(answer, self.config.min_confidence)
        return found

    @hookimpl
    def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        asked = self._judged(texts)
        answers = self._connected().sentiments([document for _, document in asked]) if asked else []
        shares: list[list[tuple[int, Any]]] = [[] for _ in texts]
        for (index, document), answer in zip(asked, answers, strict=True):
            if answer is not None:
                shares[index].append((len(document["text"]), answer))
        return [documents.sentiment(each, self.config.min_confidence) for each in shares]

    def opinions(self, texts: Sequence[Text]) -> list[tuple[documents.Opinion, ...]]:
        """Give what each text says of what (opinion mining), nothing where Azure has no answer.

        No hook, for no other provider has this: an application that wants it asks the plugin, in a thread.
        """
        asked = self._judged(texts)
        answers = self._connected().opinions([document for _, document in asked]) if asked else []
        found: list[tuple[documents.Opinion, ...]] = [() for _ in texts]
        for (index, _), sentences in zip(asked, answers, strict=True):
            found[index] += documents.opinions(sentences or ())
        return found

    def _judged(self, texts: Sequence[Text]) -> list[tuple[int, documents.Document]]:
        """Give the documents of each text, by its index: none of a text of no language, which would be read as
        English."""
        return [
            (index, {"text": piece, "language": language})
            for index, text in enumerate(texts)
            if (language := documents.sentiment_language(text.language or text.hint))
            for piece in self._pieces(text)
        ]

    def _pieces(self, text: Text) -> list[str]:
        config = self.config
        shown = mask(text.text[: documents.LONGEST], config.mask, config.mask_patterns, self._country(text))
        return documents.pieces(shown)

    def _country(self, text: Text) -> str:
        """Give where a text comes from: by the channel's locale, the customer's phone number, or the configuration."""
        return documents.region(text.hint) or documents.region(f"und-{text.country}") or self.config.country_hint

    def _connected(self) -> "Service":
        """Give the service, connected at the first call: hooks run in several threads at once."""
        with self._lock:
            if self._service is None:
                from . import credentials  # the SDK, which a process that enriches nothing never pays for
                from .service import Service

                config = self.config
                self._service = Service.connect(
                    config.base_url,
                    credentials.of_key(config.key) if config.key else credentials.of_entra(config.entra or Entra()),
                    self._clock,
                    timeout=config.timeout,
                    linger=config.linger,
                    remember=config.remember,
                    no_logs=config.disable_service_logs,
                    billed=self.billed,
                )
            return self._service
