"""Sending: from an action to calls of the Bot API, and the calls themselves.

Source: https://core.telegram.org/bots/api#available-methods
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from attrs import frozen

from channelry import model
from channelry import text as texts
from channelry.errors import PermanentError, RecipientError
from channelry.model.outbound import SendablePart
from channelry.services import FilePart, Services

from .api import Answer, Api

FILES: dict[model.Kind, tuple[str, str]] = {
    model.Kind.IMAGE: ("sendPhoto", "photo"),
    model.Kind.AUDIO: ("sendAudio", "audio"),
    model.Kind.VOICE: ("sendVoice", "voice"),
    model.Kind.VIDEO: ("sendVideo", "video"),
    model.Kind.DOCUMENT: ("sendDocument", "document"),
    model.Kind.STICKER: ("sendSticker", "sticker"),
}
"""The method that sends a kind of file, and its parameter that is the file."""
ALBUM = {model.Kind.IMAGE: "photo", model.Kind.VIDEO: "video"}
"""What an album shows, by its own names."""
ALBUM_SIZE = 10
"""Most files of an album. Source: https://core.telegram.org/bots/api#sendmediagroup"""

_SAME = "message is not modified"
DONE = {"editMessageText": _SAME, "editMessageCaption": _SAME, "deleteMessage": "message to delete not found"}
"""Refusals that say that what was asked for is so already."""

LINKS = ("https://", "http://")
"""What a link begins with. Anything else would be a file's id, or on a Bot API server of one's own a path there."""

ANSWER_TEXT = 200
"""Longest text that answers a pressed button. Source: https://core.telegram.org/bots/api#answercallbackquery"""


@frozen
class _Draft:
    """A call in the making: its method and parameters, the files to upload, and what of it can bear a caption."""

    action: str
    body: dict[str, Any]
    uploads: tuple[model.Media, ...] = ()
    bearer: dict[str, Any] | None = None
    resend: model.Resend | None = None


def _state(action: str, body: dict[str, Any]) -> _Draft:
    """Draft a call that sets what is so after it, so that twice is the same as once."""
    return _Draft(action, body, resend=model.Resend.SAFE)


def compose(capabilities: model.Capabilities, outbound: model.Outbound) -> Sequence[model.Call]:
    """Turn an action into calls: text is split, a file bears the text as its caption as far as that goes."""
    capabilities.admit(outbound)
    target = outbound.target
    match outbound:
        case model.SendMessage():
            drafts = _message(capabilities, outbound)
        case model.Edit():
            drafts = [_edit(outbound)]
        case model.Delete(external_id=external_id):
            drafts = [_delete(external_id, target)]
        case model.MarkRead(external_id=external_id):
            business = _business(target)
            if not business:
                raise PermanentError("Telegram marks as read in business chats only", code="unsupported")
            drafts = [_state("readBusinessMessage", {**business, **_message_at(external_id)})]
        case model.React(external_id=external_id, emoji=emoji, on=on):
            reaction = [{"type": "emoji", "emoji": emoji}] if on else []
            drafts = [_state("setMessageReaction", {**_message_at(external_id), "reaction": reaction})]
        case model.ShowTyping(on=on):  # Telegram ends it by itself after five seconds
            drafts = [_state("sendChatAction", {**_place(target), "action": "typing"})] if on else []
        case model.AnswerButton(postback_id=query, text=text):
            if len(text) > ANSWER_TEXT:
                raise PermanentError(f"a button is answered in at most {ANSWER_TEXT} characters", code="too_long")
            said = {"text": text} if text else {}
            drafts = [_state("answerCallbackQuery", {"callback_query_id": query, **said})]
        case _:
            raise PermanentError(f"Telegram has no {outbound.kind} for bots", code="unsupported")
    to, group = target.to, target.to.value.startswith("-")
    return [
        model.Call(
            key=f"{outbound.key}/{n}", to=to, group=group, action=draft.action, body=draft.body,
            uploads=draft.uploads, resend=draft.resend,
        )
        for n, draft in enumerate(drafts, 1)
    ]  # fmt: skip


def _delete(external_id: str, target: model.Target) -> _Draft:
    """Delete a message of the bot's own chats, or of a business account's."""
    place, business = _message_at(external_id), _business(target)
    if business:
        return _state("deleteBusinessMessages", {**business, "message_ids": [place["message_id"]]})
    return _state("deleteMessage", place)


def _edit(edit: model.Edit) -> _Draft:
    method, name = ("editMessageCaption", "caption") if edit.caption else ("editMessageText", "text")
    if not edit.caption and not edit.text.strip():
        raise PermanentError("the message is empty", code="empty")
    return _state(method, {**_message_at(edit.external_id), **_business(edit.target), name: edit.text})


def _message(capabilities: model.Capabilities, message: model.SendMessage) -> list[_Draft]:
    """Parts in order, then the text that no caption took; the first call quotes, the last has the buttons."""
    text, measure = message.text.strip(), capabilities.unit.measure
    drafts = [_part(run[0]) if len(run) == 1 else _album(run) for run in _runs(message)]
    bearer = next((draft.bearer for draft in drafts if draft.bearer is not None), None)
    caption = ""
    if bearer is not None and text:
        caption = bearer["caption"] = texts.split(text, capabilities.caption, measure)[0]
    pieces = texts.split(text[len(caption) :], capabilities.text, measure)
    written = [_Draft("sendMessage", {"text": piece}) for piece in pieces]
    drafts = written + drafts if bearer is None else drafts + written
    if not drafts:
        raise PermanentError("the message is empty", code="empty")
    for draft in drafts:
        draft.body.update(_place(message.target))
    if message.quote and (reply := _reply_parameters(message.target)):
        drafts[0].body["reply_parameters"] = reply
    if message.buttons:
        drafts[-1].body["reply_markup"] = {"inline_keyboard": [[_button(one)] for one in message.buttons]}
    return drafts


def _runs(message: model.SendMessage) -> Iterator[Sequence[SendablePart]]:
    """Part by part, but neighbouring pictures and videos together; an album bears no buttons, so not beside these."""
    for joined, run in groupby(message.parts, lambda part: isinstance(part, model.Media) and part.kind in ALBUM):
        parts, size = tuple(run), ALBUM_SIZE if joined and not message.buttons else 1
        yield from (parts[start : start + size] for start in range(0, len(parts), size))


def _album(parts: Sequence[SendablePart]) -> _Draft:
    uploads: list[model.Media] = []
    shown = [
        {"type": ALBUM[part.kind], "media": _source(part, uploads)} for part in parts if isinstance(part, model.Media)
    ]
    return _Draft("sendMediaGroup", {"media": shown}, tuple(uploads), bearer=shown[0])


def _part(part: SendablePart) -> _Draft:
    match part:
        case model.Media():
            return _file(part, part.kind)
        case model.Sticker(id=known, media=media):
            if known:
                return _Draft("sendSticker", {"sticker": known})
            if media is None:
                raise PermanentError("the sticker has neither id nor picture", code="no_file")
            return _file(media, model.Kind.STICKER)
        case model.Location(latitude=latitude, longitude=longitude, name=name, address=address):
            body: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
            if not name and not address:
                return _Draft("sendLocation", body)
            return _Draft("sendVenue", {**body, "title": name or address, "address": address or name})
        case model.Contact(name=name, phones=phones):
            if not phones or not name:
                raise PermanentError("a contact needs a name and a phone number", code="contact")
            return _Draft("sendContact", {"phone_number": phones[0], "first_name": name})


def _file(media: model.Media, kind: model.Kind) -> _Draft:
    method, name = FILES[kind]
    uploads: list[model.Media] = []
    body = {name: _source(media, uploads)}
    return _Draft(method, body, tuple(uploads), bearer=None if kind is model.Kind.STICKER else body)


def _source(media: model.Media, uploads: list[model.Media]) -> str:
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
    return f"attach://{_upload_name(len(uploads) - 1)}"


def _upload_name(place: int) -> str:
    return f"file{place}"


def _button(button: model.Button) -> dict[str, str]:
    way = {"url": button.url} if button.url else {"callback_data": button.payload}
    return {"text": button.title, **way}


def _business(target: model.Target) -> dict[str, str]:
    connection = target.context.get("business_connection_id")
    return {"business_connection_id": connection} if connection else {}


def _place(target: model.Target) -> dict[str, Any]:
    """The chat, and where in it: the topic and the business account that the customer wrote to."""
    topic = target.context.get("message_thread_id")
    return {"chat_id": target.to.value, **({"message_thread_id": int(topic)} if topic else {}), **_business(target)}


def _message_at(external_id: str) -> dict[str, Any]:
    chat, _, number = external_id.rpartition(":")
    if not (chat and number.isascii() and number.isdigit()):
        raise PermanentError(f"{external_id!r} is no message of Telegram's: expected CHAT:MESSAGE", code="message_id")
    return {"chat_id": chat, "message_id": int(number)}


def _reply_parameters(target: model.Target) -> dict[str, Any]:
    """Point at the message that is answered, even should it be gone; a pressed button is none."""
    chat, _, number = target.reply_to.rpartition(":")
    if chat != target.to.value or not (number.isascii() and number.isdigit()):
        return {}
    return {"message_id": int(number), "allow_sending_without_reply": True}


async def send(api: Api, call: model.Call, services: Services) -> model.Receipt:
    """Make one call; where the group has become a supergroup, make it there, and tell so in the receipt."""
    answer, address = await _make(api, call, call.body, services), None
    if moved := answer.migrated_to:
        address = model.Address(call.to.scheme, moved)
        answer = await _make(api, call, {**call.body, "chat_id": moved}, services)
        if answer.migrated_to:
            raise RecipientError(answer.description, code=str(answer.status))
    if call.action in DONE and answer.says(DONE[call.action]):
        return model.Receipt((), address)
    return model.Receipt(_external_ids(call, answer.result()), address)


def _external_ids(call: model.Call, result: Any) -> tuple[str, ...]:
    """Name the messages that a call made: none where it only set something, several where it sent an album."""
    if call.resend is model.Resend.SAFE:
        return ()
    messages = result if isinstance(result, list) else [result]
    return tuple(f"{message['chat']['id']}:{message['message_id']}" for message in messages)


async def _make(api: Api, call: model.Call, body: Mapping[str, Any], services: Services) -> Answer:
    files = [
        FilePart(
            _upload_name(place),
            media.name or "file",
            media.media_type or "application/octet-stream",
            services.files.read(media.ref),
            media.size,
        )
        for place, media in enumerate(call.uploads)
    ]
    return await api.ask(services, call.action, body, files=files, repeatable=False)
