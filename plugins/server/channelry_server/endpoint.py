"""The webhook endpoint: bare ASGI, because every layer above it would cost more than what it does."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from datetime import datetime
from time import perf_counter
from typing import Any, Protocol, TypeAlias

from attrs import define

from channelry.model import Request, Response

from .config import ServerConfig
from .protocol import ARRIVED

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX = "/hooks/"

_DIGITS = 19  # of a length that fits 64 bits

_NOT_FOUND = Response(404, b"there is no such endpoint\n")
_TOO_LARGE = Response(413, b"the body is too large\n")
_TOO_SLOW = Response(408, b"the body did not come in time\n")
_BAD_LENGTH = Response(400, b"the content-length is no length\n")


class Receiver(Protocol):
    """The part of a hub that takes webhooks."""

    @property
    def endpoints(self) -> Collection[str]: ...

    @property
    def counts(self) -> MutableMapping[tuple[str, ...], int]: ...

    async def receive(self, endpoint: str, request: Request) -> Response: ...


@define(eq=False)
class WebhookEndpoint:
    """Reads a request under `/hooks/{endpoint}` within the limits, hands it to the hub, and writes its answer.

    - `public_url`: the address by which providers reach this server.
    - `observe`: takes the name of an endpoint and the seconds that an answer took; never an unknown name.
    - `now`: the time, aware, UTC.

    A body is passed on as it came: it is never decompressed, because signatures cover the bytes that were sent.
    """

    hub: Receiver
    limits: ServerConfig
    public_url: str
    now: Callable[[], datetime]
    observe: Callable[[str, float], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        name = scope["path"][len(PREFIX) :].partition("/")[0]
        if name not in self.hub.endpoints:
            await answer(send, _NOT_FOUND)
            return
        headers = tuple(scope["headers"])
        body = await self._body(scope, headers, receive)
        if body is None:
            return
        if isinstance(body, Response):
            self._count(name, body)
            await answer(send, body, close=body is not _TOO_LARGE)
            return
        path = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            path += "?" + scope["query_string"].decode("latin-1")
        request = Request(scope["method"], path, headers, body, self.now(), self.public_url + path)
        response = await self.hub.receive(name, request)
        await answer(send, response)
        self.observe(name, perf_counter() - started)

    async def _body(self, scope: Scope, headers: tuple[tuple[bytes, bytes], ...], receive: Receive) -> Any:
        """Give the body; the Response to refuse it with; or None if the caller hung up."""
        for header, value in headers:
            if header == b"content-length":
                if not value.isdigit() or len(value) > _DIGITS:
                    return _BAD_LENGTH
                if int(value) > self.limits.body_limit:
                    return _TOO_LARGE
        # A deadline costs 6 µs, so it is set only where there is something to wait for.
        if ARRIVED in scope.get("extensions", ()):
            return await self._read(receive)
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                return await self._read(receive)
        except TimeoutError:
            return _TOO_SLOW

    async def _read(self, receive: Receive) -> bytes | Response | None:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            pieces, size = [body], len(body)
            while message.get("more_body"):
                if size > self.limits.body_limit:
                    return _TOO_LARGE
                message = await receive()
                if message["type"] != "http.request":
                    return None
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
            body = b"".join(pieces)
        return body if len(body) <= self.limits.body_limit else _TOO_LARGE

    def _count(self, name: str, refusal: Response) -> None:
        key = ("webhooks", name, str(refusal.status))
        self.hub.counts[key] = self.hub.counts.get(key, 0) + 1


async def answer(send: Send, response: Response, *, close: bool = False) -> None:
    """Write a whole answer.

    After a body that is too large the connection stays open, and the protocol's deadline ends it: closed at once,
    with bytes unread, the kernel would reset it and the caller might never see why.
    """
    headers = [
        (b"content-type", response.media_type.encode("latin-1", "replace")),
        (b"content-length", str(len(response.body)).encode()),
    ]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def accepts(path: str) -> bool:
    """Tell whether a path belongs to the webhook endpoint."""
    return path.startswith(PREFIX)
