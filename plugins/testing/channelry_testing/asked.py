"""The rules of plugins that are asked about people and texts, whatever they are asked."""

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import pytest

from channelry.errors import AuthError, RetryableError

from .bench import Bench, errors_of, raised, wired
from .conformance import Grade, fail, not_declared, rule, run
from .guard import Watchdog, watching_network
from .plugin_rules import PluginConformance, with_canaries

AT_ONCE = 30
RETRY_AFTER = 7.0


class AskedRules(PluginConformance):
    """What holds for recognizers and enrichers alike: the fixture `simulator` gives the service they ask, or None."""

    @pytest.fixture
    def simulator(self) -> Any:
        """Give the simulated service that the plugin asks; None: it asks nobody."""
        return None

    @pytest.fixture
    def bench(self, plugin: Any, simulator: Any) -> Bench:
        """Connect the plugin with the service that it asks."""
        return Bench(plugin, wired(plugin, simulator))

    @pytest.fixture
    def tell_tales(self, simulator: Any) -> Callable[[Any], Mapping[str, str]]:
        """Give the errors of a plugin whose secrets nobody accepts."""

        def told(plugin: Any) -> Mapping[str, str]:
            bench = Bench(plugin, wired(plugin, simulator))

            async def main() -> Mapping[str, str]:
                async with bench.opened():
                    asked: dict[str, Callable[[], Any]] = {"asking": lambda: self.ask(bench)}
                    if bench.has("check"):
                        asked["check"] = lambda: bench.call("check")
                    return await errors_of(asked)

            return run(main, doing=lambda: bench.doing)

        return told

    async def ask(self, bench: Bench) -> Any:
        """Ask everything that the plugin answers once; SendError passes."""
        raise NotImplementedError

    @rule("steady", Grade.SILVER)
    def test_the_same_question_has_the_same_answer(self, bench: Bench) -> None:
        """Asked again, alone or thirty times at once, it answers the same.

        Why: what an agent sees must not change by chance, and threads ask side by side. Mend: seed what is random,
        and guard what is shared (a lazily read model, a client) by a lock.
        """

        async def main() -> None:
            answers = list[Any]()

            async def one() -> None:
                answers.append(await self.ask(bench))

            async with bench.opened():
                first = await self.ask(bench)
                async with anyio.create_task_group() as group:
                    for _ in range(AT_ONCE):
                        group.start_soon(one)
            if other := [answer for answer in answers if answer != first]:
                fail(f"asked again it answers {other[0]!r:.300}", f"{first!r:.300}")

        run(main, doing=lambda: bench.doing)

    @rule("backends", Grade.SILVER)
    def test_it_runs_on_trio_as_on_asyncio(self, bench: Bench) -> None:
        """It answers on trio too.

        Why: the core runs on both. Mend: use anyio in place of asyncio's own, or plain functions.
        """

        async def main() -> None:
            async with bench.opened():
                await self.ask(bench)

        run(main, doing=lambda: bench.doing, backend="trio")

    @rule("outage", Grade.SILVER)
    def test_an_outage_is_an_error_of_the_taxonomy_and_passes(self, bench: Bench, simulator: Any) -> None:
        """A service that is down, too busy, or whose answer is lost is a RetryableError (with the service's
        `retry_after` when it is too busy), and the next question is answered.

        Why: the next plugin in the order is asked instead, and texts that stayed blank are asked again later.
        Mend: map the service's errors; keep no broken client.
        """
        if simulator is None:
            not_declared("it asks nobody: there is no fixture `simulator`")

        async def main() -> None:
            async with bench.opened():
                answer = await self.ask(bench)
                for fault in ("rate-limited", "unavailable", "lost"):
                    simulator.faults.add(fault, retry_after=RETRY_AFTER)
                    error = await raised(self.ask(bench))
                    if not isinstance(error, RetryableError):
                        fail(f"a service that is {fault} gives {error!r}", "RetryableError", "map it")
                    if fault == "rate-limited" and error.retry_after != RETRY_AFTER:
                        fail(f"retry_after is {error.retry_after}", f"{RETRY_AFTER:g}", "read it from the answer")
                    if await self.ask(bench) != answer:
                        fail(f"after a service that was {fault} the answer is another", "the same")

        run(main, doing=lambda: bench.doing)

    @rule("check", Grade.GOLD)
    def test_check_tells_credentials_that_are_not_good(self, bench: Bench) -> None:
        """`check` finds nothing wrong with good credentials, and raises AuthError with others.

        Why: `channelry check` is how a user finds a wrong key. Mend: ask the service for something small.
        """
        if not bench.has("check"):
            not_declared("it has no hook `check`")

        async def main() -> None:
            async with bench.opened():
                if (error := await raised(bench.call("check"))) is not None:
                    fail(f"`check` finds fault with a good account: {error}", "nothing", "mend it, or the simulator")
            config = with_canaries(bench.plugin.config)
            if config != bench.plugin.config:
                async with Bench(type(bench.plugin)(config), bench.services).opened() as stranger:
                    error = await raised(stranger.call("check"))
                    if not isinstance(error, AuthError):
                        fail(f"with other credentials `check` says {error!r}", "AuthError", "map the refusal")

        run(main, doing=lambda: bench.doing)

    @rule("reopens", Grade.SILVER)
    def test_it_can_be_closed_and_opened_again(self, bench: Bench) -> None:
        """After `close`, also a second one, and `open` it answers as before.

        Why: the hub closes what it opened, and opens again after a failure. Mend: make clients in `open`, let go of
        them in `close`.
        """

        async def main() -> None:
            async with bench.opened():
                before = await self.ask(bench)
                if bench.has("close"):
                    await bench.call("close")
            async with bench.opened():
                if await self.ask(bench) != before:
                    fail("opened again it answers something else", "the same answers")

        run(main, doing=lambda: bench.doing)

    @rule("loop", Grade.GOLD)
    def test_nothing_blocks_the_event_loop(self, bench: Bench) -> None:
        """While it answers the event loop turns.

        Why: what computes stops every connection of the process. Mend: make the hook a plain function (`def`), which
        runs in a thread.
        """
        dog = Watchdog()

        async def main() -> None:
            async with anyio.create_task_group() as group:
                await group.start(dog.beat)
                async with bench.opened():
                    await self.ask(bench)
                group.cancel_scope.cancel()

        run(main, doing=lambda: bench.doing)
        if dog.stalls:
            fail(f"{bench.name} blocks the event loop at\n{dog.stalls[0]}", "a loop that turns")

    @rule("network", Grade.GOLD)
    def test_everything_goes_through_the_services(self, bench: Bench) -> None:
        """While it answers, nothing but `services.http` reaches out.

        Why: it has the time-outs, the redaction and the list of allowed hosts. Mend: call `services.http`; a library
        with a transport of its own needs an exemption with its reason.
        """
        with watching_network() as found:

            async def main() -> None:
                async with bench.opened():
                    await raised(self.ask(bench))

            run(main, doing=lambda: bench.doing)
        if found:
            fail(f"{bench.name} reaches out by itself: {', '.join(found)}", "services.http only")
