"""What a LINE message contains: from its type and fields to text and parts.

Source: https://developers.line.biz/en/reference/messaging-api/#message-event
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import orjson

from channelry.model import FormReply, Kind, Location, Media, Part, Postback, Sticker, Unsupported
from channelry.parsing import identifier, mapping, number, size, string

Content: TypeAlias = tuple[str, tuple[Part, ...]]


def read(message: Mapping[str, Any]) -> Content:
    """Give the text of a message, and its other content; what is of an unknown type is kept whole."""
    kind = string(message["type"])
    reader = _READERS.get(kind)
    if reader is None:
        return "", (Unsupported(kind=kind, raw=orjson.dumps(message).decode()),)
    return reader(message)


def _file(kind: Kind) -> Callable[[Mapping[str, Any]], Content]:
    """Read a file, which LINE holds under the message's id, unless an application of its own brought a link."""

    def reader(message: Mapping[str, Any]) -> Content:
        milliseconds = message.get("duration")
        media = Media(
            kind=kind,
            id=identifier(message["id"]),
            url=string(mapping(message.get("contentProvider")).get("originalContentUrl")),
            name=string(message.get("fileName")),
            size=size(message.get("fileSize")),
            seconds=None if milliseconds is None else number(milliseconds) / 1000,
        )
        return "", (media,)

    return reader


def _location(message: Mapping[str, Any]) -> Content:
    place = Location(
        latitude=number(message["latitude"]),
        longitude=number(message["longitude"]),
        name=string(message.get("title")),
        address=string(message.get("address")),
    )
    return "", (place,)


def _sticker(message: Mapping[str, Any]) -> Content:
    """Read a sticker, which takes two ids to send, and the words that a customer wrote on it."""
    both = f"{identifier(message['packageId'])}/{identifier(message['stickerId'])}"
    return string(message.get("text")), (Sticker(id=both),)


def _postback(pressed: Mapping[str, Any]) -> Content:
    """Read a pressed button; a date that was picked, or the menu that it led to, stands beside it."""
    data, picked = string(pressed["data"]), pressed.get("params")
    button = Postback(payload=data)
    return "", (button, FormReply(name=data, answers=orjson.dumps(picked).decode())) if picked else (button,)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Content]] = {
    "text": lambda message: (string(message["text"]), ()),
    "image": _file(Kind.IMAGE),
    "video": _file(Kind.VIDEO),
    "audio": _file(Kind.AUDIO),
    "file": _file(Kind.DOCUMENT),
    "location": _location,
    "sticker": _sticker,
    "postback": _postback,
}
