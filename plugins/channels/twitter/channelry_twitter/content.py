"""What is in a direct message and in a post: the text with its links in full, pictures, videos, pressed buttons."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import orjson

from channelry.model import Kind, Media, Part, Postback, Unsupported
from channelry.parsing import identifier, mapping, sequence, string

Content: TypeAlias = tuple[str, tuple[Part, ...]]
"""The text and the parts of a message."""

_LAST_LINK = re.compile(r"\s*https://t\.co/\w+$")
_KINDS = {"photo": Kind.IMAGE, "video": Kind.VIDEO, "animated_gif": Kind.VIDEO}


def direct(data: Mapping[str, Any]) -> Content:
    """Read a direct message; X ends its text with a link to the file that it bears."""
    text = string(data.get("text"))
    parts: list[Part] = []
    if attachment := data.get("attachment"):
        text = _LAST_LINK.sub("", text)
        parts.append(_file(attachment["media"] if attachment["type"] == "media" else attachment))
    if pressed := data.get("quick_reply_response"):
        parts.append(Postback(payload=string(pressed.get("metadata")) or text, title=text))
        text = ""  # it is what stands on the button
    return _readable(text, mapping(data.get("entities")).get("urls")), tuple(parts)


def post(row: Mapping[str, Any], files: Mapping[str, Any]) -> Content:
    """Read a post of the newer API, whose files stand beside it; long posts have their text in `note_tweet`."""
    note = mapping(row.get("note_tweet"))
    text, entities = string(note.get("text")) or string(row.get("text")), note.get("entities") or row.get("entities")
    keys = [identifier(key) for key in sequence(mapping(row.get("attachments")).get("media_keys"))]
    if keys:
        text = _LAST_LINK.sub("", text)
    parts = tuple(_file(mapping(files.get(key)), key) for key in keys)
    return _readable(text, mapping(entities).get("urls")), parts


def older_post(row: Mapping[str, Any]) -> Content:
    """Read a post of the older API; long ones have text and files in `extended_tweet`."""
    whole = mapping(row.get("extended_tweet")) or row
    found = mapping(whole.get("extended_entities") or whole.get("entities")).get("media")
    text = string(whole.get("full_text")) or string(row.get("text"))
    files = tuple(_file(file) for file in sequence(found))
    if files:
        text = _LAST_LINK.sub("", text)
    return _readable(text, mapping(whole.get("entities")).get("urls")), files


def files(includes: Mapping[str, Any]) -> dict[str, Any]:
    """Index the files that stand beside a post."""
    found = includes.get("media")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return {str(row.get("media_key")): row for row in rows}


def _readable(text: str, links: Any) -> str:
    """Write links in full, and what X escapes (`&`, `<`, `>`) as it is."""
    for link in sequence(links):
        short, full = string(mapping(link).get("url")), string(mapping(link).get("expanded_url"))
        if short and full:
            text = text.replace(short, full)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _file(file: Mapping[str, Any], key: str = "") -> Part:
    kind = _KINDS.get(string(file.get("type")))
    if kind is None:
        raw = orjson.dumps(file or {"media_key": key}).decode()
        return Unsupported(kind=string(file.get("type")) or "media", raw=raw)
    variants = file.get("variants") or mapping(file.get("video_info")).get("variants")
    url = next(filter(None, map(file.get, ("media_url_https", "url", "preview_image_url"))), None)
    return Media(
        kind=kind, id=key or identifier(file.get("id_str") or file.get("id")), url=_video(variants) or string(url)
    )


def _video(variants: Any) -> str:
    """Choose the best of a video's MP4 files."""
    playable: Iterable[Any] = (one for one in sequence(variants) if one.get("content_type") == "video/mp4")
    best: Any = max(playable, key=lambda one: one.get("bitrate") or one.get("bit_rate") or 0, default={})
    return string(best.get("url"))
