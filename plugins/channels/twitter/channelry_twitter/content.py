"""What is in a webhook's rows: who wrote, the text with its links in full, pictures, videos, pressed buttons."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from channelry.model import Address, Media, Part, Postback, Profile
from channelry.parsing import identifier, mapping, sequence, string
from channelry_webapi import Content, optional_text, unsupported

from .capabilities import FILES, SCHEME

_LAST_LINK = re.compile(r"\s*https://t\.co/\w+$")


def identity(row: Mapping[str, Any]) -> str:
    """Give the id of something; the older API has it as a number, too, beside the one as a string."""
    return identifier(row.get("id_str") or row.get("id"))


def indexed(found: Any, key: str) -> Mapping[str, Any]:
    """Give people or files of a webhook by their `key`; they come so, or in an array."""
    if isinstance(found, dict):
        return found
    rows = map(_row, found if isinstance(found, list) else ())
    return {str(row[key]): row for row in rows if isinstance(row.get(key), str | int)}


def _row(found: Any) -> Mapping[str, Any]:
    """Read what stands beside a message, which the X Activity API puts under `data` where it is a user."""
    row = found.get("data", found) if isinstance(found, dict) else None
    return row if isinstance(row, dict) else {}


def profile(user_id: str, found: Any) -> Profile:
    """Give somebody's profile, by the names of the older API (`screen_name`) and of the newer one."""
    row = _row(found)
    name = optional_text(row.get("screen_name") or row.get("username"))
    picture = optional_text(row.get("profile_image_url_https") or row.get("profile_image_url"))
    address = Address(SCHEME, user_id, "", f"@{name}" if name else "")
    return Profile(address=address, name=optional_text(row.get("name")), picture=picture)


def direct(data: Mapping[str, Any]) -> Content:
    """Read a direct message."""
    attachment, pressed = data.get("attachment"), data.get("quick_reply_response")
    media = mapping(mapping(attachment).get("media") or attachment)
    files: tuple[Part, ...] = (_file(media),) if media else ()
    text, files = _shown(string(data.get("text")), data.get("entities"), files, [media.get("url")])
    if not pressed:
        return text, files if text or files else (unsupported("message", data),)
    return "", (*files, Postback(payload=string(pressed.get("metadata")) or text, title=text))


def post(row: Mapping[str, Any], files: Mapping[str, Any]) -> Content:
    """Read a post of either API; long ones have their text in `note_tweet` or, with files, in `extended_tweet`.

    The files of the newer API stand beside the post.
    """
    whole = mapping(row.get("note_tweet") or row.get("extended_tweet")) or row
    text = string(whole.get("full_text") or whole.get("text") or row.get("text"))
    entities = whole.get("entities") or row.get("entities")
    inside = mapping(whole.get("extended_entities") or entities).get("media")
    keys = map(identifier, sequence(mapping(row.get("attachments")).get("media_keys")))
    found = [*map(_file, sequence(inside)), *(_file(mapping(files.get(key)), key) for key in keys)]
    return _shown(text, entities, tuple(found), [one.get("url") for one in sequence(inside)])


def _shown(text: str, entities: Any, files: tuple[Part, ...], own: Sequence[Any]) -> Content:
    """Write links in full, and what X escapes (`&`, `<`, `>`) as it is; X's `own` links to the files go, and where they
    are not known one at the end."""
    links = sequence(mapping(entities).get("urls"))
    for short in filter(None, known := [*own, *(link.get("url") for link in links if "media_key" in link)]):
        text = text.replace(string(short), "").rstrip()
    if files and not any(known):
        text = _LAST_LINK.sub("", text.rstrip())
    for link in links:
        short, full = string(link.get("url")), string(link.get("expanded_url"))
        if short and full:
            text = text.replace(short, full)
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return text, files


def _file(file: Mapping[str, Any], key: str = "") -> Part:
    """Read a file, of a video the best MP4."""
    kind = FILES.get(string(file.get("type")))
    if kind is None:
        return unsupported(string(file.get("type")) or "media", file or {"media_key": key})
    variants = sequence(file.get("variants") or mapping(file.get("video_info")).get("variants"))
    playable = [one for one in variants if one.get("content_type") == "video/mp4"]
    best: Mapping[str, Any] = max(playable, key=lambda one: one.get("bitrate") or one.get("bit_rate") or 0, default={})
    links = best.get("url"), file.get("media_url_https"), file.get("url"), file.get("preview_image_url")
    return Media(kind=kind, id=key or identity(file), url=string(next(filter(None, links), None)))
