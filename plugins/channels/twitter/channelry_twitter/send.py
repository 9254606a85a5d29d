"""Sending: from an action to direct messages and posts, and what became of one whose answer was lost.

Source: https://docs.x.com/x-api/direct-messages/manage/introduction and
https://docs.x.com/x-api/posts/manage-tweets/introduction
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from channelry import text as texts
from channelry.errors import AmbiguousError, PermanentError
from channelry.model import (
    Accepted,
    Audience,
    Call,
    Capabilities,
    Delete,
    Hide,
    Kind,
    Media,
    NotTaken,
    Outbound,
    React,
    Receipt,
    Reconciled,
    Resend,
    SendMessage,
    Target,
    Unknown,
)
from channelry.parsing import identifier
from channelry.services import Services

from . import media
from .api import Api, unreadable
from .capabilities import DM, GIF, IMAGE_BYTES, POST, POST_IMAGES, weight

CHANGE = "change"
"""Sets what is so after it: a deletion, a like, a hidden reply."""

LISTED_WITHIN = timedelta(seconds=60)
"""After this what X took is in its lists; and how far its clock may be from ours. Our own guess."""
LISTED = 100
"""Entries of a list that are looked through; the most that X gives at once."""


def compose(outbound: Outbound, capabilities: Capabilities, ours: str) -> Sequence[Call]:
    """Turn an admitted action into calls; `ours` is the account that acts."""
    target = outbound.target
    public = target.audience is Audience.PUBLIC
    if isinstance(outbound, SendMessage):
        limits = capabilities.of(target)
        made = _posts(outbound, limits) if public else _direct(outbound, limits)
        action = POST if public else DM
        return [
            Call(key=f"{outbound.key}:{place}", to=target.to, action=action, body=body, uploads=files)
            for place, (body, files) in enumerate(made)
        ]
    change: dict[str, Any] = {"method": "POST", "path": "", "json": None}
    if isinstance(outbound, Delete):
        what = "tweets" if public else "dm_events"
        change |= {"method": "DELETE", "path": f"/2/{what}/{_number(outbound.external_id)}"}
    elif isinstance(outbound, React):
        post = _number(outbound.external_id)
        if outbound.on:
            change |= {"path": f"/2/users/{ours}/likes", "json": {"tweet_id": post}}
        else:
            change |= {"method": "DELETE", "path": f"/2/users/{ours}/likes/{post}"}
    elif isinstance(outbound, Hide):
        path = f"/2/tweets/{_number(outbound.external_id)}/hidden"
        change |= {"method": "PUT", "path": path, "json": {"hidden": outbound.on}}
    else:
        raise PermanentError(f"X has no {outbound.kind}", code="unsupported")
    return [Call(key=f"{outbound.key}:0", to=target.to, action=CHANGE, body=change, resend=Resend.SAFE)]


_Made = Iterator[tuple[dict[str, Any], tuple[Media, ...]]]


def _direct(message: SendMessage, limits: Capabilities) -> _Made:
    """Give the bodies of direct messages: one file each, the first with the beginning of the text."""
    files, pieces = [_file(part) for part in message.parts], texts.split(message.text, limits.text)
    for place in range(max(len(files), len(pieces))):
        text = {"text": pieces[place]} if place < len(pieces) else {}
        yield text, tuple(files[place : place + 1])


def _posts(message: SendMessage, limits: Capabilities) -> _Made:
    """Give the bodies of posts, which all answer the same one: up to four pictures each, or one video."""
    files = list(_groups([_file(part) for part in message.parts]))
    pieces = texts.split(message.text, limits.text, weight)
    post = _answered(message.target)
    for place in range(max(len(files), len(pieces))):
        text = {"text": pieces[place]} if place < len(pieces) else {}
        yield {**text, "reply": {"in_reply_to_tweet_id": post}}, files[place] if place < len(files) else ()


def _answered(target: Target) -> str:
    """Give the post to answer: the one that is named, else the one that the thread hangs on."""
    return _number(target.reply_to or (target.thread.root if target.thread else ""))


def _number(external_id: str) -> str:
    if not (external_id.isascii() and external_id.isdecimal()):
        raise PermanentError(f"{external_id!r} is no id of X's: expected digits", code="message_id")
    return external_id


def _groups(files: Sequence[Media]) -> Iterator[tuple[Media, ...]]:
    """Put up to four pictures that do not move side by side; what moves stands alone."""
    group: list[Media] = []
    for file in files:
        alone = file.kind is not Kind.IMAGE or file.media_type == GIF
        if group and (alone or len(group) == POST_IMAGES):
            yield tuple(group)
            group = []
        if alone:
            yield (file,)
        else:
            group.append(file)
    if group:
        yield tuple(group)


def _file(part: Any) -> Media:
    if not isinstance(part, Media) or not part.ref:
        raise PermanentError("X takes files by upload only", code="no_upload")
    if not part.media_type or part.size is None:
        raise PermanentError("a file to upload needs its media_type and its size", code="no_media_type")
    if part.kind is Kind.IMAGE and part.media_type != GIF and part.size > IMAGE_BYTES:
        raise PermanentError(f"a picture is larger than {IMAGE_BYTES} bytes", code="too_large")
    return part


async def send(call: Call, api: Api, services: Services) -> Receipt:
    """Make one call, after uploading its files; only a message or a post can be ambiguous."""
    if call.action == CHANGE:
        return await _change(call, api, services)
    ids = [await media.upload(api, file, "dm" if call.action == DM else "tweet", services) for file in call.uploads]
    body = dict(call.body)
    if call.action == DM:
        path, name = f"/2/dm_conversations/with/{_number(call.to.value)}/messages", "dm_event_id"
        body |= {"attachments": [{"media_id": one} for one in ids]} if ids else {}
    else:
        path, name = "/2/tweets", "id"
        body |= {"media": {"media_ids": ids}} if ids else {}
    began = services.clock.now()
    try:
        return _receipt(await api.call(services, "POST", path, json=body, repeatable=False), name)
    except AmbiguousError:
        noted = await services.state.get(_Doubt.key(call))  # of an earlier attempt that somebody had repeated
        await services.state.compare_and_set(_Doubt.key(call), noted, _Doubt(began, services.clock.now()).text())
        raise


async def _change(call: Call, api: Api, services: Services) -> Receipt:
    """Set what is asked for; what is gone already counts as deleted."""
    body = call.body
    try:
        await api.call(services, body["method"], body["path"], json=body["json"])
    except PermanentError as error:
        if body["method"] != "DELETE" or error.code not in ("404", "resource-not-found"):
            raise
    return Receipt()


def _receipt(answer: Mapping[str, Any], name: str) -> Receipt:
    try:
        return Receipt((identifier(answer.get(name)),))
    except ValueError:
        raise unreadable(repeatable=False) from None


@frozen
class _Doubt:
    """The moment in which a call was made whose answer was lost, kept in `state` until the call is settled."""

    began: datetime
    ended: datetime

    @staticmethod
    def key(call: Call) -> str:
        return f"doubt:{call.key}"

    def text(self) -> str:
        return f"{self.began.isoformat()} {self.ended.isoformat()}"

    @classmethod
    def of(cls, text: str) -> "_Doubt":
        return cls(*map(datetime.fromisoformat, text.split()))

    def covers(self, moment: datetime) -> bool:
        return self.began - LISTED_WITHIN <= moment <= self.ended + LISTED_WITHIN


async def reconcile(call: Call, api: Api, ours: str, services: Services) -> Reconciled:
    """Look for what was sent among our own messages to this person, or our own posts that answer this one."""
    text = await services.state.get(_Doubt.key(call))
    if text is None:  # the process ended before it could note the moment
        return Unknown("when it was sent is not known")
    doubt = _Doubt.of(text)
    try:
        rows = await (_own_messages if call.action == DM else _own_posts)(call, api, ours, services)
        near = [row for row in rows if doubt.covers(datetime.fromisoformat(row["created_at"]))]
        alike = [identifier(row["id"]) for row in near if row.get("text", "") == call.body.get("text", "")]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise unreadable(repeatable=True) from None
    found: Reconciled
    if len(alike) == 1 and not call.uploads:
        found = Accepted(Receipt((alike[0],)))
    elif near:  # links and files change the text, so another one proves nothing
        return Unknown(f"{len(near)} of ours were written there at that time")
    elif services.clock.now() <= doubt.ended + LISTED_WITHIN:
        return Unknown("it may not be listed yet")
    else:
        found = NotTaken()
    await services.state.compare_and_set(_Doubt.key(call), text, None)
    return found


async def _own_messages(call: Call, api: Api, ours: str, services: Services) -> list[Any]:
    path = f"/2/dm_conversations/with/{call.to.value}/dm_events"
    query = {"dm_event.fields": "id,text,created_at,sender_id", "max_results": str(LISTED)}
    rows = (await api.call(services, "GET", path, query=query)).get("", ())
    return [row for row in rows if row.get("sender_id") == ours]


async def _own_posts(call: Call, api: Api, ours: str, services: Services) -> list[Any]:
    query = {"tweet.fields": "created_at,referenced_tweets", "max_results": str(LISTED)}
    rows = (await api.call(services, "GET", f"/2/users/{ours}/tweets", query=query)).get("", ())
    answered = {"type": "replied_to", "id": call.body["reply"]["in_reply_to_tweet_id"]}
    return [row for row in rows if answered in row.get("referenced_tweets", ())]
