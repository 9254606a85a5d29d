"""The Language service, by Microsoft's SDK. Importing this module imports the SDK, which takes its time."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from threading import Lock
from typing import Any

from attrs import define, field
from azure.ai.textanalytics import TextAnalyticsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import SansIOHTTPPolicy

from channelry.errors import RetryableError, SendError
from channelry.services import Clock

from .batching import Batcher
from .breaker import Breaker
from .credentials import Credential
from .documents import MOST_TO_DETECT, MOST_TO_SCORE, Document, records
from .refusals import meaning, unreadable

API_VERSION = "2023-04-01"
"""The newest that the SDK speaks."""
CONNECT = 4.0
"""Seconds that a connection may take to open; with the default time-out less than what the hub waits."""


@define(eq=False)
class Service:
    """One Language resource: asks about documents, those of several callers together.

    A document that Azure refuses has no answer. A request that fails fails the calls whose documents it had:
    RetryableError, AuthError or PermanentError. Nothing is repeated here, for who calls decides that, and no redirect
    is followed, for the key would go along.

    - `billed`: text records of answered requests, by what was asked (`language`, `sentiment`, `opinions`).
    """

    _client: TextAnalyticsClient
    _credential: Credential = field(repr=False)
    _clock: Clock
    _options: dict[str, Any] = field(repr=False)
    _breaker: Breaker
    billed: Counter[str]
    _batchers: dict[str, Batcher] = field(factory=dict, init=False)
    _ids: "count[int]" = field(factory=count, init=False)
    _counting: Lock = field(factory=Lock, init=False, repr=False)

    @classmethod
    def connect(
        cls,
        endpoint: str,
        credential: Credential,
        clock: Clock,
        *,
        timeout: float,
        linger: float,
        remember: int,
        no_logs: bool,
        billed: Counter[str],
    ) -> "Service":
        """Make the client of a resource; nothing is sent yet. `no_logs` has Azure keep no text."""
        logging.getLogger("azure.ai.textanalytics").setLevel(logging.ERROR)  # it warns of each body that is no JSON
        client = TextAnalyticsClient(
            endpoint,
            credential,
            api_version=API_VERSION,
            retry_total=0,
            permit_redirects=False,
            http_logging_policy=SansIOHTTPPolicy(),  # does nothing; the SDK's own logs every request at INFO
        )
        made = cls(client, credential, clock, {"disable_service_logs": no_logs}, Breaker(clock), billed)
        mining = partial(client.analyze_sentiment, show_opinion_mining=True)
        for name, method, most in (
            ("language", client.detect_language, MOST_TO_DETECT),
            ("sentiment", client.analyze_sentiment, MOST_TO_SCORE),
            ("opinions", mining, MOST_TO_SCORE),
        ):
            request = partial(made._request, name, method)
            made._batchers[name] = Batcher(request, clock, most, linger, timeout, remember)
        return made

    def close(self) -> None:
        self._client.close()
        if not isinstance(self._credential, AzureKeyCredential):
            self._credential.close()

    def languages(self, documents: Sequence[Document]) -> list[Any]:
        """Give the detected language (`iso6391_name`, `confidence_score`) of each document, or None."""
        return [one and one.primary_language for one in self._batchers["language"].ask(documents)]

    def sentiments(self, documents: Sequence[Document]) -> list[Any]:
        """Give the shares (`positive`, `neutral`, `negative`) of each document, or None."""
        return [one and one.confidence_scores for one in self._batchers["sentiment"].ask(documents)]

    def opinions(self, documents: Sequence[Document]) -> list[Any]:
        """Give the sentences (`mined_opinions`) of each document, or None."""
        return [one and one.sentences for one in self._batchers["opinions"].ask(documents)]

    def answers(self, document: Document, seconds: float) -> bool:
        """Ask for the language of one document, remembered or not; tell whether it has an answer."""
        return self._request("language", self._client.detect_language, [document], seconds) != [None]

    def _request(
        self, name: str, method: Callable[..., Sequence[Any]], documents: Sequence[Document], seconds: float
    ) -> list[Any]:
        """Make one request; give the answers that are no errors, each to its own document by its id."""
        self._breaker.admit()
        if seconds <= 0:
            raise RetryableError("there is no time left to ask Azure", code="timeout")
        sent = [{"id": str(next(self._ids)), **document} for document in documents]  # no other request's answer fits
        try:
            answers = self._sent(method, sent, seconds)
        except SendError as error:
            self._breaker.failed(error)
            raise
        self._breaker.succeeded()
        with self._counting:
            self.billed[name] += records(documents)
        found = {one.id: one for one in answers if not one.is_error}
        return [found.get(document["id"]) for document in sent]

    def _sent(self, method: Callable[..., Sequence[Any]], documents: list[Document], seconds: float) -> Sequence[Any]:
        try:
            return method(documents, connection_timeout=min(CONNECT, seconds), read_timeout=seconds, **self._options)
        except AzureError as error:
            raise meaning(error, self._clock.now()) from None  # the SDK's error holds the request, and so the key
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # JSON of another shape; SDK does not check
            raise unreadable(type(error).__name__) from None
