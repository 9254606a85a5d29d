"""The Language service, by Microsoft's SDK. Importing this module imports the SDK, which takes its time."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from attrs import define, field
from azure.ai.textanalytics import TextAnalyticsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import SansIOHTTPPolicy

from channelry.errors import AuthError, RetryableError
from channelry.secrets import Secret
from channelry.services import Clock

from .documents import MOST_TO_DETECT, MOST_TO_SCORE, Document, batches
from .refusals import meaning, unreadable

API_VERSION = "2023-04-01"
"""The newest that the SDK speaks."""
CONNECT = 4.0
"""Seconds that a connection may take to open; with the default time-out less than what the hub waits."""

_Answer = TypeVar("_Answer")


@define(eq=False)
class Service:
    """One Language resource: asks about documents and gives the answers by document id.

    A document that Azure refuses has no answer. A request that fails fails the call: RetryableError, AuthError or
    PermanentError. Nothing is repeated here, for who calls decides that, and no redirect is followed, for the key
    would go along. All requests of one call share `timeout` seconds.
    """

    _client: TextAnalyticsClient
    _clock: Clock
    _timeout: float
    _options: dict[str, Any] = field(repr=False)

    @classmethod
    def connect(cls, endpoint: str, key: Secret, clock: Clock, timeout: float, no_logs: bool) -> "Service":
        """Make the client of a resource; nothing is sent yet. `no_logs` has Azure keep no text.

        AuthError for a key that no header can carry: the SDK would refuse it with the key in its message.
        """
        shown = key.reveal()
        if not shown.isascii() or not shown.isprintable() or shown != shown.strip():
            raise AuthError("the key has spaces or line ends around it, or letters that no key has", code="bad_key")
        logging.getLogger("azure.ai.textanalytics").setLevel(logging.ERROR)  # it warns of each body that is no JSON
        client = TextAnalyticsClient(
            endpoint,
            AzureKeyCredential(shown),
            api_version=API_VERSION,
            retry_total=0,
            permit_redirects=False,
            http_logging_policy=SansIOHTTPPolicy(),  # does nothing; the SDK's own logs every request at INFO
        )
        return cls(client, clock, timeout, {"disable_service_logs": no_logs})

    def close(self) -> None:
        self._client.close()

    def languages(self, documents: Iterable[Document]) -> dict[str, Any]:
        """Give the detected language (`iso6391_name`, `confidence_score`) of each document."""
        found = self._ask(self._client.detect_language, batches(documents, MOST_TO_DETECT))
        return {one.id: one.primary_language for one in found}

    def sentiments(self, documents: Iterable[Document]) -> dict[str, Any]:
        """Give the shares (`positive`, `neutral`, `negative`) of each document."""
        found = self._ask(self._client.analyze_sentiment, batches(documents, MOST_TO_SCORE))
        return {one.id: one.confidence_scores for one in found}

    def _ask(self, method: Callable[..., Sequence[Any]], requests: Iterable[list[Document]]) -> list[Any]:
        """Make the requests one after the other; give the answers to their own documents that are no errors."""
        until = self._clock.monotonic() + self._timeout
        found = []
        for request in requests:
            ids = {document["id"] for document in request}
            found += [one for one in self._request(method, request, until) if one.id in ids and not one.is_error]
        return found

    def _request(self, method: Callable[..., Sequence[Any]], documents: list[Document], until: float) -> Sequence[Any]:
        left = until - self._clock.monotonic()
        if left <= 0:
            raise RetryableError(f"Azure did not answer all of it in {self._timeout:g} s", code="timeout")
        try:
            return method(documents, connection_timeout=min(CONNECT, left), read_timeout=left, **self._options)
        except AzureError as error:
            raise meaning(error, self._clock.now()) from None  # the SDK's error holds the request, and so the key
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # JSON of another shape; SDK does not check
            raise unreadable(type(error).__name__) from None
