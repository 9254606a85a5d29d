"""Values as the store keeps them: text without NUL, events as JSON text."""

import re
from typing import Any

import orjson

from channelry import codec
from channelry.model import Event, MessageReceived

_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def visible(text: str) -> str:
    """Show NUL, which databases end a text at, as ␀."""
    return text.replace("\0", "␀") if "\0" in text else text


def plain(text: str) -> str:
    """Make any text storable: lone surrogates, which are no UTF-8, become question marks."""
    return visible(text).encode("utf-8", "replace").decode()


def json_of(value: Any, union: Any = None) -> str:
    """Write a value of the model as JSON text, NUL shown as ␀."""
    written = orjson.dumps(codec.to_json(value, union)).decode()
    return _ESCAPED_NUL.sub(r"\1␀", written) if "\\u0000" in written else written


def payload(event: MessageReceived) -> str | None:
    """Give what of a message has no column of its own: the whole event, or None where it is a plain text."""
    plain = not (
        event.parts or event.context or event.thread or event.reply_to or event.reply_address or event.html
        or event.subject or event.copies or event.referral or event.album or event.automatic or event.forwarded
    )  # fmt: skip
    return None if plain else json_of(event, Event)


def event_of(stored: str) -> Event:
    """Give an event that was kept as JSON text."""
    event: Event = codec.from_json(orjson.loads(stored), Event)
    return event
