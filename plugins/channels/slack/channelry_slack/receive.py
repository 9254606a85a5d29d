"""Receiving: whether a request is Slack's, and what its event or its pressed button tells.

Sources: https://docs.slack.dev/authentication/verifying-requests-from-slack, https://docs.slack.dev/apis/events-api
and https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

import orjson
from attrs import evolve, frozen

from channelry.errors import RejectedError
from channelry.model import (
    AccountHealth,
    Activity,
    Address,
    Event,
    FormReply,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    OptedIn,
    OptedOut,
    Part,
    Postback,
    Profile,
    Quote,
    ReactionChanged,
    Received,
    Request,
    Response,
    Surface,
    Thread,
    Unparsed,
)
from channelry.parsing import each, identifier, mapping, received, sequence, string, timestamp
from channelry.secrets import Secrets

from . import content
from .emoji import emoji_of
from .markup import plain

SCHEME = "slack"
SIGNATURE, TIMESTAMP = b"x-slack-signature", b"x-slack-request-timestamp"
WINDOW = 300
"""Seconds that a request's time may differ from ours: an older one was perhaps recorded and is played again."""
THREAD = "thread_ts"
"""What the context of a message holds: the thread that an answer goes to."""
LINK = "link:"
"""What the `action_id` of our buttons begins with that only open a link."""
_FORM = b"application/x-www-form-urlencoded"

_HOUSEKEEPING = frozenset({
    "assistant_app_thread", "bot_add", "bot_remove", "channel_archive", "channel_canvas_updated",
    "channel_convert_to_private", "channel_join", "channel_leave", "channel_name", "channel_posting_permissions",
    "channel_purpose", "channel_topic", "channel_unarchive", "ekm_access_denied", "group_archive", "group_join",
    "group_leave", "group_name", "group_purpose", "group_topic", "group_unarchive", "huddle_thread", "message_replied",
    "pinned_item", "reminder_add", "sh_room_created", "unpinned_item",
})  # fmt: skip
"""Subtypes of messages that a channel writes by itself: nobody said anything."""
_SAID = frozenset({"", "file_share", "thread_broadcast", "me_message", "bot_message", "reply_broadcast"})


def verify(request: Request, secrets: Secrets) -> None:
    """Raise RejectedError unless body and time are signed with one of the secrets, and the time is about now."""
    at, given, good = request.header(TIMESTAMP), request.header(SIGNATURE), False
    signed = b"v0:%b:%b" % (at, request.body)
    for secret in secrets:
        expected = f"v0={hmac.digest(secret.encode(), signed, 'sha256').hex()}"
        good |= hmac.compare_digest(given, expected.encode())
    if not good:
        raise RejectedError("the signature is missing or wrong")
    if not (at.isdigit() and len(at) < 12 and abs(int(at) - request.received_at.timestamp()) <= WINDOW):
        raise RejectedError(f"the request is not of these {WINDOW} seconds")


def parse(request: Request) -> Received:
    """Read one request: an event, a pressed button (a form whose field `payload` is JSON), or the handshake."""
    if not request.header(b"content-type").startswith(_FORM):
        found = received(request, partial(_read, request.received_at))
        return Received(request, answer=_challenge(request)) if found.ignored == (_HANDSHAKE,) else found
    try:
        fields = dict(request.form())
    except ValueError:
        fields = {}
    if "command" in fields:
        return Received(request, ignored=("a slash command",))
    if "payload" not in fields:
        return Received(request, (Unparsed.of("expected a field 'payload'", request.body, request.received_at),))
    found = received(evolve(request, body=fields["payload"].encode()), partial(_interaction, request.received_at))
    return evolve(found, request=request)


_HANDSHAKE = "the handshake"


def _challenge(request: Request) -> Response:
    return Response(body=identifier(request.json()["challenge"]).encode())


@frozen(slots=False)
class _Envelope:
    """What is told beside an event: whose workspace it is in, when it was told, and who we are there."""

    account: str
    event_id: str
    told_at: Any
    now: datetime
    app: str
    ours: tuple[Any, ...]

    def common(self, at: Any = None) -> dict[str, Any]:
        at = timestamp(self.told_at if at is None else at, self.now)
        return {"account": self.account, "key": self.event_id, "occurred_at": at}

    def address(self, user: Any) -> Address:
        return Address(SCHEME, identifier(user), self.account)

    def wrote(self, message: Mapping[str, Any]) -> bool:
        """Tell whether a message is this app's own."""
        return message.get("user") in self.ours or (self.app != "" and message.get("app_id") == self.app)


def _read(now: datetime, body: Any) -> Iterable[Event | str]:
    kind = body["type"]
    if kind == "event_callback":
        return [_event(now, body)]
    if kind == "url_verification":
        identifier(body["challenge"])
        return [_HANDSHAKE]
    if kind == "app_rate_limited":
        minute, account = identifier(body["minute_rate_limited"]), identifier(body["team_id"])
        detail, at = "Slack dropped events of this minute, for there were too many", timestamp(minute, now)
        return [AccountHealth(account=account, key=f"{kind}:{minute}", occurred_at=at, code=kind, detail=detail)]
    return [f"request {string(kind):.40}"]


def _event(now: datetime, body: Any) -> Event | str:
    event = body["event"]
    reader = _READERS.get(event["type"])
    if reader is None:
        return f"event {string(event['type']):.40}"
    seen_by = sequence(body.get("authorizations"))
    team = (seen_by[0].get("team_id") if seen_by else None) or body["team_id"]
    ours = tuple([one["user_id"] for one in seen_by if one.get("is_bot")])
    app, at = string(body.get("api_app_id")), body.get("event_time")
    return reader(event, _Envelope(identifier(team), identifier(body["event_id"]), at, now, app, ours))


_Reader: TypeAlias = Callable[[Any, _Envelope], Event | str]


def _message(row: Any, envelope: _Envelope) -> Event | str:
    subtype = row.get("subtype") or ""
    if subtype in _HOUSEKEEPING:
        return f"message {subtype}"
    if subtype == "message_changed":
        return _changed(row, envelope)
    if subtype == "message_deleted":
        return _deleted(row, row["deleted_ts"], envelope)
    if envelope.wrote(row):
        return "written by this app"
    text, parts = content.read(row)
    if subtype not in _SAID:
        parts = (*parts, content.unsupported(f"message {subtype}", row))
    channel, ts, user = identifier(row["channel"]), identifier(row["ts"]), row.get("user")
    external_id = f"{channel}:{ts}"
    thread, reply_to, context = _place(channel, row.get("channel_type"), ts, string(row.get("thread_ts")))
    said, attached = row.get("text") or "", row.get("attachments")
    mentioned = row["type"] == "app_mention" or ("<@" in said and any(f"<@{one}" in said for one in envelope.ours))
    return MessageReceived(
        account=envelope.account,
        key=external_id,
        occurred_at=timestamp(ts, envelope.now),
        sender=Profile(address=envelope.address(user or row["bot_id"]), name=string(row.get("username"))),
        external_id=external_id,
        text=text,
        parts=parts,
        reply_to=reply_to,
        surface=Surface.MENTION if mentioned and thread is not None and thread.root != channel else Surface.DIRECT,
        thread=thread,
        reply_address=envelope.address(channel),
        automatic="bot_id" in row,
        forwarded=any(one.get("is_share") for one in sequence(attached)) if attached else False,
        context=context,
    )


def _place(channel: str, kind: Any, ts: str, thread_ts: str) -> tuple[Thread | None, Quote | None, dict[str, str]]:
    """Tell where a message stands, and what an answer repeats: in a conversation of one or several people, or in a
    channel, where each message begins a thread of its own that the answers go to."""
    root, answers = f"{channel}:{thread_ts or ts}", thread_ts not in ("", ts)
    if kind == "im" or kind == "mpim" or channel.startswith("D"):
        thread = Thread(root=channel) if kind == "mpim" else None
        return thread, Quote(external_id=root) if answers else None, {THREAD: thread_ts} if thread_ts else {}
    thread = Thread(root=root, parent=root if answers else "", depth=int(answers))
    return thread, None, {THREAD: thread_ts or ts}


def _changed(row: Any, envelope: _Envelope) -> Event | str:
    """Read an edit; Slack tells of links that it shows a preview of in the same way, and of the deletion of a message
    that has answers."""
    message, before = row["message"], mapping(row.get("previous_message"))
    if message.get("subtype") == "tombstone":
        return _deleted(row, message["ts"], envelope)
    if envelope.wrote(message):
        return "written by this app"
    if message.get("text") == before.get("text") and _files(message) == _files(before):
        return "nothing that a customer changed"
    text, parts = content.read(message)
    return MessageEdited(
        **envelope.common(mapping(message.get("edited")).get("ts") or row.get("ts")),
        sender=envelope.address(message.get("user") or message["bot_id"]),
        external_id=_id(row["channel"], message["ts"]),
        text=text,
        parts=parts,
    )


def _files(message: Mapping[str, Any]) -> list[Any]:
    """Name a message's files; what else Slack tells of them changes by itself."""
    return [one["id"] for one in sequence(message.get("files"))]


def _deleted(row: Any, ts: Any, envelope: _Envelope) -> Event | str:
    before = mapping(row.get("previous_message"))
    if envelope.wrote(before):
        return "written by this app"
    user = before.get("user") or before.get("bot_id")
    return MessageDeleted(
        **envelope.common(row.get("ts")),
        external_id=_id(row["channel"], ts),
        sender=None if user is None else envelope.address(user),
    )


def _reaction(row: Any, envelope: _Envelope) -> Event | str:
    item = row["item"]
    if item["type"] != "message":
        return f"a reaction to a {string(item['type']):.40}"
    if row["user"] in envelope.ours:
        return "a reaction of this app"
    return ReactionChanged(
        **envelope.common(row.get("event_ts")),
        sender=envelope.address(row["user"]),
        external_id=_id(item["channel"], item["ts"]),
        emoji=emoji_of(string(row["reaction"])),
        on=row["type"] == "reaction_added",
    )


def _activity(name: str) -> _Reader:
    """Read something that a person did besides writing, and where."""

    def reader(row: Any, envelope: _Envelope) -> Event | str:
        values = {"channel": identifier(row["channel"])} if "channel" in row else {}
        if row["user"] in envelope.ours:  # a channel took the app in
            return OptedIn(**envelope.common(), sender=envelope.address(row["channel"]))
        sender = Profile(address=envelope.address(row["user"]))
        return Activity(**envelope.common(), sender=sender, name=name, values=values)

    return reader


def _left(row: Any, envelope: _Envelope) -> Event | str:
    """Read that a channel put the app out."""
    return OptedOut(**envelope.common(), sender=envelope.address(row["channel"]))


def _health(row: Any, envelope: _Envelope) -> Event | str:
    return AccountHealth(**envelope.common(), code=string(row["type"]))


_READERS: Mapping[str, _Reader] = {
    "message": _message,
    "app_mention": _message,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "member_joined_channel": _activity("joined"),
    "member_left_channel": _activity("left"),
    "app_home_opened": _activity("opened"),
    "channel_left": _left,
    "group_left": _left,
    "tokens_revoked": _health,
    "app_uninstalled": _health,
}


def _interaction(now: datetime, body: Any) -> Iterable[Event | str]:
    kind = string(body["type"])
    if kind != "block_actions":
        return [f"interaction {kind:.40}"]
    account = identifier((body.get("team") or {}).get("id") or body["user"]["team_id"])
    return each(body["actions"], partial(_pressed, now, account, body), now, account) or ["nothing was pressed"]


def _pressed(now: datetime, account: str, body: Any, action: Any) -> Event | str:
    name = identifier(action["action_id"])
    if name.startswith(LINK):
        return "a link was opened"
    channel, message, user = body["channel"], mapping(body.get("message")), body["user"]
    where, ts, at = identifier(channel["id"]), identifier(body["container"]["message_ts"]), action.get("action_ts")
    kind = "mpim" if string(channel.get("name")).startswith("mpdm-") else ""
    thread, _, context = _place(where, kind, ts, string(message.get("thread_ts")))
    key = f"{where}:{ts}:{identifier(user['id'])}:{name}:{string(at)}"
    return MessageReceived(
        account=account,
        key=key,
        occurred_at=timestamp(at, now),
        sender=Profile(address=Address(SCHEME, identifier(user["id"]), account), name=string(user.get("name"))),
        reply_address=Address(SCHEME, where, account),
        external_id=key,
        parts=(_part(name, action),),
        reply_to=Quote(external_id=f"{where}:{ts}", text=plain(string(message.get("text")))),
        thread=thread,
        context=context,
    )


def _part(name: str, action: Mapping[str, Any]) -> Part:
    """Read a button; what was chosen or written in another element is the answer to a form."""
    if action["type"] == "button":
        return Postback(payload=string(action["value"]), title=string(mapping(action.get("text")).get("text")))
    return FormReply(name=name, answers=orjson.dumps(action).decode())


def _id(channel: Any, ts: Any) -> str:
    return f"{identifier(channel)}:{identifier(ts)}"
