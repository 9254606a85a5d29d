"""The outbound client, opened with its first request: what only receives needs neither its time nor its memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

from attrs import define, field

from channelry.services import Downloaded, Http, HttpResponse, OpenHttp


@asynccontextmanager
async def defer_client() -> AsyncIterator[OpenHttp]:
    """Give what makes the client of a connection, as `channelry_server.client.open_client` does, but opens it late."""
    async with AsyncExitStack() as opened:
        shared = _Shared(opened)
        yield lambda origins: Deferred(shared, origins)


@define(eq=False)
class _Shared:
    """What all connections share, once it is open."""

    _opened: AsyncExitStack
    _open: OpenHttp | None = field(default=None, init=False)
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def open(self) -> OpenHttp:
        async with self._lock:
            if self._open is not None:
                return self._open
            client = await asyncio.to_thread(import_module, "channelry_server.client")  # the loop goes on meanwhile
            found: OpenHttp = await self._opened.enter_async_context(client.open_client())
            self._open = found
            return found


@define(eq=False)
class Deferred:
    """The client of one connection; its arguments are those of `channelry.services.Http`."""

    _shared: _Shared
    _origins: frozenset[str]
    _client: Http | None = field(default=None, init=False)

    async def request(self, *args: Any, **options: Any) -> HttpResponse:
        return await (self._client or await self._opened()).request(*args, **options)

    async def download(self, *args: Any, **options: Any) -> Downloaded:
        return await (self._client or await self._opened()).download(*args, **options)

    async def _opened(self) -> Http:
        self._client = (await self._shared.open())(self._origins)
        return self._client
