"""Sending: from an action to calls of the Messaging API, and the calls themselves.

A reply is free, but needs the token of a customer's message, once and within a minute, and cannot be repeated safely.
A push counts against the month's quota, and may be repeated with its retry key.
Sources: https://developers.line.biz/en/reference/messaging-api/#send-reply-message, …/#send-push-message and
https://developers.line.biz/en/docs/messaging-api/retrying-api-request/
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID, uuid5
from zlib import crc32

from channelry.errors import AmbiguousError, PermanentError
from channelry.model import (
    Button,
    Call,
    Capabilities,
    Contact,
    Kind,
    Location,
    MarkRead,
    Media,
    NotTaken,
    Outbound,
    Receipt,
    Reconciled,
    Resend,
    SendMessage,
    ShowTyping,
    Sticker,
    Target,
    Unknown,
)
from channelry.model.outbound import SendablePart
from channelry.parsing import identifier
from channelry.services import HttpResponse, Services
from channelry.text import split

from .api import Api, message_of, refusal, result
from .capabilities import MESSAGE, READ, TYPING
from .receive import QUOTE_TOKEN, READ_TOKEN, REPLY_TOKEN

MESSAGES = 5
"""Most messages of one call."""
REPLY_WITHIN = timedelta(seconds=50)
"""A reply token lives for about a minute; what is left is for the way."""
INVALID_REPLY_TOKEN = "invalid reply token"
TYPING_SECONDS = 20
"""How long LINE shows that somebody writes: 5 to 60 seconds, or until a message comes."""
PLACE_NAME = 100
"""Most characters of a place's title and address."""
PREVIEW = 1_000_000
"""Most bytes of a picture's preview."""
LINK_SECONDS = 30 * 86_400
"""How long a link to a file of ours holds: LINE stores no copy, customers' apps load it each time."""

RETRY_KEYS = UUID("7d1f4c9e-3b86-5a0e-9c55-2f1d0a6b8e43")
"""The name space in which a call's key becomes the UUID that LINE wants as retry key."""
NOTES = 1024
"""How many notes of replies are kept; a newer one takes an older one's place."""

Body: TypeAlias = dict[str, Any]
_Piece: TypeAlias = tuple[Body, tuple[Media, ...]]
"""One message's body, and the file that still needs a link."""


def compose(capabilities: Capabilities, outbound: Outbound, preview_url: str) -> Sequence[Call]:
    """Turn an action into calls; messages go in fives, and the first five as a reply where there is a token."""
    capabilities.admit(outbound)
    target = outbound.target
    match outbound:
        case SendMessage():
            return _message(capabilities, outbound, preview_url)
        case MarkRead():
            token = target.context.get(READ_TOKEN)
            if not token:
                raise PermanentError("LINE marks as read by a token, which this message did not bring", code="no_token")
            return [_mark(outbound.key, target, READ, {"markAsReadToken": token})]
        case ShowTyping(on=on):  # it ends by itself
            if target.thread is not None:
                raise PermanentError("LINE shows typing to one person only, not in groups", code="unsupported")
            body = {"chatId": target.to.value, "loadingSeconds": TYPING_SECONDS}
            return [_mark(outbound.key, target, TYPING, body)] if on else []
    raise PermanentError(f"LINE has no {outbound.kind}", code="unsupported")


def _mark(key: str, target: Target, action: str, body: Body) -> Call:
    return Call(key=f"{key}:0", to=target.to, action=action, body=body, resend=Resend.SAFE)


def _message(capabilities: Capabilities, message: SendMessage, preview_url: str) -> list[Call]:
    target = message.target
    pieces = [_text(piece) for piece in split(message.text, capabilities.text, capabilities.unit.measure)]
    pieces += [_part(part, preview_url) for part in message.parts]
    if not pieces:
        raise PermanentError("buttons need a text or a file on LINE", code="empty")
    first, last = pieces[0][0], pieces[-1][0]
    quote = target.context.get(QUOTE_TOKEN) if message.quote else None
    if quote and first["type"] in ("text", "sticker"):
        first["quoteToken"] = quote
    if message.buttons:
        last["quickReply"] = {"items": [_button(one) for one in message.buttons]}
    fives = [pieces[start : start + MESSAGES] for start in range(0, len(pieces), MESSAGES)]
    return [
        Call(
            key=f"{message.key}:{n}",
            to=target.to,
            action=MESSAGE,
            body={"to": target.to.value, "messages": [body for body, _ in five], **reply},
            uploads=tuple(file for _, uploads in five for file in uploads),
            group=target.thread is not None,
            resend=None if reply else Resend.SAFE,
        )
        for n, five in enumerate(fives)
        for reply in [{} if n else _reply(target)]
    ]


def _reply(target: Target) -> Body:
    token = target.context.get(REPLY_TOKEN)
    if not token or target.reply_to_at is None:
        return {}
    return {"reply": {"token": token, "until": (target.reply_to_at + REPLY_WITHIN).isoformat()}}


def _text(text: str | Body, *uploads: Media) -> _Piece:
    return {"type": "text", "text": text}, uploads


def _part(part: SendablePart, preview_url: str) -> _Piece:
    match part:
        case Media():
            return _file(part, preview_url)
        case Sticker(id=known):
            package, _, sticker = known.partition("/")
            if not (package.isdecimal() and sticker.isdecimal()):
                raise PermanentError("LINE sends stickers of its own only, as PACKAGE/STICKER", code="unsupported")
            return {"type": "sticker", "packageId": package, "stickerId": sticker}, ()
        case Location(latitude=latitude, longitude=longitude, name=name, address=address):
            degrees = f"{latitude:g}, {longitude:g}"  # where it has neither, for LINE wants both
            words = {"title": name or address or degrees, "address": address or name or degrees}
            if any(len(one) > PLACE_NAME for one in words.values()):
                raise PermanentError(f"a place's name has at most {PLACE_NAME} characters", code="too_long")
            return {"type": "location", **words, "latitude": latitude, "longitude": longitude}, ()
        case Contact():
            raise PermanentError("LINE has no contacts", code="unsupported")


def _file(media: Media, preview_url: str) -> _Piece:
    """Show a file by its link; what LINE cannot show without more than we know goes as the link itself."""
    if not media.url and not media.ref:
        raise PermanentError("LINE takes files by link: the file has neither url nor ref", code="no_file")
    if media.url and not media.url.startswith("https://"):
        raise PermanentError("LINE takes https links only", code="bad_url")
    uploads, name = () if media.url else (media,), f"{media.name}\n" if media.name else ""
    url: str | Body = media.url or {"ref": media.ref}  # until `send` has the application's link
    match media.kind:
        case Kind.STICKER:
            raise PermanentError("LINE sends stickers of its own only, as PACKAGE/STICKER", code="unsupported")
        case Kind.IMAGE:
            large = preview_url and media.size is not None and media.size > PREVIEW
            preview = preview_url if large else url
            return {"type": "image", "originalContentUrl": url, "previewImageUrl": preview}, uploads
        case Kind.VIDEO if preview_url:
            return {"type": "video", "originalContentUrl": url, "previewImageUrl": preview_url}, uploads
        case Kind.AUDIO | Kind.VOICE if media.seconds is not None:
            duration = round(media.seconds * 1000)
            return {"type": "audio", "originalContentUrl": url, "duration": duration}, uploads
    return _text(f"{name}{url}" if isinstance(url, str) else {**url, "before": name}, *uploads)


def _button(button: Button) -> Body:
    action: Body = {"type": "uri", "label": button.title, "uri": button.url}
    if not button.url:
        action = {"type": "postback", "label": button.title, "data": button.payload, "displayText": button.title}
    return {"type": "action", "action": action}


async def send(api: Api, call: Call, services: Services) -> Receipt:
    """Make one call: a message as a reply while its token lives, else, or where LINE has forgotten it, as a push."""
    if call.action == READ:
        await api.call(services, "POST", "/v2/bot/chat/markAsRead", call.body)
        return Receipt()
    if call.action == TYPING:
        await api.call(services, "POST", "/v2/bot/chat/loading/start", call.body)
        return Receipt()
    links = {file.ref: await services.files.link(file.ref, LINK_SECONDS) for file in call.uploads}
    messages, reply = _linked(call.body["messages"], links), call.body.get("reply")
    if reply and await _may_reply(call, reply, services):
        body = {"replyToken": reply["token"], "messages": messages}
        answer = await api.ask(services, "POST", "/v2/bot/message/reply", body, repeatable=False)
        if answer.status != 400 or not message_of(answer).lower().startswith(INVALID_REPLY_TOKEN):
            return _receipt(answer, services, repeatable=False)
        await _note("push", call, services)
    push = {"to": call.body["to"], "messages": messages}
    headers = {"X-Line-Retry-Key": str(uuid5(RETRY_KEYS, call.key))}
    answer = await api.ask(services, "POST", "/v2/bot/message/push", push, headers=headers, repeatable=False)
    return _receipt(answer, services, repeatable=True)


def _receipt(answer: HttpResponse, services: Services, *, repeatable: bool) -> Receipt:
    """Name the messages; 409 says that this retry key was taken before. A failure of LINE's may have been taken too,
    which harms a reply, for it has no such key; 503 alone says that nothing was done.
    """
    if answer.status != 409:
        if answer.status >= 500 and answer.status != 503 and not repeatable:
            raise AmbiguousError(str(refusal(answer, services)), code=str(answer.status))
        result(answer, services)
    try:
        ids = tuple(identifier(message["id"]) for message in answer.json()["sentMessages"])
    except (LookupError, TypeError, ValueError):
        ids = ()
    if not ids and answer.status != 409:
        raise AmbiguousError("LINE answered without the ids of the messages", code="unreadable")
    return Receipt(ids)


def _linked(value: Any, links: Mapping[str, str]) -> Any:
    """Put the links where files were named."""
    if isinstance(value, Mapping):
        if "ref" in value:
            return value.get("before", "") + links[value["ref"]]
        return {name: _linked(one, links) for name, one in value.items()}
    return [_linked(one, links) for one in value] if isinstance(value, list) else value


async def _may_reply(call: Call, reply: Mapping[str, str], services: Services) -> bool:
    """Decide how the call goes and note it before it goes, for `reconcile`; what was pushed once is pushed again."""
    fresh = services.clock.now() < datetime.fromisoformat(reply["until"])
    pushed = await services.state.get(_slot(call)) == f"push {call.key}"
    way = "reply" if fresh and not pushed else "push"
    return await _note(way, call, services) and way == "reply"


async def _note(way: str, call: Call, services: Services) -> bool:
    slot = _slot(call)
    return await services.state.compare_and_set(slot, await services.state.get(slot), f"{way} {call.key}")


def _slot(call: Call) -> str:
    """Give the place of a call's note; so many places hold the newest, and none has to be cleared."""
    return f"sent:{crc32(call.key.encode()) % NOTES}"


async def reconcile(call: Call, services: Services) -> Reconciled:
    """Tell whether a call may be made again: a push may, for LINE knows a repeat by its retry key."""
    if call.resend is Resend.SAFE or await services.state.get(_slot(call)) == f"push {call.key}":
        return NotTaken()
    return Unknown("it was sent as a reply, which LINE cannot be asked about")
