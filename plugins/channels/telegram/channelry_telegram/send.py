"""Sending: from an action to calls of the Bot API, and the calls themselves.

Source: https://core.telegram.org/bots/api#available-methods
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from channelry import text as texts
from channelry.errors import PermanentError, RecipientError
from channelry.model import (
    Address,
    AnswerButton,
    Button,
    Call,
    Capabilities,
    Contact,
    Delete,
    Edit,
    Kind,
    Location,
    Media,
    Outbound,
    React,
    Receipt,
    SendMessage,
    ShowTyping,
    Sticker,
    Target,
)
from channelry.services import FilePart, Services

from .api import Answer, Api

FILES: dict[Kind, tuple[str, str]] = {
    Kind.IMAGE: ("sendPhoto", "photo"),
    Kind.AUDIO: ("sendAudio", "audio"),
    Kind.VOICE: ("sendVoice", "voice"),
    Kind.VIDEO: ("sendVideo", "video"),
    Kind.DOCUMENT: ("sendDocument", "document"),
    Kind.STICKER: ("sendSticker", "sticker"),
}
"""The method that sends a kind of file, and its parameter that is the file."""
_FIELDS = dict(FILES.values())

DONE = {
    "editMessageText": "message is not modified",
    "deleteMessage": "message to delete not found",
}
"""Refusals that say that what was asked for is so already."""

LINKS = ("https://", "http://")
"""What a link begins with. Anything else would be a file's id, or on a Bot API server of one's own a path there."""

ANSWER_TEXT = 200
"""Longest text that answers a pressed button. Source: https://core.telegram.org/bots/api#answercallbackquery"""


@frozen
class _Draft:
    """A call in the making: its method, its parameters, and the file to upload."""

    action: str
    body: dict[str, Any]
    upload: Media | None = None


def compose(capabilities: Capabilities, outbound: Outbound) -> Sequence[Call]:
    """Turn an action into calls: text is split, a file bears the text as its caption as far as that goes."""
    capabilities.admit(outbound)
    target = outbound.target
    match outbound:
        case SendMessage():
            drafts = list(_message(capabilities, outbound))
        case Edit(external_id=external_id, text=text):
            if not text.strip():
                raise PermanentError("the message is empty", code="empty")
            drafts = [
                _Draft("editMessageText", {**_message_at(external_id), **_business(target), "text": text})
            ]
        case Delete(external_id=external_id):
            drafts = [_Draft("deleteMessage", _message_at(external_id))]
        case React(external_id=external_id, emoji=emoji):
            reaction = [{"type": "emoji", "emoji": emoji}] if emoji else []
            drafts = [_Draft("setMessageReaction", {**_message_at(external_id), "reaction": reaction})]
        case ShowTyping(on=on):  # Telegram ends it by itself after five seconds
            drafts = [_Draft("sendChatAction", {**_place(target), "action": "typing"})] if on else []
        case AnswerButton(postback_id=query, text=text):
            if len(text) > ANSWER_TEXT:
                raise PermanentError(
                    f"a button is answered in at most {ANSWER_TEXT} characters", code="too_long"
                )
            said = {"text": text} if text else {}
            drafts = [_Draft("answerCallbackQuery", {"callback_query_id": query, **said})]
        case _:
            raise PermanentError(f"Telegram has no {outbound.kind} for bots", code="unsupported")
    to, group = target.to, target.to.value.startswith("-")
    return [
        Call(
            key=f"{outbound.key}/{n}",
            to=to,
            group=group,
            action=draft.action,
            body=draft.body,
            upload=draft.upload,
        )
        for n, draft in enumerate(drafts, 1)
    ]


def _message(capabilities: Capabilities, message: SendMessage) -> Iterator[_Draft]:
    """Parts in order, then the text that no caption took; the first call quotes, the last has the buttons."""
    text = message.text.strip()
    captioned = next((part for part in message.parts if _bears_caption(part)), None)
    measure = capabilities.unit.measure
    caption = ""
    if captioned is not None and text:
        caption = texts.split(text, capabilities.caption, measure)[0]
    rest = texts.split(text[len(caption) :], capabilities.text, measure)
    written = [_Draft("sendMessage", {"text": piece}) for piece in rest]
    drafts = []
    for part in message.parts:
        draft = _part(part)
        if part is captioned and caption:
            draft.body["caption"], caption = caption, ""
        drafts.append(draft)
    drafts = drafts + written if captioned is not None else written + drafts
    if not drafts:
        raise PermanentError("the message is empty", code="empty")
    place = _place(message.target)
    for draft in drafts:
        draft.body.update(place)
    if message.quote and (reply := _reply_parameters(message.target)):
        drafts[0].body["reply_parameters"] = reply
    if message.buttons:
        drafts[-1].body["reply_markup"] = {"inline_keyboard": [[_button(one)] for one in message.buttons]}
    yield from drafts


def _bears_caption(part: object) -> bool:
    return isinstance(part, Media) and part.kind is not Kind.STICKER


def _part(part: Media | Location | Contact | Sticker) -> _Draft:
    match part:
        case Media():
            return _file(part)
        case Sticker(id=known, media=media):
            if known:
                return _Draft("sendSticker", {"sticker": known})
            if media is None:
                raise PermanentError("the sticker has neither id nor picture", code="no_file")
            return _file(media, Kind.STICKER)
        case Location(latitude=latitude, longitude=longitude, name=name, address=address):
            body: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
            if not name and not address:
                return _Draft("sendLocation", body)
            return _Draft("sendVenue", {**body, "title": name or address, "address": address or name})
        case Contact(name=name, phones=phones):
            if not phones or not name:
                raise PermanentError("a contact needs a name and a phone number", code="contact")
            return _Draft("sendContact", {"phone_number": phones[0], "first_name": name})


def _file(media: Media, kind: Kind | None = None) -> _Draft:
    """A file by its id, by its link, or by an upload."""
    method, field = FILES[kind or media.kind]
    if media.id:
        return _Draft(method, {field: media.id})
    if media.url:
        if not media.url.startswith(LINKS):
            raise PermanentError("the file's link is not http or https", code="bad_url")
        return _Draft(method, {field: media.url})
    if not media.ref:
        raise PermanentError("the file has neither url, ref nor id", code="no_file")
    return _Draft(method, {}, media)


def _button(button: Button) -> dict[str, str]:
    way = {"url": button.url} if button.url else {"callback_data": button.payload}
    return {"text": button.title, **way}


def _business(target: Target) -> dict[str, str]:
    connection = target.context.get("business_connection_id")
    return {"business_connection_id": connection} if connection else {}


def _place(target: Target) -> dict[str, Any]:
    """The chat, and where in it: the topic and the business account that the customer wrote to."""
    topic = target.context.get("message_thread_id")
    return {
        "chat_id": target.to.value,
        **({"message_thread_id": int(topic)} if topic else {}),
        **_business(target),
    }


def _message_at(external_id: str) -> dict[str, Any]:
    chat, _, number = external_id.rpartition(":")
    if not (chat and number.isascii() and number.isdigit()):
        raise PermanentError(
            f"{external_id!r} is no message of Telegram's: expected CHAT:MESSAGE", code="message_id"
        )
    return {"chat_id": chat, "message_id": int(number)}


def _reply_parameters(target: Target) -> dict[str, Any]:
    """Point at the message that is answered, even should it be gone; a pressed button is none."""
    chat, _, number = target.reply_to.rpartition(":")
    if chat != target.to.value or not (number.isascii() and number.isdigit()):
        return {}
    return {"message_id": int(number), "allow_sending_without_reply": True}


async def send(api: Api, call: Call, services: Services) -> Receipt:
    """Make one call; where the group has become a supergroup, make it there, and tell so in the receipt."""
    answer, address = await _make(api, call, call.body, services), None
    if moved := answer.migrated_to:
        address = Address(call.to.scheme, moved)
        answer = await _make(api, call, {**call.body, "chat_id": moved}, services)
        if answer.migrated_to:
            raise RecipientError(answer.description, code=str(answer.status))
    if call.action in DONE and answer.says(DONE[call.action]):
        return Receipt((), address)
    return Receipt(_external_ids(call, answer.result()), address)


def _external_ids(call: Call, result: Any) -> tuple[str, ...]:
    if not _is_new(call) or not isinstance(result, dict) or "message_id" not in result:
        return ()
    chat = result.get("chat", {}).get("id", call.to.value)
    return (f"{chat}:{result['message_id']}",)


def _is_new(call: Call) -> bool:
    """Tell whether each call makes a further message; all other methods set a state, and may be repeated."""
    return call.action.startswith("send") and call.action != "sendChatAction"


async def _make(api: Api, call: Call, body: Mapping[str, Any], services: Services) -> Answer:
    file = None
    if call.upload is not None:
        media = call.upload
        content = services.files.read(media.ref)
        kind = media.media_type or "application/octet-stream"
        file = FilePart(_FIELDS[call.action], media.name or "file", kind, content)
    return await api.ask(services, call.action, body, file=file, repeatable=not _is_new(call))
