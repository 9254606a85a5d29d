"""uvicorn's HTTP protocol with the limits it lacks: how long the head of a request may take and how large it may be."""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .config import ServerConfig

ARRIVED = "channelry.arrived"
"""The ASGI extension of a request whose body was complete before its application began: no deadline is needed."""

_COMPLETE: dict[str, Any] = {ARRIVED: {}}
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _HeadTooLargeError(Exception):
    """Raised inside a callback of the parser, which is the way to stop it."""


class LimitedProtocol(HttpToolsProtocol):
    """Closes a connection on which no request begins in time, and answers 431 to a head that is too large.

    The deadline runs whenever nothing is being answered: before the first request, and from the first byte that
    follows an answer, be it the next head or the rest of a body that nobody wanted. It is not put off by progress.
    """

    limits: ClassVar[ServerConfig]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._chunk = 0
        self._unread = 0  # bytes since a head ended or a piece of a body came: heads, trailers, chunk extensions
        self._too_large = False
        self._arm()  # a protocol is made when its connection is

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._chunk = len(data)
        self._unread += self._chunk
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unread > self.limits.header_bytes:
            self._refuse()
        elif self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._arm()

    def on_headers_complete(self) -> None:
        # A head is measured only where the bytes that it can be among are too many: almost never.
        most = self.limits.header_bytes
        large = max(self._unread, self._chunk) > most and self._head_size() > most
        if large or len(self.headers) > self.limits.header_count:
            self._too_large = True
            raise _HeadTooLargeError
        self._unread = 0
        self._disarm()
        super().on_headers_complete()
        self.headers = []  # the request keeps its own; trailers, which nobody signs or asked for, go nowhere

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.scope["extensions"] = _COMPLETE
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._too_large:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _arm(self) -> None:
        self._deadline = self.loop.call_later(self.limits.header_seconds, self._late)

    def _late(self) -> None:
        self.transport.close()

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def limited(limits: ServerConfig) -> type[LimitedProtocol]:
    """Make the protocol class for a server with these limits; uvicorn makes its instances."""
    return type("LimitedProtocol", (LimitedProtocol,), {"limits": limits})
