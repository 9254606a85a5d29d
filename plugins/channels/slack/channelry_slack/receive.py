"""Receiving: whether a request is Slack's, and what its event or its pressed button tells.

Sources: https://docs.slack.dev/authentication/verifying-requests-from-slack, https://docs.slack.dev/apis/events-api
and https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from binascii import hexlify
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import orjson
from attrs import evolve

from channelry import hookimpl, model
from channelry.errors import RejectedError
from channelry.parsing import each, identifier, mapping, received, sequence, string, timestamp
from channelry_webapi import require_hmac, unsupported

from . import content
from .capabilities import HOUSEKEEPING, SAID, SCHEME, WINDOW
from .connection import Workspace
from .emoji import emoji_of
from .markup import plain

SIGNATURE, TIMESTAMP = b"x-slack-signature", b"x-slack-request-timestamp"
THREAD = "thread_ts"
"""What the context of a message holds: the thread that an answer goes to."""
LINK = "link:"
"""What the `action_id` of our buttons begins with that only open a link."""
_FORM = b"application/x-www-form-urlencoded"


@hookimpl
def verify(workspace: Workspace, request: model.Request) -> None:
    """Raise RejectedError unless body and time are signed with one of the secrets, and the time is about now."""
    at, given = request.header(TIMESTAMP), request.header(SIGNATURE)
    signed = b"v0:%b:%b" % (at, request.body)
    require_hmac(given, signed, workspace.config.signing_secret, lambda mac: b"v0=" + hexlify(mac), "Slack")
    if not (at.isdigit() and len(at) < 12 and abs(int(at) - request.received_at.timestamp()) <= WINDOW):
        raise RejectedError(f"the request is not of these {WINDOW} seconds")


@hookimpl
def parse(workspace: Workspace, request: model.Request) -> model.Received:
    """Read one request: an event, the handshake, or a form, whose field `payload` is the JSON of a pressed button."""
    form = request.header(b"content-type").startswith(_FORM)
    found = received(request, partial(_read, request.received_at), _form if form else model.Request.json)
    if found.events or found.ignored:
        return found
    return evolve(found, answer=model.Response(body=identifier(request.json()["challenge"]).encode()))


def _form(request: model.Request) -> Any:
    fields = dict(parse_qsl(request.body.decode(errors="replace")))
    body = {"type": "slash command"} if "command" in fields else orjson.loads(fields["payload"])
    return body if body["type"] == "block_actions" else {"type": f"form {string(body['type'])}"}


_Common: TypeAlias = Mapping[str, Any]
_Ours: TypeAlias = tuple[str, str]
"""The ids of this app's user in the workspace and of the app, or `""`: what they write is no customer's."""
_Place: TypeAlias = tuple[model.Thread | None, model.Quote | None, dict[str, str]]
_Reader: TypeAlias = Callable[[Any, _Common, _Ours], model.Event | str]


def _read(now: datetime, body: Any) -> Iterable[model.Event | str]:
    kind = body["type"]
    if kind == "event_callback":
        return [_event(now, body)]
    if kind == "url_verification":
        identifier(body["challenge"])
        return []  # the handshake tells nothing, and `parse` answers it
    if kind == "app_rate_limited":
        minute, account = identifier(body["minute_rate_limited"]), identifier(body["team_id"])
        detail, at = "Slack dropped events of this minute, for there were too many", timestamp(minute, now)
        return [model.AccountHealth(account=account, key=f"{kind}:{minute}", occurred_at=at, code=kind, detail=detail)]
    if kind == "block_actions":
        account = identifier((body.get("team") or {}).get("id") or body["user"]["team_id"])
        return each(body["actions"], partial(_pressed, now, account, body), now, account) or ["nothing was pressed"]
    return [f"request {string(kind):.40}"]


def _event(now: datetime, body: Any) -> model.Event | str:
    event = body["event"]
    reader = _READERS.get(event["type"])
    if reader is None:
        return f"event {string(event['type']):.40}"
    app = (sequence(body.get("authorizations")) or ({},))[0]  # one at most, says Slack
    account, key = identifier(app.get("team_id") or body["team_id"]), identifier(body["event_id"])
    at = timestamp(event.get("ts") or event.get("event_ts") or body.get("event_time"), now)
    ours = string(app.get("user_id")) if app.get("is_bot") else "", string(body.get("api_app_id"))
    return reader(event, {"account": account, "key": key, "occurred_at": at}, ours)


def _address(common: _Common, value: Any) -> model.Address:
    return model.Address(SCHEME, identifier(value), common["account"])


def _wrote(message: Mapping[str, Any], ours: _Ours) -> bool:
    """Tell whether a message is this app's own."""
    app = message.get("app_id") or mapping(message.get("bot_profile")).get("app_id")
    return message.get("user") in ours or app in ours


def _message(row: Any, common: _Common, ours: _Ours) -> model.Event | str:
    subtype = row.get("subtype")
    if reader := _SUBTYPES.get(subtype):
        return reader(row, common, ours)
    if subtype in HOUSEKEEPING:
        return f"message {subtype}"
    if _wrote(row, ours):
        return "written by this app"
    text, parts = content.read(row)
    if subtype and subtype not in SAID:
        parts = (*parts, unsupported(f"message {subtype}", row))
    channel, ts = identifier(row["channel"]), identifier(row["ts"])
    external_id, attached = f"{channel}:{ts}", row.get("attachments")
    thread, reply_to, context = _place(channel, row.get("channel_type"), ts, string(row.get("thread_ts")))
    public = thread is not None and thread.root != channel
    mentioned = public and (row["type"] == "app_mention" or _names(row.get("text"), ours[0]))
    sender = _address(common, row.get("user") or row["bot_id"])
    return model.MessageReceived(
        account=common["account"],
        key=external_id,
        occurred_at=common["occurred_at"],
        sender=model.Profile(address=sender, name=string(row.get("username"))),
        external_id=external_id,
        text=text,
        parts=parts,
        reply_to=reply_to,
        surface=model.Surface.MENTION if mentioned else model.Surface.DIRECT,
        thread=thread,
        reply_address=_address(common, channel),
        automatic=bool(row.get("bot_id")),
        forwarded=any(one.get("is_share") for one in sequence(attached)) if attached else False,
        context=context,
    )


def _names(text: Any, user: str) -> bool:
    """Tell whether a text speaks of a user: `<@U1>`, or with a name, `<@U1|care>`."""
    return bool(user and text) and (f"<@{user}>" in text or f"<@{user}|" in text)


def _place(channel: str, kind: Any, ts: str, thread_ts: str) -> _Place:
    """Tell where a message stands, and what an answer repeats: in a conversation of one or several people, or in a
    channel, where each message begins a thread of its own that the answers go to."""
    root, answers = f"{channel}:{thread_ts or ts}", thread_ts not in ("", ts)
    if kind == "im" or kind == "mpim" or channel.startswith("D"):
        thread = model.Thread(root=channel) if kind == "mpim" else None
        return thread, model.Quote(external_id=root) if answers else None, {THREAD: thread_ts} if thread_ts else {}
    thread = model.Thread(root=root, parent=root if answers else "", depth=int(answers))
    return thread, None, {THREAD: thread_ts or ts}


def _changed(row: Any, common: _Common, ours: _Ours) -> model.Event | str:
    """Read an edit; Slack tells of links that it shows a preview of in the same way, and of the deletion of a message
    that has answers."""
    message, before = row["message"], mapping(row.get("previous_message"))
    if message.get("subtype") == "tombstone":
        return _deleted({**row, "deleted_ts": message["ts"]}, common, ours)
    if _wrote(message, ours):
        return "written by this app"
    if message.get("text") == before.get("text") and _files(message) == _files(before):
        return "nothing that a customer changed"
    text, parts = content.read(message)
    sender, place = _address(common, message.get("user") or message["bot_id"]), _id(row["channel"], message["ts"])
    return model.MessageEdited(**common, sender=sender, external_id=place, text=text, parts=parts)


def _files(message: Mapping[str, Any]) -> list[Any]:
    """Name a message's files; what else Slack tells of them changes by itself."""
    return [one["id"] for one in sequence(message.get("files"))]


def _deleted(row: Any, common: _Common, ours: _Ours) -> model.Event | str:
    before = mapping(row.get("previous_message"))
    if _wrote(before, ours):
        return "written by this app"
    user = before.get("user") or before.get("bot_id")
    sender = None if user is None else _address(common, user)
    return model.MessageDeleted(**common, external_id=_id(row["channel"], row["deleted_ts"]), sender=sender)


def _reaction(row: Any, common: _Common, ours: _Ours) -> model.Event | str:
    item, on = row["item"], row["type"] == "reaction_added"
    if item["type"] != "message":
        return f"a reaction to a {string(item['type']):.40}"
    if row["user"] in ours:
        return "a reaction of this app"
    sender, emoji = _address(common, row["user"]), emoji_of(string(row["reaction"]))
    place = _id(item["channel"], item["ts"])
    return model.ReactionChanged(**common, sender=sender, external_id=place, emoji=emoji, on=on)


def _activity(name: str, row: Any, common: _Common, ours: _Ours) -> model.Event:
    """Read something that a person did besides writing, and where."""
    if row["user"] in ours:  # a channel took the app in
        return model.OptedIn(**common, sender=_address(common, row["channel"]))
    values = {"channel": identifier(row["channel"])} if "channel" in row else {}
    sender = model.Profile(address=_address(common, row["user"]))
    return model.Activity(**common, sender=sender, name=name, values=values)


def _left(row: Any, common: _Common, ours: _Ours) -> model.Event:
    """Read that a channel put the app out."""
    return model.OptedOut(**common, sender=_address(common, row["channel"]))


def _health(row: Any, common: _Common, ours: _Ours) -> model.Event:
    return model.AccountHealth(**common, code=row["type"])


_SUBTYPES: Mapping[Any, _Reader] = {"message_changed": _changed, "message_deleted": _deleted}
_READERS: Mapping[str, _Reader] = {
    "message": _message,
    "app_mention": _message,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "member_joined_channel": partial(_activity, "joined"),
    "member_left_channel": partial(_activity, "left"),
    "app_home_opened": partial(_activity, "opened"),
    "channel_left": _left,
    "group_left": _left,
    "tokens_revoked": _health,
    "app_uninstalled": _health,
}


def _pressed(now: datetime, account: str, body: Any, action: Any) -> model.Event | str:
    name, at = identifier(action["action_id"]), action.get("action_ts")
    if name.startswith(LINK):
        return "a link was opened"
    if "channel" not in body:
        return "a button that is in no message"
    channel, message, user = body["channel"], mapping(body.get("message")), body["user"]
    ts = identifier(mapping(body.get("container")).get("message_ts") or message["ts"])
    where, who = identifier(channel["id"]), identifier(user["id"])
    kind = "mpim" if string(channel.get("name")).startswith("mpdm-") else ""
    thread, _, context = _place(where, kind, ts, string(message.get("thread_ts")))
    key = f"{where}:{ts}:{who}:{name}:{string(at)}"
    common: _Common = {"account": account, "key": key, "occurred_at": timestamp(at, now)}
    return model.MessageReceived(
        **common,
        sender=model.Profile(address=_address(common, who), name=string(user.get("name"))),
        reply_address=_address(common, where),
        external_id=key,
        parts=(_part(name, action),),
        reply_to=model.Quote(external_id=f"{where}:{ts}", text=plain(string(message.get("text")))),
        thread=thread,
        context=context,
    )


def _part(name: str, action: Mapping[str, Any]) -> model.Part:
    """Read a button; what was chosen or written in another element is the answer to a form."""
    if action["type"] == "button":
        title = string(mapping(action.get("text")).get("text"))
        return model.Postback(payload=string(action.get("value")) or name, title=title)
    return model.FormReply(name=name, answers=orjson.dumps(action).decode())


def _id(channel: Any, ts: Any) -> str:
    return f"{identifier(channel)}:{identifier(ts)}"
