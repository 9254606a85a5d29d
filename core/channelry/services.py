"""What a plugin is handed when it is opened: the only way out of it, so that tests can stand in for all of it."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, Protocol, TypeAlias

import anyio
import orjson
from attrs import field, frozen

from .errors import PermanentError, RetryableError

Save: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Takes the next piece of a download; returns when it is kept, raises when a limit is passed."""


@frozen
class HttpResponse:
    """A provider's answer, read whole; `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Give the body's JSON, or `{}` where it is none (a proxy's HTML page): decide on `status` then."""
        try:
            return orjson.loads(self.body)
        except ValueError:
            return {}

    def retry_after(self, now: datetime) -> float | None:
        """Give the seconds that `Retry-After` asks for, as a number or as a date (RFC 9110, 10.2.3), or None.

        More than 31 days are 31 days.
        """
        header = self.headers.get("retry-after", "")
        if header.isascii() and header.isdecimal():
            return min(float(header), 2_678_400.0)
        try:
            until = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        return min(max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()), 2_678_400.0)


@frozen
class FilePart:
    """One file of a multipart form; with its `size` in bytes the request has a Content-Length, else it is chunked."""

    name: str
    filename: str
    media_type: str
    content: AsyncIterator[bytes]
    size: int | None = None


@frozen
class Downloaded:
    """What a download brought: the MIME type that the server stated, and the bytes saved."""

    media_type: str
    size: int


class Http(Protocol):
    """An HTTP client that only calls the origins its connection may call, and never follows a redirect of an API.

    It raises RetryableError where the request was never written (refused, unresolved), AmbiguousError where it
    was written and the answer lost. With `repeatable` (the default for GET) a lost answer is a RetryableError
    too: only the call that a customer sees can be ambiguous. Any HTTP status is an answer, never an exception.
    """

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None, json: Any = None, form: Sequence[tuple[str, str]] | None = None,
        content: bytes | None = None, files: Sequence[FilePart] = (), repeatable: bool | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:  # fmt: skip
        """Send one request (JSON, form, multipart form or raw bytes) and read the answer; `timeout` in seconds."""

    async def download(
        self, url: str, save: Save, *, headers: Mapping[str, str] | None = None, limit: int, timeout: float = 60.0
    ) -> Downloaded:
        """Stream a file into `save`: at most 3 redirects and `limit` bytes, from the connection's own origins or
        public addresses only; `Authorization` is not shown to another host. PermanentError where one of these
        refuses; RetryableError where the network fails; the same by status for a 4xx or 5xx answer.
        """


class Clock(Protocol):
    """The time, injected everywhere, so that days run in milliseconds in tests."""

    def now(self) -> datetime:
        """Give the time, aware, UTC."""

    def monotonic(self) -> float:
        """Give seconds that never go back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class State(Protocol):
    """A connection's own small durable memory: cursors, tokens. Keys are its own; values are text."""

    async def get(self, key: str) -> str | None:
        """Give the value, or None."""

    async def compare_and_set(self, key: str, old: str | None, new: str | None) -> bool:
        """Write `new` (None deletes) if the value is still `old`; tell whether it was."""


class Files(Protocol):
    """The application's outbound files, by the `Media.ref` it gave them."""

    def read(self, ref: str) -> AsyncIterator[bytes]:
        """Stream one file; PermanentError where there is none."""

    async def link(self, ref: str, seconds: float) -> str:
        """Give a public https URL of one file, good for so long: for channels that take files by link only.

        PermanentError where the application publishes none."""


@frozen
class Services:
    """What one plugin instance may use. `public_url` is where the provider reaches it (its webhook), or `""`."""

    name: str
    http: Http
    clock: Clock
    state: State
    files: Files
    public_url: str
    log: logging.Logger


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class MemoryState:
    """State for the life of the process: what a sink without a store of its own offers."""

    def __init__(self) -> None:
        self._values: dict[str, str | None] = {}

    async def get(self, key: str) -> str | None:
        return self._values.get(key)

    async def compare_and_set(self, key: str, old: str | None, new: str | None) -> bool:
        if self._values.get(key) != old:
            return False
        self._values[key] = new
        return True


class NoFiles:
    """The files of an application that keeps none."""

    async def read(self, ref: str) -> AsyncIterator[bytes]:
        raise PermanentError(f"the application holds no file {ref!r}", code="no_file")
        yield b""  # pragma: no cover - makes this an asynchronous generator

    async def link(self, ref: str, seconds: float) -> str:
        raise PermanentError("the application publishes no files", code="no_link")


class NoHttp:
    """The client where none is installed: everything but sending works without."""

    async def request(self, *_: Any, **__: Any) -> Any:
        raise RetryableError("no HTTP client is installed; run: pip install 'channelry[server]'", code="no_http")

    download = request


OpenHttp: TypeAlias = Callable[[frozenset[str]], Http]
"""Gives the client of a connection that may call these origins (`https://graph.facebook.com`)."""
