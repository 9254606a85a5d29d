"""The configuration: one TOML file that names everything a deployment loads.

Every fault of the file is found at once, each with its path, what was expected, and what to do.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs
from attrs import define, field, frozen

from .discovery import Available, advice, available
from .errors import ConfigError, Fault, PluginError
from .model.enrichment import TAG
from .registry import examine, marked
from .structure import structure

DEFAULT_FILE = "channelry.toml"
SECTIONS = ("connections", "enrichment", "recognition", "server", "desk", "allow_inline_secrets")
ORDERS = {
    ("enrichment", "language"): "detect_language",
    ("enrichment", "sentiment"): "score_sentiment",
    ("recognition", "order"): "recognize",
}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_Section = TypeVar("_Section")


@frozen
class Entry:
    """One plugin that the file names: a connection (`connections.support`) or a provider (`enrichment.azure`).

    - `cls`, `config`: the plugin's class and its Config; both None where it could not be loaded, see `reason`.
    - `endpoint`: the endpoint that a connection's webhooks come to.
    - `languages`: those that a connection's customers write in, as BCP 47 tags; none: any.
    """

    path: str
    plugin: str
    distribution: str = ""
    version: str = ""
    endpoint: str = ""
    languages: tuple[str, ...] = ()
    cls: Any = None
    config: Any = None
    reason: str = ""

    @property
    def name(self) -> str:
        return self.path.partition(".")[2]


@frozen
class Configuration:
    """A file that was read without a fault: `entries` in its order, and `orders` by hook, naming entries by path."""

    file: Path
    entries: tuple[Entry, ...] = ()
    orders: Mapping[str, tuple[str, ...]] = field(factory=dict)
    sections: Mapping[str, Any] = field(factory=dict)
    public_url: str = ""

    def section(self, name: str, cls: type[_Section]) -> _Section:
        """Give the table of an application (`[server]`), or its defaults where the file has none."""
        found = self.sections.get(name)
        return found if isinstance(found, cls) else cls()


def load_configuration(file: Path) -> Configuration:
    """Read a file and load the plugins that it names, and no others; ConfigError has all its faults.

    A plugin that is installed but cannot be imported is no fault of the file: its entry says why, and the rest runs.
    """
    try:
        table = tomllib.loads(file.read_text())
    except OSError as error:
        action = f"name it by --config, or write one to try: channelry simulate CHANNEL > {file} ({error.strerror})"
        raise ConfigError(str(file), [Fault("(file)", "a readable file", action)]) from error
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        action = f"mend the syntax: {error}; then {_check(file)}"
        raise ConfigError(str(file), [Fault("(file)", "TOML", action)]) from None
    return _Reader(file, table).read()


def _check(file: Path) -> str:
    return "run: channelry check" + ("" if str(file) == DEFAULT_FILE else f" --config {file}")


@define
class _Reader:
    """Reads one table, collecting faults on the way."""

    file: Path
    table: dict[str, Any]
    faults: list[Fault] = field(factory=list)
    installed: dict[str, Available] = field(factory=available)

    def read(self) -> Configuration:
        known = dict.fromkeys([*SECTIONS, *available("channelry.sections")])
        for name in [name for name in self.table if name not in known]:
            self.fault(name, f"one of {', '.join(known)}", advice(name, known))
        entries = [self.connection(name, value) for name, value in self.part("connections").items()]
        orders = {hook: self.order(section, key, hook, entries) for (section, key), hook in ORDERS.items()}
        for section in ("enrichment", "recognition"):
            for name, value in self.part(section).items():
                path = f"{section}.{name}"
                if (section, name) not in ORDERS and all(entry.path != path for entry in entries):
                    entries.append(self.entry(path, value, name))
        sections: dict[str, Any] = {name: self.application(name) for name in ("server", "desk") if name in self.table}
        public_url = self.public_url()
        if self.faults:
            raise ConfigError(str(self.file), self.faults)
        return Configuration(self.file, tuple(entries), orders, sections, public_url)

    def public_url(self) -> str:
        """Give where providers reach us: as configured, else where the server listens."""
        server = self.part("server")
        listens = f"http://{server.get('host', '127.0.0.1')}:{server.get('port', 8080)}"
        return str(server.get("public_url") or listens).rstrip("/")

    def fault(self, path: str, expected: str, action: str = "") -> None:
        self.faults.append(Fault(path, expected, f"{action}; then {_check(self.file)}".removeprefix("; then ")))

    def part(self, name: str) -> dict[str, Any]:
        value = self.table.setdefault(name, {})
        if not isinstance(value, dict):
            self.fault(name, f"a table [{name}]")
            self.table[name] = value = {}
        return value

    def connection(self, name: str, value: Any) -> Entry:
        path = f"connections.{name}"
        if not _NAME.fullmatch(name):
            self.fault(path, "a name of lower-case letters, digits, - and _", "rename it")
        own = value if isinstance(value, dict) else {}
        endpoint, languages = own.get("endpoint", name), own.get("languages", [])
        if "endpoint" in own and not (isinstance(endpoint, str) and _NAME.fullmatch(endpoint)):
            self.fault(f"{path}.endpoint", "a name of lower-case letters, digits, - and _")
        if not isinstance(languages, list) or not all(isinstance(one, str) and TAG.fullmatch(one) for one in languages):
            self.fault(f"{path}.languages", 'an array of BCP 47 tags, as ["de", "pt-BR"]')
            languages = []
        entry = self.entry(path, value, "")
        if entry.cls is not None and not {"parse", "listen", "send"} & marked(entry.cls).keys():
            self.fault(f"{path}.plugin", f"a channel, which {entry.plugin} is not", "name it in an order")
        return attrs.evolve(entry, endpoint=str(endpoint), languages=tuple(languages))

    def order(self, section: str, key: str, hook: str, entries: list[Entry]) -> tuple[str, ...]:
        """Read an order of providers, adding an entry for each one that is named for the first time."""
        names = self.part(section).get(key, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self.fault(f"{section}.{key}", 'an array of names, as ["langdetect"]')
            return ()
        for index, name in enumerate(names):
            path = f"{section}.{name}"
            entry = next((one for one in entries if one.path == path), None)
            if entry is None:
                entry = self.entry(path, self.part(section).get(name, {}), name, f"{section}.{key}[{index}]")
                entries.append(entry)
            if entry.cls is not None and hook not in marked(entry.cls):
                self.fault(f"{section}.{key}[{index}]", f"a plugin with the hook {hook}", f"remove {name} here")
        return tuple(f"{section}.{name}" for name in names)

    def entry(self, path: str, value: Any, default: str, named_at: str = "") -> Entry:
        """Read one plugin's table: find its class by the key `plugin`, make its Config of the other keys."""
        if not isinstance(value, dict):
            self.fault(path, f"a table [{path}]")
            return Entry(path, "?")
        name = value.get("plugin", default)
        if not isinstance(name, str) or not name:
            self.fault(f"{path}.plugin", 'the name of a plugin, as plugin = "whatsapp"', "run: channelry plugins")
            return Entry(path, "?")
        found = self.installed.get(name)
        if found is None:
            expected = "the name of an installed plugin"
            self.fault(named_at or f"{path}.plugin", f"{expected}, not {name!r}", advice(name, self.installed))
            return Entry(path, name)
        entry = Entry(path, name, found.distribution, found.version)
        try:
            cls = found.load()
            examine(name, cls)
        except (ImportError, PluginError) as error:
            return attrs.evolve(entry, reason=str(error))
        ours = ("plugin", "endpoint", "languages") if path.startswith("connections.") else ("plugin",)
        keys = {key: one for key, one in value.items() if key not in ours}
        config = self.structure(path, keys, cls.Config)
        return attrs.evolve(entry, cls=cls, config=config) if config is not None else entry

    def application(self, name: str) -> Any:
        """Read the table of an application by the class it registers; unread where it is not installed."""
        found = available("channelry.sections").get(name)
        if found is None:
            return None
        try:
            return self.structure(name, self.part(name), found.load())
        except ImportError as error:
            self.fault(name, f"{found.distribution} to be importable ({error})", "install it again")
            return None

    def structure(self, path: str, value: Mapping[str, Any], cls: Any) -> Any:
        inline = self.table.get("allow_inline_secrets") is True
        made, faults = structure(path, value, cls, self.file.parent, inline)
        for fault in faults:
            self.fault(*fault)
        return made
