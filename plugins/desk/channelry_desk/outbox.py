"""The outbox at work: it claims what is due, sends it within the rates, and settles what came of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from random import Random
from typing import TypeVar

from attrs import define, field

from channelry.errors import AmbiguousError, AuthError, RetryableError, SendError
from channelry.hub import Hub
from channelry.instance import Instance
from channelry.model import Accepted, Call, NotTaken, RateScope, Receipt, Resend
from channelry.secrets import one_line

from . import calls, rules
from .calls import Due
from .config import DeskConfig
from .database import Database
from .errors import StoreError
from .moments import DAY, SECOND, micros
from .rates import Rates
from .rules import CallState
from .store import Store
from .writer import Operation, Together, apply

log = logging.getLogger("channelry.desk")
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

AUTH_PAUSE = 60.0
"""Seconds that a connection rests after its credentials were refused: somebody has to mend them."""
SPARE = 64
"""Calls looked at beyond the free lanes, so that those which wait for a rate do not hide the others."""


@define(eq=False)
class Outbox:
    """Sends the calls of all connections, one at a time of each conversation and some conversations at once.

    - `changed`: called whenever something was settled that may let another call go.
    """

    hub: Hub
    store: Store
    config: DeskConfig
    changed: Callable[[], None] = lambda: None
    random: Random = field(factory=Random)
    rates: Rates = field(factory=Rates)
    _in_flight: set[int] = field(factory=set, init=False)
    _busy: int = field(default=0, init=False)
    _held_back: set[str] = field(factory=set, init=False)
    _tasks: set["asyncio.Task[None]"] = field(factory=set, init=False)

    async def step(self) -> float | None:
        """Start everything that may go now; give the seconds until something else is due, None if nothing is."""
        waits: list[float] = []
        for name, instance in self.hub.connections.items():
            if instance.plugin is not None and instance.state == "ready":
                waits += await self._connection(name, instance)
        return min(waits, default=None)

    async def settle(self) -> None:
        """Wait until nothing is in flight."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self, seconds: float) -> None:
        """Let what is in flight end, within a time; what does not is found again when its lease is over."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, name: str, instance: Instance) -> list[float]:
        free = self.config.lanes - self._busy
        if free <= 0:
            return []
        now, waits = self._now(), []
        wide = name in self._held_back
        limit = free + (SPARE if wide else 0)
        ready: list[tuple[Due, Call]] = []
        found, later = await self.store.read(
            lambda db: (calls.due(db, name, now, limit), calls.next_due(db, name, now))
        )
        for one in found:
            if one.id in self._in_flight:
                continue
            if one.state == CallState.SENDING:  # whoever sent it has not come back
                await self._doubt(one, one.token, one.call, "the process that sent it has ended")
            elif one.state == CallState.AMBIGUOUS:
                self._start(one, self._find_out(one))
            elif rules.forgotten(one.doubted_at, now):
                reason = "its answer was lost too long ago for the provider to know it again"
                await self.store.write(partial(calls.leave, one=one, reason=reason, now=now))
            elif (state := self._given_up(one, now)) is not None:
                code = "window_closed" if state is CallState.FAILED else "given_up"
                await self.store.write(partial(_refuse, one, one.token, state, code, "not sent in time", now))
            elif len(ready) < free:
                call = one.call
                declared = instance.plugin.capabilities.rates
                wait = self.rates.wait(name, instance.entry.endpoint, call, declared, self.hub.clock.monotonic())
                if wait > 0:
                    waits.append(wait)
                else:
                    ready.append((one, call))
        self._held_back.discard(name)
        if len(found) == limit and len(ready) < free:  # what has to wait may hide others
            self._held_back.add(name)
            waits += [] if wide else [0.0]
        if ready:
            lease = now + round(self.config.lease_seconds * SECOND)
            chosen = [one for one, _ in ready]
            claimed = await self.store.write(lambda db: calls.claim(db, chosen, lease, now))
            for one, call in ready:
                if one.id in claimed:
                    self._busy += 1
                    self._start(one, self._send(one, call))
        return waits if later is None else [*waits, max(0.0, (later - now) / SECOND)]

    def _given_up(self, one: Due, now: int) -> CallState | None:
        if one.window_until is not None:
            return CallState.FAILED if now >= one.window_until else None
        return CallState.DEAD if now > one.created_at + self.config.give_up_days * DAY else None

    def _start(self, one: Due, work: Coroutine[None, None, None]) -> None:
        self._in_flight.add(one.id)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def ended(task: "asyncio.Task[None]") -> None:
            self._tasks.discard(task)
            self._in_flight.discard(one.id)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("call %s: %s", one.id, one_line(f"{type(error).__name__}: {error}"))
            self.changed()

        task.add_done_callback(ended)

    async def _send(self, one: Due, call: Call) -> None:
        token, attempt = one.token + 1, one.attempt + 1
        try:
            receipt = await self._on_a_lane(self.hub.send(one.connection, call))
        except AmbiguousError as error:
            await self._doubt(one, token, call, _told(error), attempt)
        except (RetryableError, AuthError) as error:
            await self._later(one, token, call, error, attempt)
        except SendError as error:
            settle = partial(_refuse, one, token, CallState.FAILED, error.code, _told(error), self._now())
            await self._settle(settle)
        else:
            channel = self.hub.connections[one.connection].entry.plugin
            await self._keep_trying(calls.accept_all, calls.Taken(one, token, channel, receipt, self._now()))

    async def _on_a_lane(self, sending: Awaitable[Receipt]) -> Receipt:
        """Keep a lane busy for as long as the provider has the call; settling it needs none."""
        try:
            return await sending
        finally:
            self._busy -= 1
            self.changed()

    async def _later(self, one: Due, token: int, call: Call, error: SendError, attempt: int) -> None:
        asked = error.retry_after if isinstance(error, RetryableError) else AUTH_PAUSE
        asked = None if asked is None else min(asked, DAY / SECOND)
        scope = error.scope if isinstance(error, RetryableError) else RateScope.CONNECTION
        if scope is not None:
            until = self.hub.clock.monotonic() + (asked if asked is not None else rules.back_off(attempt, self.random))
            endpoint = self.hub.connections[one.connection].entry.endpoint
            self.rates.hold(scope, one.connection, endpoint, call, until)
        pause = rules.back_off(attempt, self.random, asked)
        due = self._now() + round(pause * SECOND)
        if one.window_until is not None:
            due = min(due, one.window_until)
        await self._settle(lambda db: calls.postpone(db, one, token, due, error.code, _told(error), self._now()))

    async def _doubt(self, one: Due, token: int, call: Call, reason: str, attempt: int = 1) -> None:
        resend = self._resend(one, call)
        again = self._now() + round(rules.back_off(attempt, self.random) * SECOND)
        give_up = self._now() + round(self.config.callback_seconds * SECOND)
        await self._settle(lambda db: calls.doubt(db, one, token, resend, again, give_up, reason, self._now()))

    async def _find_out(self, one: Due) -> None:
        call = one.call
        if self._resend(one, call) is not Resend.LOOKUP:
            await self._settle(lambda db: calls.ask_later(db, one, None, "no status came", self._now()))
            return
        try:
            found = await self.hub.reconcile(one.connection, call)
        except Exception as error:  # a plugin's failure or the provider's: it could not tell
            found, reason = None, one_line(f"{type(error).__name__}: {error}")
        else:
            reason = getattr(found, "reason", "")
        if isinstance(found, Accepted):
            channel, receipt = self.hub.connections[one.connection].entry.plugin, found.receipt
            await self._settle(lambda db: calls.accept(db, one, one.token, channel, receipt, self._now()))
        elif isinstance(found, NotTaken):
            await self._settle(lambda db: calls.again(db, one, self._now()))
        else:
            pause = rules.back_off(one.lookups + 1, self.random, 1.0)
            last = one.lookups + 1 >= self.config.lookups
            until = None if last else self._now() + round(pause * SECOND)
            await self._settle(lambda db: calls.ask_later(db, one, until, reason, self._now()))

    async def _settle(self, operation: Operation[object]) -> None:
        await self._keep_trying(apply, operation)

    async def _keep_trying(self, together: Together[_Item, _Result], item: _Item) -> None:
        """Settle a call even if the store cannot now: we know what became of it, and nobody else does."""
        attempt = 0
        while True:
            try:
                await self.store.write_together(together, item)
            except StoreError as error:
                attempt += 1
                log.error("not settled yet: %s", one_line(str(error)))
                await self.hub.clock.sleep(min(30.0, 0.1 * 2**attempt))
            else:
                return

    def _resend(self, one: Due, call: Call) -> Resend:
        resend: Resend = call.resend or self.hub.connections[one.connection].plugin.capabilities.resend
        return resend

    def _now(self) -> int:
        return micros(self.hub.clock.now())


def _refuse(one: Due, token: int, state: CallState, code: str, reason: str, now: int, db: Database) -> bool:
    return calls.refuse(db, one, token, state, code, reason, now)


def _told(error: SendError) -> str:
    return one_line(str(error))[:500]
