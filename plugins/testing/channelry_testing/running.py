"""The rules about running beside others: rates, cancellation, many at once, the event loop, the network."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
from attrs import evolve

from channelry.errors import SendError
from channelry.model import Call, Capabilities, Kind, Outbound, Receipt, SendMessage, Target

from .bench import PUBLIC_URL, Bench
from .broken_http import Holding
from .conformance import Grade, fail, not_declared, rule, run
from .faults import FaultRules
from .guard import Watchdog, watching_network
from .samples import SENDABLE
from .sending import composed

AT_ONCE = 100
MOST_REQUESTS = 5
"""Of one call, in each of which it is cancelled."""


class RunningRules(FaultRules):
    """What holds for a channel beside others on one event loop."""

    async def _exercise(self, bench: Bench, simulator: Any) -> None:
        """Send what is declared and check the account, whatever comes of it: other rules tell of that."""
        if bench.has("send") and bench.has("compose"):
            for place, target, carried in self.targets(bench, simulator):
                for kind in sorted(carried.sends & SENDABLE):
                    outbound = self.action(kind, target, "", carried, f"kit-{place}-{kind}")
                    for call in composed(bench, outbound):
                        await bench.tried("send", call)
        await bench.tried("check")

    @rule("rates", Grade.GOLD)
    def test_rates_are_declared_as_data(self, bench: Bench, simulator: Any) -> None:
        """Rates are declared with positive counts and seconds, and name only actions that `compose` makes.

        Why: the outbox spaces calls by them; a misspelt action is never limited. Mend: use `Call.action`'s own names.
        """
        self._demand_sending(bench)
        found, actions = 0, set[str]()
        places = list(self.targets(bench, simulator))
        for _, target, carried in places:
            for kind in sorted(carried.sends & SENDABLE):
                actions |= {call.action for call in composed(bench, self.sample(kind, target, "", carried))}
        for _, _, carried in places:
            for rate in carried.rates:
                found += 1
                if rate.count <= 0 or rate.seconds <= 0:
                    fail(f"{rate} lets nothing through", "counts and seconds above 0", "mend it")
                if rate.actions - actions:
                    fail(f"{rate} names {sorted(rate.actions - actions)}", f"actions of {sorted(actions)}", "mend them")
        if not found:
            not_declared("its capabilities name no rates; the provider's answer 429 tells (rule errors)")

    @rule("cancellation", Grade.GOLD)
    def test_a_cancellation_in_mid_send_leaves_nothing_open(self, bench: Bench, simulator: Any) -> None:
        """Cancelled while each of its requests is under way, `send` ends at once, leaves no task behind, and the next
        send goes through. (One message is sent before, so that what lasts is there, such as a token.)

        Why: time-outs and shutdown cancel. Mend: catch no BaseException, start no task of your own, hold locks by
        `async with`.
        """
        self._demand_sending(bench)

        async def main() -> None:
            async with bench.opened():
                for place, target, carried in self.targets(bench, simulator):
                    await self._message_sent(bench, target, carried, f"kit-{place}-before")
                    for kind in sorted(carried.sends & SENDABLE):
                        for call in composed(bench, self.sample(kind, target, "", carried)):
                            await self._cancel(bench, call)
                    await self._message_sent(bench, target, carried, f"kit-{place}-after")

        run(main, doing=lambda: bench.doing)

    async def _cancel(self, bench: Bench, call: Call) -> None:
        """Cancel a call in each of its requests, until it has no more of them."""
        for which in range(1, MOST_REQUESTS):
            tasks = len(anyio.get_running_tasks())
            held = Holding(bench.services.http, which)
            stuck = Bench(bench.plugin, evolve(bench.services, http=held))
            ended = resisted = False

            async def sending(stuck: Bench = stuck, held: Holding = held) -> None:
                nonlocal ended, resisted
                await stuck.tried("send", call)
                ended, resisted = not held.reached.is_set(), held.reached.is_set()
                held.reached.set()

            async with anyio.create_task_group() as group:
                group.start_soon(sending)
                await held.reached.wait()
                group.cancel_scope.cancel()
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
            if resisted or held.again or len(anyio.get_running_tasks()) > tasks:
                fail("`send` goes on after it was cancelled", "it to end at once", "catch no BaseException")
            if ended:
                return

    @rule("at-once", Grade.GOLD)
    def test_a_hundred_sends_at_once_are_a_hundred_messages(self, bench: Bench, simulator: Any) -> None:
        """A hundred messages that are sent at once are taken once each, and each has its own receipt.

        Why: the outbox sends side by side. Mend: keep nothing of one send on the plugin; guard tokens by
        `services.state.compare_and_set`.
        """
        self._demand_sending(bench)

        async def main() -> None:
            async with bench.opened():
                for place, target, carried in self.targets(bench, simulator):
                    await self._send_many(bench, simulator, place, target, carried)

        run(main, doing=lambda: bench.doing)

    async def _send_many(self, bench: Bench, simulator: Any, place: str, target: Target, carried: Capabilities) -> None:
        before, receipts = len(simulator.ledger.taken), dict[int, Receipt]()
        is_text = Kind.TEXT in carried.sends

        async def one(number: int) -> None:
            if is_text:
                outbound: Outbound = SendMessage(key=f"kit-{place}-{number}", target=target, text=f"number {number}")
            else:
                kind = min(carried.sends & SENDABLE)
                outbound = self.action(kind, target, "", carried, f"kit-{place}-{number}")
            try:
                (receipts[number],) = await self._sent(bench, outbound)
            except SendError as error:
                fail(f"of {AT_ONCE} sends at once one ends with {type(error).__name__}: {error}", "a receipt each")

        async with anyio.create_task_group() as group:
            for number in range(AT_ONCE):
                group.start_soon(one, number)
        taken = {entry.external_id: entry.text for entry in simulator.ledger.taken[before:]}
        ids = {number: receipt.external_ids[0] for number, receipt in receipts.items() if receipt.external_ids}
        if len(taken) != AT_ONCE or set(ids.values()) != set(taken):
            fail(
                f"{AT_ONCE} sends are {len(taken)} messages and {len(set(ids.values()))} receipts",
                f"{AT_ONCE} of both",
                "keep nothing of one send on the plugin",
            )
        if is_text and (mixed := [number for number, id in ids.items() if taken[id] != f"number {number}"]):
            fail(f"{len(mixed)} receipts are those of another message", "each its own", "keep nothing on the plugin")

    @rule("loop", Grade.GOLD)
    def test_nothing_blocks_the_event_loop(self, bench: Bench, simulator: Any) -> None:
        """While everything declared is sent, fetched and checked, the event loop turns.

        Why: one hook that blocks stops every connection of the process. Mend: await; where a library blocks, make the
        hook a plain function (`def`), which then runs in a thread.
        """
        dog = Watchdog()

        async def main() -> None:
            async with anyio.create_task_group() as group:
                await group.start(dog.beat)
                async with bench.opened():
                    await self._exercise(bench, simulator)
                group.cancel_scope.cancel()

        run(main, doing=lambda: bench.doing)
        if dog.stalls:
            fail(f"{bench.name} blocks the event loop at\n{dog.stalls[0]}", "a loop that turns")

    @rule("network", Grade.GOLD)
    def test_everything_goes_through_the_services(self, bench: Bench, simulator: Any) -> None:
        """While everything declared is sent, nothing but `services.http` reaches out.

        Why: it has the time-outs, the redaction and the list of allowed hosts, and tests stand in for it. Mend: call
        `services.http`; a protocol that is not HTTP needs an exemption with its reason.
        """
        with watching_network() as found:

            async def main() -> None:
                async with bench.opened():
                    await self._exercise(bench, simulator)

            run(main, doing=lambda: bench.doing)
        if found:
            fail(f"{bench.name} reaches out by itself: {', '.join(found)}", "services.http only")

    @rule("backends", Grade.SILVER)
    def test_it_runs_on_trio_as_on_asyncio(self, bench: Bench, simulator: Any) -> None:
        """What is sent and asked on asyncio is sent and asked on trio too, with the same receipts and errors.

        Why: the core runs on both. Mend: use anyio (sleep, locks, task groups) in place of asyncio's own.
        """
        problems: dict[str, list[str]] = {}
        for backend in ("asyncio", "trio"):

            async def main(backend: str = backend) -> list[str]:
                async with bench.opened():
                    return [problem async for problem in self._problems(bench, simulator, backend)]

            problems[backend] = run(main, doing=lambda: bench.doing, backend=backend)
        if problems["asyncio"] != problems["trio"]:
            fail(f"on trio: {'; '.join(problems['trio'])}", "what asyncio gives")

    async def _problems(self, bench: Bench, simulator: Any, backend: str) -> AsyncIterator[str]:
        """Send what is declared and ask the other hooks; tell which of them end how."""
        if bench.has("send") and bench.has("compose"):
            for _, target, carried in self.targets(bench, simulator):
                for kind in sorted(carried.sends & SENDABLE):
                    for call in composed(bench, self.action(kind, target, "", carried, f"kit-{backend}-{kind}")):
                        yield f"send {kind}: {await bench.tried('send', call)}"
        for hook in ("setup", "check"):
            yield f"{hook}: {await bench.tried(hook, *[PUBLIC_URL] * (hook == 'setup'))}"
