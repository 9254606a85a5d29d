"""What is in a direct message and in a post: the text with its links in full, pictures, videos, pressed buttons."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from channelry.model import Kind, Media, Part, Postback
from channelry.parsing import identifier, mapping, sequence, string
from channelry_webapi.parts import Content, unsupported

_LAST_LINK = re.compile(r"\s*https://t\.co/\w+$")
_KINDS = {"photo": Kind.IMAGE, "video": Kind.VIDEO, "animated_gif": Kind.VIDEO}


def direct(data: Mapping[str, Any]) -> Content:
    """Read a direct message."""
    attachment, pressed = data.get("attachment"), data.get("quick_reply_response")
    files: tuple[Part, ...] = ()
    if attachment:
        files = (_file(attachment["media"] if attachment["type"] == "media" else attachment),)
    text, files = _shown(string(data.get("text")), data.get("entities"), files)
    if not pressed:
        return text, files
    return "", (*files, Postback(payload=string(pressed.get("metadata")) or text, title=text))


def post(row: Mapping[str, Any], files: Mapping[str, Any]) -> Content:
    """Read a post of the newer API, whose files stand beside it; long posts have their text in `note_tweet`."""
    note = mapping(row.get("note_tweet"))
    text, entities = string(note.get("text")) or string(row.get("text")), note.get("entities") or row.get("entities")
    keys = map(identifier, sequence(mapping(row.get("attachments")).get("media_keys")))
    return _shown(text, entities, tuple(_file(mapping(files.get(key)), key) for key in keys))


def older_post(row: Mapping[str, Any]) -> Content:
    """Read a post of the older API; long ones have text and files in `extended_tweet`."""
    whole = mapping(row.get("extended_tweet")) or row
    found = mapping(whole.get("extended_entities") or whole.get("entities")).get("media")
    text = string(whole.get("full_text")) or string(row.get("text"))
    return _shown(text, whole.get("entities"), tuple(map(_file, sequence(found))))


def files(includes: Mapping[str, Any]) -> dict[str, Any]:
    """Index the files that stand beside a post."""
    found = includes.get("media")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return {str(row.get("media_key")): row for row in rows}


def _shown(text: str, entities: Any, files: tuple[Part, ...]) -> Content:
    """Write links in full, and what X escapes (`&`, `<`, `>`) as it is; X ends a text with a link to its file."""
    if files:
        text = _LAST_LINK.sub("", text)
    for link in sequence(mapping(entities).get("urls")):
        short, full = string(mapping(link).get("url")), string(mapping(link).get("expanded_url"))
        if short and full:
            text = text.replace(short, full)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), files


def _file(file: Mapping[str, Any], key: str = "") -> Part:
    kind = _KINDS.get(string(file.get("type")))
    if kind is None:
        return unsupported(string(file.get("type")) or "media", file or {"media_key": key})
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
