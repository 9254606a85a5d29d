# dispatch has checked what a hook returned against its annotation
# mypy: disable-error-code="no-any-return"
"""The hub: opens, supervises and closes connections, hands on what arrives, and sends.

A request goes verify → parse → route → `Sink.record` → answer. Nothing here knows a provider or keeps a message.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import anyio
from attrs import define, evolve, field

from .config import Configuration
from .dispatch import Found, Hook, Outcome, Quarantined, describe, every, explain, first, first_per_item, pause
from .errors import AmbiguousError, PermanentError, PluginError, RejectedError, RetryableError, SendError
from .instance import TIMEOUTS, Groups, Instance, PluginStatus, group_endpoints, make_instances

# fmt: off
# isort: off
from .model import (
    EVENT_TYPES, OK, Address, Announced, Call, Event, Match, Media, Outbound, Profile, Receipt, Received, Reconciled,
    Request, Response, Text, Unknown, Unparsed,
)
# isort: on
# fmt: on
from .services import Clock, NoHttp, OpenHttp, Save, Services, SystemClock
from .sink import Sink

REJECTED = Response(401, b"rejected")
NOT_FOUND = Response(404, b"there is no such endpoint")
UNAVAILABLE = Response(503, b"try again later")

log = logging.getLogger("channelry")

_PURE: Mapping[str, tuple[Any, tuple[type[Exception], ...]]] = {
    "verify": (type(None), (RejectedError,)), "parse": (Received, ()), "compose": (Sequence, (SendError,))
}  # fmt: skip
"""What a pure hook returns, and what it may raise by its contract."""


Application: TypeAlias = Callable[["Hub"], AbstractAsyncContextManager[Sink]]
"""Makes the sink of a hub, and lets go of it when the hub has closed its connections."""


@define(eq=False)
class Hub:
    """All connections and providers of one configuration; made by `open_hub`.

    - `connections`: by name; `endpoints`: for each URL the connections that share it, grouped by plugin.
    - `counts`: what happened, by ("webhooks", endpoint, status), ("events", connection, type),
      ("ignored", connection, reason), ("unclaimed", endpoint), ("sends", connection, outcome) and
      ("failures", plugin, hook).
    - `blame`: is told each failure of a plugin: logs it, where an application sets nothing else.
    """

    configuration: Configuration
    clock: Clock
    instances: dict[str, Instance]
    connections: dict[str, Instance]
    endpoints: dict[str, Groups]
    counts: Counter[tuple[str, ...]] = field(factory=Counter)
    blame: Callable[[Exception], object] = field(default=partial(log.warning, "%s"))
    sink: Sink = field(init=False)

    def webhook_url(self, endpoint: str) -> str:
        """Give the public address of an endpoint."""
        return f"{self.configuration.public_url}/hooks/{endpoint}"

    def status(self) -> list[PluginStatus]:
        """Tell how every plugin of the configuration fares."""
        return [instance.status() for instance in self.instances.values()]

    # What arrives

    async def receive(self, endpoint: str, request: Request) -> Response:
        """Take one webhook and give its HTTP answer; raises nothing."""
        if (groups := self.endpoints.get(endpoint)) is None:
            return NOT_FOUND
        answer = await self._take(endpoint, groups, request)
        self.counts["webhooks", endpoint, str(answer.status)] += 1
        return answer

    async def _take(self, endpoint: str, groups: Groups, request: Request) -> Response:
        answer: Response | None = None
        for group in groups:
            believers = [one for one in group if self.verified(one, request)]
            if not believers:
                continue
            parsed = self.parsed(believers[0], request)
            if answer is None or answer == OK:
                answer = parsed.answer
            try:
                for received in self._routed(endpoint, believers, parsed):
                    await self._record(received)
            except Exception as error:  # whatever the application's store raises: the provider will try again
                log.error("%s: not recorded: %s", endpoint, explain(error))
                return UNAVAILABLE
        if answer is None:
            loaded = any(instance.plugin is not None for group in groups for instance in group)
            log.info("%s: a request was %s", endpoint, "rejected" if loaded else "refused: no plugin is loaded")
            return REJECTED if loaded else UNAVAILABLE
        return answer

    def verified(self, instance: Instance, request: Request) -> bool:
        """Tell whether a connection accepts a request as its provider's; a crash is a rejection that is counted."""
        if instance.plugin is None or "verify" not in instance.pure:
            return False
        try:
            self._pure(instance, "verify", request)
        except (RejectedError, PluginError):
            return False
        return True

    def parsed(self, instance: Instance, request: Request) -> Received:
        """Parse a verified request; what a plugin crashes on, or misunderstands, becomes one `Unparsed`."""
        try:
            received = self._pure(instance, "parse", request)
        except PluginError as error:
            return Received(request, (Unparsed.of(str(error), request.body, request.received_at),))
        instance.reason = ""
        return received

    def _pure(self, instance: Instance, name: str, argument: Any) -> Any:
        """Call a pure hook. What it raises beside the contract's own errors, and a wrong type, is a PluginError.

        It is counted and never quarantined: who can write to us could silence the hook then.
        """
        returns, own = _PURE[name]
        try:
            value = instance.pure[name](argument)
            if not isinstance(value, returns):
                raise TypeError(f"returned {type(value).__name__}, expected {describe(returns)}")
            if name == "parse" and not _sound(value):
                raise TypeError("its events are no tuple of events, or its answer or ignored rows of a wrong type")
            if name == "compose" and not all(isinstance(call, Call) for call in value):
                raise TypeError("one of its calls is no Call")
        except BaseException as error:  # a plugin's crash, SystemExit included
            if isinstance(error, (KeyboardInterrupt, *own)):
                raise
            broken = PluginError(instance.entry.path, name, explain(error))
            self.counts["failures", instance.entry.path, name] += 1
            instance.reason = f"{name}: {broken.reason}"
            self.blame(broken)
            raise broken from error
        return value

    def _routed(self, endpoint: str, group: list[Instance], parsed: Received) -> list[Received]:
        """Give each connection of a group its events, by account; what nobody claims has no connection."""
        for reason in parsed.ignored:
            self.counts["ignored", group[0].entry.name, reason] += 1
        if len(group) == 1 and all(map(group[0].claims, parsed.events)):
            name = group[0].entry.name
            return [Received(parsed.request, parsed.events, parsed.answer, parsed.ignored, name)]
        claimed: dict[str, list[Event]] = {}
        for event in parsed.events:
            owner = next((one.entry.name for one in group if one.claims(event)), "")
            claimed.setdefault(owner, []).append(event)
        if unclaimed := claimed.get(""):
            self.counts["unclaimed", endpoint] += len(unclaimed)
            log.info("%s: events of accounts that no connection has: %d", endpoint, len(unclaimed))
        return [evolve(parsed, connection=name, events=tuple(events)) for name, events in claimed.items()]

    async def _record(self, received: Received) -> None:
        if not received.events:
            return
        await self.sink.record(received)
        for event in received.events:
            self.counts["events", received.connection, type(event).__name__] += 1

    # What is sent

    def compose(self, connection: str, outbound: Outbound) -> Sequence[Call]:
        """Turn an action into calls; PermanentError or WindowClosedError where the channel cannot carry it."""
        instance = self._connection(connection)
        if "compose" not in instance.pure:
            raise PermanentError(f"{instance.entry.plugin} sends nothing", code="unsupported")
        instance.plugin.capabilities.admit(outbound, self.clock.now())
        try:
            return self._pure(instance, "compose", outbound)
        except PluginError as error:
            raise PermanentError(str(error), code="plugin_failed") from error

    async def send(self, connection: str, call: Call) -> Receipt:
        """Make one call; raises the errors of the taxonomy only. A plugin's failure leaves it ambiguous."""
        try:
            receipt: Receipt = await self._ask(connection, "send", call)
        except Quarantined as error:
            self.counts["sends", connection, "quarantined"] += 1
            raise RetryableError(str(error), code="quarantined", retry_after=error.seconds) from error
        except PluginError as error:
            self.counts["sends", connection, "ambiguous"] += 1
            raise AmbiguousError(str(error), code="plugin_failed") from error
        except Exception as error:  # the taxonomy, which is counted and goes on as it is
            self.counts["sends", connection, type(error).__name__.removesuffix("Error").lower()] += 1
            raise
        self.counts["sends", connection, "accepted"] += 1
        return receipt

    async def reconcile(self, connection: str, call: Call) -> Reconciled:
        """Ask the provider what became of an ambiguous call; `Unknown` where it cannot be asked."""
        return await self._ask_if_able(Unknown("this channel cannot be asked"), connection, "reconcile", call)

    async def expand(self, connection: str, event: Announced) -> Sequence[Event]:
        """Fetch what a webhook only named; the event itself where the channel has nothing to add."""
        return await self._ask_if_able((event,), connection, "expand", event)

    async def profile(self, connection: str, address: Address) -> Profile | None:
        """Look somebody up; None where the channel cannot."""
        return await self._ask_if_able(None, connection, "profile", address)

    async def fetch(self, connection: str, media: Media, save: Save) -> Media:
        """Download an inbound file into `save`."""
        return await self._ask(connection, "fetch", media, save)

    async def setup(self, connection: str) -> None:
        """Register the connection's webhook with its provider."""
        await self._ask(connection, "setup", self.webhook_url(self._connection(connection).entry.endpoint))

    async def check(self, connection: str) -> None:
        """Make sure of credentials and registration; raises what is missing."""
        await self._ask(connection, "check")

    def _connection(self, name: str) -> Instance:
        if (instance := self.connections.get(name)) is None:
            raise PermanentError(f"there is no connection {name!r}", code="no_connection")
        if instance.plugin is None:
            raise RetryableError(f"{name} is not loaded: {instance.reason}", code="not_loaded")
        return instance

    async def _ask_if_able(self, otherwise: Any, connection: str, name: str, *args: Any) -> Any:
        able = name in self._connection(connection).hooks
        return await self._ask(connection, name, *args) if able else otherwise

    async def _ask(self, connection: str, name: str, *args: Any) -> Any:
        instance = self._connection(connection)
        hook = instance.hooks.get(name)
        if hook is None:
            raise PermanentError(f"{instance.entry.plugin} has no hook {name}", code="unsupported")
        if instance.state != "ready":
            raise RetryableError(f"{connection} is {instance.state}: {instance.reason}", code="not_open")
        outcome = await hook.attempt(*args, instance.services)
        self._count([outcome], name)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    # Who it is and what it says

    async def recognize(self, profile: Profile, hints: Mapping[str, str]) -> Match | None:
        """Ask the recognizers in their order who a profile belongs to."""
        outcomes = await first(self._ordered("recognize"), profile, hints)
        self._count(outcomes, "recognize")
        return outcomes[-1].value if outcomes else None

    async def enrich(self, hook: str, texts: Sequence[Text]) -> tuple[list[Found], list[Outcome]]:
        """Ask the providers of `detect_language` or `score_sentiment` in their order, each for what is still open.

        Gives what was found of each text, by the path of the provider that found it, and how each provider fared.
        """
        found, outcomes = await first_per_item(self._ordered(hook), texts)
        self._count(outcomes, hook)
        return found, outcomes

    async def observe(self, event: Event, connection: str) -> None:
        """Show a recorded event to every plugin that observes."""
        hooks = [instance.hooks["observe"] for instance in self.instances.values() if "observe" in instance.hooks]
        self._count(await every(hooks, event, connection), "observe")

    def _ordered(self, name: str) -> list[Hook]:
        found = [self.instances[path] for path in self.configuration.orders.get(name, ())]
        return [instance.hooks[name] for instance in found if instance.state == "ready"]

    def _count(self, outcomes: Sequence[Outcome], name: str) -> None:
        for outcome in outcomes:
            if outcome.failed and outcome.error:
                self.counts["failures", outcome.plugin, name] += 1
                self.blame(outcome.error)

    # Life

    async def supervise(self, instance: Instance, tried: anyio.Event) -> None:
        """Open one plugin, again and again until it succeeds, then keep its listener running."""
        failures = 0
        while (reason := await self._opened(instance)) is not None:
            instance.state, instance.reason = "opening", reason
            tried.set()
            await self.clock.sleep(pause(failures))
            failures += 1
        instance.state, instance.reason = "ready", ""
        tried.set()
        if "listen" in instance.hooks:
            await self._listen(instance)

    async def _opened(self, instance: Instance) -> str | None:
        if "open" not in instance.hooks:
            return None
        outcome = await instance.hooks["open"].attempt(instance.services)
        self._count([outcome], "open")
        return None if outcome.error is None else str(outcome.error)

    async def _listen(self, instance: Instance) -> None:
        """Run a listener; one that ends is started again, after a pause that grows unless it has delivered."""
        failures = 0

        async def deliver(received: Received) -> None:
            nonlocal failures
            if not _sound(received):
                raise TypeError("deliver takes a Received of events")
            for one in self._routed(instance.entry.endpoint, [instance], received):
                await self._record(one)
            failures = 0
            instance.hooks["listen"].health.succeeded()

        while True:
            outcome = await instance.hooks["listen"].attempt(deliver, instance.services)
            self._count([outcome], "listen")
            instance.reason = f"listen: {explain(outcome.error) if outcome.error else 'the listener returned'}"
            log.warning("%s: %s", instance.entry.path, instance.reason)
            await self.clock.sleep(pause(failures))
            failures += 1


def _sound(received: Received) -> bool:
    kinds = type(received.events) is tuple and type(received.answer) is Response and type(received.ignored) is tuple
    return kinds and EVENT_TYPES.issuperset(map(type, received.events))


def closed_hub(
    configuration: Configuration, clock: Clock | None = None, timeouts: Mapping[str, float] = TIMEOUTS
) -> Hub:
    """Make a hub that has opened nothing: it verifies, parses and composes, which need no more."""
    clock = clock or SystemClock()
    instances = make_instances(configuration, clock, timeouts)
    connections = {one.entry.name: one for one in instances.values() if one.entry.path.startswith("connections.")}
    return Hub(configuration, clock, instances, connections, group_endpoints(configuration, connections))


@asynccontextmanager
async def open_hub(
    configuration: Configuration,
    app: Application,
    *,
    http: OpenHttp = lambda origins: NoHttp(),
    clock: Clock | None = None,
    timeouts: Mapping[str, float] = TIMEOUTS,
) -> AsyncIterator[Hub]:
    """Open everything that a configuration names, and close it again.

    Yields once every plugin was tried once; those that failed are tried again in the background.
    """
    hub = closed_hub(configuration, clock, timeouts)
    failure: Exception | None = None
    async with AsyncExitStack() as stack:
        hub.sink = await stack.enter_async_context(app(hub))
        loaded = [instance for instance in hub.instances.values() if instance.plugin is not None]
        for instance in loaded:
            try:
                instance.services = _services(hub, instance, http)
            except ValueError as error:  # a base_url that is none
                instance.plugin, instance.state, instance.reason = None, "not loaded", explain(error)
        loaded = [instance for instance in loaded if instance.plugin is not None]
        stack.push_async_callback(_close, loaded)
        async with anyio.create_task_group() as tasks:
            tried = [anyio.Event() for _ in loaded]
            for instance, event in zip(loaded, tried, strict=True):
                tasks.start_soon(hub.supervise, instance, event, name=instance.entry.path)
            for event in tried:
                await event.wait()
            try:
                yield hub
            except Exception as error:  # raised below, as itself: a task group would wrap it
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure


async def _close(instances: Sequence[Instance]) -> None:
    with anyio.CancelScope(shield=True):
        await every([instance.hooks["close"] for instance in instances if "close" in instance.hooks])
        for instance in instances:
            for hook in instance.hooks.values():
                await hook.threads.settle(1.0)


def _services(hub: Hub, instance: Instance, http: OpenHttp) -> Services:
    entry = instance.entry
    origins = {*getattr(instance.plugin, "origins", ()), _origin(getattr(entry.config, "base_url", ""))}
    return Services(
        name=entry.name,
        http=http(frozenset(origins - {""})),
        clock=hub.clock,
        state=hub.sink.state(entry.path),
        files=hub.sink.files(),
        public_url=hub.webhook_url(entry.endpoint) if entry.endpoint else "",
        log=log.getChild(entry.path),
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
