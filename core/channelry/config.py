"""The configuration: one TOML file that names everything a deployment loads.

Every fault of the file is found at once, each with its path, what was expected, and what to do.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
from attrs import define, field, frozen
from cattrs.errors import ForbiddenExtraKeysError

from .discovery import Available, advice, available, extras
from .dispatch import describe
from .errors import ConfigError, Fault, PluginError
from .registry import examine, marked
from .secrets import Secret, Secrets, read_secret

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
    """

    path: str
    plugin: str
    distribution: str = ""
    version: str = ""
    endpoint: str = ""
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
        action = f"create it, or run: channelry COMMAND --config FILE ({error.strerror})"
        raise ConfigError(str(file), [Fault("(file)", "a readable file", action)]) from error
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        action = f"mend the syntax: {error}; then {_check(file)}"
        raise ConfigError(str(file), [Fault("(file)", "TOML", action)]) from None
    reader = _Reader(file, table)
    configuration = reader.read()
    if reader.faults:
        raise ConfigError(str(file), reader.faults)
    return configuration


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
        for name in self.table.keys() - set(SECTIONS) - available("channelry.sections").keys():
            close = difflib.get_close_matches(name, SECTIONS, n=1)
            self.fault(name, f"one of {', '.join(SECTIONS)}", f"did you mean {close[0]}?" if close else "remove it")
        entries = [self.connection(name, value) for name, value in self.part("connections").items()]
        orders = {hook: self.order(section, key, hook, entries) for (section, key), hook in ORDERS.items()}
        for section in ("enrichment", "recognition"):
            for name, value in self.part(section).items():
                path = f"{section}.{name}"
                if (section, name) not in ORDERS and all(entry.path != path for entry in entries):
                    entries.append(self.entry(path, value, name))
        sections: dict[str, Any] = {name: self.application(name) for name in ("server", "desk") if name in self.table}
        return Configuration(self.file, tuple(entries), orders, sections, self.public_url())

    def public_url(self) -> str:
        """Give where providers reach us: as configured, else where the server listens."""
        server = self.part("server")
        listens = f"http://{server.get('host', '127.0.0.1')}:{server.get('port', 8080)}"
        return str(server.get("public_url") or listens).rstrip("/")

    def fault(self, path: str, expected: str, action: str = "") -> None:
        self.faults.append(
            Fault(path, expected, f"{action}; then {_check(self.file)}" if action else _check(self.file))
        )

    def part(self, name: str) -> dict[str, Any]:
        value = self.table.get(name, {})
        if isinstance(value, dict):
            return value
        if not any(fault.path == name for fault in self.faults):
            self.fault(name, f"a table [{name}]")
        return {}

    def connection(self, name: str, value: Any) -> Entry:
        path = f"connections.{name}"
        if not _NAME.fullmatch(name):
            self.fault(path, "a name of lower-case letters, digits, - and _", "rename it")
        given = value.get("endpoint") if isinstance(value, dict) else None
        endpoint = name if given is None else given
        if given is not None and (not isinstance(given, str) or not _NAME.fullmatch(given)):
            self.fault(f"{path}.endpoint", "a name of lower-case letters, digits, - and _")
        entry = self.entry(path, value, "")
        if entry.cls is not None and not {"parse", "listen", "send"} & marked(entry.cls).keys():
            self.fault(f"{path}.plugin", f"a channel, which {entry.plugin} is not", "name it in an order")
        return attrs.evolve(entry, endpoint=str(endpoint))

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
        if found.rivals:
            rivals = " and ".join([found.distribution, *found.rivals])
            self.fault(f"{path}.plugin", f"one distribution that brings {name}, not {rivals}", "uninstall one")
        entry = Entry(path, name, found.distribution, found.version)
        try:
            cls = found.load()
            examine(name, cls)
        except (ImportError, PluginError) as error:
            return attrs.evolve(entry, reason=str(error))
        keys = {key: one for key, one in value.items() if key not in ("plugin", "endpoint")}
        config = self.structure(path, keys, cls.Config)
        return attrs.evolve(entry, cls=cls, config=config) if config is not None else entry

    def application(self, name: str) -> Any:
        """Read the table of an application by the class it registers; unread where it is not installed."""
        found = available("channelry.sections").get(name)
        if found is None:
            if name == "desk" and "desk" not in extras():
                self.fault("desk", "no [desk], for no desk is installed", "remove it")
            return None
        try:
            return self.structure(name, self.part(name), found.load())
        except ImportError as error:
            self.fault(name, f"{found.distribution} to be importable ({error})", "install it again")
            return None

    def structure(self, path: str, value: Mapping[str, Any], cls: Any) -> Any:
        converter = _converter(self.file.parent, self.table.get("allow_inline_secrets") is True)
        try:
            return converter.structure(value, cls)
        except (cattrs.BaseValidationError, ValueError, TypeError) as error:
            for line in cattrs.transform_error(error, path, format_exception=_format):
                expected, _, at = line.rpartition(" @ ")
                for where, what, action in _spread(at, expected, cls):
                    self.fault(where, what, action)
            return None


def _spread(path: str, expected: str, cls: Any) -> list[tuple[str, str, str]]:
    """Give a fault per key where several unknown ones, or a validator's refusal, are reported for the whole table."""
    if expected.startswith(_INVALID):
        name, _, what = expected.removeprefix(_INVALID).partition(" ")
        return [(f"{path}.{name}", what, "")]
    if not expected.startswith(_UNKNOWN):
        return [(path, expected, "add it" if expected.startswith(_REQUIRED) else "")]
    known = [attribute.name for attribute in attrs.fields(cls)] if attrs.has(cls) else []
    spread = []
    for key in expected.removeprefix(_UNKNOWN).split(","):
        close = difflib.get_close_matches(key, known, n=1)
        action = f"did you mean {close[0]}?" if close else f"remove it (known: {', '.join(known) or 'none'})"
        spread.append((f"{path}.{key}", "no such key", action))
    return spread


_UNKNOWN, _REQUIRED, _INVALID = "unknown keys ", "the missing key, ", "an attribute "
_VALIDATOR = re.compile(r"'(\w+)' must (?:be )?([^:]*)")  # how the texts of attrs' validators begin; the value follows


def _format(error: BaseException, of: Any) -> str:
    """Say what was expected, never what was found: a secret may stand in the wrong place."""
    if isinstance(error, ForbiddenExtraKeysError):
        return _UNKNOWN + ",".join(sorted(error.extra_fields))
    if isinstance(error, KeyError):
        return f"{_REQUIRED}{describe_toml(of)}"
    if isinstance(error, _ExpectedError):
        return str(error)
    if of is None and (refused := _VALIDATOR.match(str(error))):
        return f"{_INVALID}{refused[1]} {refused[2]}"
    if isinstance(of, type) and issubclass(of, Enum):
        return "one of " + ", ".join(repr(one.value) for one in of)
    return describe_toml(of)


class _ExpectedError(ValueError):
    """A value that is not what it should be; the text is the expectation."""


def describe_toml(of: Any) -> str:
    """Write a type as a reader of TOML knows it."""
    if get_origin(of) in (Union, UnionType):
        return " or ".join(describe_toml(one) for one in get_args(of) if one is not type(None))
    if get_origin(of) is not None and str(get_origin(of)) == "typing.Literal":
        return "one of " + ", ".join(repr(one) for one in get_args(of))
    if of == Secrets:
        return "a secret, or an array of them"
    if get_origin(of) in (tuple, list):
        return f"an array of {describe_toml(get_args(of)[0])}"
    if isinstance(of, type) and issubclass(of, Secret):
        return "a secret"
    return {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}.get(of) or describe(of)


def _converter(folder: Path, inline: bool) -> cattrs.Converter:
    """Make a converter that converts nothing: a string is no number and a number no string."""
    made = cattrs.Converter(forbid_extra_keys=True)

    def strict(cls: type, *accepted: type) -> None:
        def structure(value: Any, _: Any) -> Any:
            if not isinstance(value, accepted) or (isinstance(value, bool) and cls is not bool):
                raise _ExpectedError(describe_toml(cls))
            return cls(value)

        made.register_structure_hook(cls, structure)

    strict(str, str)
    strict(int, int)
    strict(float, int, float)
    strict(bool, bool)

    def secret(value: Any, _: Any) -> Secret:
        try:
            return read_secret(value, folder, inline)
        except ValueError as error:
            raise _ExpectedError(str(error)) from None

    made.register_structure_hook(Secret, secret)
    made.register_structure_hook_func(
        lambda of: of == Secrets,
        lambda value, _: tuple(secret(one, None) for one in (value if isinstance(value, list) else [value])),
    )
    return made
