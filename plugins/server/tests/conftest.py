"""A real uvicorn in the test's own event loop, in front of a real hub with one small channel."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from attrs import define, field, frozen

import channelry
from channelry.config import Configuration, Entry
from channelry.errors import RejectedError
from channelry.hub import Hub, open_hub
from channelry.model import Address, Capabilities, OptedIn, Received, Request, Response
from channelry.sink import Sink
from channelry_server.app import application
from channelry_server.config import ServerConfig
from channelry_server.hooks import Mounted
from channelry_server.serving import Server, make_server


@pytest.fixture(params=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """The server and its client are asyncio only; they run on uvloop, and on the loop of the standard library."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@channelry.plugin
class Shop:
    """A channel that takes what bears the key, answers with the request's path, and mounts a page."""

    @frozen
    class Config:
        page: str = "/shop"

    capabilities = Capabilities(text=100)

    config: Config
    requests: list[Request] = field(factory=list)

    @channelry.hookimpl
    def verify(self, request: Request) -> None:
        if request.header(b"x-key") != b"good":
            raise RejectedError("wrong key")

    @channelry.hookimpl
    def parse(self, request: Request) -> Received:
        self.requests.append(request)
        event = OptedIn(key="1", occurred_at=request.received_at, sender=Address("shop", "eve"))
        return Received(request, (event,), Response(200, request.path.encode()))

    @channelry.hookimpl(optionalhook=True)
    def asgi(self) -> Mounted:
        async def page(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
            await send({"type": "http.response.body", "body": b"page"})

        return Mounted(self.config.page, page)


@define(eq=False)
class Store(Sink):
    """A sink that takes what it is given, unless it is told to fail or to wait."""

    fails: bool = False
    asked: asyncio.Event = field(factory=asyncio.Event)
    released: asyncio.Event | None = None
    closed: bool = False

    async def record(self, received: Received) -> None:
        self.asked.set()
        if self.released is not None:
            await self.released.wait()
        await self.probe()

    async def probe(self) -> None:
        if self.fails:
            raise OSError("no space\r\nleft")


@frozen
class Running:
    """A server that runs: its port, its hub and sink, the plugin behind `/hooks/shop`."""

    port: int
    hub: Hub
    store: Store
    shop: Shop
    server: Server

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def exchange(self, *pieces: bytes) -> bytes:
        """Write to a new connection, and read until the server closes it."""
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await reader.read()
        finally:
            writer.close()

    async def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Make one whole request and give status and body of its answer."""
        lines = [f"{method} {path} HTTP/1.1", "host: x", "connection: close", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head, _, rest = (await self.exchange("\r\n".join([*lines, "", ""]).encode() + body)).partition(b"\r\n\r\n")
        return int(head.split()[1]), rest


Serving: TypeAlias = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    """Give a context manager that serves with the given limits until it is left."""

    @asynccontextmanager
    async def serve(page: str = "/shop", **limits: Any) -> AsyncIterator[Running]:
        config = ServerConfig(**limits)
        entry = Entry("connections.shop", "shop", endpoint="shop", cls=Shop, config=Shop.Config(page))
        configuration = Configuration(tmp_path / "channelry.toml", (entry,), public_url="https://care.example.com")
        store = Store()

        @asynccontextmanager
        async def app(hub: Hub) -> AsyncIterator[Store]:
            yield store
            store.closed = True

        with socket.create_server(("127.0.0.1", 0)) as listening:
            async with open_hub(configuration, app) as hub:
                server = make_server(application(hub, config), config)
                running = asyncio.create_task(server.serve([listening]))
                shop = hub.connections["shop"].plugin
                try:
                    yield Running(listening.getsockname()[1], hub, store, shop, server)
                finally:
                    server.should_exit = True
                    await running

    return serve


Handler: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Peer: TypeAlias = Callable[[Handler], AbstractAsyncContextManager[str]]


@pytest.fixture
def peer() -> Peer:
    """Give a context manager that runs a raw server by a handler of its connections, and yields its origin."""

    @asynccontextmanager
    async def run(handler: Handler) -> AsyncIterator[str]:
        tasks: set[asyncio.Task[None]] = set()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await handler(reader, writer)
            except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return run
