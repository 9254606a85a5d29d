"""What a Telegram message tells: what it contains, who wrote it, where, and what it answers.

Source: https://core.telegram.org/bots/api#message
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from channelry.model import Address, Contact, Kind, Media, Part, Profile, Quote, Referral, Sticker, Thread
from channelry.parsing import identifier, mapping, number, size, string
from channelry_webapi import Content, place, unsupported

from .capabilities import BESIDE, SCHEME

START = "/start"
"""The command that opens a bot; what a deep link adds comes behind it."""


def read(message: Mapping[str, Any]) -> Content:
    """Give the text or caption of a message, and its other content.

    ValueError, TypeError or KeyError where it is malformed. A message has text or one content;
    a content that is not known is kept with all its fields.
    """
    if text := message.get("text"):
        return _linked(string(text), message["entities"]) if "entities" in message else string(text), ()
    caption = _linked(string(message.get("caption")), message.get("caption_entities"))
    for name, reader in _READERS.items():
        if name in message:
            return caption, (reader(message[name]),)
    rest = {name: value for name, value in message.items() if name not in BESIDE}
    return caption, (unsupported(next(iter(rest), "empty"), rest),)


def _linked(text: str, entities: Any) -> str:
    """Write behind each of the words that hide a link the link: `see here (https://…)`.

    Telegram counts in UTF-16 units; one within a character stands for its beginning.
    """
    links: list[tuple[int, str]] = []
    for entity in entities if isinstance(entities, list) else ():
        match entity:
            case {"type": "text_link", "offset": int(start), "length": int(length), "url": str(url)}:
                links.append((start + length, url))
    for end, url in sorted(links, reverse=True):
        at = len(text.encode("utf-16-le")[: 2 * end].decode("utf-16-le", "ignore"))
        text = f"{text[:at]} ({url}){text[at:]}"
    return text


def _file(kind: Kind, media_type: str, value: Mapping[str, Any]) -> Media:
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


def _sticker(value: Any) -> Sticker:
    moving = "application/x-tgsticker" if value.get("is_animated") else "image/webp"
    picture = _file(Kind.STICKER, "video/webm" if value.get("is_video") else moving, value)
    return Sticker(id=picture.id, emoji=string(value.get("emoji")), media=picture)


def _contact(value: Any) -> Contact:
    names = string(value.get("first_name")), string(value.get("last_name"))
    phone = value.get("phone_number")
    return Contact(name=" ".join(filter(None, names)), phones=(identifier(phone),) if phone else ())


# In this order: an animation comes with a duplicate in `document`, a venue with one in `location`.
_READERS: Mapping[str, Callable[[Any], Part]] = {
    "photo": lambda sizes: _file(Kind.IMAGE, "image/jpeg", sizes[-1]),  # ascending sizes; always stored as JPEG
    "voice": partial(_file, Kind.VOICE, "audio/ogg"),
    "audio": partial(_file, Kind.AUDIO, ""),
    "video": partial(_file, Kind.VIDEO, ""),
    "video_note": partial(_file, Kind.VIDEO, "video/mp4"),
    "animation": partial(_file, Kind.VIDEO, ""),
    "document": partial(_file, Kind.DOCUMENT, ""),
    "sticker": _sticker,
    "venue": lambda venue: place({**venue, **venue["location"]}, "title"),
    "location": place,
    "contact": _contact,
}


def profile(who: Mapping[str, Any]) -> Profile:
    """Read a person or a chat, of which both have an id and perhaps a name."""
    first, last, username = string(who.get("first_name")), string(who.get("last_name")), who.get("username")
    return Profile(
        address=Address(SCHEME, identifier(who["id"]), "", f"@{string(username)}" if username else ""),
        name=(f"{first} {last}" if last else first) or string(who.get("title")),
        first_name=first,
        last_name=last,
        locale=string(who.get("language_code")),
    )


def name_of(row: Mapping[str, Any]) -> str:
    """Name a message, whose number is its own within its chat only: CHAT:MESSAGE."""
    return f"{identifier(row['chat']['id'])}:{identifier(row['message_id'])}"


def where(row: Any, chat_id: str, who: Profile) -> tuple[Thread | None, Address | None, dict[str, str]]:
    """Tell where a message stands: its group or topic, the chat to answer in unless it is that of `who` wrote, and
    what an answer must repeat to come to the same place. A thread of replies is no topic.
    """
    chat, topic = row["chat"], identifier(row["message_thread_id"]) if row.get("is_topic_message") else ""
    context = {"message_thread_id": topic} if topic else {}
    if row.get("business_connection_id") is not None:
        context["business_connection_id"] = identifier(row["business_connection_id"])
    thread = None if chat.get("type") == "private" else Thread(root=f"{chat_id}:{topic}" if topic else chat_id)
    return thread, None if who.address.value == chat_id else profile(chat).address, context


def quote(row: Mapping[str, Any]) -> Quote | None:
    """Give what a message answers, or at least its words where Telegram does not name it.

    Every message of a topic names the topic's first, which is no answer.
    """
    words = string(mapping(row.get("quote")).get("text"))
    if replied := mapping(row.get("reply_to_message")):
        first = row.get("is_topic_message") and replied["message_id"] == row["message_thread_id"]
        return None if first else quoted(replied, words)
    elsewhere = mapping(row.get("external_reply"))
    if elsewhere.get("chat") and elsewhere.get("message_id") is not None:
        return quoted(elsewhere, words)
    return Quote(external_id="", text=words) if words else None


def quoted(message: Mapping[str, Any], words: str = "") -> Quote:
    """Point at a message as a whole, or at some words of it."""
    text = words or string(message.get("text")) or string(message.get("caption"))
    return Quote(external_id=name_of(message), text=text)


def referral(text: str) -> Referral | None:
    """Give what the link added that opened the bot, from the command that it became."""
    command, _, payload = text.partition(" ")
    ref = payload.strip() if command.partition("@")[0] == START else ""
    return Referral(source="start", ref=ref) if ref else None
