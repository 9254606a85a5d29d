"""What a LINE message contains: from its type and fields to text and parts.

Source: https://developers.line.biz/en/reference/messaging-api/#message-event
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson

from channelry.model import FormReply, Kind, Media, Postback, Sticker
from channelry.parsing import identifier, mapping, number, size, string
from channelry_webapi.parts import Content, Reader, place


def _file(kind: Kind, message: Mapping[str, Any]) -> Content:
    """Read a file, which LINE holds under the message's id, unless an application of its own brought a link."""
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


def _sticker(message: Mapping[str, Any]) -> Content:
    """Read a sticker, which takes two ids to send, and the words that a customer wrote on it."""
    both = f"{identifier(message['packageId'])}/{identifier(message['stickerId'])}"
    return string(message.get("text")), (Sticker(id=both),)


def _postback(pressed: Mapping[str, Any]) -> Content:
    """Read a pressed button; a date that was picked, or the menu that it led to, stands beside it."""
    data, picked = string(pressed["data"]), pressed.get("params")
    button = Postback(payload=data)
    return "", (button, FormReply(name=data, answers=orjson.dumps(picked).decode())) if picked else (button,)


READERS: Mapping[str, Reader] = {
    "text": lambda message: (string(message["text"]), ()),
    "image": partial(_file, Kind.IMAGE),
    "video": partial(_file, Kind.VIDEO),
    "audio": partial(_file, Kind.AUDIO),
    "file": partial(_file, Kind.DOCUMENT),
    "location": lambda message: ("", (place(message, "title"),)),
    "sticker": _sticker,
    "postback": _postback,
}
