"""The demonstration itself: a server in this process, the simulated providers in another."""

import asyncio
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from attrs import define

from channelry.config import Configuration, load_configuration
from channelry.hub import open_hub
from channelry_server.app import application
from channelry_server.client import open_client
from channelry_server.config import ServerConfig
from channelry_server.serving import make_server

from .echo import app
from .tally import Ledger, Tally, Totals, tallied, totals


async def play(customers: int, seed: int, progress: Callable[[int], object]) -> list[Totals]:
    """Run it to its end: `progress` takes the number of answers so far; gives a row for each channel."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        async with _providers() as providers:
            settings = (await providers.hear())["settings"]
            origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
            configuration = _configuration(Path(folder) / "channelry.toml", origin, settings)
            tallies: list[Tally] = []
            async with open_client() as http, open_hub(configuration, tallied(app, tallies), http=http) as hub:
                config = configuration.section("server", ServerConfig)
                server = make_server(application(hub, config), config)
                serving = asyncio.create_task(server.serve([listening]))
                urls = {name: hub.webhook_url(name) for name in hub.connections}
                await providers.tell(origin=origin, urls=urls, customers=customers, seed=seed)
                heard: dict[str, Any] = {}
                while "ledgers" not in heard:
                    heard = await providers.hear()
                    if "taken" in heard:
                        progress(heard["taken"])
                server.should_exit = True
                await serving
                return [
                    totals(name, hub, tallies[0], Ledger(**ledger)) for name, ledger in sorted(heard["ledgers"].items())
                ]


def _configuration(file: Path, origin: str, settings: dict[str, dict[str, Any]]) -> Configuration:
    """Write a configuration file as a person would, and load it."""
    lines = ["allow_inline_secrets = true", "[server]", f'public_url = "{origin}"']
    for name, table in settings.items():
        lines.append(f"[connections.{name}]")
        lines += [f"{key} = {orjson.dumps(value).decode()}" for key, value in table.items()]
    file.write_text("\n".join(lines))
    return load_configuration(file)


@define(eq=False)
class _Providers:
    """The other process, which speaks JSON lines."""

    process: asyncio.subprocess.Process

    async def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulated providers ended with status {await self.process.wait()}")
        heard: dict[str, Any] = orjson.loads(line)
        return heard

    async def tell(self, **what: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps(what) + b"\n")
        await self.process.stdin.drain()


@asynccontextmanager
async def _providers() -> AsyncIterator[_Providers]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "channelry_demo.providers", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield _Providers(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()
