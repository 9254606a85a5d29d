"""Who wrote a Telegram message, where, and what it answers.

Source: https://core.telegram.org/bots/api#message
"""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from channelry.model import Address, Profile, Quote, Referral, Thread
from channelry.parsing import identifier, mapping, string

SCHEME = "telegram"
START = "/start"
"""The command that opens a bot; what a deep link adds comes behind it."""


def sender(row: Mapping[str, Any]) -> Profile:
    """Give who wrote: a chat where it speaks for itself (anonymous administrators), else a person."""
    return profile(row["sender_chat"] if "sender_chat" in row else row["from"])


def automatic(row: Mapping[str, Any]) -> bool:
    """Tell whether a program wrote: another bot, or a channel whose posts come here; not who hides behind a chat."""
    return bool(row.get("is_automatic_forward") or ("sender_chat" not in row and row["from"].get("is_bot")))


def profile(who: Mapping[str, Any]) -> Profile:
    """Read a person or a chat, of which both have an id and perhaps a name."""
    first, last, username = who.get("first_name"), who.get("last_name"), who.get("username")
    name = f"{string(first)} {string(last)}" if last else string(first)
    return Profile(
        address=Address(SCHEME, identifier(who["id"]), "", f"@{string(username)}" if username else ""),
        name=name or string(who.get("title")),
        first_name=string(first),
        last_name=string(last),
        locale=string(who.get("language_code")),
    )


def topic(row: Mapping[str, Any]) -> str:
    """Give the id of the topic that a message stands in, or `""`; a thread of replies is no topic."""
    return identifier(row["message_thread_id"]) if row.get("is_topic_message") else ""


def thread(chat: Mapping[str, Any], chat_id: str, topic: str) -> Thread | None:
    """Give the group or its topic; a private chat is none."""
    if chat.get("type") == "private":
        return None
    return Thread(root=f"{chat_id}:{topic}" if topic else chat_id)


def context(row: Mapping[str, Any], topic: str) -> dict[str, str]:
    """Give what an answer must repeat to come to the same place."""
    place = {"message_thread_id": topic} if topic else {}
    if row.get("business_connection_id") is not None:
        place["business_connection_id"] = identifier(row["business_connection_id"])
    return place


def quote(row: Mapping[str, Any], chat_id: str, topic: str) -> Quote | None:
    """Give what a message answers; every message of a topic names the topic's first, which is no answer."""
    if not ("reply_to_message" in row or "external_reply" in row):
        return None
    words = string(mapping(row.get("quote")).get("text"))
    if replied := mapping(row.get("reply_to_message")):
        whole = quoted(replied, chat_id)
        if topic and whole.external_id == f"{chat_id}:{topic}":
            return None
        return evolve(whole, text=words) if words else whole
    elsewhere = mapping(row.get("external_reply"))
    if elsewhere.get("chat") and elsewhere.get("message_id") is not None:
        place = identifier(elsewhere["chat"]["id"])
        return Quote(external_id=f"{place}:{identifier(elsewhere['message_id'])}", text=words)
    return None


def quoted(message: Mapping[str, Any], chat_id: str) -> Quote:
    """Point at a message as a whole."""
    return Quote(
        external_id=f"{chat_id}:{identifier(message['message_id'])}",
        text=string(message.get("text")) or string(message.get("caption")),
    )


def referral(text: str) -> Referral | None:
    """Give what the link added that opened the bot, from the command that it became."""
    command, _, payload = text.partition(" ")
    named = command == START or command.startswith(f"{START}@")
    return Referral(source="start", ref=payload.strip()) if named and payload.strip() else None
