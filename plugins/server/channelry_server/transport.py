"""What aiohttp does not say by itself: whether a request that failed was written, and whether its connection was."""

import select
from typing import Any, ClassVar
from weakref import WeakSet

from aiohttp import ClientError, ClientHandlerType, ClientRequest, ClientResponse
from aiohttp.connector import Connection
from attrs import define, field


class BrokenError(Exception):
    """An exchange failed; the cause is aiohttp's own error.

    Not one of aiohttp's, for those make it repeat a PUT or DELETE by itself, and nothing is ever sent twice silently.
    """


class _DroppedError(Exception):
    """The kept connection was closed by its peer while it was idle; nothing was written."""


class Request(ClientRequest):
    """A request that knows whether any of it may have left."""

    written = False
    _used: ClassVar[WeakSet[Any]] = WeakSet()

    async def send(self, conn: Connection) -> ClientResponse:
        """Write the request, unless its connection is one that the peer has closed."""
        if conn.protocol in self._used and _is_dropped(conn.transport):
            raise _DroppedError
        self._used.add(conn.protocol)
        self.written = True
        return await super().send(conn)


def _is_dropped(transport: Any) -> bool:
    """Ask the kernel, for the event loop may not have seen the peer's close yet.

    Between two exchanges a peer has nothing to say: whatever can be read is its farewell.
    """
    if transport is None or transport.is_closing():
        return True
    asking = select.poll()
    asking.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(asking.poll(0))


@define(eq=False)
class Attempt:
    """A middleware for one exchange: takes another connection while the kept ones turn out to be dropped."""

    request: ClientRequest | None = field(default=None, init=False)

    @property
    def written(self) -> bool:
        """Whether any of the request may have reached the peer."""
        return isinstance(self.request, Request) and self.request.written

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Make the exchange, up to the head of the answer."""
        self.request = request
        while True:
            try:
                return await handler(request)
            except _DroppedError:
                continue
            except (ClientError, OSError) as error:
                raise BrokenError from error
