"""The demonstration itself: a server with the desk in this process, the simulated providers in another."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from attrs import define, frozen

from channelry.config import Configuration, load_configuration
from channelry.hub import open_hub
from channelry_desk import rules
from channelry_desk.desk import Desk
from channelry_desk.grants import SYSTEM
from channelry_desk.values import Conversation
from channelry_server.app import application
from channelry_server.client import open_client
from channelry_server.config import ServerConfig
from channelry_server.serving import make_server

from .agent import app
from .totals import Declared, Ledger

DATABASE = "channelry.db"
LOOKUPS = 2
"""How often a provider is asked for a lost answer before a person is; so seldom that nobody has to wait for it."""
SETTLED = 20.0
"""Seconds that calls may take to be settled after the providers took the last one."""
JUDGED = 20.0
"""Seconds that the texts may take to be judged after the last answer."""
LOOK = 1.5
"""Seconds within which some more texts are judged, as long as there are any."""

Progress = Callable[[int, int], object]
Shown = Callable[[Sequence[Conversation]], Awaitable[None]]


@frozen(kw_only=True)
class Play:
    """What is played: so many customers, which duplicates and which disorder, and in which folder."""

    customers: int
    seed: int
    folder: Path


async def play(given: Play, progress: Progress, shown: Shown) -> tuple[dict[str, Ledger], Declared]:
    """Run it to its end and close everything; give the providers' ledgers, and what each channel says is reported.

    `progress` takes the number of answers so far and to come; `shown` the conversations, while the server still runs.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with _providers() as providers:
            settings = (await providers.hear())["settings"]
            origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
            configuration = _configuration(given.folder, origin, settings)
            async with open_client() as http, open_hub(configuration, app, http=http) as hub:
                config = configuration.section("server", ServerConfig)
                server = make_server(application(hub, config), config)
                serving = asyncio.create_task(server.serve([listening]))
                urls = {name: hub.webhook_url(name) for name in hub.connections}
                await providers.tell(origin=origin, urls=urls, customers=given.customers, seed=given.seed)
                expected = (await providers.hear())["expected"]
                heard: dict[str, Any] = {}
                while "ledgers" not in heard:
                    heard = await providers.hear()
                    if "taken" in heard:
                        progress(heard["taken"], expected)
                assert isinstance(hub.sink, Desk)
                await _settled(hub.sink)
                await _judged(hub.sink)
                await shown(await _conversations(hub.sink))
                server.should_exit = True
                await serving
            ledgers = {name: Ledger(**ledger) for name, ledger in heard["ledgers"].items()}
            return ledgers, {name: hub.connections[name].plugin.capabilities.statuses for name in ledgers}


def _configuration(folder: Path, origin: str, settings: dict[str, dict[str, Any]]) -> Configuration:
    """Write a configuration file as a person would, and load it."""
    lines = ["allow_inline_secrets = true", "[server]", f'public_url = "{origin}"', "[desk]"]
    lines += [f'database = "{folder / DATABASE}"', f'files = "{folder / "files"}"', f"lookups = {LOOKUPS}"]
    lines += ["[enrichment]", 'language = ["langdetect"]', 'sentiment = ["vader"]']
    for name, table in settings.items():
        lines.append(f"[connections.{name}]")
        lines += [f"{key} = {orjson.dumps(value).decode()}" for key, value in table.items()]
    file = folder / "channelry.toml"
    file.write_text("\n".join(lines))
    return load_configuration(file)


async def _conversations(desk: Desk) -> list[Conversation]:
    found: list[Conversation] = []
    cursor = ""
    while True:
        page = await desk.service.search.conversations(by=SYSTEM, limit=200, cursor=cursor)
        found += page.rows
        cursor = page.cursor
        if not cursor:
            return found


async def _settled(desk: Desk) -> None:
    """Wait until it is known, or known to be uncertain, of every call what became of it, for as long as it may take."""
    settled = ", ".join(f"'{state}'" for state in rules.SETTLED)
    waiting = f"SELECT 1 FROM calls WHERE state NOT IN ({settled}) LIMIT 1"
    for _ in range(round(SETTLED / 0.1)):
        if await desk.store.read(lambda db: db.execute(waiting).fetchone()) is None:
            return
        await asyncio.sleep(0.1)


async def _judged(desk: Desk) -> None:
    """Wait until every conversation that can have a language has one, or for as long as it may take."""
    before = -1
    for _ in range(round(JUDGED / LOOK)):
        known = sum(bool(one.language) for one in await _conversations(desk))
        if known == before:
            return
        before = known
        await asyncio.sleep(LOOK)


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
        sys.executable,
        "-m",
        "channelry_demo.providers",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a terminal's Ctrl+C is for this process, which then ends the other in order
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
