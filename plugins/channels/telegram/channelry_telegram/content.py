"""What a Telegram message contains: from the fields of a `Message` to parts.

Source: https://core.telegram.org/bots/api#message
"""

from collections.abc import Callable, Mapping
from typing import Any

from channelry.model import Contact, Kind, Location, Media, Part, Sticker
from channelry.parsing import identifier, number, size, string
from channelry_webapi import parts

_NOT_CONTENT = frozenset({
    "message_id", "message_thread_id", "date", "chat", "from", "sender_chat", "sender_boost_count",
    "sender_business_bot", "sender_tag", "business_connection_id", "direct_messages_topic", "forward_origin",
    "is_topic_message", "is_automatic_forward", "reply_to_message", "external_reply", "quote", "reply_to_story",
    "reply_to_checklist_task_id", "via_bot", "edit_date", "has_protected_content", "is_from_offline",
    "guest_query_id", "guest_bot_caller_user", "guest_bot_caller_chat", "receiver_user", "ephemeral_message_id",
    "reply_to_poll_option_id", "is_paid_post", "media_group_id", "author_signature", "paid_star_count", "text",
    "entities", "link_preview_options", "suggested_post_info", "effect_id", "caption", "caption_entities",
    "show_caption_above_media", "has_media_spoiler", "reply_markup",
})  # fmt: skip

SERVICE = frozenset({
    "new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo", "delete_chat_photo",
    "group_chat_created", "supergroup_chat_created", "channel_chat_created", "migrate_from_chat_id",
    "message_auto_delete_timer_changed", "pinned_message", "forum_topic_created", "forum_topic_edited",
    "forum_topic_closed", "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden",
    "video_chat_scheduled", "video_chat_started", "video_chat_ended", "video_chat_participants_invited",
    "boost_added", "chat_background_set",
})  # fmt: skip
"""Fields of messages that a chat writes by itself: nobody said anything."""


def read(message: Mapping[str, Any]) -> tuple[str, tuple[Part, ...]]:
    """Give the text or caption of a message, and its other content.

    ValueError, TypeError or KeyError where it is malformed. A message has text or one content;
    a content that is not known is kept with all its fields.
    """
    if message.get("text"):
        return string(message["text"]), ()
    caption = string(message.get("caption"))
    for name, read_content in _READERS.items():
        if name in message:
            return caption, (read_content(message[name]),)
    rest = {name: value for name, value in message.items() if name not in _NOT_CONTENT}
    return caption, (parts.unsupported(next(iter(rest), "empty"), rest),)


def media(kind: Kind, value: Mapping[str, Any], media_type: str = "") -> Media:
    """Read what all of Telegram's files have in common; `media_type` stands where Telegram names none."""
    seconds = value.get("duration")
    return Media(
        kind=kind,
        id=identifier(value["file_id"]),
        media_type=string(value.get("mime_type")) or media_type,
        name=string(value.get("file_name")),
        size=size(value.get("file_size")),
        seconds=None if seconds is None else number(seconds),
    )


def _file(kind: Kind, media_type: str = "") -> Callable[[Any], Media]:
    return lambda value: media(kind, value, media_type)


def _photo(sizes: Any) -> Media:
    return media(Kind.IMAGE, sizes[-1], "image/jpeg")  # ascending sizes; photos are always stored as JPEG


def _sticker(value: Any) -> Sticker:
    moving = "application/x-tgsticker" if value.get("is_animated") else "image/webp"
    picture = media(Kind.STICKER, value, "video/webm" if value.get("is_video") else moving)
    return Sticker(id=picture.id, emoji=string(value.get("emoji")), media=picture)


def _location(value: Any) -> Location:
    return Location(latitude=number(value["latitude"]), longitude=number(value["longitude"]))


def _venue(value: Any) -> Location:
    place = value["location"]
    return Location(
        latitude=number(place["latitude"]),
        longitude=number(place["longitude"]),
        name=string(value.get("title")),
        address=string(value.get("address")),
    )


def _contact(value: Any) -> Contact:
    return Contact(
        name=" ".join(filter(None, (string(value.get("first_name")), string(value.get("last_name"))))),
        phones=(identifier(value["phone_number"]),),
    )


# In this order: an animation comes with a duplicate in `document`, a venue with one in `location`.
_READERS: dict[str, Callable[[Any], Part]] = {
    "photo": _photo,
    "voice": _file(Kind.VOICE, "audio/ogg"),
    "audio": _file(Kind.AUDIO),
    "video": _file(Kind.VIDEO),
    "video_note": _file(Kind.VIDEO, "video/mp4"),
    "animation": _file(Kind.VIDEO),
    "document": _file(Kind.DOCUMENT),
    "sticker": _sticker,
    "venue": _venue,
    "location": _location,
    "contact": _contact,
}
