"""Azure as an enricher: its configuration and its hooks. The SDK is imported when the first text comes."""

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

if TYPE_CHECKING:
    from .service import Service


def _address(_: Any, attribute: Any, value: str) -> None:
    parts = urlsplit(value)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.scheme not in (("https", "http") if local else ("https",)) or "@" in parts.netloc:
        raise ValueError(f"{attribute.name!r} must be an address as https://NAME.cognitiveservices.azure.com")


def _country(_: Any, attribute: Any, value: str) -> None:
    if value and not (len(value) == 2 and value.isascii() and value.isalpha()):
        raise ValueError(f"{attribute.name!r} must be a country of two letters (ISO 3166-1), or empty")


@plugin
class Azure:
    """One Language resource of Azure, for language and sentiment."""

    @frozen(kw_only=True)
    class Config:
        """One resource.

        - `base_url`: its endpoint, as Azure's portal calls it; https, for the key travels with each request.
        - `key`: one of its two keys.
        - `country_hint`: the country (ISO 3166-1, two letters) where most customers write, for texts that could be
          of several languages and bring no hint of their own.
        - `min_confidence`: from 0 to 1; what Azure is less sure of is left open.
        - `timeout`: seconds that one batch of texts may take, in all its requests.
        - `disable_service_logs`: whether Azure, which else keeps texts for 48 hours, is to keep none.
        """

        base_url: str = field(validator=_address)
        key: Secret
        country_hint: str = field(default="", validator=_country)
        min_confidence: float = field(default=0.5, validator=[validators.ge(0), validators.le(1)])
        timeout: float = field(default=15.0, validator=validators.gt(0))
        disable_service_logs: bool = True

    config: Config
    _clock: Clock = field(factory=SystemClock, init=False, repr=False)
    _service: "Service | None" = field(default=None, init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    @hookimpl
    def open(self, services: Services) -> None:
        self._clock = services.clock

    @hookimpl
    def close(self) -> None:
        with self._lock:
            if self._service is not None:
                self._service.close()
                self._service = None

    @hookimpl
    def check(self) -> None:
        if not self._connected().languages([{"id": "0", "text": "Hello", "country_hint": ""}]):
            raise PermanentError("Azure refuses to name the language of a plain text", code="refused")

    @hookimpl
    def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        least, home = self.config.min_confidence, self.config.country_hint
        asked = [
            {"id": str(index), "text": sent, "country_hint": documents.region(text.hint) or home}
            for index, text in enumerate(texts)
            if (sent := documents.sendable(text.text))
        ]
        found = self._connected().languages(asked) if asked else {}
        keys = map(str, range(len(texts)))
        return [documents.language(found[key], least) if key in found else None for key in keys]

    @hookimpl
    def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        least = self.config.min_confidence
        asked = [
            {"id": str(index), "text": sent, "language": language}
            for index, text in enumerate(texts)
            if (sent := documents.sendable(text.text))
            # a text of no language would be read as English
            and (language := documents.sentiment_language(text.language or text.hint))
        ]
        found = self._connected().sentiments(asked) if asked else {}
        keys = map(str, range(len(texts)))
        return [documents.sentiment(found[key], least) if key in found else None for key in keys]

    def _connected(self) -> "Service":
        """Give the service, connected at the first call: hooks run in several threads at once."""
        with self._lock:
            if self._service is None:
                from .service import Service  # the SDK, which a process that enriches nothing never pays for

                config = self.config
                self._service = Service.connect(
                    config.base_url, config.key, self._clock, config.timeout, config.disable_service_logs
                )
            return self._service
