"""What is in one message of Messenger or Instagram.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events/messages
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson

from channelry.model import Kind, Location, Media, Part, Postback, Sticker, Unsupported
from channelry.parsing import identifier, mapping, number, sequence, string

Content: TypeAlias = tuple[str, tuple[Part, ...]]
"""The text and the parts of a message."""

_FILES: Mapping[str, Kind] = {
    "image": Kind.IMAGE,
    "audio": Kind.AUDIO,
    "video": Kind.VIDEO,
    "file": Kind.DOCUMENT,
    "reel": Kind.VIDEO,
    "ig_reel": Kind.VIDEO,
    # a picture or a video, which only the download tells
    "story_mention": Kind.DOCUMENT,
    "share": Kind.DOCUMENT,
    "ig_post": Kind.DOCUMENT,
}
_LINKS = frozenset({"fallback", "post"})
_EMOJI = dict.fromkeys(("369239263222822", "369239343222814", "369239383222810"), "👍")
"""The thumb in its three sizes; Meta names no other sticker."""


def content(message: Any) -> Content:
    """Read a message's content; what is of an unknown type, or lacks what its type needs, is kept as it is."""
    text = string(message.get("text"))
    chosen = message.get("quick_reply")
    if chosen is not None:
        return "", (Postback(payload=string(chosen.get("payload")) or text, title=text),)
    attachments = message.get("attachments")
    if not attachments:
        known = text and message.get("is_unsupported") is not True
        return (text, ()) if known else (text, (unsupported("message", message),))
    parts: list[Part] = []
    for attachment in sequence(attachments):
        try:
            part = _part(attachment)
        except (ValueError, TypeError, KeyError, AttributeError):
            part = unsupported("attachment", attachment)
        if isinstance(part, str):
            text = text if part in text else f"{text}\n{part}".lstrip()
        else:
            parts.append(part)
    return text, tuple(parts)


def _part(attachment: Any) -> Part | str:
    """Give one attachment; a link that was shared is text."""
    kind, payload = string(attachment["type"]), mapping(attachment.get("payload"))
    if kind == "sticker" or payload.get("sticker_id") is not None:  # `image` until 2026-08-30
        return _sticker(payload)
    if kind == "like_heart":
        return Sticker(id=kind, emoji="❤️")
    if kind == "location":
        place = payload["coordinates"]
        title = string(attachment.get("title"))
        return Location(latitude=number(place["lat"]), longitude=number(place["long"]), name=title)
    url = string(payload.get("url")) or string(attachment.get("url"))
    if kind in _LINKS and url:
        return url
    if kind in _FILES and url:
        return Media(kind=_FILES[kind], url=url, name=string(payload.get("title")))
    return unsupported(kind, attachment)


def _sticker(payload: Mapping[str, Any]) -> Sticker:
    name, url = identifier(payload["sticker_id"]), string(payload.get("url"))
    picture = Media(kind=Kind.STICKER, id=name, url=url) if url else None
    return Sticker(id=name, emoji=_EMOJI.get(name, ""), media=picture)


def unsupported(kind: str, raw: Any) -> Unsupported:
    """Keep what is of an unknown kind as it is."""
    return Unsupported(kind=kind, raw=orjson.dumps(raw).decode())
