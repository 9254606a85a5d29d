"""What is in one message, by its type.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from channelry.model import Contact, FormReply, Kind, Location, Media, Order, Postback, Sticker
from channelry.parsing import identifier, mapping, number, sequence, string
from channelry_meta.attachments import Content, unsupported
from channelry_meta.values import optional


def content(row: Any) -> Content:
    """Read a message's content, which stands under the name of its type; what is of an unknown type, or lacks what its
    type needs, is kept as it is."""
    kind = row.get("type")
    try:
        return _READERS[kind](row[kind])
    except (ValueError, TypeError, KeyError, AttributeError):
        named = mapping(row.get("unsupported")).get("type") if kind == "unsupported" else None
        return "", (unsupported(string(named) or string(kind) or "message", row),)


def _file(kind: Kind, body: Any) -> Media:
    return Media(
        kind=kind,
        id=identifier(body["id"]),
        media_type=string(body.get("mime_type")),
        name=string(body.get("filename")),
        sha256=string(body.get("sha256")),
    )


def _media(kind: Kind, body: Any) -> Content:
    return string(body.get("caption")), (_file(kind, body),)


def _audio(body: Any) -> Content:
    return _media(Kind.VOICE if body.get("voice") is True else Kind.AUDIO, body)


def _sticker(body: Any) -> Content:
    file = _file(Kind.STICKER, body)
    return "", (Sticker(id=file.id, media=file),)


def _location(body: Any) -> Content:
    words = {name: string(body.get(name)) for name in ("name", "address")}
    return "", (Location(latitude=number(body["latitude"]), longitude=number(body["longitude"]), **words),)


def _contact(card: Any) -> Contact:
    name = mapping(card.get("name"))
    words = (string(name.get(part)) for part in ("first_name", "last_name"))
    emails = (string(email.get("email")) for email in sequence(card.get("emails")))
    return Contact(
        name=string(name.get("formatted_name")) or " ".join(filter(None, words)),
        phones=tuple(filter(None, map(_phone, sequence(card.get("phones"))))),
        emails=tuple(filter(None, emails)),
        organisation=string(mapping(card.get("org")).get("company")),
    )


def _phone(entry: Any) -> str:
    digits = optional(entry.get("wa_id"))
    return string(entry.get("phone")) or (digits and f"+{digits}")


def _button(body: Any) -> Content:
    """Read the press of a template's quick reply."""
    title = string(body.get("text"))
    return "", (Postback(payload=string(body.get("payload")) or title, title=title),)


def _interactive(body: Any) -> Content:
    kind = string(body["type"])
    if kind in ("button_reply", "list_reply"):
        reply = body[kind]
        return "", (Postback(payload=identifier(reply["id"]), title=string(reply.get("title"))),)
    if kind == "nfm_reply":
        form = body[kind]
        name, summary = string(form.get("name")), string(form.get("body"))
        return "", (FormReply(name=name, answers=string(form["response_json"]), summary=summary),)
    return "", (unsupported(f"interactive.{kind}", body),)


def _order(body: Any) -> Content:
    items = orjson.dumps(sequence(body["product_items"])).decode()
    return "", (Order(catalog=identifier(body["catalog_id"]), items=items, note=string(body.get("text"))),)


_READERS: Mapping[str, Callable[[Any], Content]] = {
    "text": lambda body: (string(body["body"]), ()),
    "image": partial(_media, Kind.IMAGE),
    "video": partial(_media, Kind.VIDEO),
    "document": partial(_media, Kind.DOCUMENT),
    "audio": _audio,
    "voice": partial(_media, Kind.VOICE),  # of old versions
    "sticker": _sticker,
    "location": _location,
    "contacts": lambda body: ("", tuple(_contact(card) for card in sequence(body))),
    "button": _button,
    "interactive": _interactive,
    "order": _order,
}
