"""What we send in conversations of Messenger and Instagram: actions into calls, calls into requests.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import orjson
from attrs import frozen

from channelry import model
from channelry.errors import AmbiguousError, AuthError, PermanentError, RecipientError, WindowClosedError
from channelry.services import Services
from channelry.text import split

from .conversations import BARE, REFERENCE, STANDBY
from .graph import LOADING, PATIENCE, Graph, named

MESSAGE, MEDIA, SIGN, PRIVATE = "message", "media", "sign", "private_reply"
"""The actions: text and pictures, audio and video, signs that may be repeated, the one private answer to a comment."""

WINDOW = timedelta(hours=24)
"""How long everybody may answer freely."""
HUMAN_AGENT_WINDOW = timedelta(days=7)
"""How long a person may answer, where the app has the right to the tag HUMAN_AGENT."""

ASIDE_RATES = (model.Rate(model.RateScope.CONNECTION, 750, 3600, frozenset({PRIVATE})),)
"""How many private replies an account sends.
Source: https://developers.facebook.com/docs/graph-api/overview/rate-limiting"""
RATES = (
    model.Rate(model.RateScope.CONNECTION, 300, 1, frozenset({MESSAGE, SIGN})),
    model.Rate(model.RateScope.CONNECTION, 10, 1, frozenset({MEDIA})),
    *ASIDE_RATES,
)
"""How much an account sends, audio and video apart. Source: as above"""

TEMPLATE_BUTTONS = 3
"""How many buttons a template has; more of them are quick replies, which open no links."""

Body: TypeAlias = dict[str, Any]

_WIRE_TYPES = {
    model.Kind.IMAGE: "image",
    model.Kind.AUDIO: "audio",
    model.Kind.VOICE: "audio",
    model.Kind.VIDEO: "video",
    model.Kind.DOCUMENT: "file",
}
_SLOW = frozenset({model.Kind.AUDIO, model.Kind.VOICE, model.Kind.VIDEO})
_LAST_INBOUND = "last_inbound_at"
_REFUSED = (PermanentError, WindowClosedError, RecipientError, AuthError)


@frozen
class Dialect:
    """What differs between the services.

    - `scheme`: of people's addresses; `sticker`, `reaction`: what is sent for a sticker and an emoji.
    - `templates`: there are button templates; `metadata`: an echo bears our key.
    - `reusable`: a file that is sent by its link is kept by Meta.
    - `platform`: what an upload says that it is for, or `""`.
    """

    scheme: str
    sticker: Callable[[model.Sticker], Body]
    reaction: Callable[[str], str] = str
    templates: bool = True
    metadata: bool = True
    reusable: bool = True
    platform: str = ""


def compose(
    outbound: model.Outbound, limits: model.Capabilities, dialect: Dialect, *, tagged: bool
) -> Sequence[model.Call]:
    """Turn an admitted action into calls; `limits` are those that hold at its target.

    `tagged`: the app has the right to HUMAN_AGENT, so `send` needs to know when the customer last wrote.
    """
    target, key = outbound.target, f"{outbound.key}:0"
    if isinstance(outbound, model.SendMessage):
        return list(_messages(outbound, limits, dialect, tagged))
    if isinstance(outbound, model.React):
        payload = {"message_id": outbound.external_id}
        if outbound.on:
            payload["reaction"] = dialect.reaction(outbound.emoji)
        return [_sign(key, target, "react" if outbound.on else "unreact", payload=payload)]
    if isinstance(outbound, model.MarkRead):
        return [_sign(key, target, "mark_seen")]
    if isinstance(outbound, model.ShowTyping):
        return [_sign(key, target, "typing_on" if outbound.on else "typing_off")]
    raise PermanentError(f"conversations have no {outbound.kind}", code="unsupported")


def _sign(key: str, target: model.Target, action: str, **more: Any) -> model.Call:
    body = {"recipient": _recipient(target.to), "sender_action": action, **more}
    return model.Call(key=key, to=target.to, action=SIGN, body=body, resend=model.Resend.SAFE)


def _recipient(to: model.Address) -> Body:
    return {"user_ref" if to.scheme.endswith(REFERENCE) else "id": to.value}


def _messages(
    message: model.SendMessage, limits: model.Capabilities, dialect: Dialect, tagged: bool
) -> Iterator[model.Call]:
    target = message.target
    common: Body = {"recipient": _recipient(target.to)}
    aside = target.thread is not None and not target.thread.private
    if aside:
        if not target.reply_to:
            raise PermanentError("a private reply needs the comment that it answers in reply_to", code="no_comment")
        named = "post_id" if target.thread and target.thread.root == target.reply_to else "comment_id"
        common = {"recipient": {named: target.reply_to}}
    else:
        if tagged and target.last_inbound_at is not None:
            common[_LAST_INBOUND] = target.last_inbound_at.isoformat()
        if target.context.get(STANDBY):
            common[STANDBY] = True
    pieces = list(_pieces(message, limits, dialect))
    if aside and len(pieces) > 1:
        raise PermanentError(f"a private reply is one message of at most {limits.text} {limits.unit}", code="too_long")
    quoted = message.quote and target.reply_to and not target.reply_to.startswith(BARE)
    for index, (action, content, *uploads) in enumerate(pieces):
        key = f"{message.key}:{index}"
        body = common | {"message": content | ({"metadata": key} if dialect.metadata else {})}
        if quoted and not index and not aside:
            body["reply_to"] = {"mid": target.reply_to}
        yield model.Call(
            key=key,
            to=target.to,
            action=PRIVATE if aside else action,
            body=body,
            uploads=tuple(uploads),
            resend=model.Resend.NEVER if aside else None,
        )


_Piece: TypeAlias = tuple[str, Body] | tuple[str, Body, model.Media]
"""One call's action, its message, and the file to upload for it where it has one."""


def _pieces(message: model.SendMessage, limits: model.Capabilities, dialect: Dialect) -> Iterator[_Piece]:
    """Cut a message into what the services can show: files have no captions, buttons come last with their text."""
    for part in message.parts:
        if isinstance(part, model.Media):
            yield _file(part, dialect)
        elif isinstance(part, model.Sticker):
            yield MESSAGE, dialect.sticker(part)
    measure = limits.unit.measure
    if not message.buttons or limits.buttons is None:
        for text in split(message.text, limits.text, measure):
            yield MESSAGE, {"text": text}
        return
    template = dialect.templates and len(message.buttons) <= TEMPLATE_BUTTONS
    most = min(limits.buttons.text, limits.text) if template else limits.text
    *before, last = split(message.text, most, measure) or [""]
    if not last:
        raise PermanentError("buttons need a text", code="empty")
    for text in before:
        yield MESSAGE, {"text": text}
    yield MESSAGE, _template(last, message.buttons) if template else _quick_replies(last, message.buttons)


def _file(media: model.Media, dialect: Dialect) -> _Piece:
    """Name a file by the application's own copy, else by its link, else by Meta's id."""
    if media.ref and not media.media_type:
        raise PermanentError("a file to upload needs its media_type", code="no_media_type")
    linked: Body = {"url": media.url} | ({"is_reusable": True} if dialect.reusable else {})
    payload = {} if media.ref else linked if media.url else {"attachment_id": media.id}
    body: Body = {"attachment": {"type": _WIRE_TYPES[media.kind], "payload": payload}}
    action = MEDIA if media.kind in _SLOW else MESSAGE
    return (action, body, media) if media.ref else (action, body)


def _quick_replies(text: str, buttons: Sequence[model.Button]) -> Body:
    if any(button.url for button in buttons):
        raise PermanentError("quick replies open no links", code="unsupported")
    replies = [{"content_type": "text", "title": button.title, "payload": button.payload} for button in buttons]
    return {"text": text, "quick_replies": replies}


def _template(text: str, buttons: Sequence[model.Button]) -> Body:
    shown = [
        {"type": "web_url", "title": button.title, "url": button.url}
        if button.url
        else {"type": "postback", "title": button.title, "payload": button.payload}
        for button in buttons
    ]
    payload = {"template_type": "button", "text": text, "buttons": shown}
    return {"attachment": {"type": "template", "payload": payload}}


async def send(call: model.Call, graph: Graph, account: str, dialect: Dialect, services: Services) -> model.Receipt:
    """Make one call; `account` is the Page (or Instagram account) that it goes through.

    Before it, control of a conversation that another app owns is taken, and its file uploaded; only the message itself
    can be ambiguous. More than 24 hours after the customer's last message it is tagged as a person's.
    """
    body = dict(call.body)
    since, take = body.pop(_LAST_INBOUND, None), body.pop(STANDBY, False)
    if take:
        with suppress(*_REFUSED):  # it may be ours by now; if it is not, the message itself is refused
            await graph.call(
                services,
                "POST",
                f"{account}/take_thread_control",
                json={"recipient": body["recipient"]},
                repeatable=True,
            )
    for file in call.uploads:
        attachment = body["message"]["attachment"]
        payload = {"attachment_id": await _upload(file, attachment["type"], graph, account, dialect, services)}
        body["message"] = {**body["message"], "attachment": {**attachment, "payload": payload}}
    if call.action in (MESSAGE, MEDIA):
        late = since is not None and services.clock.now() - datetime.fromisoformat(since) > WINDOW
        body |= {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"} if late else {"messaging_type": "RESPONSE"}
    linked = "url" in body.get("message", {}).get("attachment", {}).get("payload", {})
    answer = await graph.call(
        services,
        "POST",
        f"{account}/messages",
        json=body,
        repeatable=call.action == SIGN,
        timeout=LOADING if linked else PATIENCE,
    )
    if call.action == SIGN:
        return model.Receipt()
    message = named(answer.get("message_id"), AmbiguousError)
    known = answer.get("recipient_id")
    if call.action != PRIVATE or type(known) not in (str, int):
        return model.Receipt((message,))
    address = model.Address(dialect.scheme, str(known), call.to.scope)
    return model.Receipt((message,), None if address == call.to else address)


async def _upload(
    media: model.Media, wire_type: str, graph: Graph, account: str, dialect: Dialect, services: Services
) -> str:
    about = {"attachment": {"type": wire_type, "payload": {"is_reusable": True}}}
    form = [("message", orjson.dumps(about).decode())]
    if dialect.platform:
        form.append(("platform", dialect.platform))
    edge = f"{account}/message_attachments"
    return await graph.upload(services, edge, "filedata", media, form, "attachment_id")
