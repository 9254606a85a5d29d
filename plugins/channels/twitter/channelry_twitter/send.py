"""Sending: from an action to direct messages and posts, and what became of one whose answer was lost.

Source: https://docs.x.com/x-api/direct-messages/manage/introduction and
https://docs.x.com/x-api/posts/manage-tweets/introduction
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from channelry import text as texts
from channelry.errors import PermanentError
from channelry.model import (
    Audience,
    Call,
    Capabilities,
    Delete,
    Hide,
    Kind,
    Media,
    Outbound,
    React,
    Receipt,
    Reconciled,
    Resend,
    SendMessage,
    Target,
)
from channelry.parsing import identifier
from channelry.services import Services
from channelry_webapi import doubt
from channelry_webapi.answers import named

from . import media
from .api import Api
from .capabilities import DM, GIF, IMAGE_BYTES, POST, POST_IMAGES, weight

CHANGE = "change"
"""Sets what is so after it: a deletion, a like, a hidden reply."""

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
    async with doubt.noted(call, services):
        answer = await api.call(services, "POST", path, json=body, repeatable=False)
        return Receipt((named(answer.get(name), repeatable=False),))


async def _change(call: Call, api: Api, services: Services) -> Receipt:
    """Set what is asked for; what is gone already counts as deleted."""
    body = call.body
    try:
        await api.call(services, body["method"], body["path"], json=body["json"])
    except PermanentError as error:
        if body["method"] != "DELETE" or error.code not in ("404", "resource-not-found"):
            raise
    return Receipt()


async def reconcile(call: Call, api: Api, ours: str, services: Services) -> Reconciled:
    """Look for what was sent among our own messages to this person, or our own posts that answer this one."""
    direct = call.action == DM
    if direct:
        path, fields = f"/2/dm_conversations/with/{call.to.value}/dm_events", "dm_event.fields"
        query = {fields: "id,text,created_at,sender_id", "max_results": str(LISTED)}
    else:
        path, query = f"/2/users/{ours}/tweets", {"tweet.fields": "created_at,referenced_tweets"}
        query["max_results"] = str(LISTED)
        answered = {"type": "replied_to", "id": call.body["reply"]["in_reply_to_tweet_id"]}

    async def listed() -> list[doubt.Listed]:
        rows = (await api.call(services, "GET", path, query=query)).get("", ())
        return [
            doubt.Listed(
                identifier(row["id"]),
                row.get("text", ""),
                datetime.fromisoformat(row["created_at"]),
                row.get("sender_id") == ours if direct else answered in row.get("referenced_tweets", ()),
            )
            for row in rows
        ]

    # links and files change the text, so another one proves nothing
    return await doubt.settle(call, None if call.uploads else call.body.get("text", ""), listed, LISTED, services)
