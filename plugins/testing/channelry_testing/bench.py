"""One plugin as the hub runs it: made, registered, with services; what it breaks fails with the hook's name."""

import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pluggy
import pytest
from attrs import define, field

from channelry.discovery import advice, available
from channelry.dispatch import Hook, conforms, describe
from channelry.errors import PluginError, RejectedError, SendError
from channelry.model import EVENT_TYPES, Announced, Call, Event, Outbound, Received, Request, Response
from channelry.registry import implementations, plugin_manager, specifications
from channelry.services import Services
from channelry.structure import structure

from .clock import FakeClock
from .conformance import fail
from .http import AsgiHttp
from .samples import FILE, REF
from .stand_ins import MemoryFiles, services

PUBLIC_URL = "https://care.example.com/hooks/test"
ORIGIN = "https://simulated.example"
"""Where the kit puts a simulated provider's API, which `connected` configures: a file's URL begins so."""
HOOK_SECONDS = 5.0
"""A hook may take so long here, where no network is: simulators answer at once."""

_Plugin = TypeVar("_Plugin")


class QuickClock(FakeClock):
    """A clock on which waiting takes no time: `sleep` moves it on."""

    async def sleep(self, seconds: float) -> None:
        await self.advance(max(seconds, 0))
        await super().sleep(0)


def connected(cls: type[_Plugin], simulator: Any) -> _Plugin:
    """Make a plugin that is configured for a simulated provider, by the settings that the simulator gives.

    The provider's API is at `ORIGIN` then.
    """
    table = {key: value for key, value in simulator.settings(ORIGIN).items() if key != "plugin"}
    config, faults = configured(cls, table)
    if faults:
        fail(
            f"the settings of {type(simulator).__name__} are no Config of {cls.__name__}: {faults}",
            "the table of a connection, as it stands in channelry.toml",
            f"mend {type(simulator).__name__}.settings",
        )
    made: _Plugin = cls(config)  # type: ignore[call-arg]
    return made


def installed(name: str) -> Any:
    """Give the class of an installed plugin by its entry point, and fail with the next step where there is none."""
    known = available()
    if name not in known:
        fail(f"no plugin {name!r} is installed", "an entry point of the group channelry.plugins", advice(name, known))
    try:
        return known[name].load()
    except ImportError as error:
        fail(
            f"{name}: {known[name].entry_point.value} cannot be imported: {error}",
            "an import that succeeds wherever the distribution is installed",
            f"run: python -c 'import {known[name].entry_point.module}'",
        )


def configured(cls: Any, table: Mapping[str, Any]) -> tuple[Any, list[tuple[str, str, str]]]:
    """Make a Config of a plugin's table in TOML, with its faults: path, what was expected, what to do."""
    return structure("connections.test", table, cls.Config, Path(), True)


@cache
def _manager() -> pluggy.PluginManager:
    return plugin_manager()


@define(eq=False)
class Bench:
    """One plugin under test and its services; `doing` names the hook that runs."""

    plugin: Any
    services: Services
    doing: str = field(default="", init=False)
    _functions: dict[str, Callable[..., Any]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        manager = _manager()
        manager.register(self.plugin)
        self._functions = implementations(manager, self.plugin)
        manager.unregister(self.plugin)

    @property
    def name(self) -> str:
        return type(self.plugin).__name__

    def has(self, hook: str) -> bool:
        """Tell whether the plugin implements a hook."""
        return hook in self._functions

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Bench"]:
        """Have the plugin open, as it is while the hub runs."""
        if self.has("open"):
            await self.call("open")
        try:
            yield self
        finally:
            if self.has("close"):
                await self.call("close")

    # The pure hooks

    def verify(self, request: Request) -> None:
        """Verify; RejectedError passes, anything else that is raised or returned fails the test."""
        if self._pure("verify", request, (RejectedError,)) is not None:
            self._broken("verify", "it returned something", "None, or RejectedError")

    def accepts(self, request: Request) -> bool:
        """Tell whether `verify` lets a request in."""
        try:
            self.verify(request)
        except RejectedError:
            return False
        return True

    def parse(self, request: Request) -> Received:
        """Parse, and make sure of the types."""
        received = self._pure("parse", request, ())
        if not isinstance(received, Received) or not isinstance(received.answer, Response):
            self._broken("parse", f"it returned {type(received).__name__}", "a Received with a Response")
        if type(received.events) is not tuple or type(received.ignored) is not tuple:
            self._broken("parse", "events or ignored is no tuple", "tuples: a generator would be acknowledged and lost")
        for event in received.events:
            if type(event) not in EVENT_TYPES:
                self._broken("parse", f"{type(event).__name__} among the events", "events of channelry.model")
        return received  # type: ignore[no-any-return]

    def compose(self, outbound: Outbound) -> Sequence[Call]:
        """Compose; SendError passes."""
        calls = self._pure("compose", outbound, (SendError,))
        if not isinstance(calls, list | tuple) or not all(isinstance(call, Call) for call in calls):
            self._broken("compose", f"it returned {calls!r:.80}", "a list or tuple of Call")
        return calls  # type: ignore[no-any-return]

    def _pure(self, hook: str, argument: Any, allowed: tuple[type[Exception], ...]) -> Any:
        self.doing = f"{self.name}.{hook}"
        if hook not in self._functions:
            fail(f"{self.name} has no hook {hook}", f"a channel with `{hook}`", "implement it, or exempt the rule")
        try:
            return self._functions[hook](argument)
        except allowed:
            raise
        except Exception as error:
            self._broken(hook, f"it raised {_told(error)}", _RAISES[hook])

    # The others

    async def call(self, hook: str, *args: Any) -> Any:
        """Call a hook as the hub does: a plain function in a thread, within a time, and the type of its answer checked.

        SendError passes; anything else that goes wrong fails the test with the hook's name.
        """
        self.doing = f"{self.name}.{hook}"
        spec = specifications()[hook]
        given = (*args, self.services) if spec.arguments and spec.arguments[-1] == "services" else args
        function, returns = self._functions[hook], spec.types.get("return")
        outcome = await Hook(self.name, hook, function, returns, HOOK_SECONDS, self.services.clock).attempt(*given)
        if isinstance(outcome.error, PluginError):
            cause = outcome.error.__cause__
            told = f"it raised {_told(cause)}" if isinstance(cause, Exception) else f"it {outcome.error.reason}"
            if isinstance(cause, TimeoutError):
                told = f"it did not answer within {HOOK_SECONDS:g} s"
            self._broken(hook, told, f"{describe(returns)}, or an error of channelry.errors")
        if outcome.error is not None:
            raise outcome.error
        assert conforms(outcome.value, returns)
        return outcome.value

    async def expanded(self, events: Iterable[Event]) -> list[Event]:
        """Put what `expand` gives in the place of each event that only announces something."""
        found = list[Event]()
        for event in events:
            found += await self.call("expand", event) if isinstance(event, Announced) else [event]
        return found

    async def tried(self, hook: str, *args: Any) -> str:
        """Call a hook if there is one, whatever comes of it, and tell how it ended: in an error's class, or well."""
        if not self.has(hook):
            return "none"
        try:
            await self.call(hook, *args)
        except (SendError, pytest.fail.Exception) as error:
            return type(error).__name__
        return "well"

    def _broken(self, hook: str, broken: str, expected: str) -> Any:
        fail(f"{self.name}: hook {hook}: {broken}", expected, f"mend {hook}; its manual is channelry.hookspecs.{hook}")


_RAISES = {
    "verify": "RejectedError for whatever is not the provider's",
    "parse": "an Unparsed for what cannot be understood (channelry.parsing.received and each make one)",
    "compose": "PermanentError for what the channel cannot carry",
}


def _told(error: BaseException | None) -> str:
    """Tell an error and where it was raised: the innermost frames."""
    if error is None:
        return "nothing"
    place = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)[-3:]))
    return f"{type(error).__name__}: {error}\n{place}".rstrip()


def origins(plugin: Any) -> set[str]:
    """Name the origins that a plugin may call, as the hub does."""
    base = urlsplit(str(getattr(plugin.config, "base_url", "")))
    return {*getattr(plugin, "origins", ()), *([f"{base.scheme}://{base.netloc}"] if base.netloc else [])}


def wired(plugin: Any, simulator: Any) -> Services:
    """Give services whose HTTP client reaches the simulator, if any, at every origin that the plugin may call."""
    clock = QuickClock()
    if hasattr(simulator, "now"):
        simulator.now = clock.now
    http = None if simulator is None else AsgiHttp(dict.fromkeys(origins(plugin), simulator.app))
    return services(http=http, clock=clock, files=MemoryFiles({REF: FILE}), public_url=PUBLIC_URL)


async def raised(asking: Awaitable[Any]) -> SendError | None:
    """Give the error of the taxonomy that something ends with, or None."""
    try:
        await asking
    except SendError as error:
        return error
    return None


async def errors_of(asked: Mapping[str, Callable[[], Awaitable[Any]]]) -> dict[str, str]:
    """Give the whole text of each error that something ends with, by its name."""
    errors = dict[str, str]()
    for name, ask in asked.items():
        try:
            await ask()
        except (SendError, pytest.fail.Exception) as error:
            errors[f"error of {name}"] = whole(error)
    return errors


def whole(error: BaseException) -> str:
    """Give all that an error shows: its traceback with its causes, and its repr."""
    return "".join(traceback.format_exception(error)) + repr(error)
