"""Replies out: the durable outbox against a plain client that posts the same bodies to the same stub."""

import asyncio
import os
import tempfile
import time
import urllib.request
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import aiohttp
import orjson
import people
import sample
import uvloop
from attrs import evolve
from measure import Figure, at_least
from processes import uvicorn

from channelry.config import Configuration, load_configuration
from channelry.hub import closed_hub, open_hub
from channelry.model import Address, SendMessage, Target
from channelry_desk.database import Database
from channelry_desk.desk import Desk, without_worker
from channelry_desk.grants import SYSTEM
from channelry_desk.rules import CallState
from channelry_server.client import open_client
from channelry_whatsapp.capabilities import CAPABILITIES
from channelry_whatsapp.plugin import WhatsApp

REPLIES = 2_000
AT_ONCE = 32
"""The desk's lanes, and the tasks of the plain client."""
TEXT = "Your order is on its way: it left our house this morning, and comes tomorrow before noon. " * 3


class Unhurried(WhatsApp):
    """WhatsApp, counting its rates as ever but never reaching them: not they are measured."""

    capabilities = evolve(CAPABILITIES, rates=tuple(evolve(rate, count=1_000_000) for rate in CAPABILITIES.rates))


def replies() -> Figure:
    """Measure with a provider that answers sooner than any real one does."""
    return _figure("a provider of 50 ms", 0.05)


def replies_at_once() -> Figure:
    """Tell how it is with a provider that takes no time: what the outbox costs beside the plain client's work."""
    return evolve(_figure("a provider of 0 ms", 0.0), goal="–", met=True)


def _figure(provider: str, seconds: float) -> Figure:
    os.environ["STUB_SECONDS"] = str(seconds)
    with tempfile.TemporaryDirectory() as scratch, uvicorn("servers:stub") as port:
        people.acquaint(Path(scratch))
        url = f"http://127.0.0.1:{port}"
        configuration = _configured(Path(scratch), url)
        bodies = _bodies(configuration)
        rounds = count()
        floor = _counted(url, lambda: _post(f"{url}/v26.0/{sample.PHONE}/messages", bodies))
        ours = _counted(url, lambda: _send(configuration, next(rounds)))
        return at_least(f"replies out, {provider}", 0.7, floor, ours)


def _configured(folder: Path, url: str) -> Configuration:
    """Read a configuration of one connection, whose provider is the stub."""
    file = folder / "channelry.toml"
    text = people.configuration(folder).replace("PORT", "8080")
    file.write_text(text.replace('plugin = "whatsapp"', f'plugin = "whatsapp"\nbase_url = "{url}"'))
    read = load_configuration(file)
    return evolve(read, entries=tuple(evolve(entry, cls=Unhurried) for entry in read.entries))


def _bodies(configuration: Configuration) -> list[bytes]:
    """Give the bodies of the replies as the channel composes them."""
    hub = closed_hub(configuration)
    found = []
    for person in range(REPLIES):
        target = Target(to=Address("whatsapp", sample.user(person)), last_inbound_at=datetime.now(UTC))
        (call,) = hub.compose("support", SendMessage(key=f"0.{person}", target=target, text=TEXT))
        found.append(orjson.dumps(call.body))
    return found


def _counted(url: str, seconds: Callable[[], Coroutine[None, None, float]]) -> Callable[[], float]:
    """Make a measurement of the replies a second, each of which the stub must have seen once."""

    def taken() -> int:
        with urllib.request.urlopen(f"{url}/count") as answer:
            return int(answer.read())

    def rate() -> float:
        before = taken()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            took = runner.run(seconds())
        assert taken() - before == REPLIES
        return REPLIES / took

    return rate


async def _post(url: str, bodies: list[bytes]) -> float:
    """Post all with a plain client; give the seconds it takes."""
    headers = {"authorization": "Bearer bench", "content-type": "application/json"}
    waiting = iter(bodies)

    async def work() -> None:
        for body in waiting:
            async with session.post(url, data=body, headers=headers) as response:
                assert orjson.loads(await response.read())["messages"]

    async with aiohttp.ClientSession() as session:
        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return time.perf_counter() - began


async def _send(configuration: Configuration, number: int) -> float:
    """Queue a reply to each of some customers, then let the worker send; give the seconds until all are accepted."""
    async with open_client() as http, open_hub(configuration, without_worker, http=http) as hub:
        desk = hub.sink
        assert isinstance(desk, Desk)
        first = number * REPLIES % sample.PEOPLE
        await asyncio.gather(
            *(
                desk.service.conversations.reply(by=SYSTEM, conversation=1 + first + n, text=TEXT, key=f"{number}.{n}")
                for n in range(REPLIES)
            )
        )
        began = time.perf_counter()
        working = asyncio.create_task(desk.worker.run())
        while await desk.store.read(_unsettled):  # noqa: ASYNC110 - the outbox tells nobody when it is empty
            await asyncio.sleep(0.01)
        took = time.perf_counter() - began
        states = await desk.store.read(lambda db: db.execute("SELECT DISTINCT state FROM calls").fetchall())
        assert states == [(CallState.ACCEPTED,)], states
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return took


def _unsettled(db: Database) -> bool:
    return db.execute("SELECT 1 FROM calls WHERE head = 1 LIMIT 1").fetchone() is not None
