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
        file = attachment["media"] if attachment["type"] == "media" else None
        parts.append(_unsupported(string(attachment["type"]), attachment) if file is None else _older_file(file))
    if pressed := data.get("quick_reply_response"):
        parts.append(Postback(payload=string(pressed.get("metadata")) or text, title=text))
    return _readable(text, mapping(data.get("entities")).get("urls")), tuple(parts)


def post(row: Mapping[str, Any], files: Mapping[str, Any]) -> Content:
    """Read a post of the newer API, whose files stand beside it; long posts have their text in `note_tweet`."""
    note = mapping(row.get("note_tweet"))
    text, entities = string(note.get("text")) or string(row.get("text")), note.get("entities") or row.get("entities")
    keys = [identifier(key) for key in sequence(mapping(row.get("attachments")).get("media_keys"))]
    if keys:
        text = _LAST_LINK.sub("", text)
    parts = tuple(_file(key, mapping(files.get(key))) for key in keys)
    return _readable(text, mapping(entities).get("urls")), parts


def older_post(row: Mapping[str, Any]) -> Content:
    """Read a post of the older API; long ones have text and files in `extended_tweet`."""
    whole = mapping(row.get("extended_tweet")) or row
    found = mapping(whole.get("extended_entities") or whole.get("entities")).get("media")
    text = string(whole.get("full_text")) or string(row.get("text"))
    files = tuple(_older_file(file) for file in sequence(found))
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


def _older_file(file: Mapping[str, Any]) -> Part:
    kind = _KINDS.get(string(file.get("type")))
    if kind is None:
        return _unsupported(string(file.get("type")), file)
    url = _video(mapping(file.get("video_info")).get("variants")) or string(file.get("media_url_https"))
    return Media(kind=kind, id=identifier(file.get("id_str") or file.get("id")), url=url)


def _file(key: str, file: Mapping[str, Any]) -> Part:
    kind = _KINDS.get(string(file.get("type")))
    if kind is None:
        return _unsupported(string(file.get("type")) or "media", file or {"media_key": key})
    url = _video(file.get("variants")) or string(file.get("url")) or string(file.get("preview_image_url"))
    return Media(kind=kind, id=key, url=url)


def _video(variants: Any) -> str:
    """Choose the best of a video's MP4 files."""
    playable: Iterable[Any] = (one for one in sequence(variants) if one.get("content_type") == "video/mp4")
    best: Any = max(playable, key=lambda one: one.get("bitrate") or one.get("bit_rate") or 0, default={})
    return string(best.get("url"))


def _unsupported(kind: str, raw: Any) -> Unsupported:
    return Unsupported(kind=kind, raw=orjson.dumps(raw).decode())
