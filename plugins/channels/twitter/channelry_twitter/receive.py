"""Receiving: whether a request is X's, and what it tells, in both of X's envelopes.

Source: https://docs.x.com/x-api/webhooks/introduction, https://docs.x.com/x-api/activity/event-payloads and, for the
older envelope, https://docs.x.com/x-api/account-activity/introduction
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from hmac import compare_digest, digest
from typing import Any

import orjson
from attrs import frozen

from channelry.errors import RejectedError
from channelry.model import (
    AccountHealth,
    EchoSent,
    Event,
    MessageDeleted,
    MessageReceived,
    Postback,
    ReactionChanged,
    ReadUpTo,
    Received,
    Request,
    Response,
    Surface,
    Thread,
    Typing,
    Unsupported,
)
from channelry.parsing import each, identifier, mapping, received, sequence, string, timestamp

from . import content, people
from .capabilities import LIKE

SIGNATURE = b"x-twitter-webhooks-signature"
_CRC = re.compile(rb"[A-Za-z0-9_=-]{1,512}")
"""What a challenge may be. Our answer signs it with the key of the webhooks, and anybody may ask: a challenge that
looks like a webhook would forge one, and a body that looks like a challenge is nobody's, and not kept."""

_REJECTED = "the request is not signed by X"


def sign(secret: bytes, body: bytes) -> bytes:
    """Give the signature of a body, or the answer to a challenge."""
    return b"sha256=" + b64encode(digest(secret, body, "sha256"))


def verify(request: Request, secrets: Sequence[bytes]) -> None:
    """Raise RejectedError unless a POST bears the MAC of one of the consumer secrets, or a GET is a challenge."""
    if request.method == "GET":
        if not (any(secrets) and _challenge(request)):
            raise RejectedError(_REJECTED)
        return
    signature, good = request.header(SIGNATURE), False
    for secret in secrets:
        good |= compare_digest(sign(secret, request.body), signature) and bool(secret)
    if not good:
        raise RejectedError(_REJECTED)


def _challenge(request: Request) -> str:
    try:
        token = request.query().get("crc_token", "")
    except ValueError:  # a path that is no URL
        return ""
    return token if _CRC.fullmatch(token.encode(errors="replace")) else ""


def parse(request: Request, secret: bytes) -> Received:
    """Tell what a verified request means; a challenge is answered with its MAC by `secret`."""
    if request.method == "GET":
        token = sign(secret, _challenge(request).encode()).decode()
        return Received(request, answer=Response.json({"response_token": token}))
    if _CRC.fullmatch(request.body):
        return Received(request, ignored=("a challenge in place of a webhook",))
    return received(request, partial(_read, request.received_at))


def _read(at: datetime, body: Any) -> Iterator[Event | str]:
    data = body.get("data")
    if isinstance(data, dict) and "event_type" in data:
        yield from _activity(data, at)
    elif "for_user_id" in body:
        yield from _Account(identifier(body["for_user_id"]), people.people(body.get("users")), at).older(body)
    elif "user_event" in body:
        revoke = body["user_event"]["revoke"]
        yield _revoked(identifier(revoke["source"]["user_id"]), revoke.get("date_time"), at)
    else:
        raise ValueError("expected data.event_type or for_user_id")


def _activity(data: Mapping[str, Any], at: datetime) -> Iterator[Event | str]:
    """Read an event of the X Activity API."""
    kind, payload = string(data["event_type"]), data["payload"]
    if kind == "oauth.revoke":
        yield _revoked(identifier(payload["user_id"]), payload.get("date_time"), at)
        return
    ours = identifier(data["filter"]["user_id"])
    if kind.startswith("dm."):
        rows = _ROWS.get(kind)
        if rows and rows not in payload:  # no sample of these is published: they may be rows themselves
            payload = {rows: [payload], "users": payload.get("users")}
        yield from _Account(ours, people.people(payload.get("users")), at).older(payload)
        return
    includes = mapping(data.get("includes"))
    account = _Account(ours, people.people(includes.get("users")), at, content.files(includes))
    read = _NEWER.get(kind)
    if read is None:
        yield f"event {kind:.40}"
        return
    yield from each([payload], partial(read, account), at, ours)


def _revoked(account: str, when: Any, at: datetime) -> Event:
    occurred_at = _moment(when, at)
    detail = "the account took its permission back; authorize the app again"
    key = f"revoked:{account}:{string(when)}"
    return AccountHealth(account=account, key=key, occurred_at=occurred_at, code="revoked", detail=detail)


@frozen
class _Account:
    """Our account in one webhook, the people who are named in it, its time, and the files of its posts."""

    ours: str
    users: Mapping[str, Any]
    at: datetime
    files: Mapping[str, Any] = {}

    def older(self, body: Mapping[str, Any]) -> Iterator[Event | str]:
        """Read the arrays of the Account Activity API; direct messages come in them in both envelopes."""
        known = False
        for name, rows in body.items():
            if read := _OLDER.get(name):
                known = True
                yield from each(rows, partial(read, self), self.at, self.ours) if rows != [] else ["no rows"]
            elif name.endswith("_events"):
                known = True
                yield f"rows {name:.40}"
        if not known:
            raise ValueError("expected rows of events")

    # Direct messages

    def direct_message(self, row: Any) -> Event | str:
        kind = string(row["type"])
        if kind != "message_create":
            return f"direct message {kind:.40}"
        key, message = identifier(row["id"]), row["message_create"]
        sender, at = identifier(message["sender_id"]), timestamp(row.get("created_timestamp"), self.at)
        text, parts = content.direct(message["message_data"])
        if sender == self.ours:
            to = people.profile(identifier(message["target"]["recipient_id"]), self.users).address
            return EchoSent(
                account=self.ours, key=key, occurred_at=at, recipient=to, external_id=key, text=text, parts=parts
            )
        return MessageReceived(
            account=self.ours,
            key=key,
            occurred_at=at,
            sender=people.profile(sender, self.users),
            external_id=key,
            text="" if any(isinstance(part, Postback) for part in parts) else text,
            parts=parts,
        )

    def read_mark(self, row: Any) -> Event | str:
        sender, last = identifier(row["sender_id"]), identifier(row["last_read_event_id"])
        if sender == self.ours:
            return "own read mark"
        at = timestamp(row.get("created_timestamp"), self.at)
        who = people.profile(sender, self.users).address
        return ReadUpTo(account=self.ours, key=f"read:{sender}:{last}", occurred_at=at, sender=who, external_id=last)

    def typing(self, row: Any) -> Event | str:
        sender, at = identifier(row["sender_id"]), timestamp(row.get("created_timestamp"), self.at)
        if sender == self.ours:
            return "own typing"
        key = f"typing:{sender}:{at.timestamp():.3f}"
        return Typing(account=self.ours, key=key, occurred_at=at, sender=people.profile(sender, self.users).address)

    def encrypted(self, row: Any) -> Event | str:
        """Keep an encrypted message as it is, for nobody without its keys can read it."""
        key, sender = identifier(row["id"]), identifier(row["sender_id"])
        part = Unsupported(kind="chat", raw=orjson.dumps(row).decode())
        return MessageReceived(
            account=self.ours,
            key=key,
            occurred_at=timestamp(row.get("created_at_msec"), self.at),
            sender=people.profile(sender, self.users),
            external_id=key,
            parts=(part,),
        )

    # Posts

    def post(self, row: Any) -> Event | str:
        """Read a post of the newer API."""
        author, replied = identifier(row["author_id"]), row.get("in_reply_to_user_id")
        parent = next(
            (one["id"] for one in sequence(row.get("referenced_tweets")) if one["type"] == "replied_to"), None
        )
        parent = row.get("in_reply_to_tweet_id") or parent
        root = row.get("conversation_id")
        return self._post(
            identifier(row["id"]),
            people.profile(author, self.users),
            content.post(row, self.files),
            None if replied is None else identifier(replied),
            "" if parent is None else identifier(parent),
            "" if root is None else identifier(root),
            _moment(row.get("created_at"), self.at),
        )

    def older_post(self, row: Any) -> Event | str:
        """Read a post of the older API, which names no conversation."""
        if "retweeted_status" in row:
            return "a repost"
        author, replied = people.people([_named(row["user"])]), row.get("in_reply_to_user_id_str")
        parent = row.get("in_reply_to_status_id_str")
        (author_id,) = author
        return self._post(
            identifier(row["id_str"]),
            people.profile(author_id, author),
            content.older_post(row),
            None if replied is None else identifier(replied),
            "" if parent is None else identifier(parent),
            "",
            _moment(row.get("timestamp_ms") or row.get("created_at"), self.at),
        )

    def _post(
        self, key: str, author: Any, shown: content.Content, replied: str | None, parent: str, root: str, at: datetime
    ) -> Event | str:
        """Make an answer to a post of ours a comment, and what else names us a mention."""
        who, root = author.address, root or parent or key
        depth = 0 if not parent else 1 if parent == root else 2
        permalink = f"https://x.com/{who.display.removeprefix('@') or 'i'}/status/{key}"
        thread = Thread(root=root, parent=parent, depth=depth, permalink=permalink, private=False)
        text, parts = shown
        if who.value == self.ours:
            if not parent:
                return "own post"
            to = None if replied in (None, self.ours) else people.profile(str(replied), self.users).address
            return EchoSent(
                account=self.ours,
                key=key,
                occurred_at=at,
                recipient=to,
                external_id=key,
                thread=thread,
                text=text,
                parts=parts,
            )
        return MessageReceived(
            account=self.ours,
            key=key,
            occurred_at=at,
            sender=author,
            external_id=key,
            text=text,
            parts=parts,
            surface=Surface.COMMENT if replied == self.ours else Surface.MENTION,
            thread=thread,
        )

    def deleted(self, row: Any) -> Event | str:
        """Read the deletion of a post, in both forms."""
        status = row.get("status", row)
        post, author = identifier(status["id"]), identifier(status.get("author_id", status.get("user_id")))
        if author == self.ours:
            return "own post deleted"
        at = timestamp(row.get("timestamp_ms"), self.at)
        who = people.profile(author, self.users).address
        return MessageDeleted(account=self.ours, key=f"deleted:{post}", occurred_at=at, external_id=post, sender=who)

    def liked(self, row: Any) -> Event | str:
        """Read a like of the newer API, which names who liked only beside it."""
        if identifier(row["liked_tweet_author_id"]) != self.ours:
            return "own like"
        others = [user for user in self.users if user != self.ours]
        if len(others) != 1:
            return "a like of nobody who is named"
        at = timestamp(row.get("timestamp_ms"), self.at)
        return self._like(identifier(row["liked_tweet_id"]), people.profile(others[0], self.users), at)

    def older_like(self, row: Any) -> Event | str:
        """Read a like of the older API."""
        author = people.people([_named(row["user"])])
        (author_id,) = author
        at = _moment(row.get("timestamp_ms") or row.get("created_at"), self.at)
        return self._like(identifier(row["favorited_status"]["id_str"]), people.profile(author_id, author), at)

    def _like(self, post: str, author: Any, at: datetime) -> Event | str:
        who = author.address
        if who.value == self.ours:
            return "own like"
        key = f"like:{post}:{who.value}"
        return ReactionChanged(account=self.ours, key=key, occurred_at=at, sender=who, external_id=post, emoji=LIKE)


_Read = Callable[[_Account, Any], "Event | str"]
_ROWS = {"dm.read": "direct_message_mark_read_events", "dm.indicate_typing": "direct_message_indicate_typing_events"}
_OLDER: Mapping[str, _Read] = {
    "direct_message_events": _Account.direct_message,
    "direct_message_mark_read_events": _Account.read_mark,
    "direct_message_indicate_typing_events": _Account.typing,
    "tweet_create_events": _Account.older_post,
    "tweet_delete_events": _Account.deleted,
    "favorite_events": _Account.older_like,
}
_NEWER: Mapping[str, _Read] = {
    "chat.received": _Account.encrypted,
    "post.create": _Account.post,
    "post.mention.create": _Account.post,
    "post.reply.create": _Account.post,
    "post.quote.create": _Account.post,
    "post.delete": _Account.deleted,
    "like.create": _Account.liked,
}


def _named(user: Mapping[str, Any]) -> dict[str, Any]:
    """Give a user of the older API its id as a string, which stands beside the number."""
    return {**user, "id": user.get("id_str") or user["id"]}


def _moment(value: Any, at: datetime) -> datetime:
    """Read a time: RFC 3339, `Wed Oct 10 20:19:24 +0000 2018`, or milliseconds."""
    text = value if isinstance(value, str) else ""
    if text[10:11] == "T":
        moment = datetime.fromisoformat(text)
    elif text[:1].isalpha():
        moment = datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")
    else:
        return timestamp(value, at)
    if moment.tzinfo is None or not 1970 < moment.year < 2100:
        raise ValueError("expected a time of our days with its zone")
    return moment.astimezone(UTC)
