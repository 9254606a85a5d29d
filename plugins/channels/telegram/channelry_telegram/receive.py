"""Receiving: whether a request is Telegram's, and what the update in it means.

Source: https://core.telegram.org/bots/api#update
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from attrs import evolve

from channelry import model
from channelry.errors import RejectedError
from channelry.parsing import each, identifier, mapping, received, sequence, string, timestamp
from channelry.secrets import Secrets

from . import content, envelope
from .envelope import SCHEME

TOKEN_HEADER = b"x-telegram-bot-api-secret-token"

UNHANDLED = frozenset({
    "channel_post", "edited_channel_post", "message_reaction_count", "inline_query",
    "chosen_inline_result", "shipping_query", "pre_checkout_query", "purchased_paid_media", "poll",
    "poll_answer", "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost",
})  # fmt: skip
"""Kinds of updates that no customer's message is in; none of them is asked for."""

_Reader: TypeAlias = Callable[[Any, str, datetime], Iterable[model.Event | str]]
"""Reads one kind of update, given its dedupe key and the time where Telegram gives none."""

_GONE = frozenset({"left", "kicked"})
_PRESENT = frozenset({"creator", "administrator", "member", "restricted"})


def verify(request: model.Request, secrets: Secrets) -> None:
    """Raise RejectedError unless the request bears one of the secret tokens that were given to setWebhook."""
    token = request.header(TOKEN_HEADER)
    good = False
    for secret in secrets:
        good |= hmac.compare_digest(token, secret.encode())
    if not (good and token):
        raise RejectedError("the secret token is missing or wrong")


def parse(request: model.Request) -> model.Received:
    """Read one update; a pressed button is answered by the HTTP answer itself, which ends its wait."""
    now = request.received_at
    found = received(request, lambda update: _read(update, now))
    for event in found.events:
        if isinstance(event, model.MessageReceived) and (press := _pressed(event)):
            answer = model.Response.json({"method": "answerCallbackQuery", "callback_query_id": press})
            return evolve(found, answer=answer)
    return found


def _pressed(event: model.MessageReceived) -> str:
    """Give the id of the callback query that a message is made of, or `""`."""
    part = event.parts[0] if event.parts else None
    return part.id if isinstance(part, model.Postback) else ""


def _read(update: Any, now: datetime) -> Iterable[model.Event | str]:
    key = identifier(update["update_id"])
    for kind in update:
        reader = _READERS.get(kind)
        if reader is not None:
            return reader(update[kind], key, now)
    return [next((f"{kind} is not for us" for kind in update if kind in UNHANDLED), "unknown kind of update")]


def _message(row: Any, key: str, now: datetime) -> Iterable[model.Event | str]:
    chat = row["chat"]
    chat_id = identifier(chat["id"])
    at = timestamp(row.get("date"), now)
    if row.get("migrate_to_chat_id") is not None:
        old, new = model.Address(SCHEME, chat_id), model.Address(SCHEME, identifier(row["migrate_to_chat_id"]))
        reason = "the group became a supergroup"
        return [model.IdentityChanged(key=key, occurred_at=at, old=old, new=new, reason=reason)]
    text, parts = content.read(row)
    if parts and isinstance(parts[0], model.Unsupported) and (service := content.SERVICE & row.keys()):
        return [f"service message: {min(service)}"]
    external_id = f"{chat_id}:{identifier(row['message_id'])}"
    sender = envelope.sender(row)
    business = "business_connection_id" in row
    if business and sender.address.value != chat_id:
        if "sender_business_bot" in row:
            return ["sent by a bot"]
        to = envelope.profile(chat).address
        return [model.EchoSent(key=key, occurred_at=at, recipient=to, external_id=external_id, text=text, parts=parts)]
    topic = envelope.topic(row)
    return [
        model.MessageReceived(
            key=key,
            occurred_at=at,
            sender=sender,
            external_id=external_id,
            text=text,
            parts=parts,
            reply_to=envelope.quote(row, chat_id, topic),
            referral=envelope.referral(text) if text.startswith(envelope.START) else None,
            thread=envelope.thread(chat, chat_id, topic),
            reply_address=None if sender.address.value == chat_id else envelope.profile(chat).address,
            automatic=envelope.automatic(row),
            album=string(row.get("media_group_id")),
            forwarded="forward_origin" in row,
            context=envelope.context(row, topic) if topic or business else {},
        )
    ]


def _edited(row: Any, key: str, now: datetime) -> Iterable[model.Event | str]:
    chat_id = identifier(row["chat"]["id"])
    sender = envelope.sender(row).address
    if "business_connection_id" in row and sender.value != chat_id:
        return ["edited by the business"]
    text, parts = content.read(row)
    return [
        model.MessageEdited(
            key=key,
            occurred_at=timestamp(row.get("edit_date"), now),
            sender=sender,
            external_id=f"{chat_id}:{identifier(row['message_id'])}",
            text=text,
            parts=parts,
        )
    ]


def _deleted(row: Any, key: str, now: datetime) -> Iterable[model.Event | str]:
    chat_id = identifier(row["chat"]["id"])

    def one(message: Any) -> model.MessageDeleted:
        message_id = identifier(message)
        return model.MessageDeleted(key=f"{key}:{message_id}", occurred_at=now, external_id=f"{chat_id}:{message_id}")

    return each(row["message_ids"], one, now) if row["message_ids"] != [] else ["nothing was deleted"]


def _connection(row: Any, key: str, now: datetime) -> Iterable[model.Event | str]:
    """A business account took the bot in, changed its rights, or put it out."""
    rights = sorted(name for name, value in mapping(row.get("rights")).items() if value is True)
    whose = f"business account {envelope.profile(row['user']).name}, connection {identifier(row['id'])}"
    return [
        model.AccountHealth(
            key=key,
            occurred_at=timestamp(row.get("date"), now),
            code="business_connection",
            detail=f"{whose}: rights {', '.join(rights) or 'none'}",
            healthy=row["is_enabled"] is True,
        )
    ]


def _callback(row: Any, key: str, now: datetime) -> Iterable[model.Event | str]:
    query, sender = identifier(row["id"]), envelope.profile(row["from"])
    message = mapping(row.get("message"))
    data = string(row.get("data")) or string(row.get("game_short_name"))
    quote, place, context, thread = None, None, {}, None
    if message:
        chat = message["chat"]
        chat_id = identifier(chat["id"])
        topic = envelope.topic(message)
        quote = envelope.quoted(message, chat_id)
        place = None if sender.address.value == chat_id else envelope.profile(chat).address
        context, thread = envelope.context(message, topic), envelope.thread(chat, chat_id, topic)
    return [
        model.MessageReceived(
            key=key,
            occurred_at=now,
            sender=sender,
            external_id=f"callback:{query}",
            parts=(model.Postback(payload=data, title=_title(message, data), id=query),),
            reply_to=quote,
            reply_address=place,
            context=context,
            thread=thread,
        )
    ]


def _reaction(row: Any, key: str, now: datetime) -> Iterable[model.Event | str]:
    old = [_emoji(one) for one in sequence(row.get("old_reaction"))]
    new = [_emoji(one) for one in sequence(row.get("new_reaction"))]
    who = row["user"] if row.get("user") else row["actor_chat"]
    changes = [(one, False) for one in old if one not in new] + [(one, True) for one in new if one not in old]
    at = timestamp(row.get("date"), now)
    sender = envelope.profile(who).address
    external_id = f"{identifier(row['chat']['id'])}:{identifier(row['message_id'])}"
    return [
        model.ReactionChanged(
            key=f"{key}:{n}", occurred_at=at, sender=sender, external_id=external_id, emoji=emoji, on=on
        )
        for n, (emoji, on) in enumerate(changes)
    ] or ["the same reactions"]


def _membership(row: Any, key: str, now: datetime) -> Iterable[model.Event | str]:
    """A chat took the bot in or put it out; a private chat is the person, who unblocked or blocked it."""
    status = string(row["new_chat_member"]["status"])
    before = string(mapping(row.get("old_chat_member")).get("status"))
    if status not in _GONE | _PRESENT:
        raise ValueError("expected a known status of the member")
    sender = envelope.profile(row["chat"]).address
    at = timestamp(row.get("date"), now)
    if status in _GONE:
        return [model.OptedOut(key=key, occurred_at=at, sender=sender)]
    if before in _PRESENT:
        return ["the bot's rights changed"]
    return [model.OptedIn(key=key, occurred_at=at, sender=sender)]


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
    for line in sequence(mapping(message.get("reply_markup")).get("inline_keyboard")):
        for button in line:
            if button.get("callback_data") == data:
                return string(button.get("text"))
    return ""


def _emoji(reaction: Mapping[str, Any]) -> str:
    """Write a reaction as its emoji; one without is named by what it is, for no reaction is `""`."""
    kind = string(reaction["type"])
    if kind == "emoji":
        return string(reaction["emoji"])
    if kind == "custom_emoji":
        return f"custom:{identifier(reaction['custom_emoji_id'])}"
    return "⭐" if kind == "paid" else kind
