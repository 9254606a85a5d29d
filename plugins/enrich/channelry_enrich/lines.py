"""What is read: one text a line, plain or as a JSON object, and labelled ones."""

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from attrs import frozen

from channelry.model import Text
from channelry.model.enrichment import TAG
from channelry_desk.mood import LEVELS


@frozen
class Labelled:
    """A text whose language (BCP 47), and perhaps sentiment (a `Mood`), somebody has told."""

    text: Text
    language: str
    sentiment: str = ""


def text_of(line: bytes) -> Text:
    """Read a line: a JSON object with `text`, perhaps `hint`, `languages`, `before`; whatever else it is, it is the
    text itself."""
    line = line.removeprefix(BOM_UTF8)  # which some editors begin a file with
    found = _object(line)
    if isinstance(found.get("text"), str):
        return _text(found)
    return Text(text=line.decode(errors="replace").rstrip("\r\n"))


def _text(found: Mapping[str, Any]) -> Text:
    """Read what is known beside the text; what is none of it is passed over."""
    hint, languages, before = (found.get(name) for name in ("hint", "languages", "before"))
    weights = before.items() if isinstance(before, dict) else ()
    return Text(
        text=found["text"],
        hint=hint if isinstance(hint, str) else "",
        languages=tuple(filter(_is_tag, languages)) if isinstance(languages, list) else (),
        before={tag: float(weight) for tag, weight in weights if _is_tag(tag) and _is_weight(weight)},
    )


def _is_tag(found: object) -> bool:
    return isinstance(found, str) and TAG.fullmatch(found) is not None


def _is_weight(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and found > 0


def labelled(lines: Iterable[bytes]) -> Iterator[Labelled]:
    """Read labelled lines; ValueError names the first that is none. Blank ones are passed over."""
    for number, line in enumerate(lines, 1):
        found = _object(line.removeprefix(BOM_UTF8))
        text, language, sentiment = (found.get(name) for name in ("text", "language", "sentiment"))
        if isinstance(text, str) and isinstance(language, str) and language and sentiment in (None, *LEVELS):
            yield Labelled(_text(found), language, sentiment or "")
        elif line.strip():
            levels = ", ".join(LEVELS)
            raise ValueError(f'line {number}: expected {{"text", "language"}} and perhaps "sentiment", one of {levels}')


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
