"""Secrets: where they come from, and how they stay out of every text."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, quote_plus
from weakref import WeakValueDictionary

MASK = "***"
_SHORTEST = 4  # a shorter value would blacken ordinary words


class Secret:
    """A value that shows itself only to `reveal()`: never in a repr, a format, a pickle or a JSON."""

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        _alive[id(self)] = self

    def reveal(self) -> str:
        """Give the value itself."""
        return self._value

    def encode(self) -> bytes:
        """Give the value's bytes, for a MAC."""
        return self._value.encode()

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not pickled")


Secrets: TypeAlias = tuple[Secret, ...]
"""One secret or several that are accepted at once, while one replaces another. In TOML: one, or a list."""

# Weak, so that tokens which expired are forgotten; by id, so that equal secrets do not hide one another.
_alive: WeakValueDictionary[int, Secret] = WeakValueDictionary()


def redact(text: str) -> str:
    """Mask every living secret in a text, in its usual spellings; the longest first, as one may hold another."""
    revealed = [secret.reveal() for secret in list(_alive.values())]
    values = {one for value in revealed for one in (value, *value.splitlines()) if len(one) >= _SHORTEST}
    spelled = [
        (quote(one, safe=""), quote(one), quote_plus(one), repr(one)[1:-1], json.dumps(one)[1:-1]) for one in values
    ]
    forms = values.union(*spelled)
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str, most: int = 500) -> str:
    """Make a text fit for a log line: secrets masked, control characters escaped, cut at `most` characters."""
    line = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", redact(text))
    return line if len(line) <= most else f"{line[:most]}…"


def read_secret(value: Any, folder: Path, inline: bool) -> Secret:
    """Read one secret as the configuration states it: `{ env = "NAME" }` or `{ file = "PATH" }`.

    A relative path starts at `folder`. A plain string is taken only if `inline`. ValueError tells what to mend.
    """
    if isinstance(value, Mapping) and len(value) == 1:
        ((source, name),) = value.items()
        if source == "env" and isinstance(name, str):
            if not (found := os.environ.get(name, "")):
                raise ValueError(f"the environment variable {name} to be set (export {name}=…)")
            return Secret(found)
        if source == "file" and isinstance(name, str):
            try:
                found = (folder / name).read_text().strip()
            except (OSError, UnicodeDecodeError):
                found = ""
            if not found:
                raise ValueError(f"a readable, non-empty file {name}")
            return Secret(found)
    if isinstance(value, str) and value and inline:
        return Secret(value)
    raise ValueError('a secret: { env = "NAME" } or { file = "PATH" }')
