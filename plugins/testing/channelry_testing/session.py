"""A simulated provider that serves its API, and whoever plays its customers, line by line."""

import asyncio
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
import anyio.to_thread
import attrs
import click
import uvicorn
from anyio.abc import TaskGroup

from channelry.model import Request
from channelry_simulation import FaultKind, Simulator

CUSTOMER = "491700000001"
"""Who writes until `/as` names another: digits, which every channel can take for an id or for a number."""
PATIENCE = 10.0
"""Seconds that `/wait` waits."""
COMMANDS = """\
TEXT                       write it as the customer; //TEXT: what begins with a slash
/as CUSTOMER               be another customer (now {customer})
/fault KIND [TIMES [S]]    let the next calls fail; {kinds}; S: seconds of Retry-After
/ledger                    what the provider has taken
/wait COUNT                wait until it has taken so many, in all
/quit                      end, as the end of the input does"""


@attrs.define(eq=False)
class Session:
    """One simulated provider and who plays its customers.

    - `url`: where webhooks are posted; `show`: takes each thing that happens.
    """

    simulator: Simulator
    url: str
    show: Callable[[Mapping[str, Any]], None]
    customer: str = CUSTOMER
    _entries: int = attrs.field(default=0, init=False)
    _taken: int = attrs.field(default=0, init=False)
    _seen: anyio.Event = attrs.field(factory=anyio.Event, init=False)
    _tasks: TaskGroup = attrs.field(init=False)
    _prompted: bool = attrs.field(default=False, init=False)

    async def run(self, listening: socket.socket) -> bool:
        """Serve the provider's API and obey the input until it ends; tell whether all `/wait`s were fulfilled."""
        self.simulator.post = self._status
        quiet: dict[str, Any] = {"log_config": None, "log_level": "critical", "access_log": False}
        server = uvicorn.Server(uvicorn.Config(self.app, interface="asgi3", lifespan="off", **quiet))
        async with anyio.create_task_group() as self._tasks:
            self._tasks.start_soon(server.serve, [listening])
            obeyed = await self.obey()
            server.should_exit = True
        return obeyed

    async def obey(self) -> bool:
        """Do what the lines of the input say, one after the other."""
        prompting, lines = sys.stdin.isatty(), typed()
        while True:
            self._prompted = prompting
            self._prompt()
            line = await lines.get()
            self._prompted = False
            if line is None or line.strip() == "/quit":
                await self.simulator.flush()
                return True
            if line.strip() and not await self.do(line.strip()) and not prompting:
                return False

    def _prompt(self) -> None:
        if self._prompted:
            click.echo(f"{self.customer}> ", nl=False, err=True)

    def _tell(self, what: Mapping[str, Any]) -> None:
        """Show what happens by itself: in place of the prompt that waits, which comes again below."""
        if self._prompted:
            click.echo("\r\x1b[K", nl=False, err=True)
        self.show(what)
        self._prompt()

    async def do(self, line: str) -> bool:
        """Do one line; tell whether that was possible."""
        word, *arguments = line.split() if line.startswith("/") and not line.startswith("//") else ("TEXT", line)
        commands: dict[str, Callable[..., Awaitable[bool]]] = {
            "TEXT": self._write, "/as": self._as, "/fault": self._fault, "/ledger": self._ledger, "/wait": self._wait,
        }  # fmt: skip
        if word not in commands:
            if word != "/help":
                click.echo(f"{word} is no command; a text that begins with a slash is written with two", err=True)
            click.echo(COMMANDS.format(customer=self.customer, kinds=", ".join(FaultKind)), err=True)
            return word == "/help"
        try:
            return await commands[word](*arguments)
        except (TypeError, ValueError) as error:  # words that are too few or too many, or no number, or no customer
            click.echo(f"{line}: {error}; see /help", err=True)
            return False

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the provider's API (ASGI), and show what came; the statuses are posted once it was answered."""
        ledger = self.simulator.ledger
        try:
            await self.simulator.app(scope, receive, send)
        finally:
            for entry in ledger.entries[self._entries :]:
                status = "no answer" if entry.status is None else entry.status
                self._tell({"what": "request", "method": entry.method, "path": entry.path, "status": status})
            for one in ledger.taken[self._taken :]:
                self._tell({"what": "taken", "to": one.to, "text": one.text, "id": one.external_id})
            self._entries, self._taken = len(ledger.entries), len(ledger.taken)
            self._seen.set()
            self._tasks.start_soon(self.simulator.flush)

    async def _write(self, line: str) -> bool:
        text = line.removeprefix("/")
        status = await deliver(self.url, self.simulator.message(self.customer, text))
        self.show({"what": "written", "from": self.customer, "text": text, "status": status})
        if status == 0:
            click.echo(f"{self.url} does not answer; run: channelry serve, or say --to URL", err=True)
        return 200 <= status < 300

    async def _status(self, webhook: Request) -> int:
        status = await deliver(self.url, webhook)
        self._tell({"what": "webhook", "status": status})
        return status

    async def _as(self, customer: str) -> bool:
        self.customer = customer
        return True

    async def _fault(self, kind: str, times: str = "1", retry_after: str = "1") -> bool:
        if kind not in list(FaultKind):
            raise ValueError(f"expected a kind of fault: {', '.join(FaultKind)}")
        self.simulator.faults.add(kind, int(times), retry_after=float(retry_after))
        self.show({"what": "planned", "faults": len(self.simulator.faults)})
        return True

    async def _ledger(self) -> bool:
        for one in self.simulator.ledger.taken:
            self.show({"what": "ledger", "to": one.to, "text": one.text, "id": one.external_id})
        self.show({"what": "seen", "requests": len(self.simulator.ledger.entries)})
        return True

    async def _wait(self, count: str) -> bool:
        with anyio.move_on_after(PATIENCE):
            while len(self.simulator.ledger.taken) < int(count):
                self._seen = anyio.Event()
                await self._seen.wait()
            return True
        click.echo(f"only {len(self.simulator.ledger.taken)} were taken in {PATIENCE:g} s", err=True)
        return False


async def deliver(url: str, request: Request) -> int:
    """Post a webhook and give the HTTP status, 0 where nobody answers."""
    path = request.path if request.path[1:].partition("?")[0] else request.path[1:]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
    made = urllib.request.Request(url.rstrip("/") + path, request.body or None, headers, method=request.method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # what is on this machine has no proxy

    def post() -> int:
        try:
            with opener.open(made, timeout=PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    return await anyio.to_thread.run_sync(post)


def typed() -> asyncio.Queue[str | None]:
    """Give the lines of the standard input, and None at its end.

    A daemon thread reads them, from a file object of its own: it waits for a person, for whom nothing shall wait at
    the end of the process.
    """
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with open(sys.stdin.fileno(), closefd=False) as file:
            for line in file:
                loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    return lines
