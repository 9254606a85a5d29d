"""The rules of a channel, and the fixtures that they start from."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from channelry.errors import RejectedError
from channelry.model import Announced

from .account_rules import AccountRules
from .bench import PUBLIC_URL, Bench, connected, errors_of, origins, whole, wired
from .conformance import fail, run
from .http import AsgiHttp
from .plugin_rules import PluginConformance
from .receiving import posted


class ChannelConformance(AccountRules, PluginConformance):
    """The rules of a channel: subclass it in a test module, and pytest runs them all.

        class TestAcme(ChannelConformance):
            rows = ("text", "picture", "read")

            @pytest.fixture
            def simulator(self) -> AcmeSimulator:
                return AcmeSimulator()

            @pytest.fixture
            def second(self) -> AcmeSimulator:
                return AcmeSimulator(account="another", token="another-token")

            @pytest.fixture
            def plugin(self, simulator: AcmeSimulator) -> Acme:
                return connected(Acme, simulator)

            @pytest.fixture
            def payloads(self) -> Path:
                return Path(__file__).parent / "payloads"

    - `rows`: the channel's own table of types, each row of which has a recorded payload.
    - `customer`: whom the simulator lets write; a number serves most.
    - fixtures: `plugin` (made with a configuration), `simulator` (fresh for each test), `payloads` (the folder of the
      recorded ones, `channelry_testing.payloads`), and `second`, the simulator of another account with other secrets.
    - to override where the channel needs it:
      `sample(self, kind, target, ours, capabilities) -> Outbound` (an action that this provider takes),
      `target(self, place, bench, simulator) -> Target` (where public answers go),
      `writings(self, simulator) -> Iterable[Request]` (further places that customers write at),
      `held(self, simulator) -> Media` (a file that a customer sent, its content `FILE`, its URL below `ORIGIN`),
      `message(self, bench, simulator, text) -> MessageReceived` (how a customer writes).
    - where a webhook brings ids only, the kit asks `expand`, so a message of the simulator's is what that gives.
    - `exempt`, `@overrides`: see `Conformance`.

    `pytest --channelry-report` prints which rules hold and the grade that is reached.
    """

    @pytest.fixture
    def simulator(self) -> Any:
        """Give a fresh simulated provider."""
        fail(
            f"{type(self).__name__} names no simulator",
            "a fixture `simulator` that gives a channelry_simulation.Simulator of this channel",
            "add it; where there is no simulator yet, write one: most rules need it",
        )

    @pytest.fixture
    def second(self) -> Any:
        """Give the simulator of a second account, with other secrets; None: there is none."""
        return None

    @pytest.fixture
    def payloads(self) -> Path:
        """Give the folder of the recorded payloads."""
        fail(
            f"{type(self).__name__} names no recorded payloads",
            "a fixture `payloads` that gives their folder",
            'add it: return Path(__file__).parent / "payloads"',
        )

    @pytest.fixture
    def bench(self, plugin: Any, simulator: Any) -> Bench:
        """Connect the plugin with the simulator."""
        return Bench(plugin, wired(plugin, simulator))

    @pytest.fixture
    def another(self, plugin: Any, second: Any) -> Bench | None:
        """Connect a second plugin with the second simulator."""
        if second is None:
            return None
        twin = connected(type(plugin), second)
        return Bench(twin, wired(twin, second))

    @pytest.fixture
    def mutants(self, pytestconfig: pytest.Config) -> int:
        """Give how many mutated bodies are tried."""
        return int(pytestconfig.getoption("--channelry-mutants"))

    @pytest.fixture
    def tell_tales(self, bench: Bench, simulator: Any) -> Callable[[Any], Mapping[str, str]]:
        """Give the errors of a plugin whose secrets nobody accepts; `bench` has the good one."""

        def told(plugin: Any) -> Mapping[str, str]:
            stranger = Bench(plugin, wired(plugin, simulator))
            return run(lambda: self._errors(stranger, bench, simulator), doing=lambda: stranger.doing)

        return told

    async def _errors(self, bench: Bench, good: Bench, simulator: Any) -> Mapping[str, str]:
        """Do what can go wrong with bad credentials, lost answers and odd webhooks; give each error's whole text."""
        told: dict[str, str] = {}
        if bench.has("verify"):
            try:
                bench.verify(posted(simulator, simulator.message(self.customer, "hello")))
            except RejectedError as error:
                told["error of verify"] = whole(error)
        hooks: list[tuple[str, tuple[Any, ...]]] = [("check", ()), ("setup", (PUBLIC_URL,))]
        if bench.has("expand"):
            events = good.parse(posted(simulator, simulator.message(self.customer, "hello"))).events
            hooks += [("expand", (event,)) for event in events if isinstance(event, Announced)]
        if bench.has("send") and bench.has("compose"):
            for _, target, carried in self.targets(good, simulator):
                kind = min(carried.sends)
                calls = bench.compose(self.sample(kind, target, target.reply_to, carried))
                told["composed call"] = repr(calls)
                hooks += [("send", (call,)) for call in calls]
        breaking = dict.fromkeys(origins(bench.plugin), _breaks_off)
        for number, http in enumerate((bench.services.http, AsgiHttp({}), AsgiHttp(breaking))):
            broken = Bench(bench.plugin, evolve(bench.services, http=http))
            asked = {
                f"{hook} ({number})": partial(broken.call, hook, *args) for hook, args in hooks if broken.has(hook)
            }
            told |= await errors_of(asked)
        return told


async def _breaks_off(scope: Any, receive: Any, send: Any) -> None:
    raise ConnectionResetError("the answer is lost")
