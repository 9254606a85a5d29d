"""The outbound HTTP client behind `services.http`: aiohttp, with the limits and errors that the contract promises."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import (
    ClientConnectorDNSError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    FormData,
    InvalidURL,
    TCPConnector,
)  # fmt: skip
from aiohttp.abc import AbstractResolver
from aiohttp.payload import AsyncIterablePayload
from aiohttp.resolver import DefaultResolver
from attrs import define
from yarl import URL

from channelry.errors import AmbiguousError, PermanentError, RetryableError, SendError
from channelry.secrets import one_line
from channelry.services import Downloaded, FilePart, HttpResponse, OpenHttp, Save

from .guard import REDIRECTS, PublicResolver, admit, redirected, site
from .transport import Attempt, BrokenError, Request

# Shorter than the providers' own, the shortest of which are 5 s (Node's default, behind many of them): a connection
# that they close just as we write on it leaves it unknown whether they took the request.
# https://nodejs.org/api/http.html#serverkeepalivetimeout
KEEP_ALIVE = 4.0
CONNECT_SECONDS = 10.0
PER_ORIGIN = 100
"""Connections to one origin at once; one slow provider never takes those of another."""
ANSWER_LIMIT = 10 * 1024 * 1024
_PIECE = 64 * 1024
_MOVED = frozenset({301, 302, 303, 307, 308})


@asynccontextmanager
async def open_client(resolver: AbstractResolver | None = None) -> AsyncIterator[OpenHttp]:
    """Open what all connections share, and give what makes the client of one of them.

    Two sessions: the public one connects to public addresses only and takes no connection that the other opened.
    """
    resolver = resolver or DefaultResolver()
    try:
        async with _session(resolver) as own, _session(PublicResolver(resolver)) as public:

            def open_http(origins: frozenset[str]) -> Client:
                return Client(own, public, frozenset(URL(origin).origin() for origin in origins))

            yield open_http
    finally:
        await resolver.close()


def _session(resolver: AbstractResolver) -> ClientSession:
    connector = TCPConnector(resolver=resolver, limit=0, limit_per_host=PER_ORIGIN, keepalive_timeout=KEEP_ALIVE)
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        headers={"user-agent": f"channelry/{version('channelry')}"},
        request_class=Request,
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        trust_env=False,
    )


@define(eq=False)
class Client:
    """The client of one connection, which may call its `origins`."""

    _own: ClientSession
    _public: ClientSession
    _origins: frozenset[URL]

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Sequence[tuple[str, str]] | None = None,
        content: bytes | None = None,
        files: Sequence[FilePart] = (),
        repeatable: bool | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        """Send one request and read its answer, at most `ANSWER_LIMIT` bytes."""
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query)
        target = _url(url)
        if target.origin() not in self._origins:
            raise PermanentError(
                f"{site(target)}: this connection may not call it; declare it in the plugin's `origins`, "
                "or set the connection's base_url",
                code="origin",
            )
        try:
            data, kind = _encode(json, form, content, files)
        except (TypeError, ValueError) as error:  # no JSON; a name or type of a file with control characters
            raise PermanentError(f"{site(target)}: not a request: {one_line(str(error))}", code="invalid") from None
        sent = kind | _headers(headers, target)
        attempt = Attempt()
        try:
            async with (
                asyncio.timeout(timeout),
                self._own.request(
                    method, target, headers=sent, data=data, allow_redirects=False, middlewares=(attempt,)
                ) as response,
            ):
                body = await _read(response)
        except (TimeoutError, BrokenError, ClientError, ValueError, _TooLongError) as error:
            raise _failure(error, target, attempt, method == "GET" if repeatable is None else repeatable) from None
        return HttpResponse(response.status, {name.lower(): value for name, value in response.headers.items()}, body)

    async def download(
        self, url: str, save: Save, *, headers: Mapping[str, str] | None = None, limit: int, timeout: float = 60.0
    ) -> Downloaded:
        """Stream a file into `save`, past the guard."""
        target = _url(url)
        deadline = asyncio.timeout(timeout)
        try:
            async with deadline:
                return await self._download(target, save, _headers(headers, target), limit)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise RetryableError(f"{site(target)}: took more than {timeout:g} s", code="timeout") from None

    async def _download(self, url: URL, save: Save, headers: Mapping[str, str], limit: int) -> Downloaded:
        for _ in range(1 + REDIRECTS):
            own = url.origin() in self._origins
            admit(url, own)
            attempt = Attempt()
            session = self._own if own else self._public
            try:
                async with session.get(url, headers=headers, allow_redirects=False, middlewares=(attempt,)) as response:
                    if response.status not in _MOVED:
                        return await _store(response, save, limit)
                    location = response.headers.get("location", "")
            except (BrokenError, ClientError) as error:
                raise _failure(error, url, attempt, repeatable=True) from None
            url, headers = redirected(url, location, headers)
        raise PermanentError(f"{site(url)}: more than {REDIRECTS} redirects", code="redirects")


@lru_cache(1024)
def _url(url: str) -> URL:
    """Read a URL and keep it as it is spelt where it is proper: another spelling would break a signature in it."""
    try:
        found = URL(url, encoded=url.isascii() and url.isprintable() and " " not in url)
        if found.port is None:
            raise ValueError("no scheme of the web")
        found.origin()
    except ValueError:
        raise PermanentError("expected an absolute http or https URL", code="invalid") from None
    return found


def _headers(headers: Mapping[str, str] | None, url: URL) -> dict[str, str]:
    """Give headers by their lower-case names; PermanentError for one that would become two."""
    found = {name.lower(): value for name, value in (headers or {}).items()}
    if not all(name.isprintable() and value.isprintable() for name, value in found.items()):
        raise PermanentError(f"{site(url)}: a header has control characters", code="invalid")
    return found


_LATER = (408, 423, 425, 429)
"""Statuses of a file that may be had later: one that is looked at for viruses is locked."""


class _TooLongError(Exception):
    """The answer is longer than ANSWER_LIMIT."""


async def _read(response: ClientResponse) -> bytes:
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > ANSWER_LIMIT:
            raise _TooLongError(f"it is longer than {ANSWER_LIMIT} bytes")
        pieces.append(piece)
    return b"".join(pieces)


async def _store(response: ClientResponse, save: Save, limit: int) -> Downloaded:
    where = site(response.url)
    if response.status in _LATER or response.status >= 500:
        after = response.headers.get("retry-after", "")
        raise RetryableError(
            f"{where}: HTTP {response.status}",
            code=str(response.status),
            retry_after=float(after) if after.isdecimal() else None,
        )
    if response.status != 200:
        raise PermanentError(f"{where}: HTTP {response.status}", code=str(response.status))
    size = response.content_length or 0
    if size <= limit:
        size = 0
        async for piece in response.content.iter_chunked(_PIECE):
            size += len(piece)
            if size > limit:
                break
            await save(piece)
    if size > limit:
        raise PermanentError(f"{where}: the file is larger than {limit} bytes", code="too_large")
    return Downloaded(response.headers.get("content-type", "").partition(";")[0].strip(), size)


def _encode(
    json: Any, form: Sequence[tuple[str, str]] | None, content: bytes | None, files: Sequence[FilePart]
) -> tuple[Any, dict[str, str]]:
    if files:
        parts = FormData(default_to_multipart=True)
        for name, value in form or ():
            parts.add_field(name, value)
        for file in files:
            parts.add_field(file.name, _File(file), filename=file.filename, content_type=file.media_type)
        return parts, {}
    if form is not None:
        return urlencode(form).encode(), {"content-type": "application/x-www-form-urlencoded"}
    if json is not None:
        return orjson.dumps(json), {"content-type": "application/json"}
    return content, {}


class _File(AsyncIterablePayload):
    """A streamed file whose size may be known, so that the request can state its length."""

    def __init__(self, file: FilePart) -> None:
        super().__init__(file.content, content_type=file.media_type)
        self._size = file.size


def _failure(error: Exception, url: URL, attempt: Attempt, repeatable: bool) -> SendError:
    """Say what became of a request. aiohttp's own words are not repeated: they have the whole URL."""
    where = site(url)
    cause = error.__cause__ if isinstance(error, BrokenError) and error.__cause__ else error
    for inner in (cause, cause.__cause__):
        if isinstance(inner, SendError):  # the guard's, or that of the file being uploaded, which was cut short
            return inner
    if isinstance(cause, InvalidURL) or (isinstance(cause, ValueError) and not attempt.written):
        return PermanentError(f"{where}: aiohttp cannot make this request ({type(cause).__name__})", code="invalid")
    number = getattr(cause, "errno", None)
    reason = os.strerror(number) if isinstance(number, int) and number > 0 else type(cause).__name__
    if isinstance(cause, ClientConnectorDNSError):
        reason = "the name is not known"
    if not attempt.written:
        return RetryableError(f"{where}: the request was not sent ({reason})", code="unreachable")
    code = "timeout" if isinstance(cause, TimeoutError) else "answer_lost"
    lost = RetryableError if repeatable else AmbiguousError
    return lost(f"{where}: the request was sent and its answer lost ({reason})", code=code)
