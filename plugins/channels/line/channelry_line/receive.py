"""Receiving: whether a webhook is LINE's, and what its events tell.

Sources: https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects and …/#message-event
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

import orjson

from channelry import hookimpl, model
from channelry.parsing import each, identifier, mapping, number, received, sequence, size, string, timestamp
from channelry_webapi import Content, Reader, place, read, require_hmac

from .capabilities import SCHEME
from .connection import Account

SIGNATURE = b"x-line-signature"
TOKENS = REPLY_TOKEN, QUOTE_TOKEN, READ_TOKEN = "replyToken", "quoteToken", "markAsReadToken"
"""What the context of a message holds: rights to answer it for free and to quote it, and to mark it as read."""


@hookimpl
def verify(account: Account, request: model.Request) -> None:
    """Raise RejectedError unless the body is signed with one of the channel's secrets."""
    require_hmac(request.header(SIGNATURE), request.body, account.config.channel_secret, b64encode, "LINE")


@hookimpl
def parse(account: Account, request: model.Request) -> model.Received:
    """Read the events of one webhook; LINE asks with none whether the address is good."""
    return received(request, partial(_events, request.received_at))


def _events(at: datetime, body: Any) -> Iterator[model.Event | str]:
    account = identifier(body["destination"])
    yield from each(body["events"], partial(_event, account, at), at, account)


def _event(account: str, at: datetime, row: Any) -> model.Event | str:
    kind = string(row["type"])
    if (reader := _EVENTS.get(kind)) is None:
        return f"event {kind:.40}"
    occurred_at = timestamp(row.get("timestamp"), at)
    return reader(row, {"account": account, "key": identifier(row["webhookEventId"]), "occurred_at": occurred_at})


_Common: TypeAlias = Mapping[str, Any]


def _source(row: Any) -> tuple[model.Address, model.Address | None]:
    """Tell who did something, and the group where. People of a group who never consented are not named: it is, then."""
    source = row["source"]
    where, user = source.get("groupId") or source.get("roomId"), source.get("userId")
    group = model.Address(SCHEME, identifier(where)) if where else None
    if group is not None and user is None:
        return group, group
    return model.Address(SCHEME, identifier(user)), group


def _whole(row: Any) -> model.Address:
    """Tell whom an event is about as a whole: the group, else the person."""
    sender, group = _source(row)
    return group or sender


def _message(row: Any, common: _Common) -> model.Event:
    message = row["message"]
    (sender, group), (text, parts) = _source(row), read(message, _CONTENTS)
    quoted, album = message.get("quotedMessageId"), message.get("imageSet")
    reply = None if row.get("mode") == "standby" else row.get(REPLY_TOKEN)  # another application answers then
    rights = reply, message.get(QUOTE_TOKEN), message.get(READ_TOKEN)
    return model.MessageReceived(
        **common,
        sender=model.Profile(address=sender),
        external_id=identifier(message["id"]),
        text=text,
        parts=parts,
        reply_to=None if quoted is None else model.Quote(external_id=identifier(quoted)),
        thread=None if group is None else model.Thread(root=group.value),
        reply_address=group,
        album="" if album is None else identifier(album["id"]),
        context={name: string(token) for name, token in zip(TOKENS, rights, strict=True) if token},
    )


def _pressed(row: Any, common: _Common) -> model.Event:
    """Read a pressed button as a message, which has no id but the event's."""
    return _message({**row, "message": {**row["postback"], "type": "postback", "id": common["key"]}}, common)


def _edited(row: Any, common: _Common) -> model.Event:
    (sender, _), (text, parts) = _source(row), read(row["message"], _CONTENTS)
    name = identifier(row["message"]["id"])
    return model.MessageEdited(**common, sender=sender, external_id=name, text=text, parts=parts)


def _unsent(row: Any, common: _Common) -> model.Event:
    return model.MessageDeleted(**common, external_id=identifier(row["unsend"]["messageId"]), sender=_source(row)[0])


def _consent(event: type[model.OptedIn | model.OptedOut], row: Any, common: _Common) -> model.Event:
    """Read that a person added or blocked us, a group took us in or put us out: LINE drops what is sent there then,
    without a word."""
    return event(**common, sender=_whole(row))


def _members(name: str, row: Any, common: _Common) -> model.Event:
    """Read that others came to a group or left it; who does not show LINE's apps an id is not named."""
    who = [identifier(one["userId"]) for one in sequence(row[name]["members"]) if "userId" in one]
    sender, values = model.Profile(address=_whole(row)), {"members": " ".join(who)}
    return model.Activity(**common, sender=sender, name=name, values=values)


def _activity(name: str, row: Any, common: _Common, field: str = "") -> model.Event:
    """Read something that a customer did besides writing, with all that LINE tells of it."""
    told = {key: str(value) for key, value in mapping(row.get(field or name)).items()}
    return model.Activity(**common, sender=model.Profile(address=_source(row)[0]), name=name, values=told)


def _health(row: Any, common: _Common) -> model.Event:
    """Read that LINE lets the account work, or no longer."""
    return model.AccountHealth(**common, code=row["type"], healthy=row["type"] in _HEALTHY)


_HEALTHY, _UNHEALTHY = ("activated", "botResumed"), ("deactivated", "botSuspended")
_EVENTS: Mapping[str, Callable[[Any, _Common], model.Event]] = {
    "message": _message,
    "postback": _pressed,
    "messageEdited": _edited,
    "unsend": _unsent,
    **dict.fromkeys(("follow", "join"), partial(_consent, model.OptedIn)),
    **dict.fromkeys(("unfollow", "leave"), partial(_consent, model.OptedOut)),
    "memberJoined": partial(_members, "joined"),
    "memberLeft": partial(_members, "left"),
    "accountLink": partial(_activity, "account-link", field="link"),
    "beacon": partial(_activity, "beacon"),
    "videoPlayComplete": partial(_activity, "video-played", field="videoPlayComplete"),
    "membership": partial(_activity, "membership"),
    **dict.fromkeys((*_HEALTHY, *_UNHEALTHY), _health),
}


def _file(kind: model.Kind, message: Mapping[str, Any]) -> Content:
    """Read a file, which LINE holds under the message's id, unless an application of its own brought a link."""
    milliseconds = message.get("duration")
    media = model.Media(
        kind=kind,
        id=identifier(message["id"]),
        url=string(mapping(message.get("contentProvider")).get("originalContentUrl")),
        name=string(message.get("fileName")),
        size=size(message.get("fileSize")),
        seconds=None if milliseconds is None else number(milliseconds) / 1000,
    )
    return "", (media,)


def _sticker(message: Mapping[str, Any]) -> Content:
    """Read a sticker, which takes two ids to send, and the words that a customer wrote on it."""
    both = f"{identifier(message['packageId'])}/{identifier(message['stickerId'])}"
    return string(message.get("text")), (model.Sticker(id=both),)


def _postback(pressed: Mapping[str, Any]) -> Content:
    """Read a pressed button; a date that was picked, or the menu that it led to, stands beside it."""
    data, picked = string(pressed["data"]), pressed.get("params")
    button = model.Postback(payload=data)
    return "", (button, model.FormReply(name=data, answers=orjson.dumps(picked).decode())) if picked else (button,)


_CONTENTS: Mapping[str, Reader] = {
    "text": lambda message: (string(message["text"]), ()),
    "image": partial(_file, model.Kind.IMAGE),
    "video": partial(_file, model.Kind.VIDEO),
    "audio": partial(_file, model.Kind.AUDIO),
    "file": partial(_file, model.Kind.DOCUMENT),
    "location": lambda message: ("", (place(message, "title"),)),
    "sticker": _sticker,
    "postback": _postback,
}
