"""The rules that every plugin is held to, whatever its kind."""

import inspect
import logging
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs
import pytest

from channelry.discovery import GROUP
from channelry.errors import PluginError
from channelry.registry import examine, marked, specifications
from channelry.secrets import Secret, Secrets

from .bench import configured
from .conformance import Conformance, Grade, fail, not_declared, rule
from .loading import load

IMPORT_SECONDS = 1.0
"""CPU time that importing a plugin may take beyond the core: all that are configured load one after the other."""
CANARY = "canary-7f3a-{}"
_SECRET_NAMES = re.compile(r"(^|_)(token|secret|password|passphrase|passwd|private_key)s?$")


class PluginConformance(Conformance):
    """What holds for channels, recognizers and enrichers alike."""

    @rule("contract", Grade.BRONZE)
    def test_its_hooks_are_those_of_the_contract(self, plugin: Any) -> None:
        """The class is a plugin and its hooks have the names, arguments and types of `channelry.hookspecs`.

        Why: a hook that is misspelt or unmarked is never called, and one with other arguments fails in production.
        Mend: the message names the hook and what was expected; `channelry.hookspecs` is the manual.
        """
        cls = type(plugin)
        try:
            examine(cls.__name__, cls)
        except PluginError as error:
            fail(str(error), "a class that fits the contract", f"mend {cls.__qualname__} in {cls.__module__}")
        for name in specifications().keys() - marked(cls).keys():
            if callable(inspect.getattr_static(cls, name, None)):
                fail(
                    f"{cls.__name__}: {name} has the name of a hook and is not marked",
                    "@hookimpl above every hook: without it the method is never called",
                    f"put @hookimpl above {cls.__name__}.{name}, or rename it",
                )

    @rule("loads", Grade.BRONZE)
    def test_importing_it_does_nothing_else(self, plugin: Any) -> None:
        """Importing the plugin opens no connection, writes no file, prints nothing, starts nothing, and is quick.

        Why: `channelry check` and every process import it, also where it is not used yet; what it needs to do at the
        start belongs into `open`. Mend: move the effect into `open`, and slow imports into the function that needs
        them.
        """
        module = type(plugin).__module__
        found = load(module, inspect.getsourcefile(type(plugin)) or "")
        if found.effects:
            fail(f"import {module}: {'; '.join(found.effects)}", "an import without effects", "move it into `open`")
        if found.seconds > IMPORT_SECONDS:
            fail(
                f"import {module} takes {found.seconds:.1f} s of CPU",
                f"at most {IMPORT_SECONDS:g} s",
                f"find what is slow by: python -X importtime -c 'import {module}'; import it where it is needed",
            )

    @rule("installed", Grade.BRONZE)
    def test_it_is_found_by_its_entry_point(self, plugin: Any) -> None:
        """The distribution names the class under the entry-point group `channelry.plugins`.

        Why: channelry finds plugins by entry point only. Mend: add the lines to pyproject.toml, and install again.
        """
        cls = type(plugin)
        target = f"{cls.__module__}:{cls.__qualname__}"
        if target not in {point.value for point in entry_points(group=GROUP)}:
            fail(
                f"no entry point of the group {GROUP} is {target}",
                f'[project.entry-points."{GROUP}"]\n            {cls.__name__.lower()} = "{target}"',
                "add it to pyproject.toml, and install the distribution again (pip install -e .)",
            )

    @rule("config", Grade.BRONZE)
    def test_its_configuration_is_typed_and_its_faults_have_paths(self, plugin: Any) -> None:
        """Config is a frozen attrs class made of what TOML has; unknown, missing and wrong keys are named by path.

        Why: a user mends a file by its paths; a Config that changes later is not what the file says.
        Mend: `@frozen(kw_only=True) class Config`, fields of str, int, float, bool, Secret, Literal, enums, tuples
        of these, or nested attrs classes.
        """
        cls, config = type(plugin), plugin.config
        for attribute in attrs.fields(type(config)):
            try:
                setattr(config, attribute.name, getattr(config, attribute.name))
            except attrs.exceptions.FrozenInstanceError:
                continue
            fail(f"{cls.__name__}.Config is not frozen", "a frozen attrs class", "write @frozen above class Config")
        table = as_table(config)
        again, faults = configured(cls, table)
        if faults or again != config:
            fail(
                f"{cls.__name__}.Config cannot be written in TOML: {faults or 'it comes back as another value'}",
                "a Config that equals itself after its journey through channelry.toml",
                "give its fields types that TOML has, and no converters that change them",
            )
        self._demand(plugin, table | {"no_such_key": 1}, "no_such_key")
        for attribute in attrs.fields(type(config)):
            required = attribute.default is attrs.NOTHING
            if required:
                self._demand(plugin, {key: one for key, one in table.items() if key != attribute.name}, attribute.name)
            self._demand(plugin, table | {attribute.name: {"no": ["such", {"shape": 1}]}}, attribute.name)

    def _demand(self, plugin: Any, table: Mapping[str, Any], key: str) -> None:
        made, faults = configured(type(plugin), table)
        if made is None or faults:
            if not all(path.startswith(f"connections.test.{key}") for path, _, _ in faults):
                fail(f"a fault of {key} is told as {faults}", f"the path connections.test.{key}")
            return
        fail(
            f"{type(plugin).__name__}.Config takes a table that is wrong at {key}: {sorted(table)}",
            f"a fault with the path connections.test.{key}",
            f"give {key} a strict type; `Any` and converters accept everything",
        )

    @rule("secrets", Grade.BRONZE)
    def test_its_secrets_are_shown_nowhere(
        self, plugin: Any, tell_tales: Callable[[Any], Mapping[str, str]], caplog: pytest.LogCaptureFixture
    ) -> None:
        """What unlocks an account is a `Secret`, and shows in no repr, no error and no log line.

        Why: logs and error pages are copied into tickets. Mend: type such fields `Secret` (or `Secrets`), call
        `reveal()` only where the request is made, and make a `Secret` of what is derived from one (basic auth).
        """
        config = plugin.config
        for attribute in attrs.fields(type(config)):
            if _SECRET_NAMES.search(attribute.name) and isinstance(getattr(config, attribute.name), str):
                fail(
                    f"{type(plugin).__name__}.Config.{attribute.name} is a plain string",
                    "a Secret, which shows itself only to reveal()",
                    f"write {attribute.name}: Secret, or call it something else if everybody may see it",
                )
        canaries = with_canaries(config)
        if canaries == config:
            not_declared("its Config has no secrets")
        with caplog.at_level(logging.DEBUG):
            made = type(plugin)(canaries)
            told = tell_tales(made)
        shown = {"repr of the Config": repr(canaries), "repr of the plugin": f"{made!r} {made}", **told}
        shown |= {f"log line {record.getMessage()[:20]!r}…": f"{record.getMessage()}{record.exc_text or ''}"
                  for record in caplog.records}  # fmt: skip
        for where, text in shown.items():
            for secret in revealed(canaries):
                if secret in text or repr(secret)[1:-1] in text:
                    fail(
                        f"a secret shows in the {where.replace(secret, '***')}",
                        "every text without it",
                        "pass the Secret on and reveal it only in the request; repr=False for what is made of it",
                    )

    @pytest.fixture
    def tell_tales(self) -> Callable[[Any], Mapping[str, str]]:
        """Give what makes a plugin whose secrets nobody accepts talk: texts by where they are shown."""
        return lambda plugin: {}

    @rule("documented", Grade.SILVER)
    def test_its_configuration_is_documented(self, plugin: Any) -> None:
        """The class and its Config have docstrings, and Config's names every key in backticks.

        Why: the reference and `channelry plugins` are written from them. Mend: write what each key is, its unit and
        its limits.
        """
        cls = type(plugin)
        for documented in (cls, cls.Config):
            if not (documented.__dict__.get("__doc__") or "").strip():
                fail(f"{documented.__qualname__} has no docstring", "one sentence", "write what it is")
        text = cls.Config.__doc__ or ""
        missing = [one.name for one in attrs.fields(cls.Config) if f"`{one.name}`" not in text]
        if missing:
            fail(
                f"the docstring of {cls.__name__}.Config does not name {', '.join(missing)}",
                "each key as `key`, with what it is, its unit and limits",
                f"add {', '.join(missing)} to it",
            )

    @rule("typed", Grade.GOLD)
    def test_its_hooks_are_annotated_and_its_package_is_typed(self, plugin: Any) -> None:
        """Every hook has its annotations, and the package the marker `py.typed`.

        Why: the kit and your users' mypy can check only what is annotated. Mend: copy the hook's signature from
        `channelry.hookspecs`; put an empty file py.typed into the package.
        """
        cls = type(plugin)
        for hook, options in marked(cls).items():
            function = getattr(cls, options["attribute"])
            types, (_, *arguments) = typing.get_type_hints(function), inspect.signature(function).parameters
            missing = [name for name in (*arguments, "return") if name not in types]
            if missing:
                fail(
                    f"{cls.__name__}: hook {hook} does not annotate {', '.join(missing)}",
                    f"the annotations of channelry.hookspecs.{hook}",
                    "copy its signature",
                )
        package = sys.modules[cls.__module__.partition(".")[0]]
        folders = [Path(folder) for folder in getattr(package, "__path__", ())]
        if folders and not any((folder / "py.typed").is_file() for folder in folders):
            fail(
                f"the package {package.__name__} has no py.typed",
                "that marker (PEP 561)",
                f"touch {folders[0]}/py.typed",
            )


def as_table(config: Any) -> dict[str, Any]:
    """Write a Config as the table of TOML that it comes from, secrets inline."""

    def plain(value: Any) -> Any:
        if isinstance(value, Secret):
            return value.reveal()
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, tuple | list):
            return [plain(one) for one in value]
        if isinstance(value, Mapping):
            return {key: plain(one) for key, one in value.items()}
        return as_table(value) if attrs.has(type(value)) else value

    values = {one.alias or one.name: plain(getattr(config, one.name)) for one in attrs.fields(type(config)) if one.init}
    return {name: value for name, value in values.items() if value is not None}


def with_canaries(config: Any) -> Any:
    """Give a Config whose every secret is a word that nobody else uses."""
    changed: dict[str, Any] = {}
    for attribute in attrs.fields(type(config)):
        value, canary = getattr(config, attribute.name), CANARY.format(attribute.name)
        if isinstance(value, Secret):
            changed[attribute.name] = Secret(canary)
        elif isinstance(value, tuple) and (attribute.type == Secrets or any(isinstance(one, Secret) for one in value)):
            changed[attribute.name] = (Secret(f"{canary}-1"), Secret(f"{canary}-2"))
        elif attrs.has(type(value)):
            changed[attribute.name] = with_canaries(value)
    return attrs.evolve(config, **changed)


def revealed(config: Any) -> Iterator[str]:
    """Give the value of every secret in a Config."""
    for attribute in attrs.fields(type(config)):
        value = getattr(config, attribute.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Secret):
                yield one.reveal()
            elif attrs.has(type(one)):
                yield from revealed(one)
