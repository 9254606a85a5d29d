"""A simulated resource on a real port of this machine, and the plugin that calls it with Microsoft's SDK."""

import socket
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
import uvicorn
from attrs import define

from channelry.secrets import Secret
from channelry_azure.plugin import Azure
from channelry_azure.simulator import AzureSimulator
from channelry_testing import FakeClock, services


@define(eq=False)
class Server:
    """Serves whatever `app` is set to, at `base_url`."""

    base_url: str
    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Server(f"http://127.0.0.1:{listening.getsockname()[1]}")
        config = uvicorn.Config(served, lifespan="off", ws="none", log_config=None, access_log=False)
        running = uvicorn.Server(config)
        thread = Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        yield served
        running.should_exit = True
        thread.join()


@pytest.fixture
def simulator(server: Server) -> AzureSimulator:
    simulator = AzureSimulator()
    server.app = simulator.app
    return simulator


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connect(server: Server, simulator: AzureSimulator, clock: FakeClock) -> Iterator[Callable[..., Azure]]:
    """Make opened plugins of the simulated resource; keys of the configuration as arguments."""
    made: list[Azure] = []

    def connect(**keys: Any) -> Azure:
        given: dict[str, Any] = {"base_url": server.base_url, "key": Secret(simulator.key), **keys}
        made.append(Azure(Azure.Config(**given)))
        made[-1].open(services(clock=clock))
        return made[-1]

    yield connect
    for each in made:
        each.close()


@pytest.fixture
def azure(connect: Callable[..., Azure]) -> Azure:
    return connect()
