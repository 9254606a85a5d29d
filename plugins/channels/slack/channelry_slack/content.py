"""What a Slack message contains: its words and its other content.

Sources: https://docs.slack.dev/reference/events/message and https://docs.slack.dev/reference/objects/file-object
"""

from collections.abc import Mapping
from typing import Any

from channelry.model import Media, Part
from channelry.parsing import identifier, number, sequence, size, string
from channelry_webapi import Content, kind_of_file, unsupported

from .capabilities import CLIPS, GONE
from .markup import plain


def read(message: Mapping[str, Any]) -> Content:
    """Give the text of a message, and its files; what it shares or shows besides is kept as it came.

    `blocks` repeat the text in a richer form, so they are kept only where there is none.
    """
    text, files, attached = plain(string(message.get("text"))), message.get("files"), message.get("attachments")
    parts: list[Part] = [_file(one) for one in sequence(files)] if files else []
    if attached:
        parts.append(unsupported("attachments", attached))
    if not text and not parts and (blocks := message.get("blocks")):
        parts.append(unsupported("blocks", blocks))
    return text, tuple(parts)


def _file(value: Mapping[str, Any]) -> Part:
    """Read a file; one of Slack's is fetched by its id, one of another service by its link."""
    if value.get("mode") in GONE:
        return unsupported(f"file {value['mode']}", value)
    media_type, duration = string(value.get("mimetype")), value.get("duration_ms")
    elsewhere = bool(value.get("is_external"))
    return Media(
        kind=CLIPS.get(string(value.get("subtype"))) or kind_of_file(media_type),
        id="" if elsewhere else identifier(value["id"]),
        url=string(value.get("url_private")) if elsewhere else "",
        media_type=media_type,
        name=string(value.get("name")),
        size=size(value.get("size")),
        seconds=None if duration is None else number(duration) / 1000,
    )
