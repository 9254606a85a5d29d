"""A simulated resource on a real port of this machine, and the plugin that calls it with Microsoft's SDK."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
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


@contextmanager
def serving(**options: Any) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Server(f"{'https' if options else 'http'}://localhost:{listening.getsockname()[1]}")
        config = uvicorn.Config(served, lifespan="off", ws="none", log_config=None, access_log=False, **options)
        running = uvicorn.Server(config)
        thread = Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        yield served
        running.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as served:
        yield served


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server whose certificate is of an authority of this test's own, which the SDK is told to trust."""
    authority = trustme.CA()
    proof = authority.issue_cert("localhost")
    key, chain, trusted = tmp_path / "key.pem", tmp_path / "chain.pem", tmp_path / "trusted.pem"
    proof.private_key_pem.write_to_path(key)
    for one in proof.cert_chain_pems:
        one.write_to_path(chain, append=True)
    authority.cert_pem.write_to_path(trusted)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    closing = [("connection", "close")]  # else it waits half a minute for a client's farewell
    with serving(ssl_keyfile=key, ssl_certfile=chain, headers=closing) as served:
        yield served


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
