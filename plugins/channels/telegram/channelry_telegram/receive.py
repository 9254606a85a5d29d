"""Receiving: whether a request is Telegram's, and what the update in it means.

Source: https://core.telegram.org/bots/api#update
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from hmac import compare_digest
from typing import Any, TypeAlias

from attrs import evolve

from channelry import model
from channelry.errors import RejectedError
from channelry.model import Address, Event, MessageReceived, Received, Request
from channelry.parsing import each, identifier, mapping, received, sequence, string, timestamp

from . import content, envelope

TOKEN_HEADER = b"x-telegram-bot-api-secret-token"

UNHANDLED = frozenset({
    "channel_post", "edited_channel_post", "message_reaction_count", "inline_query",
    "chosen_inline_result", "shipping_query", "pre_checkout_query", "purchased_paid_media", "poll",
    "poll_answer", "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost",
})  # fmt: skip
"""Kinds of updates that no customer's message is in; none of them is asked for."""

_Reader: TypeAlias = Callable[[Any, str, datetime], Iterable[Event | str]]
"""Reads one kind of update, given its dedupe key and the time where Telegram gives none."""

_MOVED = "the group became a supergroup"
_GONE = frozenset({"left", "kicked"})
_PRESENT = frozenset({"creator", "administrator", "member", "restricted"})


def verify(request: Request, tokens: Iterable[bytes]) -> None:
    """Raise RejectedError unless the request bears one of the secret tokens that were given to setWebhook."""
    given = request.header(TOKEN_HEADER)
    for token in tokens:
        if compare_digest(given, token) and token:
            return
    raise RejectedError("the secret token is missing or wrong")


def parse(request: Request) -> Received:
    """Read one update; a pressed button is answered by the HTTP answer itself, which ends its wait."""
    now = request.received_at
    found = received(request, partial(_read, now))
    for event in found.events:
        if isinstance(event, MessageReceived) and event.parts and isinstance(event.parts[0], model.Postback):
            call = {"method": "answerCallbackQuery", "callback_query_id": event.parts[0].id}
            return evolve(found, answer=model.Response.json(call))
    return found


def _read(now: datetime, update: Any) -> Iterable[Event | str]:
    key = identifier(update["update_id"])
    for kind in update:
        reader = _READERS.get(kind)
        if reader is not None:
            return reader(update[kind], key, now)
    return [next((f"{kind} is not for us" for kind in update if kind in UNHANDLED), "unknown kind of update")]


def _message(row: Any, key: str, now: datetime) -> Iterator[Event | str]:
    chat, at = row["chat"], timestamp(row.get("date"), now)
    chat_id = identifier(chat["id"])
    if row.get("migrate_to_chat_id") is not None:
        old, new = Address(envelope.SCHEME, chat_id), Address(envelope.SCHEME, identifier(row["migrate_to_chat_id"]))
        yield model.IdentityChanged(key=key, occurred_at=at, old=old, new=new, reason=_MOVED)
        return
    text, parts = content.read(row)
    if parts and isinstance(parts[0], model.Unsupported) and (service := content.SERVICE & row.keys()):
        yield f"service message: {min(service)}"
        return
    external_id = f"{chat_id}:{identifier(row['message_id'])}"
    sender, business = envelope.sender(row), "business_connection_id" in row
    alone = sender.address.value == chat_id
    if business and not alone:
        to = envelope.profile(chat).address
        yield (
            "sent by a bot"
            if "sender_business_bot" in row
            else model.EchoSent(key=key, occurred_at=at, recipient=to, external_id=external_id, text=text, parts=parts)
        )
        return
    topic = envelope.topic(row)
    yield MessageReceived(
        key=key,
        occurred_at=at,
        sender=sender,
        external_id=external_id,
        text=text,
        parts=parts,
        reply_to=envelope.quote(row, chat_id, topic),
        referral=envelope.referral(text) if text.startswith(envelope.START) else None,
        thread=envelope.thread(chat, chat_id, topic),
        reply_address=None if alone else envelope.profile(chat).address,
        automatic=envelope.automatic(row),
        album=string(row.get("media_group_id")),
        forwarded="forward_origin" in row,
        context=envelope.context(row, topic) if topic or business else {},
    )


def _edited(row: Any, key: str, now: datetime) -> Iterator[Event | str]:
    chat_id, sender = identifier(row["chat"]["id"]), envelope.sender(row).address
    if "business_connection_id" in row and sender.value != chat_id:
        yield "edited by the business"
        return
    at, external_id = timestamp(row.get("edit_date"), now), f"{chat_id}:{identifier(row['message_id'])}"
    text, parts = content.read(row)
    yield model.MessageEdited(key=key, occurred_at=at, sender=sender, external_id=external_id, text=text, parts=parts)


def _deleted(row: Any, key: str, now: datetime) -> Iterable[Event | str]:
    chat_id, messages = identifier(row["chat"]["id"]), row["message_ids"]

    def one(message: Any) -> Event:
        name = identifier(message)
        return model.MessageDeleted(key=f"{key}:{name}", occurred_at=now, external_id=f"{chat_id}:{name}")

    return each(messages, one, now) if messages != [] else ["nothing was deleted"]


def _connection(row: Any, key: str, now: datetime) -> Iterator[Event]:
    """A business account took the bot in, changed its rights, or put it out."""
    rights = sorted(name for name, value in mapping(row.get("rights")).items() if value is True)
    whose = f"business account {envelope.profile(row['user']).name}, connection {identifier(row['id'])}"
    yield model.AccountHealth(
        key=key,
        occurred_at=timestamp(row.get("date"), now),
        code="business_connection",
        detail=f"{whose}: rights {', '.join(rights) or 'none'}",
        healthy=row["is_enabled"] is True,
    )


def _callback(row: Any, key: str, now: datetime) -> Iterator[Event]:
    query, sender, message = identifier(row["id"]), envelope.profile(row["from"]), mapping(row.get("message"))
    data = string(row.get("data")) or string(row.get("game_short_name"))
    where: dict[str, Any] = {}
    if message:
        chat, topic = message["chat"], envelope.topic(message)
        chat_id = identifier(chat["id"])
        where = {
            "reply_to": envelope.quoted(message, chat_id),
            "reply_address": None if sender.address.value == chat_id else envelope.profile(chat).address,
            "context": envelope.context(message, topic),
            "thread": envelope.thread(chat, chat_id, topic),
        }
    press = model.Postback(payload=data, title=_title(message, data), id=query)
    yield MessageReceived(
        key=key, occurred_at=now, sender=sender, external_id=f"callback:{query}", parts=(press,), **where
    )


def _reaction(row: Any, key: str, now: datetime) -> Iterator[Event | str]:
    old = [_emoji(one) for one in sequence(row.get("old_reaction"))]
    new = [_emoji(one) for one in sequence(row.get("new_reaction"))]
    changes = [(one, False) for one in old if one not in new] + [(one, True) for one in new if one not in old]
    at, sender = timestamp(row.get("date"), now), envelope.profile(row.get("user") or row["actor_chat"]).address
    name = f"{identifier(row['chat']['id'])}:{identifier(row['message_id'])}"
    for n, (emoji, on) in enumerate(changes):
        yield model.ReactionChanged(
            key=f"{key}:{n}", occurred_at=at, sender=sender, external_id=name, emoji=emoji, on=on
        )
    if not changes:
        yield "the same reactions"


def _membership(row: Any, key: str, now: datetime) -> Iterator[Event | str]:
    """A chat took the bot in or put it out; a private chat is the person, who unblocked or blocked it."""
    status, before = row["new_chat_member"]["status"], mapping(row.get("old_chat_member")).get("status")
    if status not in _GONE | _PRESENT:
        raise ValueError("expected a known status of the member")
    sender, at = envelope.profile(row["chat"]).address, timestamp(row.get("date"), now)
    if status in _PRESENT and before in _PRESENT:
        yield "the bot's rights changed"
        return
    event = model.OptedOut if status in _GONE else model.OptedIn
    yield event(key=key, occurred_at=at, sender=sender)


_READERS: dict[str, _Reader] = {
    "message": _message,
    "business_message": _message,
    "edited_message": _edited,
    "edited_business_message": _edited,
    "deleted_business_messages": _deleted,
    "business_connection": _connection,
    "callback_query": _callback,
    "message_reaction": _reaction,
    "my_chat_member": _membership,
}
HANDLED = tuple(_READERS)
"""The kinds of updates that Telegram is asked for; reactions it sends only when asked."""


def _title(message: Mapping[str, Any], data: str) -> str:
    """Find what stood on the button, among those of the message it hangs on."""
    lines = sequence(mapping(message.get("reply_markup")).get("inline_keyboard"))
    found = (button.get("text") for line in lines for button in line if button.get("callback_data") == data)
    return string(next(found, ""))


def _emoji(reaction: Mapping[str, Any]) -> str:
    """Write a reaction as its emoji; one without is named by what it is, for no reaction is `""`."""
    kind = string(reaction["type"])
    if kind == "custom_emoji":
        return f"custom:{identifier(reaction['custom_emoji_id'])}"
    return string(reaction["emoji"]) if kind == "emoji" else "⭐" if kind == "paid" else kind
