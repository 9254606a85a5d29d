"""What a caller gives, as both stores can keep it: at the door, so that no function has to think of it."""

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import attrs

from ..errors import IncompleteError
from ..texts import plain

LARGEST = 2**63 - 1
"""The largest number that both stores have."""


def guarded(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Make a function take what both stores can keep: text without NUL and lone surrogates, which are shown as ␀ and ?.
    IncompleteError for a number that is too large, and for a page of no rows."""

    @wraps(function)
    async def guard(topic: Any, **given: Any) -> Any:
        kept = {name: value if name == "by" else storable(value) for name, value in given.items()}
        if kept.get("limit", 1) < 1:
            raise IncompleteError("a page has one row at least")
        return await function(topic, **kept)

    return guard


def storable(value: Any) -> Any:
    """Give a value as both stores can keep it: itself where it is so already."""
    kind = type(value)
    if kind is str:
        text = plain(value)
        return value if text == value else text
    if kind is int and not -LARGEST <= value <= LARGEST:
        raise IncompleteError(f"{value} is no number that is kept here")
    if kind in (list, tuple, set, frozenset):
        rows = [storable(one) for one in value]
        return value if all(new is old for new, old in zip(rows, value, strict=True)) else kind(rows)
    if kind is dict:
        kept = {storable(name): storable(one) for name, one in value.items()}
        return kept if kept != value else value
    if attrs.has(kind):
        fields = {one.alias: getattr(value, one.name) for one in attrs.fields(kind) if one.init}
        changed = {name: kept for name, old in fields.items() if (kept := storable(old)) is not old}
        return attrs.evolve(value, **changed) if changed else value
    return value


def is_unguarded(name: str, value: object) -> bool:
    """Tell whether something is a topic's function that takes whatever it is given."""
    return not name.startswith("_") and inspect.iscoroutinefunction(value) and not hasattr(value, "__wrapped__")
