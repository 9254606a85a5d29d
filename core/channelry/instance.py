"""The plugins of a configuration, made, registered and looked up once."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import define, field, frozen

from .config import Configuration, Entry
from .dispatch import Hook, explain
from .errors import ConfigError, Fault
from .model import Event
from .registry import implementations, marked, plugin_manager, specifications
from .services import Clock, Services

TIMEOUTS: Mapping[str, float] = {"send": 90.0, "fetch": 300.0, "setup": 60.0, "open": 30.0, "recognize": 5.0}
"""Seconds that a hook may take; every other one has `DEFAULT_TIMEOUT`."""
DEFAULT_TIMEOUT = 20.0


@frozen
class PluginStatus:
    """How one configured plugin fares. `state`: ready, opening, not loaded, failing or quarantined; `reason`: why."""

    name: str
    plugin: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    state: str
    reason: str = ""


@define(eq=False)
class Instance:
    """One plugin of the configuration, registered: its guarded hooks, and its pure ones as plain callables."""

    entry: Entry
    plugin: Any = None
    hooks: dict[str, Hook] = field(factory=dict)
    pure: dict[str, Callable[..., Any]] = field(factory=dict)
    account: str = ""
    services: Services | None = None
    state: str = "not loaded"
    reason: str = ""

    def status(self) -> PluginStatus:
        state, reason = self.state, self.reason
        for hook in self.hooks.values():
            if hook.health.in_a_row:
                quarantined = hook.clock.monotonic() < hook.health.until
                state, reason = "quarantined" if quarantined else "failing", f"{hook.name}: {hook.health.reason}"
        entry = self.entry
        hooks = tuple(sorted({*self.hooks, *self.pure}))
        return PluginStatus(entry.path, entry.plugin, entry.distribution, entry.version, hooks, state, reason)

    def claims(self, event: Event) -> bool:
        """Tell whether an event is of this connection's account."""
        return not event.account or not self.account or event.account == self.account


def make_instances(configuration: Configuration, clock: Clock, timeouts: Mapping[str, float]) -> dict[str, Instance]:
    """Make and register every plugin of the configuration; one that fails is named and left out."""
    manager, specs = plugin_manager(), specifications()
    instances = {}
    for entry in configuration.entries:
        instance = instances[entry.path] = Instance(entry, reason=entry.reason)
        if entry.cls is None:
            continue
        try:
            made = entry.cls(entry.config)
            manager.register(made, entry.path)
            for name, function in implementations(manager, made).items():
                if specs[name].pure:
                    instance.pure[name] = function
                else:
                    limit = float("inf") if name == "listen" else timeouts.get(name, DEFAULT_TIMEOUT)
                    returns = specs[name].types.get("return")
                    instance.hooks[name] = Hook(entry.path, name, function, returns, limit, clock)
            instance.account = str(getattr(made, "account", ""))
        except Exception as error:  # a plugin's own constructor
            instance.reason = explain(error)
            continue
        instance.plugin, instance.state = made, "opening"
    return instances


Groups: TypeAlias = list[list[Instance]]


def group_endpoints(configuration: Configuration, connections: Mapping[str, Instance]) -> dict[str, Groups]:
    """Group the connections of each endpoint by plugin: one parse serves all accounts of one channel."""
    endpoints: dict[str, dict[str, list[Instance]]] = {}
    faults = []
    for name, instance in connections.items():
        if instance.entry.cls is not None and "parse" not in marked(instance.entry.cls):
            continue
        group = endpoints.setdefault(instance.entry.endpoint, {}).setdefault(instance.entry.plugin, [])
        twin = next((one for one in group if one.plugin and one.account == instance.account), None)
        if twin is not None and instance.plugin is not None:
            expected = f"another account than {twin.entry.path} has, or another endpoint"
            faults.append(Fault(f"connections.{name}", expected, "run: channelry check"))
        group.append(instance)
    if faults:
        raise ConfigError(str(configuration.file), faults)
    return {endpoint: list(groups.values()) for endpoint, groups in endpoints.items()}
