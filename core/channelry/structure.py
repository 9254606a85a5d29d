"""From one table of TOML to one attrs class, strictly, with every fault of the table and none of its values."""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.errors import ForbiddenExtraKeysError

from .dispatch import describe
from .secrets import Secret, Secrets, read_secret


def structure(
    path: str, table: Mapping[str, Any], cls: Any, folder: Path, inline: bool
) -> tuple[Any, list[tuple[str, str, str]]]:
    """Make a `cls` of a table; give it (None where that fails) and each fault: path, what was expected, what to do.

    Nothing is converted: a string is no number and a number no string. `folder` is where relative paths of secrets
    start, `inline` whether secrets may stand in the table itself.
    """
    converter = _converter(folder, inline)
    try:
        with attrs.validators.disabled():  # they would stop at the first fault of a table
            made = converter.structure(table, cls)
    except (cattrs.BaseValidationError, ValueError, TypeError) as error:
        lines = [line.rpartition(" @ ") for line in cattrs.transform_error(error, path, format_exception=_format)]
        return None, [fault for expected, _, at in lines for fault in _spread(at, expected, cls)]
    return made, [(where, what, "") for where, what in _invalid(path, made)]


def _invalid(path: str, config: Any) -> Iterator[tuple[str, str]]:
    """Give path and expectation of each attribute that its validator refuses."""
    for attribute in attrs.fields(type(config)):
        value, where = getattr(config, attribute.name), f"{path}.{attribute.name}"
        if attrs.has(type(value)):
            yield from _invalid(where, value)
        try:
            if attribute.validator is not None:
                attribute.validator(config, attribute, value)
        except (ValueError, TypeError) as error:  # attrs' own end with the value: "'port' must be >= 1: 0", "(got 0)"
            _, must, rest = str(error).partition(" must ")
            yield where, re.split(r": | \(got ", rest)[0].removeprefix("be ") if must else "another value"


def _spread(path: str, expected: str, cls: Any) -> Iterator[tuple[str, str, str]]:
    """Give a fault per key where cattrs reports several unknown ones together."""
    if not expected.startswith(_UNKNOWN):
        yield path, expected, "add it" if expected.startswith(_REQUIRED) else ""
        return
    known = [attribute.name for attribute in attrs.fields(cls)] if attrs.has(cls) else []
    for key in expected.removeprefix(_UNKNOWN).split(","):
        from difflib import get_close_matches

        close = get_close_matches(key, known, n=1)
        action = f"did you mean {close[0]}?" if close else f"remove it (known: {', '.join(known) or 'none'})"
        yield f"{path}.{key}", "no such key", action


_UNKNOWN, _REQUIRED = "unknown keys ", "the missing key, "


def _format(error: BaseException, of: Any) -> str:
    """Say what was expected, never what was found: a secret may stand in the wrong place."""
    if isinstance(error, ForbiddenExtraKeysError):
        return _UNKNOWN + ",".join(sorted(error.extra_fields))
    if isinstance(error, KeyError):
        return f"{_REQUIRED}{describe_toml(of)}"
    if isinstance(error, _ExpectedError):
        return str(error)
    if isinstance(of, type) and issubclass(of, Enum):
        return "one of " + ", ".join(repr(one.value) for one in of)
    return describe_toml(of)


class _ExpectedError(ValueError):
    """A value that is not what it should be; the text is the expectation."""


_WORDS: Mapping[Any, str] = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false",
    Secret: "a secret", Secrets: "a secret, or an array of them",
}  # fmt: skip


def describe_toml(of: Any) -> str:
    """Write a type as a reader of TOML knows it."""
    if of in _WORDS:
        return _WORDS[of]
    if get_origin(of) in (Union, UnionType):
        return " or ".join(describe_toml(one) for one in get_args(of) if one is not type(None))
    if get_origin(of) is Literal:
        return "one of " + ", ".join(repr(one) for one in get_args(of))
    if get_origin(of) in (tuple, list):
        return f"an array of {describe_toml(get_args(of)[0])}"
    return describe(of)


def _converter(folder: Path, inline: bool) -> cattrs.Converter:
    made = cattrs.Converter(forbid_extra_keys=True)

    def strict(cls: type, accepted: Any) -> None:
        def structure(value: Any, _: Any) -> Any:
            if not isinstance(value, accepted) or (isinstance(value, bool) and cls is not bool):
                raise _ExpectedError(describe_toml(cls))
            return cls(value)

        made.register_structure_hook(cls, structure)

    for cls, accepted in ((str, str), (int, int), (float, int | float), (bool, bool)):
        strict(cls, accepted)

    def secret(value: Any, _: Any) -> Secret:
        try:
            return read_secret(value, folder, inline)
        except ValueError as error:
            raise _ExpectedError(str(error)) from None

    made.register_structure_hook(Secret, secret)

    def array(value: Any, of: Any) -> Any:
        items = [value] if of == Secrets and not isinstance(value, list) else value
        if not isinstance(items, list):  # cattrs would take a string apart, and a table for its keys
            raise _ExpectedError(describe_toml(of))
        return homogenous_tuple_structure_factory(of, made)(items, of)

    made.register_structure_hook_func(lambda of: getattr(of, "__origin__", None) is tuple, array)
    return made
