"""Receiving: updates that Telegram posts or that are fetched from it, and what is in them.

Sources: https://core.telegram.org/bots/api#update, …/#getupdates and …/#setwebhook
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import anyio
import orjson
from attrs import evolve

from channelry import hookimpl, model
from channelry.errors import AuthError, SendError
from channelry.hookspecs import Deliver
from channelry.parsing import each, identifier, mapping, received, sequence, string, timestamp
from channelry.services import Services
from channelry_webapi import require

from . import content
from .capabilities import FORWARDED, GONE, PRESENT, SCHEME, SERVICE, UNHANDLED
from .connection import MOVED, Bot

TOKEN_HEADER = b"x-telegram-bot-api-secret-token"

CURSOR = "offset"
"""The key in the connection's state: the id of the first update that was not delivered yet."""
WAIT = 50
"""Seconds that Telegram holds a poll open while there is nothing to tell."""


@hookimpl
def verify(bot: Bot, request: model.Request) -> None:
    """Raise RejectedError unless the request bears one of the secret tokens that were given to setWebhook."""
    require(request.header(TOKEN_HEADER), bot.tokens, "Telegram")


@hookimpl
def parse(bot: Bot, request: model.Request) -> model.Received:
    """Read one update; a pressed button is answered by the HTTP answer itself, which ends its wait."""
    found = received(request, lambda update: _read(update, request.received_at))
    for event in found.events:
        if isinstance(event, model.MessageReceived) and event.parts and isinstance(event.parts[0], model.Postback):
            call = {"method": "answerCallbackQuery", "callback_query_id": event.parts[0].id}
            return evolve(found, answer=model.Response.json(call))
    return found


@hookimpl
async def listen(bot: Bot, deliver: Deliver, services: Services) -> None:
    """Deliver each update, then move the cursor: after a crash in between the update comes again.

    Asking from the cursor on is what confirms the updates before it, so Telegram forgets none too early.
    """
    if bot.config.mode == "webhook":
        await anyio.sleep_forever()
    cursor = await services.state.get(CURSOR)
    while True:
        start = {} if cursor is None else {"offset": int(cursor)}
        for update in await bot.call(services, "getUpdates", timeout=WAIT, allowed_updates=HANDLED, **start):
            request = model.Request("POST", "/", (), orjson.dumps(update), services.clock.now())
            found = parse(bot, request)
            await deliver(found)
            after = str(update["update_id"] + 1)
            if not await services.state.compare_and_set(CURSOR, cursor, after):
                raise AuthError("another poller of this connection moved its cursor", code="poller")
            cursor = after
            if found.answer.body:
                await _answer(bot, found.answer, services)


async def _answer(bot: Bot, answer: model.Response, services: Services) -> None:
    """Make the call that would have ridden on a webhook's answer; if it fails, the button's wait runs out."""
    try:
        await bot.call(services, **orjson.loads(answer.body))
    except SendError as error:
        services.log.warning("%s: a pressed button was not answered: %s", services.name, error)


_Found: TypeAlias = model.Event | str | list[model.Event | str]
_Reader: TypeAlias = Callable[[Any, str, datetime], _Found]
"""Reads one kind of update, given its dedupe key and the time where Telegram gives none."""


def _read(update: Any, now: datetime) -> Sequence[model.Event | str]:
    """Read an update; null is as if absent, for libraries that pass updates on write so what is not there."""
    key = identifier(update["update_id"])
    for kind, row in update.items():
        if (reader := _READERS.get(kind)) and row is not None:
            if None in row.values():
                row = {name: value for name, value in row.items() if value is not None}
            found = reader(row, key, now)
            return found if isinstance(found, list) else [found]
    return [next((f"{kind} is not for us" for kind in update if kind in UNHANDLED), "unknown kind of update")]


def _message(row: Any, key: str, now: datetime) -> _Found:
    chat_id, at = identifier(row["chat"]["id"]), timestamp(row.get("date"), now)
    if MOVED in row:
        old, new = model.Address(SCHEME, chat_id), model.Address(SCHEME, identifier(row[MOVED]))
        return model.IdentityChanged(key=key, occurred_at=at, old=old, new=new, reason="the group became a supergroup")
    text, parts = content.read(row)
    if parts and isinstance(parts[0], model.Unsupported) and (service := SERVICE & row.keys()):
        return f"service message: {min(service)}"
    chat_itself, name = row.get("sender_chat"), f"{chat_id}:{identifier(row['message_id'])}"
    sender = content.profile(chat_itself or row["from"])  # an anonymous administrator is the chat
    thread, chat, context = content.where(row, chat_id, sender)
    if chat is not None and "business_connection_id" in row:
        if "sender_business_bot" in row:
            return "sent by a bot"
        return model.EchoSent(key=key, occurred_at=at, recipient=chat, external_id=name, text=text, parts=parts)
    return model.MessageReceived(
        key=key,
        occurred_at=at,
        sender=sender,
        external_id=name,
        text=text,
        parts=parts,
        reply_to=content.quote(row) if "reply_to_message" in row or "external_reply" in row else None,
        referral=content.referral(text) if text.startswith(content.START) else None,
        # another bot, or a channel whose posts come here; not who hides behind a chat
        automatic=bool(row.get("is_automatic_forward") or (not chat_itself and row["from"].get("is_bot"))),
        album=identifier(row["media_group_id"]) if "media_group_id" in row else "",
        forwarded=not FORWARDED.isdisjoint(row),
        thread=thread,
        reply_address=chat,
        context=context,
    )


def _edited(row: Any, key: str, now: datetime) -> _Found:
    sender, name = content.profile(row.get("sender_chat") or row["from"]).address, content.name_of(row)
    if "business_connection_id" in row and sender.value != identifier(row["chat"]["id"]):
        return "edited by the business"
    (text, parts), at = content.read(row), timestamp(row.get("edit_date"), now)
    return model.MessageEdited(key=key, occurred_at=at, sender=sender, external_id=name, text=text, parts=parts)


def _deleted(row: Any, key: str, now: datetime) -> _Found:
    chat_id = identifier(row["chat"]["id"])

    def one(message: Any) -> model.Event:
        number = identifier(message)
        return model.MessageDeleted(key=f"{key}:{number}", occurred_at=now, external_id=f"{chat_id}:{number}")

    return each(row["message_ids"], one, now) or "nothing was deleted"


def _connection(row: Any, key: str, now: datetime) -> _Found:
    """A business account took the bot in, changed its rights, or put it out."""
    rights = sorted(name for name, value in mapping(row.get("rights")).items() if value is True)
    whose = f"business account {content.profile(row['user']).name}, connection {identifier(row['id'])}"
    return model.AccountHealth(
        key=key,
        occurred_at=timestamp(row.get("date"), now),
        code="business_connection",
        detail=f"{whose}: rights {', '.join(rights) or 'none'}",
        healthy=row["is_enabled"] is True,
    )


def _callback(row: Any, key: str, now: datetime) -> _Found:
    query, sender, message = identifier(row["id"]), content.profile(row["from"]), mapping(row.get("message"))
    data = string(row.get("data")) or string(row.get("game_short_name"))
    press, name = model.Postback(payload=data, title=_title(message, data), id=query), f"callback:{query}"
    place: dict[str, Any] = {}
    if message:
        thread, chat, context = content.where(message, identifier(message["chat"]["id"]), sender)
        place = {"reply_to": content.quoted(message), "thread": thread, "reply_address": chat, "context": context}
    return model.MessageReceived(key=key, occurred_at=now, sender=sender, external_id=name, parts=(press,), **place)


def _title(message: Mapping[str, Any], data: str) -> str:
    """Find what stood on the button, among those of the message it hangs on."""
    lines = sequence(mapping(message.get("reply_markup")).get("inline_keyboard"))
    found = (button.get("text") for line in lines for button in line if button.get("callback_data") == data)
    return string(next(found, ""))


def _reaction(row: Any, key: str, now: datetime) -> _Found:
    old = [_emoji(one) for one in sequence(row.get("old_reaction"))]
    new = [_emoji(one) for one in sequence(row.get("new_reaction"))]
    changes = [(one, False) for one in old if one not in new] + [(one, True) for one in new if one not in old]
    who, at = content.profile(row.get("user") or row["actor_chat"]).address, timestamp(row.get("date"), now)
    name = content.name_of(row)
    return [
        model.ReactionChanged(key=f"{key}:{n}", occurred_at=at, sender=who, external_id=name, emoji=emoji, on=on)
        for n, (emoji, on) in enumerate(changes)
    ] or "the same reactions"


def _emoji(reaction: Mapping[str, Any]) -> str:
    """Write a reaction as its emoji; one without is named by what it is, for no reaction is `""`."""
    kind = string(reaction["type"])
    if kind == "custom_emoji":
        return f"custom:{identifier(reaction['custom_emoji_id'])}"
    return string(reaction["emoji"]) if kind == "emoji" else "⭐" if kind == "paid" else kind


def _membership(row: Any, key: str, now: datetime) -> _Found:
    """A chat took the bot in or put it out; a private chat is the person, who unblocked or blocked it."""
    bot, before = row["new_chat_member"], mapping(row.get("old_chat_member"))
    if bot["status"] not in GONE | PRESENT:
        raise ValueError("expected a known status of the member")
    if _belongs(bot) and _belongs(before):
        return "the bot's rights changed"
    event = model.OptedIn if _belongs(bot) else model.OptedOut
    return event(key=key, occurred_at=timestamp(row.get("date"), now), sender=content.profile(row["chat"]).address)


def _belongs(member: Mapping[str, Any]) -> bool:
    """Tell whether somebody is in the chat; who is restricted there may have left."""
    return member.get("status") in PRESENT and member.get("is_member") is not False


_READERS: Mapping[str, _Reader] = {
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
