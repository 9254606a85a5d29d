"""What a Viber message contains: from its type and fields to text and parts.

Source: https://developers.viber.com/docs/api/rest-bot-api/#receive-message-from-user
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from channelry.model import Contact, Kind, Location, Media, Postback, Sticker
from channelry.parsing import identifier, mapping, number, size, string
from channelry_webapi import Content, Reader

from .tracking import offered


def _text(message: Mapping[str, Any]) -> Content:
    """Read what was written, or which button was tapped: a tap arrives as the text that stood on the button."""
    text = string(message["text"])
    tracking = message.get("tracking_data")
    payload = offered(tracking).get(text) if tracking else None
    return (text, ()) if payload is None else ("", (Postback(payload=payload, title=text),))


def _file(kind: Kind, message: Mapping[str, Any]) -> Content:
    return string(message.get("text")), (_media(kind, message),)


def _media(kind: Kind, message: Mapping[str, Any]) -> Media:
    seconds = message.get("duration")
    return Media(
        kind=kind,
        url=identifier(message["media"]),
        name=string(message.get("file_name")),
        size=size(message.get("size")),
        seconds=None if seconds is None else number(seconds),
    )


def _sticker(message: Mapping[str, Any]) -> Content:
    picture = _media(Kind.STICKER, message) if message.get("media") else None
    return "", (Sticker(id=identifier(message["sticker_id"]), media=picture),)


def _location(message: Mapping[str, Any]) -> Content:
    place = message["location"]
    return "", (Location(latitude=number(place["lat"]), longitude=number(place["lon"])),)


def _contact(message: Mapping[str, Any]) -> Content:
    card = mapping(message["contact"])
    phone = card.get("phone_number")
    return "", (Contact(name=string(card.get("name")), phones=(identifier(phone),) if phone else ()),)


READERS: Mapping[str, Reader] = {
    "text": _text,
    "picture": partial(_file, Kind.IMAGE),
    "video": partial(_file, Kind.VIDEO),
    "file": partial(_file, Kind.DOCUMENT),  # voice notes too, which nothing tells from other files
    "sticker": _sticker,
    "location": _location,
    "contact": _contact,
    "url": lambda message: (identifier(message["media"]), ()),
}
