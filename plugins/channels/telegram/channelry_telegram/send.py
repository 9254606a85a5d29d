"""Sending: from an action to calls of the Bot API, and the calls themselves.

Source: https://core.telegram.org/bots/api#available-methods
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from attrs import evolve

from channelry import model
from channelry import text as texts
from channelry.errors import PermanentError
from channelry.model import Call, Capabilities, Kind, Media, Resend, SendMessage, Target
from channelry.model.outbound import SendablePart
from channelry.services import FilePart, Services
from channelry_webapi import files
from channelry_webapi.drafts import Draft, calls

from .api import Api, MovedError
from .refusals import DONE

ALBUM = frozenset({Kind.IMAGE, Kind.VIDEO})
"""What an album shows."""
ALBUM_SIZE = 10
"""Most files of an album. Source: https://core.telegram.org/bots/api#sendmediagroup"""

LINKS = ("https://", "http://")
"""What a link begins with. Anything else would be a file's id, or on a Bot API server of one's own a path there."""

ANSWER_TEXT = 200
"""Longest text that answers a pressed button. Source: https://core.telegram.org/bots/api#answercallbackquery"""


_Made: TypeAlias = tuple[str, dict[str, Any], tuple[Media, ...]]
"""A message's method and parameters, and its files to upload."""
_CAPTIONED = ("sendPhoto", "sendAudio", "sendVoice", "sendVideo", "sendDocument")


def _state(action: str, body: dict[str, Any]) -> Draft:
    """Draft a call that sets what is so after it, so that twice is the same as once."""
    return Draft(action, body, resend=Resend.SAFE)


def compose(capabilities: Capabilities, outbound: model.Outbound) -> Sequence[Call]:
    """Turn an action into calls: text is split, a file bears the text as its caption as far as that goes."""
    capabilities.admit(outbound)
    made = _message(capabilities, outbound) if isinstance(outbound, SendMessage) else _change(outbound)
    group = outbound.target.to.value.startswith("-")  # also where its thread is not known
    return [evolve(call, group=group) for call in calls(outbound, made)]


def _change(outbound: model.Outbound) -> list[Draft]:
    """Draft what is no message: to stop typing takes nothing, Telegram ends it by itself after five seconds."""
    target, business = outbound.target, _business(outbound.target)
    match outbound:
        case model.Edit(external_id=external_id, text=text, caption=caption):
            if not caption and not text.strip():
                raise PermanentError("the message is empty", code="empty")
            method, name = ("editMessageCaption", "caption") if caption else ("editMessageText", "text")
            return [_state(method, {**_message_at(external_id), **business, name: text})]
        case model.Delete(external_id=external_id) if business:
            numbers = [_message_at(external_id)["message_id"]]
            return [_state("deleteBusinessMessages", {**business, "message_ids": numbers})]
        case model.Delete(external_id=external_id):
            return [_state("deleteMessage", _message_at(external_id))]
        case model.MarkRead(external_id=external_id) if business:
            return [_state("readBusinessMessage", {**business, **_message_at(external_id)})]
        case model.MarkRead():
            raise PermanentError("Telegram marks as read in business chats only", code="unsupported")
        case model.React(external_id=external_id, emoji=emoji, on=on):
            reaction = [{"type": "emoji", "emoji": emoji}] if on else []
            return [_state("setMessageReaction", {**_message_at(external_id), "reaction": reaction})]
        case model.ShowTyping(on=on):
            return [_state("sendChatAction", {**_place(target), "action": "typing"})] if on else []
        case model.AnswerButton(postback_id=query, text=text) if len(text) <= ANSWER_TEXT:
            said = {"text": text} if text else {}
            return [_state("answerCallbackQuery", {"callback_query_id": query, **said})]
        case model.AnswerButton():
            raise PermanentError(f"a button is answered in at most {ANSWER_TEXT} characters", code="too_long")
    raise PermanentError(f"Telegram has no {outbound.kind} for bots", code="unsupported")


def _message(capabilities: Capabilities, message: SendMessage) -> list[Draft]:
    """Parts in order, then the text that no caption took; the first call quotes, the last has the buttons.

    Neighbouring pictures and videos go together, but an album bears no buttons.
    """
    text, measure = message.text.strip(), capabilities.unit.measure
    runs = files.batches(message.parts, 1 if message.buttons else ALBUM_SIZE, _is_shown)
    made = [_part(run[0]) if len(run) == 1 else _album(run) for run in runs]
    bearer = next(filter(None, map(_bearer, made)), None)
    caption = ""
    if bearer is not None and text:
        caption = bearer["caption"] = texts.split(text, capabilities.caption, measure)[0]
    pieces = texts.split(text[len(caption) :], capabilities.text, measure)
    written: list[_Made] = [("sendMessage", {"text": piece}, ()) for piece in pieces]
    made = written + made if bearer is None else made + written
    if not made:
        raise PermanentError("the message is empty", code="empty")
    chat, number = _numbered(message.target.reply_to)
    if message.quote and chat == message.target.to.value:  # a pressed button is no message; a message may be gone
        made[0][1]["reply_parameters"] = {"message_id": number, "allow_sending_without_reply": True}
    if message.buttons:
        made[-1][1]["reply_markup"] = {"inline_keyboard": [[_button(one)] for one in message.buttons]}
    return [Draft(method, body | _place(message.target), uploads) for method, body, uploads in made]


def _bearer(made: _Made) -> dict[str, Any] | None:
    """Give what of a message can bear a caption."""
    method, body, _ = made
    if method == "sendMediaGroup":
        first: dict[str, Any] = body["media"][0]
        return first
    return body if method in _CAPTIONED else None


def _is_shown(part: SendablePart) -> bool:
    return isinstance(part, Media) and part.kind in ALBUM


def _album(parts: Sequence[SendablePart]) -> _Made:
    uploads = list[Media]()
    shown = [{"type": _wire(part.kind), "media": _source(part, uploads)} for part in parts if isinstance(part, Media)]
    return "sendMediaGroup", {"media": shown}, tuple(uploads)


def _part(part: SendablePart) -> _Made:
    match part:
        case Media():
            return _file(part, part.kind)
        case model.Sticker(id=known) if known:
            return "sendSticker", {"sticker": known}, ()
        case model.Sticker(media=media):
            if media is None:
                raise PermanentError("the sticker has neither id nor picture", code="no_file")
            return _file(media, Kind.STICKER)
        case model.Location(latitude=latitude, longitude=longitude, name=name, address=address):
            body: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
            if not name and not address:
                return "sendLocation", body, ()
            return "sendVenue", {**body, "title": name or address, "address": address or name}, ()
        case model.Contact(name=name, phones=phones):
            if not phones or not name:
                raise PermanentError("a contact needs a name and a phone number", code="contact")
            return "sendContact", {"phone_number": phones[0], "first_name": name}, ()


def _file(media: Media, kind: Kind) -> _Made:
    name, uploads = _wire(kind), list[Media]()
    body = {name: _source(media, uploads)}
    return f"send{name.capitalize()}", body, tuple(uploads)


def _wire(kind: Kind) -> str:
    """Give Telegram's name of a kind of file, by which the method that sends it is called too."""
    return "photo" if kind is Kind.IMAGE else kind.value


def _source(media: Media, uploads: list[Media]) -> str:
    """Name a file by its id, by its link, or as an upload, which joins the others of the call."""
    if media.id:
        return media.id
    if media.url:
        if not media.url.startswith(LINKS):
            raise PermanentError("the file's link is not http or https", code="bad_url")
        return media.url
    if not media.ref:
        raise PermanentError("the file has neither url, ref nor id", code="no_file")
    uploads.append(media)
    return f"attach://file{len(uploads) - 1}"


def _button(button: model.Button) -> dict[str, str]:
    way = {"url": button.url} if button.url else {"callback_data": button.payload}
    return {"text": button.title, **way}


def _business(target: Target) -> dict[str, str]:
    connection = target.context.get("business_connection_id")
    return {"business_connection_id": connection} if connection else {}


def _place(target: Target) -> dict[str, Any]:
    """The chat, and where in it: the topic and the business account that the customer wrote to."""
    topic = target.context.get("message_thread_id")
    return {"chat_id": target.to.value, **({"message_thread_id": int(topic)} if topic else {}), **_business(target)}


def _numbered(external_id: str) -> tuple[str, int]:
    """Read CHAT:MESSAGE; `""` and 0 of what is no message's id."""
    chat, _, number = external_id.rpartition(":")
    return (chat, int(number)) if chat and number.isascii() and number.isdigit() else ("", 0)


def _message_at(external_id: str) -> dict[str, Any]:
    chat, number = _numbered(external_id)
    if not chat:
        raise PermanentError(f"{external_id!r} is no message of Telegram's: expected CHAT:MESSAGE", code="message_id")
    return {"chat_id": chat, "message_id": number}


async def send(api: Api, call: Call, services: Services) -> model.Receipt:
    """Make one call; where the group has become a supergroup, make it there, and tell so in the receipt."""
    try:
        return model.Receipt(await _make(api, call, call.body, services))
    except MovedError as moved:
        to = moved.to
    made = await _make(api, call, {**call.body, "chat_id": to}, services)
    return model.Receipt(made, model.Address(call.to.scheme, to))


async def _make(api: Api, call: Call, body: Mapping[str, Any], services: Services) -> tuple[str, ...]:
    """Name the messages that a call made: none where it only set something, several where it sent an album."""
    uploads = [
        FilePart(
            f"file{place}",
            media.name or "file",
            media.media_type or "application/octet-stream",
            services.files.read(media.ref),
            media.size,
        )
        for place, media in enumerate(call.uploads)
    ]
    try:
        result = await api.call(services, call.action, body, files=uploads, repeatable=False)
    except PermanentError as error:
        if call.action in DONE and DONE[call.action] in str(error).lower():
            return ()
        raise
    if call.resend is Resend.SAFE:
        return ()
    messages = result if isinstance(result, list) else [result]
    return tuple(f"{message['chat']['id']}:{message['message_id']}" for message in messages)
