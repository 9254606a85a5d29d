"""Sending: from an action to calls of the Bot API, and the calls themselves.

Source: https://core.telegram.org/bots/api#available-methods
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from attrs import evolve

from channelry import hookimpl, model
from channelry.errors import PermanentError
from channelry.model import Call, Capabilities, Kind, Media, SendMessage, Target
from channelry.model.capabilities import plain_emoji
from channelry.model.outbound import SendablePart
from channelry.services import HttpResponse, Services
from channelry.text import split
from channelry_webapi import Body, Draft, batches, calls, change, enclosed, require_link, unreadable

from .capabilities import ALBUM, ALBUM_SIZE, ANSWER_TEXT, CAPTIONED, SCHEME
from .connection import MOVED, Bot, description, parameters, result
from .refusals import DONE

_MESSAGE = re.compile(r"(.+):([0-9]+)")
"""A message's name, CHAT:MESSAGE."""

_Made: TypeAlias = tuple[str, Body, tuple[Media, ...]]
"""A message's method and parameters, and its files to upload."""


@hookimpl
def compose(bot: Bot, outbound: model.Outbound) -> Sequence[Call]:
    """Turn an action into calls: text is split, a file bears the text as its caption as far as that goes."""
    limits = bot.capabilities
    limits.admit(outbound)
    made = calls(outbound, _message(limits, outbound)) if isinstance(outbound, SendMessage) else _change(outbound)
    group = outbound.target.to.value.startswith("-")  # also where its thread is not known
    return [evolve(call, group=group) for call in made]


def _change(outbound: model.Outbound) -> Sequence[Call]:
    """Make what is no message: to stop typing takes nothing, Telegram ends it by itself after five seconds."""
    business = _business(outbound.target)
    match outbound:
        case model.Edit(external_id=message, text=text, caption=caption):
            method, name = ("editMessageCaption", "caption") if caption else ("editMessageText", "text")
            return change(outbound, method, {**_message_at(message), **business, name: text})
        case model.Delete(external_id=message) if business:
            numbers = [_message_at(message)["message_id"]]
            return change(outbound, "deleteBusinessMessages", {**business, "message_ids": numbers})
        case model.Delete(external_id=message):
            return change(outbound, "deleteMessage", _message_at(message))
        case model.React(external_id=message, emoji=emoji, on=on):
            reaction = [{"type": "emoji", "emoji": plain_emoji(emoji)}] if on else []
            return change(outbound, "setMessageReaction", {**_message_at(message), "reaction": reaction})
        case model.ShowTyping(on=on):
            return change(outbound, "sendChatAction", {**_place(outbound.target), "action": "typing"}) if on else []
        case model.AnswerButton(postback_id=query, text=text):
            if len(text) > ANSWER_TEXT:
                raise PermanentError(f"a button is answered in at most {ANSWER_TEXT} characters", code="too_long")
            said = {"text": text} if text else {}
            return change(outbound, "answerCallbackQuery", {"callback_query_id": query, **said})
        case model.MarkRead(external_id=message) if business:
            return change(outbound, "readBusinessMessage", {**business, **_message_at(message)})
    raise PermanentError("Telegram marks as read in business chats only", code="unsupported")


def _message_at(external_id: str) -> Body:
    found = _MESSAGE.fullmatch(external_id)
    if not found:
        raise PermanentError(f"{external_id!r} is no message of Telegram's: expected CHAT:MESSAGE", code="message_id")
    return {"chat_id": found[1], "message_id": int(found[2])}


def _business(target: Target) -> dict[str, str]:
    connection = target.context.get("business_connection_id")
    return {"business_connection_id": connection} if connection else {}


def _place(target: Target) -> Body:
    """The chat, and where in it: the topic and the business account that the customer wrote to."""
    topic = target.context.get("message_thread_id")
    return {"chat_id": target.to.value, **({"message_thread_id": int(topic)} if topic else {}), **_business(target)}


def _message(limits: Capabilities, message: SendMessage) -> list[Draft]:
    """Parts in order, then the text that no caption took; the first call quotes, the last has the buttons.

    Neighbouring pictures and videos go together, but an album bears no buttons.
    """
    text, measure, target = message.text.strip(), limits.unit.measure, message.target
    runs = batches(message.parts, 1 if message.buttons else ALBUM_SIZE, _is_shown)
    made = [_part(run[0]) if len(run) == 1 else _album(run) for run in runs]
    bearers = [body["media"][0] if "media" in body else body for method, body, _ in made if method in CAPTIONED]
    caption = ""
    if bearers and text:
        caption = bearers[0]["caption"] = split(text, limits.caption, measure)[0]
    pieces = split(text[len(caption) :], limits.text, measure)
    written: list[_Made] = [("sendMessage", {"text": piece}, ()) for piece in pieces]
    made = made + written if bearers else written + made
    if not made:
        raise PermanentError("the message is empty", code="empty")
    answered = _MESSAGE.fullmatch(target.reply_to)
    if message.quote and answered and answered[1] == target.to.value:  # a pressed button is none; one may be gone
        made[0][1]["reply_parameters"] = {"message_id": int(answered[2]), "allow_sending_without_reply": True}
    if message.buttons:
        made[-1][1]["reply_markup"] = {"inline_keyboard": [[_button(one)] for one in message.buttons]}
    return [Draft(method, body | _place(target), uploads) for method, body, uploads in made]


def _is_shown(part: SendablePart) -> bool:
    return isinstance(part, Media) and part.kind in ALBUM


def _album(parts: Sequence[SendablePart]) -> _Made:
    uploads = list[Media]()
    shown = [{"type": _wire(part.kind), "media": _source(part, uploads)} for part in parts if isinstance(part, Media)]
    return "sendMediaGroup", {"media": shown}, tuple(uploads)


def _part(part: SendablePart) -> _Made:
    if isinstance(part, Media):
        return _file(part, part.kind)
    if isinstance(part, model.Location):
        body = {"latitude": part.latitude, "longitude": part.longitude}
        if not part.name and not part.address:
            return "sendLocation", body, ()
        return "sendVenue", {**body, "title": part.name or part.address, "address": part.address or part.name}, ()
    if isinstance(part, model.Contact):
        if not part.phones or not part.name:
            raise PermanentError("a contact needs a name and a phone number", code="contact")
        return "sendContact", {"phone_number": part.phones[0], "first_name": part.name}, ()
    known = Media(kind=Kind.STICKER, id=part.id)
    return _file(known if part.id else part.media or known, Kind.STICKER)


def _file(media: Media, kind: Kind) -> _Made:
    name, uploads = _wire(kind), list[Media]()
    return f"send{name.capitalize()}", {name: _source(media, uploads)}, tuple(uploads)


def _wire(kind: Kind) -> str:
    """Give Telegram's name of a kind of file, by which the method that sends it is called too."""
    return "photo" if kind is Kind.IMAGE else kind.value


def _source(media: Media, uploads: list[Media]) -> str:
    """Name a file by its id, by its link, or as an upload, which joins the others of the call.

    Another link would be a file's id, or on a Bot API server of one's own a path there.
    """
    if media.id:
        return media.id
    require_link(media, "https://", "http://")
    if not media.url:
        uploads.append(media)
    return media.url or f"attach://file{len(uploads) - 1}"


def _button(button: model.Button) -> dict[str, str]:
    return {"text": button.title} | ({"url": button.url} if button.url else {"callback_data": button.payload})


@hookimpl
async def send(bot: Bot, call: Call, services: Services) -> model.Receipt:
    """Make one call; where the group has become a supergroup, make it there, and tell so in the receipt.

    It names the messages that were made: none where something was only set, several of an album.
    """
    address, answer = None, await _made(bot, call, call.body, services)
    if to := parameters(answer).get(MOVED):
        address = model.Address(SCHEME, str(to))
        answer = await _made(bot, call, {**call.body, "chat_id": address.value}, services)
    if call.action in DONE and DONE[call.action] in description(answer).lower():
        return model.Receipt((), address)
    found = result(answer, services, repeatable=False)
    messages = [] if call.resend is model.Resend.SAFE else found if isinstance(found, list) else [found]
    try:
        return model.Receipt(tuple([f"{one['chat']['id']}:{one['message_id']}" for one in messages]), address)
    except (LookupError, TypeError):
        raise unreadable(repeatable=False) from None


async def _made(bot: Bot, call: Call, body: Mapping[str, Any], services: Services) -> HttpResponse:
    files = [enclosed(f"file{place}", media, services) for place, media in enumerate(call.uploads)]
    return await bot.ask(services, call.action, body, files=files, repeatable=False)
