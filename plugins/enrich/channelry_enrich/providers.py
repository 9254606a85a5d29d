"""Which providers are asked, in which order, and with which Config."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from attrs import evolve

from channelry.config import DEFAULT_FILE, Configuration, Entry, load_configuration
from channelry.discovery import advice, available
from channelry.errors import ConfigError, Fault, PluginError
from channelry.hub import Hub, open_hub
from channelry.registry import examine, marked
from channelry.sink import Sink, nowhere
from channelry.structure import structure

HOOKS = ("detect_language", "score_sentiment")
"""In the order in which they are asked, for the second needs what the first tells."""


def configuration(file: Path, order: Sequence[str]) -> Configuration:
    """Give the providers of a file in its order, or in another; without the usual file, with their default Config.

    Connections are left out: nothing is to be polled here. ConfigError has what is wrong with either.
    """
    found = load_configuration(file) if file.exists() or file != Path(DEFAULT_FILE) else Configuration(file)
    if order:
        known = {entry.path: entry for entry in found.entries}
        entries = [known.get(f"enrichment.{name}") or default(name) for name in order]
    else:
        named = {path for hook in HOOKS for path in found.orders.get(hook, ())}
        entries = [entry for entry in found.entries if entry.path in named]
    hooks = {entry.path: marked(entry.cls).keys() if entry.cls else set() for entry in entries}
    orders = {hook: tuple(path for path in hooks if hook in hooks[path]) for hook in HOOKS} if order else found.orders
    return evolve(found, entries=tuple(entries), orders=orders)


def default(name: str) -> Entry:
    """Give an installed provider with its default Config; ConfigError if it is none, or has to be told something."""
    installed = available()
    path = f"enrichment.{name}"

    def refused(expected: str, action: str) -> ConfigError:
        return ConfigError("--order", [Fault(path, expected, action)])

    if name not in installed:
        raise refused(f"the name of an installed plugin, not {name!r}", advice(name, installed))
    try:
        cls = installed[name].load()
        examine(name, cls)
    except (ImportError, PluginError) as error:
        raise refused(f"a plugin that can be loaded ({error})", "run: channelry plugins") from error
    if marked(cls).keys().isdisjoint(HOOKS):
        raise refused("a provider of language or sentiment", "run: channelry plugins")
    config, faults = structure(path, {}, cls.Config, Path(), False)
    if faults:
        action = "configure it, and name the file by --config"
        raise ConfigError("--order", [Fault(where, what, action) for where, what, _ in faults])
    return Entry(path, name, installed[name].distribution, installed[name].version, cls=cls, config=config)


@asynccontextmanager
async def opened(found: Configuration) -> AsyncIterator[Hub]:
    """Open the providers, with the HTTP client of an installed distribution, if there is one."""
    clients: list[Any] = [point.load() for point in entry_points(group="channelry.http")]
    async with (
        clients[0]() if clients else nullcontext() as http,
        open_hub(found, _quietly, **({"http": http} if http else {})) as hub,
    ):
        yield hub


def _quietly(hub: Hub) -> AbstractAsyncContextManager[Sink]:
    """Keep nothing, and have who asks tell of failures, once, where the hub would log each."""
    hub.blame = lambda _: None
    return nowhere(hub)
