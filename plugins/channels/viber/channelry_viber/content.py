"""What a Viber message contains: from its type and fields to text and parts.

Source: https://developers.viber.com/docs/api/rest-bot-api/#receive-message-from-user
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from channelry.model import Contact, Kind, Location, Media, Postback, Sticker
from channelry.parsing import identifier, mapping, size, string
from channelry_webapi import Content, Reader, optional_number, optional_text, unsupported

from .tracking import offered


def _text(message: Mapping[str, Any]) -> Content:
    """Read what was written, or which button was tapped: a tap arrives as the text that stood on the button."""
    text = string(message["text"])
    if not text:
        return "", (unsupported("text", message),)
    tracking = message.get("tracking_data")
    payload = offered(tracking).get(text) if tracking else None
    return (text, ()) if payload is None else ("", (Postback(payload=payload, title=text),))


def _file(kind: Kind, message: Mapping[str, Any]) -> Content:
    return string(message.get("text")), (_media(kind, message),)


def _media(kind: Kind, message: Mapping[str, Any]) -> Media:
    return Media(
        kind=kind,
        url=identifier(message["media"]),
        name=optional_text(message.get("file_name")),
        size=size(message.get("size")),
        seconds=optional_number(message.get("duration")),
    )


def _sticker(message: Mapping[str, Any]) -> Content:
    picture = _media(Kind.STICKER, message) if message.get("media") else None
    return "", (Sticker(id=identifier(message["sticker_id"]), media=picture),)


def _location(message: Mapping[str, Any]) -> Content:
    latitude, longitude = (optional_number(message["location"][name]) for name in ("lat", "lon"))
    if latitude is None or longitude is None:
        raise ValueError("expected a place")
    return "", (Location(latitude=latitude, longitude=longitude),)


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
