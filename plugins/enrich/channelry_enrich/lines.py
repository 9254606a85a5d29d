"""What is read: one text a line, plain or as a JSON object, and labelled ones."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from attrs import frozen

from channelry.model import Text
from channelry_desk.mood import LEVELS


@frozen
class Labelled:
    """A text whose language (BCP 47), and perhaps sentiment (a `Mood`), somebody has told."""

    text: str
    language: str
    sentiment: str = ""


def text_of(line: bytes) -> Text:
    """Read a line: a JSON object with `text`, perhaps `hint`; whatever else it is, it is the text itself."""
    found = _object(line)
    if not isinstance(found.get("text"), str):
        return Text(text=line.decode(errors="replace").rstrip("\r\n"))
    hint = found.get("hint")
    return Text(text=found["text"], hint=hint if isinstance(hint, str) else "")


def labelled(lines: Iterable[bytes]) -> Iterator[Labelled]:
    """Read labelled lines; ValueError names the first that is none. Blank ones are passed over."""
    for number, line in enumerate(lines, 1):
        found = _object(line)
        text, language, sentiment = (found.get(name) for name in ("text", "language", "sentiment"))
        if isinstance(text, str) and isinstance(language, str) and language and sentiment in (None, *LEVELS):
            yield Labelled(text, language, sentiment or "")
        elif line.strip():
            levels = ", ".join(LEVELS)
            raise ValueError(f'line {number}: expected {{"text", "language"}} and perhaps "sentiment", one of {levels}')


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
