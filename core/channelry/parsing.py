"""What every channel's `parse` needs: rows that fail alone, and values that are what they should be.

Each function raises ValueError with a reason that names the expectation and never the value.
"""

import marshal
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson

from .model import Event, Received, Request, Unparsed

_YEAR_2100 = 4_102_444_800

Read: TypeAlias = Callable[[Any], Iterable[Event | str]]


def received(request: Request, read: Read, load: Callable[[Request], Any] = Request.json) -> Received:
    """Parse what a request bears by `read`, which yields events, and a `str` for each row to ignore, with the reason.

    `load` gives `read` what it wants, the JSON of the body mostly. What is no JSON, or what `read` cannot even begin
    with, becomes one `Unparsed` of the body, or where that is empty of the path with its query.
    """
    events: list[Event] = []  # `list[Event]()` takes a third of a microsecond
    ignored: list[str] = []
    try:
        for found in read(load(request)):
            if isinstance(found, str):
                ignored.append(found)
            else:
                events.append(found)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raw = request.body or (request.path.encode(errors="replace") if "?" in request.path else b"")
        events.append(Unparsed.of(_reason(error), raw, request.received_at))
    return Received(request, tuple(events), ignored=tuple(ignored))


def each(
    rows: Any, build: Callable[[Any], Event | str | None], received_at: datetime, account: str = ""
) -> list[Event | str]:
    """Build something from each row of a batch; a row that cannot be built becomes an `Unparsed` (of `account`, where
    that is known) and harms no other."""
    if not isinstance(rows, list):
        raise ValueError("expected an array")
    found: list[Event | str] = []
    for row in rows:
        try:
            built = build(row)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            built = Unparsed.of(_reason(error), _raw(row), received_at, account)
        if built is not None:
            found.append(built)
    return found


def _raw(row: Any) -> bytes:
    """Write a row as JSON again. orjson reads 1,024 levels and writes 254; what is deeper is kept in Python's form."""
    try:
        return orjson.dumps(row)
    except TypeError:
        return marshal.dumps(row)


def _reason(error: Exception) -> str:
    if isinstance(error, orjson.JSONDecodeError):
        return f"not JSON: {error.msg}"
    if isinstance(error, KeyError):
        return f"missing key {error.args[0]!r}"
    return str(error) if type(error) is ValueError else f"unexpected shape ({type(error).__name__})"


def identifier(value: Any) -> str:
    """Give an id as an opaque string; a float is refused, for it has lost digits (orjson makes one of 2^64)."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError("expected an id: a string or a whole number")


def string(value: Any) -> str:
    """Give a string; `""` for null."""
    if value is None or isinstance(value, str):
        return value or ""
    raise ValueError("expected a string")


def mapping(value: Any) -> Mapping[str, Any]:
    """Give an object; an empty one for null."""
    if value is None or isinstance(value, dict):
        return value or {}
    raise ValueError("expected an object")


def sequence(value: Any) -> Sequence[Any]:
    """Give an array; an empty one for null."""
    if value is None or isinstance(value, list):
        return value or ()
    raise ValueError("expected an array")


def number(value: Any) -> float:
    """Give a finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError("expected a number")


def size(value: Any) -> int | None:
    """Give a number of bytes, None where it is missing or absurd."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def timestamp(value: Any, received_at: datetime) -> datetime:
    """Give a time from seconds or milliseconds since 1970, as number or digits, aware UTC; `received_at` for null.

    Providers mix the units in the wild, so the size decides: no message is of the year 2100 or later.
    """
    if value is None:
        return received_at
    try:
        since = value if type(value) is int else float(value)
    except (TypeError, ValueError):
        raise ValueError("expected a time in seconds or milliseconds") from None
    if since >= _YEAR_2100:
        since /= 1000
    if value is True or not 0 < since < _YEAR_2100:
        raise ValueError("expected a time in seconds or milliseconds")
    return datetime.fromtimestamp(since, UTC)
