"""The other process of the demonstration: the simulated providers, and the customers who write on them.

It speaks JSON lines: out go the settings of each provider, then (once it was told where the webhooks go) its
progress, and at last the ledgers. It ends when its standard input does.
"""

import asyncio
import logging
import random
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import orjson
import uvicorn
from attrs import asdict, define, evolve, field

from channelry.discovery import available
from channelry.errors import SendError
from channelry.model import Request
from channelry.services import Http
from channelry_server.client import open_client
from channelry_simulation import FaultKind, Simulator

from .totals import Ledger
from .words import MET_ON, REGULAR, WORDS

COURIERS = 16
"""Webhooks that one provider delivers at once."""
STORM = 0.2
"""Calls that each provider refuses with 429, one after the other, as a share of the messages."""
STORM_PAUSE = 1
"""What it then names as `Retry-After`, in whole seconds, which is all that HTTP has."""
DUPLICATES, FORGERIES = 0.1, 0.05
"""Shares of the messages that are delivered twice, and that are forged."""
LOST = 1
"""Answers that each provider takes and never acknowledges."""
FIRST, MOST = 491700000000, 100_000
"""The first customer's number, and how many each provider has for its own: no two write under the same."""
PATIENCE = 30.0
"""Seconds without progress after which the ledgers are closed as they are."""


@define(eq=False)
class Crowd:
    """The customers of one provider, whose numbers begin with `first`, and the provider's courier."""

    name: str
    simulator: Simulator
    url: str
    http: Http
    chance: random.Random
    first: int
    counts: Counter[str] = field(factory=Counter, init=False)
    expected: Counter[tuple[str, str]] = field(factory=Counter, init=False)

    async def write(self, customers: int) -> None:
        """Let each customer write twice; deliver all of it in disorder, some twice, some forged."""
        due = [(request, True) for request in self._messages(customers)]
        self.counts["written"] = len(due)
        forged = [(_forged(request), False) for request, _ in self._some(due, FORGERIES)]
        self.counts["forged"] = len(forged)
        due += forged + self._some(due, DUPLICATES)
        self.chance.shuffle(due)
        seen: set[bytes] = set()
        storm_at = len(due) * 2 // 3

        async def courier() -> None:
            while due:
                if len(due) == storm_at:
                    storm = round(self.counts["written"] * STORM)
                    self.simulator.faults.add(FaultKind.RATE_LIMITED, storm, retry_after=STORM_PAUSE)
                    self.simulator.faults.add(FaultKind.LOST, LOST)
                request, genuine = due.pop()
                if genuine:
                    kind = "duplicates" if request.body in seen else "delivered"
                    seen.add(request.body)
                    await self._post(request, kind)
                else:
                    await self._post(request, "believed")

        async with anyio.create_task_group() as tasks:
            for _ in range(COURIERS):
                tasks.start_soon(courier)

    async def report_statuses(self) -> None:
        """Post what the provider has to report by now, in disorder, some of it twice."""
        waiting = [self.simulator.webhooks.popleft() for _ in range(len(self.simulator.webhooks))]
        repeated = self._some(waiting, DUPLICATES)
        self.chance.shuffle(waiting)
        for request in waiting:
            await self._post(request, "statuses")
        for request in repeated:
            await self._post(request, "duplicates")

    def ledger(self) -> Ledger:
        """Close the ledger: every answer must be one that a message asked for, once."""
        given = Counter((one.to.lstrip("+"), one.text) for one in self.simulator.ledger.taken)
        wrong = sum((given - self.expected).values()) + sum((self.expected - given).values())
        counts = {key: self.counts[key] for key in ("written", "forged", "refused", "duplicates", "statuses")}
        return Ledger(taken=len(self.simulator.ledger.taken), wrong=wrong, **counts)

    def _messages(self, customers: int) -> Iterator[Request]:
        for number in range(customers):
            customer = REGULAR if number == 0 and self.name in MET_ON else str(self.first + number)
            for text in WORDS[number % len(WORDS)]:
                self.expected[customer, f"You wrote: {text}"] += 1
                yield self.simulator.message(customer, text)

    def _some(self, of: list[Any], share: float) -> list[Any]:
        return self.chance.sample(of, max(min(len(of), 1), round(len(of) * share)))

    async def _post(self, request: Request, kind: str) -> None:
        """Deliver one webhook, again and again until it is answered, and count it: as refused, or by its kind."""
        query = request.path.partition("?")[2]
        url = f"{self.url}?{query}" if query else self.url
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        for _ in range(20):
            try:
                answer = await self.http.request("POST", url, headers=headers, content=request.body)
            except SendError:
                continue
            if answer.status == 401:
                self.counts["refused"] += 1
                return
            if 200 <= answer.status < 300:
                self.counts[kind] += 1
                return
            await anyio.sleep(0.1)


async def main() -> None:
    """Start the providers, say where they are, wait for the order, let the customers write, give the ledgers."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # an answer that is lost on purpose is no error
    found = available("channelry.simulators")
    simulators: dict[str, Simulator] = {name: one.load()() for name, one in found.items()}
    async with open_client() as open_http, anyio.create_task_group() as tasks:
        servers = []
        settings = {}
        for name, simulator in simulators.items():
            listening = socket.create_server(("127.0.0.1", 0))
            settings[name] = simulator.settings(f"http://127.0.0.1:{listening.getsockname()[1]}")
            config = uvicorn.Config(simulator.app, interface="asgi3", lifespan="off", log_config=None, access_log=False)
            servers.append(uvicorn.Server(config))
            tasks.start_soon(servers[-1].serve, [listening])
        _say(settings=settings)
        order = orjson.loads(await anyio.to_thread.run_sync(sys.stdin.buffer.readline) or b"null")
        if order is not None:
            await _play(simulators, order, open_http(frozenset({order["origin"]})))
            await anyio.to_thread.run_sync(sys.stdin.buffer.read)
        for server in servers:
            server.should_exit = True


async def _play(simulators: dict[str, Simulator], order: dict[str, Any], http: Http) -> None:
    chance = random.Random(order["seed"])
    crowds = [
        Crowd(name, one, order["urls"][name], http, chance, FIRST + n * MOST)
        for n, (name, one) in enumerate(sorted(simulators.items()))
    ]
    customers = max(order["customers"], len(crowds))
    shares = [customers // len(crowds) + (n < customers % len(crowds)) for n in range(len(crowds))]
    _say(expected=2 * customers)
    async with _reporting(crowds):
        async with anyio.create_task_group() as tasks:
            for crowd, share in zip(crowds, shares, strict=True):
                tasks.start_soon(crowd.write, share)
        left = PATIENCE
        while left > 0 and (before := _progress(crowds)) != _done(crowds):
            for crowd in crowds:
                await crowd.report_statuses()
            await anyio.sleep(0.05)
            left = PATIENCE if _progress(crowds) != before else left - 0.05
    for crowd in crowds:
        await crowd.report_statuses()
    _say(taken=_progress(crowds)[0])
    _say(ledgers={crowd.name: asdict(crowd.ledger()) for crowd in crowds})


def _forged(request: Request) -> Request:
    """Give a request whose signature or token, which stands in a header of the provider's own, is wrong."""
    headers = ((name, value[::-1] if name.startswith(b"x-") else value) for name, value in request.headers)
    return evolve(request, headers=tuple(headers))


def _progress(crowds: list[Crowd]) -> tuple[int, int]:
    taken = sum(len(crowd.simulator.ledger.taken) for crowd in crowds)
    return taken, sum(len(crowd.simulator.webhooks) for crowd in crowds)


def _done(crowds: list[Crowd]) -> tuple[int, int]:
    return sum(crowd.counts["written"] for crowd in crowds), 0


@asynccontextmanager
async def _reporting(crowds: list[Crowd]) -> Any:
    """Say ten times a second how many answers have been taken."""

    async def report() -> None:
        while True:
            _say(taken=_progress(crowds)[0])
            await anyio.sleep(0.1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(report)
        yield
        tasks.cancel_scope.cancel()


def _say(**what: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(what) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(main())
