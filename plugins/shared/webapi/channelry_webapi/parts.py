"""What a message contains: a reader for each type that a provider has, and what is of no known type."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, TypeAlias

import orjson

from channelry.model import Kind, Location, Part, Unsupported
from channelry.parsing import number, string

Content: TypeAlias = tuple[str, tuple[Part, ...]]
"""A message's text or caption, and all else that is in it."""
Reader: TypeAlias = Callable[[Mapping[str, Any]], Content]


_KINDS = {"image": Kind.IMAGE, "audio": Kind.AUDIO, "video": Kind.VIDEO}


def read(message: Mapping[str, Any], readers: Mapping[str, Reader]) -> Content:
    """Read a message by its `type`; one of a type without a reader is kept whole."""
    kind = string(message["type"])
    reader = readers.get(kind)
    return ("", (unsupported(kind, message),)) if reader is None else reader(message)


def unsupported(kind: str, value: Any) -> Unsupported:
    """Keep what we have no kind for as it came."""
    return Unsupported(kind=kind, raw=orjson.dumps(value).decode())


def place(row: Mapping[str, Any], name: str = "name") -> Location:
    """Read a place of `latitude`, `longitude`, `address` and, under a `name` of the provider's, what is there."""
    return Location(
        latitude=number(row["latitude"]),
        longitude=number(row["longitude"]),
        name=string(row.get(name)),
        address=string(row.get("address")),
    )


def optional_text(value: Any) -> str:
    """Give a text, `""` for anything else: what is wrong with somebody's name costs the name and not the message."""
    return value if isinstance(value, str) else ""


def optional_number(value: Any) -> float | None:
    """Give a number, also one written in digits; None for anything else."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if isfinite(found) and not isinstance(value, bool) else None


def rfc3339(value: Any, received_at: datetime) -> datetime:
    """Give a time that is written with its zone (`2026-11-22T12:00:00.000Z`), in UTC; `received_at` for null."""
    if value is None:
        return received_at
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):  # which would quote it
        raise ValueError("expected a time of our days with its zone") from None
    return in_utc(moment)


def in_utc(moment: datetime) -> datetime:
    """Give a time of our days in UTC; ValueError for one without a zone, or of another century."""
    if moment.tzinfo is None or not 1970 < moment.year < 2100:
        raise ValueError("expected a time of our days with its zone")
    return moment.astimezone(UTC)


def kind_of_file(media_type: str) -> Kind:
    """Tell what a file is by its media type: a picture, a sound, a video, else a document."""
    return _KINDS.get(media_type.partition("/")[0].lower(), Kind.DOCUMENT)
