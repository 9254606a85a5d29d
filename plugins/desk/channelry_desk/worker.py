"""The worker: it runs the outbox, the work after the acknowledgement, and the sweeps, each on its own."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from attrs import define, field

from channelry.hub import Hub
from channelry.secrets import one_line

from . import conversations, fulltext, jobs, journal
from .config import DeskConfig
from .enrichment import Enrichment
from .errands import Errands
from .folder import Folder
from .intake import Intake
from .moments import SECOND, micros
from .outbox import Outbox
from .store import Store

log = logging.getLogger("channelry.desk")

POLL = 1.0
"""Seconds after which everything is looked at again: another process may have written, and not every store tells."""
BREATH = 0.001
"""Seconds in which free lanes gather before calls are looked for: several are then claimed at once."""
GATHER = 0.1
"""Seconds in which arrivals gather before errands are looked for: done at each, that would slow intake down."""
INDEX_DUTY = 0.05
"""The share of the time that the index of words may take of the writer: intake has the rest, and it catches up."""
SWEEP = 10.0
PURGE = 3600.0
AT_ONCE = 16
"""Errands of one kind that run at once: slow downloads hold up no recognition."""


@define(eq=False)
class Worker:
    """Does what nobody waits for.

    - `queued`: set when a call was queued; `arrived`: set when something was recorded.
    """

    hub: Hub
    store: Store
    config: DeskConfig
    intake: Intake
    folder: Folder
    queued: asyncio.Event = field(factory=asyncio.Event, init=False)
    arrived: asyncio.Event = field(factory=asyncio.Event, init=False)
    outbox: Outbox = field(init=False)
    errands: Errands = field(init=False)
    enrichment: Enrichment = field(init=False)
    _errands: "dict[int, asyncio.Task[None]]" = field(factory=dict, init=False)
    _running: Counter[str] = field(factory=Counter, init=False)

    def __attrs_post_init__(self) -> None:
        self.outbox = Outbox(self.hub, self.store, self.config, self.queued.set)
        self.enrichment = Enrichment(self.hub, self.store, self.config)
        self.errands = Errands(self.hub, self.store, self.config, self.intake, self.enrichment, self.folder)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._loop(self.listen, None))
            tasks.create_task(self._loop(self.send, self.queued, BREATH))
            tasks.create_task(self._loop(self.do_errands, self.arrived, GATHER))
            tasks.create_task(self._loop(self.enrichment.step, None))
            tasks.create_task(self._loop(self.enrichment.observe, None))
            tasks.create_task(self._loop(self.index, None))
            tasks.create_task(self._loop(self.sweep, None))
            tasks.create_task(self._loop(self.purge, None))

    async def close(self, seconds: float) -> None:
        """Let what is being sent end, within a time."""
        await self.outbox.close(seconds)
        for task in self._errands.values():
            task.cancel()
        await asyncio.gather(*self._errands.values(), return_exceptions=True)

    async def listen(self) -> float:
        """Wake up by what other processes write."""
        await self.store.engine.listen(lambda table: {"calls": self.queued, "jobs": self.arrived}[table].set())
        return 0.0

    async def send(self) -> float:
        """Start what may be sent."""
        wait = await self.outbox.step()
        return POLL if wait is None else min(wait, POLL)

    async def do_errands(self) -> float:
        """Start what is due after an acknowledgement; one that takes long holds up no other."""
        now = micros(self.hub.clock.now())
        for job in await self.store.read(lambda db: jobs.due(db, now, AT_ONCE)):
            if job.id not in self._errands and self._running[job.kind] < AT_ONCE:
                task = self._errands[job.id] = asyncio.create_task(self.errands.do(job))
                self._running[job.kind] += 1
                task.add_done_callback(partial(self._errand_ended, job))
        return POLL

    def _errand_ended(self, job: jobs.Job, task: "asyncio.Task[None]") -> None:
        del self._errands[job.id]
        self._running[job.kind] -= 1
        self.arrived.set()
        if not task.cancelled() and (error := task.exception()) is not None:  # the store's: the job is due still
            log.error("%s", one_line(f"{type(error).__name__}: {error}"))

    async def settle(self) -> None:
        """Wait until no errand is under way."""
        while self._errands:
            await asyncio.wait(self._errands.values())

    async def index(self) -> float:
        """Index the words of the next messages, for a small share of the time."""
        began = self.hub.clock.monotonic()
        found = await self.store.write(fulltext.follow)
        took = self.hub.clock.monotonic() - began
        return max(took * (1 - INDEX_DUTY) / INDEX_DUTY, 0.0 if found == fulltext.BATCH else POLL)

    async def sweep(self) -> float:
        """Close the conversations that have had no customer's message, or have been wrapped up, for too long."""
        now = micros(self.hub.clock.now())
        while numbers := await self.store.read(lambda db: conversations.due(db, now)):
            await self.store.write(partial(conversations.look, numbers=numbers, now=now))
        return SWEEP

    async def purge(self) -> float:
        """Forget raw requests that are old, except those of open dead letters."""
        keep = timedelta(days=self.config.journal_days).total_seconds()
        before = micros(self.hub.clock.now()) - round(keep * SECOND)
        while numbers := await self.store.read(lambda db: journal.outdated(db, before)):
            await self.store.write(partial(journal.forget, numbers=numbers))
        return PURGE

    async def _loop(
        self, work: Callable[[], Awaitable[float]], event: asyncio.Event | None, gather: float = 0.0
    ) -> None:
        """Work again and again: after the seconds that it asks for, or when the event is set, but for the first
        `gather` seconds."""
        while True:
            await self.hub.clock.sleep(gather)
            if event is not None:
                event.clear()
            try:
                pause = await work()
            except Exception as error:  # one kind of work that fails harms no other; it is tried again
                log.error("%s", one_line(f"{type(error).__name__}: {error}"))
                pause = POLL
            await self._pause(pause, event)

    async def _pause(self, seconds: float, event: asyncio.Event | None) -> None:
        if event is None:
            await self.hub.clock.sleep(seconds)
            return
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self.hub.clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
