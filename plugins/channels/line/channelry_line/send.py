"""Sending: from an action to calls of the Messaging API, and the calls themselves.

A reply is free, but needs the token of a customer's message, once and within a minute, and cannot be repeated safely.
A push counts against the month's quota, and may be repeated with its retry key.
Sources: https://developers.line.biz/en/reference/messaging-api/#send-reply-message, …/#send-push-message and
https://developers.line.biz/en/docs/messaging-api/retrying-api-request/
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5
from zlib import crc32

from channelry import hookimpl, model
from channelry.errors import AmbiguousError, PermanentError
from channelry.services import HttpResponse, Services
from channelry.text import split
from channelry_webapi import Body, Draft, Piece, batches, calls, change, content, ids, require_link, unreadable

from .capabilities import GROUPS, MESSAGE, MESSAGES, PLACE_NAME, PREVIEW, READ, REPLY_WITHIN, TYPING, TYPING_SECONDS
from .connection import Account
from .receive import QUOTE_TOKEN, READ_TOKEN, REPLY_TOKEN
from .refusals import message_of, refused

INVALID_REPLY_TOKEN = "invalid reply token"
LINK_SECONDS = 30 * 86_400
"""How long a link to a file of ours holds: LINE stores no copy, customers' apps load it each time."""

RETRY_KEY, RETRY_KEYS = "x-line-retry-key", UUID("7d1f4c9e-3b86-5a0e-9c55-2f1d0a6b8e43")
"""The header, and the name space in which a call's key becomes the UUID that LINE wants in it."""
PUSH_AGAIN_WITHIN = timedelta(hours=23)
"""LINE knows a push again by its retry key for 24 hours [k]; what is left is for the way."""
NOTES = 1024
"""How many notes of pushes are kept; a newer one takes an older one's place."""


@hookimpl
def compose(account: Account, outbound: model.Outbound) -> Sequence[model.Call]:
    """Turn an action into calls; messages go in fives, and the first five as a reply where there is a token."""
    account.capabilities.admit(outbound)
    target = outbound.target
    if isinstance(outbound, model.SendMessage):
        return calls(outbound, _message(account, outbound))
    if isinstance(outbound, model.ShowTyping):
        if target.thread is not None or target.to.value.startswith(GROUPS):
            raise PermanentError("LINE shows typing to one person only, not in groups", code="unsupported")
        body = {"chatId": target.to.value, "loadingSeconds": TYPING_SECONDS}
        return change(outbound, TYPING, body) if outbound.on else []  # it ends by itself
    if not (token := target.context.get(READ_TOKEN)):
        raise PermanentError("LINE marks as read by a token, which this message did not bring", code="no_token")
    return change(outbound, READ, {"markAsReadToken": token})


def _message(account: Account, message: model.SendMessage) -> Iterator[Draft]:
    limits, preview_url = account.capabilities, account.config.preview_url
    pieces = [_text(piece) for piece in split(message.text, limits.text, limits.unit.measure)]
    pieces += [_part(part, preview_url) for part in message.parts]
    if not pieces:
        raise PermanentError("buttons need a text or a file on LINE", code="empty")
    target, first, last = message.target, pieces[0][0], pieces[-1][0]
    if message.quote and (quote := target.context.get(QUOTE_TOKEN)) and first["type"] in ("text", "sticker"):
        first["quoteToken"] = quote
    if message.buttons:
        last["quickReply"] = {"items": [_button(one) for one in message.buttons]}
    token, at = target.context.get(REPLY_TOKEN), target.reply_to_at
    reply = {"reply": {"token": token, "until": (at + REPLY_WITHIN).isoformat()}} if token and at else {}
    for five in batches(pieces, MESSAGES):
        body = {"to": target.to.value, "messages": [body for body, _ in five], **reply}
        uploads = tuple(file for _, files in five for file in files)
        yield Draft(MESSAGE, body, uploads, None if reply else model.Resend.SAFE)
        reply = {}


def _text(text: str | Body, *uploads: model.Media) -> Piece:
    return {"type": "text", "text": text}, uploads


def _part(part: Any, preview_url: str) -> Piece:
    if isinstance(part, model.Location):
        degrees = f"{part.latitude:g}, {part.longitude:g}"  # where it has neither, for LINE wants both
        words = {"title": part.name or part.address or degrees, "address": part.address or part.name or degrees}
        if any(len(one) > PLACE_NAME for one in words.values()):
            raise PermanentError(f"a place's name has at most {PLACE_NAME} characters", code="too_long")
        return {"type": "location", **words, "latitude": part.latitude, "longitude": part.longitude}, ()
    if isinstance(part, model.Media) and part.kind is not model.Kind.STICKER:
        return _file(part, preview_url)
    package, _, sticker = part.id.partition("/")
    if not (package.isdecimal() and sticker.isdecimal()):
        raise PermanentError("LINE sends stickers of its own only, as PACKAGE/STICKER", code="unsupported")
    return {"type": "sticker", "packageId": package, "stickerId": sticker}, ()


def _file(media: model.Media, preview_url: str) -> Piece:
    """Show a file by its link; what LINE cannot show without more than we know goes as the link itself."""
    require_link(media, "https://")
    uploads, name = () if media.url else (media,), f"{media.name}\n" if media.name else ""
    url: str | Body = media.url or {"ref": media.ref}  # until `send` has the application's link
    match media.kind:
        case model.Kind.IMAGE:
            preview = preview_url if preview_url and (media.size or 0) > PREVIEW else url
            return {"type": "image", "originalContentUrl": url, "previewImageUrl": preview}, uploads
        case model.Kind.VIDEO if preview_url:
            return {"type": "video", "originalContentUrl": url, "previewImageUrl": preview_url}, uploads
        case model.Kind.AUDIO | model.Kind.VOICE if media.seconds is not None:
            return {"type": "audio", "originalContentUrl": url, "duration": round(media.seconds * 1000)}, uploads
    return _text(f"{name}{url}" if isinstance(url, str) else {**url, "before": name}, *uploads)


def _button(button: model.Button) -> Body:
    action: Body = {"type": "uri", "label": button.title, "uri": button.url}
    if not button.url:
        action = {"type": "postback", "label": button.title, "data": button.payload, "displayText": button.title}
    return {"type": "action", "action": action}


@hookimpl
async def send(account: Account, call: model.Call, services: Services) -> model.Receipt:
    """Make one call: a message as a reply while its token lives, else, or where LINE has forgotten it, as a push."""
    if call.action != MESSAGE:
        await account.client.call(services, "POST", call.action, json=call.body)
        return model.Receipt()
    links = {file.ref: await services.files.link(file.ref, LINK_SECONDS) for file in call.uploads}
    messages, reply = [_linked(one, links) for one in call.body["messages"]], call.body.get("reply")
    now, pushed = services.clock.now(), await _pushed(call, services) if reply else None
    if reply and not pushed and now < datetime.fromisoformat(reply["until"]):
        body = {"replyToken": reply["token"], "messages": messages}
        answer = await account.client.ask(services, "POST", "/message/reply", json=body, repeatable=False)
        if answer.status != 400 or not message_of(answer).lower().startswith(INVALID_REPLY_TOKEN):
            return _receipt(answer, services, repeatable=False)
    if reply and not pushed:  # what was pushed once is pushed again
        slot = _slot(call)
        await services.state.compare_and_set(slot, await services.state.get(slot), f"{call.key} {now.isoformat()}")
    push, headers = {"to": call.body["to"], "messages": messages}, {RETRY_KEY: str(uuid5(RETRY_KEYS, call.key))}
    answer = await account.client.ask(services, "POST", "/message/push", json=push, headers=headers, repeatable=False)
    return _receipt(answer, services, repeatable=True)


def _linked(message: Body, links: Mapping[str, str]) -> Body:
    """Put the links where files were named."""
    named = {name: value for name, value in message.items() if isinstance(value, Mapping) and "ref" in value}
    return {**message, **{name: value.get("before", "") + links[value["ref"]] for name, value in named.items()}}


def _receipt(answer: HttpResponse, services: Services, *, repeatable: bool) -> model.Receipt:
    """Name the messages; 409 says that this retry key was taken before. A failure of LINE's may have been taken too,
    which harms a reply, for it has no such key; 503 alone says that nothing was done.
    """
    status = answer.status
    if not 200 <= status < 300 and status != 409:
        doubtful = status >= 500 and status != 503 and not repeatable
        raise refused(answer, services, AmbiguousError if doubtful else None)
    made = ids(content(answer).get("sentMessages"))
    if not made and status != 409:
        raise unreadable(repeatable=False)
    return model.Receipt(made)


def _slot(call: model.Call) -> str:
    """Give the place of a call's note; so many places hold the newest, and none has to be cleared."""
    return f"pushed:{crc32(call.key.encode()) % NOTES}"


async def _pushed(call: model.Call, services: Services) -> datetime | None:
    """Tell when a call first became a push, if it did."""
    key, _, moment = (await services.state.get(_slot(call)) or "").rpartition(" ")
    return datetime.fromisoformat(moment) if key == call.key else None


@hookimpl
async def reconcile(account: Account, call: model.Call, services: Services) -> model.Reconciled:
    """Tell whether a call may be made again: a push may, for LINE knows a repeat by its retry key, but not for long."""
    pushed = await _pushed(call, services)
    if call.resend is model.Resend.SAFE or (pushed and services.clock.now() - pushed < PUSH_AGAIN_WITHIN):
        return model.NotTaken()
    return model.Unknown("it was sent as a reply, or long ago, which LINE cannot be asked about")
