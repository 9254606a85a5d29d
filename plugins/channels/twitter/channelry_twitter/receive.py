"""Receiving: whether a request is X's, and what it tells, in both of X's envelopes.

Source: https://docs.x.com/x-api/webhooks/introduction, https://docs.x.com/x-api/activity/event-payloads and, for the
older envelope, https://docs.x.com/x-api/account-activity/introduction
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from hmac import digest
from typing import Any, TypeAlias

from attrs import frozen

from channelry import hookimpl, model
from channelry.errors import RejectedError
from channelry.parsing import each, identifier, mapping, received, sequence, string, timestamp
from channelry_webapi import in_utc, require_hmac, rfc3339, unsupported

from . import content
from .capabilities import LIKE, RELATED, ROWS
from .connection import Account

SIGNATURE = b"x-twitter-webhooks-signature"
_CRC = re.compile(rb"[A-Za-z0-9_=+/.~-]{1,512}")
"""What a challenge may be. Our answer signs it with the key of the webhooks, and anybody may ask: a challenge that
looks like a webhook would forge one, and a body that looks like a challenge is nobody's, and not kept."""


@hookimpl
def verify(account: Account, request: model.Request) -> None:
    """Raise RejectedError unless a POST bears the MAC of one of the consumer secrets, or a GET is a challenge."""
    secrets = account.config.consumer_secret
    if request.method != "GET":
        require_hmac(request.header(SIGNATURE), request.body, secrets, _written, "X")
    elif not (secrets and secrets[0].reveal() and _challenge(request)):
        raise RejectedError("the request is no challenge of X's")


def _written(mac: bytes) -> bytes:
    return b"sha256=" + b64encode(mac)


def _challenge(request: model.Request) -> bytes:
    try:
        token = request.query().get("crc_token", "").encode(errors="replace")
    except ValueError:  # a path that is no URL
        return b""
    return token if _CRC.fullmatch(token) else b""


@hookimpl
def parse(account: Account, request: model.Request) -> model.Received:
    """Tell what a verified request means; a challenge is answered with its MAC by the newest secret."""
    if request.method == "GET":
        mac = digest(account.config.consumer_secret[0].encode(), _challenge(request), "sha256")
        return model.Received(request, answer=model.Response.json({"response_token": _written(mac).decode()}))
    if _CRC.fullmatch(request.body):
        return model.Received(request, ignored=("a challenge in place of a webhook",))
    return received(request, partial(_read, request.received_at))


_Found: TypeAlias = model.Event | str


def _read(at: datetime, body: Any) -> Iterable[_Found]:
    data = body.get("data")
    if isinstance(data, dict) and "event_type" in data:
        return _activity(at, data)
    if "user_event" in body:
        revoke = body["user_event"]["revoke"]
        return (_revoked(at, revoke["source"]["user_id"], revoke),)
    if "for_user_id" in body:
        return _Webhook(at, identifier(body["for_user_id"]), content.indexed(body.get("users"), "id")).older(body)
    raise ValueError("expected data.event_type or for_user_id")


def _activity(at: datetime, data: Mapping[str, Any]) -> Iterable[_Found]:
    """Read an event of the X Activity API; direct messages come in the arrays of the older API."""
    kind, payload = string(data["event_type"]), data["payload"]
    if kind == "oauth.revoke":
        return (_revoked(at, payload["user_id"], payload),)
    if kind.startswith("dm."):
        users, rows = payload.get("users"), ROWS.get(kind)
        if rows and rows not in payload:  # no sample of these is published: they may be rows themselves
            payload = {rows: [payload]}
        return _Webhook(at, identifier(data["filter"]["user_id"]), content.indexed(users, "id")).older(payload)
    if read := _NEWER.get(kind):
        beside = mapping(data.get("includes"))
        users, files = content.indexed(beside.get("users"), "id"), content.indexed(beside.get("media"), "media_key")
        return _Webhook(at, identifier(data["filter"]["user_id"]), users, files).rows(read, [payload])
    return (f"event {kind:.40}",)


def _revoked(at: datetime, user_id: Any, row: Mapping[str, Any]) -> model.Event:
    account, when = identifier(user_id), row.get("date_time")
    detail = "the account took its permission back; authorize the app again"
    key, occurred_at = f"revoked:{account}:{string(when)}", _moment(when, at)
    return model.AccountHealth(account=account, key=key, occurred_at=occurred_at, code="revoked", detail=detail)


@frozen
class _Webhook:
    """One webhook: its time, our account, the people who are named in it, and the files of its posts."""

    at: datetime
    ours: str
    users: Mapping[str, Any]
    files: Mapping[str, Any] = {}

    def older(self, body: Mapping[str, Any]) -> Iterator[_Found]:
        """Read the arrays of the Account Activity API."""
        arrays = {name: rows for name, rows in body.items() if name.endswith("_events")}
        if not arrays:
            raise ValueError("expected rows of events")
        for name, rows in arrays.items():
            read = _OLDER.get(name)
            if read and rows != []:
                yield from self.rows(read, rows)
            else:
                yield f"rows {name:.40}" if rows else "no rows"

    def rows(self, read: "_Read", rows: Any) -> Iterable[_Found]:
        return each(rows, partial(read, self), self.at, self.ours)

    def common(self, key: str, when: Any) -> dict[str, Any]:
        """Give what every event has."""
        return {"account": self.ours, "key": key, "occurred_at": _moment(when, self.at)}

    def who(self, user_id: Any) -> model.Profile:
        user_id = identifier(user_id)
        return content.profile(user_id, self.users.get(user_id))

    def direct_message(self, row: Any) -> _Found:
        kind = string(row["type"])
        if kind != "message_create":
            return f"direct message {kind:.40}"
        key, message = identifier(row["id"]), row["message_create"]
        text, parts = content.direct(message["message_data"])
        said = {**self.common(key, row.get("created_timestamp")), "external_id": key, "text": text, "parts": parts}
        return self._written(message["sender_id"], mapping(message.get("target")).get("recipient_id"), said)

    def _written(self, sender_id: Any, recipient_id: Any, said: dict[str, Any]) -> _Found:
        """Tell who wrote directly: a customer, or somebody in our name."""
        sender = self.who(sender_id)
        if sender.address.value != self.ours:
            return model.MessageReceived(**said, sender=sender)
        return model.EchoSent(**said, recipient=None if recipient_id is None else self.who(recipient_id).address)

    def read_mark(self, row: Any) -> _Found:
        sender, last = self.who(row["sender_id"]).address, identifier(row["last_read_event_id"])
        if sender.value == self.ours:
            return "own read mark"
        common = self.common(f"read:{sender.value}:{last}", row.get("created_timestamp"))
        return model.ReadUpTo(**common, sender=sender, external_id=last)

    def typing(self, row: Any) -> _Found:
        sender, at = self.who(row["sender_id"]).address, _moment(row.get("created_timestamp"), self.at)
        if sender.value == self.ours:
            return "own typing"
        key = f"typing:{sender.value}:{at.timestamp():.3f}"
        return model.Typing(account=self.ours, key=key, occurred_at=at, sender=sender)

    def encrypted(self, row: Any) -> _Found:
        """Keep an encrypted message as it is, for nobody without its keys can read it."""
        key, part = identifier(row["id"]), unsupported("chat", row)
        said = {**self.common(key, row.get("created_at_msec")), "external_id": key, "parts": (part,)}
        return self._written(row["sender_id"], row.get("recipient_id"), said)

    def post(self, row: Any, answers_us: bool = False) -> _Found:
        """Read a post of either API; the older one names no conversation.

        An answer to a post of ours is a comment, and what else names us a mention.
        """
        beside = {one["type"]: identifier(one["id"]) for one in sequence(row.get("referenced_tweets"))}
        if row.get("retweeted_status") or "retweeted" in beside:
            return "a repost"
        author = _named(row["user"]) if "user" in row else self.who(row["author_id"])
        text, parts = content.post(row, self.files)
        key, who = content.identity(row), author.address
        replied = _first(row, "in_reply_to_user_id_str", "in_reply_to_user_id")
        parent, quoted = (_first(row, *names) or beside.get(kind, "") for kind, names in RELATED.items())
        root, name = _first(row, "conversation_id") or parent or key, who.display.removeprefix("@") or "i"
        depth, link = 0 if not parent else 1 if parent == root else 2, f"https://x.com/{name}/status/{key}"
        thread = model.Thread(root=root, parent=parent, depth=depth, permalink=link, private=False)
        common = self.common(key, row.get("timestamp_ms") or row.get("created_at"))
        said = {**common, "external_id": key, "text": text, "parts": parts, "thread": thread}
        if who.value != self.ours:
            comment = replied == self.ours or (answers_us and not replied)
            surface = model.Surface.COMMENT if comment else model.Surface.MENTION
            words = string(mapping(row.get("quoted_status")).get("text"))
            quote = model.Quote(external_id=quoted, text=words) if quoted else None
            return model.MessageReceived(**said, sender=author, surface=surface, reply_to=quote)
        if not parent:
            return "own post"
        return model.EchoSent(**said, recipient=None if replied in ("", self.ours) else self.who(replied).address)

    def deleted(self, row: Any) -> _Found:
        """Read the deletion of a post, in both forms."""
        status = row.get("status", row)
        post, who = content.identity(status), self.who(_first(status, "author_id", "user_id")).address
        if who.value == self.ours:
            return "own post deleted"
        common = self.common(f"deleted:{post}", row.get("timestamp_ms"))
        return model.MessageDeleted(**common, external_id=post, sender=who)

    def liked(self, row: Any) -> _Found:
        """Read a like of the newer API, which names who liked only beside it; its `created_at` is the post's."""
        others = [user for user in self.users if user != self.ours]
        if identifier(row["liked_tweet_author_id"]) != self.ours:
            return "own like"
        if len(others) != 1:
            return "a like of nobody who is named"
        return self._like(identifier(row["liked_tweet_id"]), self.who(others[0]).address, row.get("timestamp_ms"))

    def older_like(self, row: Any) -> _Found:
        """Read a like of the older API."""
        who, post = _named(row["user"]).address, content.identity(row["favorited_status"])
        when = row.get("timestamp_ms") or row.get("created_at")
        return "own like" if who.value == self.ours else self._like(post, who, when)

    def _like(self, post: str, who: model.Address, when: Any) -> _Found:
        common = self.common(f"like:{post}:{who.value}", when)
        return model.ReactionChanged(**common, sender=who, external_id=post, emoji=LIKE)


_Read: TypeAlias = Callable[[_Webhook, Any], _Found]
_OLDER: Mapping[str, _Read] = {
    "direct_message_events": _Webhook.direct_message,
    "direct_message_mark_read_events": _Webhook.read_mark,
    "direct_message_indicate_typing_events": _Webhook.typing,
    "tweet_create_events": _Webhook.post,
    "tweet_delete_events": _Webhook.deleted,
    "favorite_events": _Webhook.older_like,
}
_NEWER: Mapping[str, _Read] = {
    **dict.fromkeys(("chat.received", "chat.sent"), _Webhook.encrypted),
    "post.reply.create": partial(_Webhook.post, answers_us=True),
    **dict.fromkeys(("post.create", "post.mention.create", "post.quote.create"), _Webhook.post),
    "post.delete": _Webhook.deleted,
    "like.create": _Webhook.liked,
}


def _named(user: Mapping[str, Any]) -> model.Profile:
    """Give the profile of a user of the older API, who stands in the row."""
    return content.profile(content.identity(user), user)


def _first(row: Mapping[str, Any], *names: str) -> str:
    """Give the id that is there under one of the names, `""` where none is."""
    return next((identifier(row[name]) for name in names if row.get(name) is not None), "")


def _moment(value: Any, at: datetime) -> datetime:
    """Read a time: RFC 3339, `Wed Oct 10 20:19:24 +0000 2018`, or milliseconds."""
    text = value if isinstance(value, str) else ""
    if text[10:11] == "T":
        return rfc3339(text, at)
    if text[:1].isalpha():
        return in_utc(datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y"))
    return timestamp(value, at)
