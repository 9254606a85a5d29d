"""Sending: from an action to direct messages and posts, and what became of one whose answer was lost.

Source: https://docs.x.com/x-api/direct-messages/manage/introduction and
https://docs.x.com/x-api/posts/manage-tweets/introduction
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

from channelry import model, text
from channelry.errors import PermanentError
from channelry.parsing import identifier
from channelry.services import Services
from channelry_webapi import Listed, batches, doubt
from channelry_webapi.answers import named
from channelry_webapi.drafts import Draft, calls

from . import media
from .api import Api
from .capabilities import DM, IMAGE_BYTES, POST, POST_IMAGES, weight

CHANGE = "change"
"""Sets what is so after it: a deletion, a like, a hidden reply."""
LISTED = 100
"""Entries of a list that are looked through; the most that X gives at once."""


def compose(outbound: model.Outbound, capabilities: model.Capabilities, ours: str) -> Sequence[model.Call]:
    """Turn an admitted action into calls; `ours` is the account that acts."""
    public = outbound.target.audience is model.Audience.PUBLIC
    json: Any = None
    match outbound:
        case model.SendMessage():
            made = _message(outbound, capabilities.of(outbound.target), public)
            return calls(outbound, (Draft(POST if public else DM, body, files) for body, files in made))
        case model.Delete(external_id=found):
            method, path = "DELETE", f"/2/{'tweets' if public else 'dm_events'}/{_number(found)}"
        case model.React(external_id=found, on=True):
            method, path, json = "POST", f"/2/users/{ours}/likes", {"tweet_id": _number(found)}
        case model.React(external_id=found):
            method, path = "DELETE", f"/2/users/{ours}/likes/{_number(found)}"
        case model.Hide(external_id=found, on=on):
            method, path, json = "PUT", f"/2/tweets/{_number(found)}/hidden", {"hidden": on}
        case _:
            raise PermanentError(f"X has no {outbound.kind}", code="unsupported")
    change = {"method": method, "path": path, "json": json}
    return calls(outbound, [Draft(CHANGE, change, resend=model.Resend.SAFE)])


def _message(
    message: model.SendMessage, limits: model.Capabilities, public: bool
) -> Iterator[tuple[dict[str, Any], tuple[model.Media, ...]]]:
    """Give the bodies, the first files with the beginning of the text.

    A direct message has one file, and a post up to four pictures that do not move, or one that does. Posts all answer
    the same one: that which is named, else the one that the thread hangs on.
    """
    target, reply = message.target, {}
    if public:
        answered = _number(target.reply_to or (target.thread.root if target.thread else ""))
        reply = {"reply": {"in_reply_to_tweet_id": answered}}
    files = [_file(part) for part in message.parts]
    groups = batches(files, POST_IMAGES if public else 1, media.is_picture)
    pieces = text.split(message.text, limits.text, weight if public else len)
    for piece, group in zip_longest(pieces, groups):
        yield {**({"text": piece} if piece else {}), **reply}, group or ()


def _number(external_id: str) -> str:
    if not (external_id.isascii() and external_id.isdecimal()):
        raise PermanentError(f"{external_id!r} is no id of X's: expected digits", code="message_id")
    return external_id


def _file(part: Any) -> model.Media:
    if not isinstance(part, model.Media) or not part.ref:
        raise PermanentError("X takes files by upload only", code="no_upload")
    if not part.media_type or part.size is None:
        raise PermanentError("a file to upload needs its media_type and its size", code="no_media_type")
    if media.is_picture(part) and part.size > IMAGE_BYTES:
        raise PermanentError(f"a picture is larger than {IMAGE_BYTES} bytes", code="too_large")
    return part


async def send(call: model.Call, api: Api, services: Services) -> model.Receipt:
    """Make one call, after uploading its files; only a message or a post can be ambiguous."""
    body = dict(call.body)
    if call.action == CHANGE:
        return await _change(body, api, services)
    ids = [await media.upload(api, file, "dm" if call.action == DM else "tweet", services) for file in call.uploads]
    if call.action == DM:
        path, name = f"/2/dm_conversations/with/{_number(call.to.value)}/messages", "dm_event_id"
        shown: dict[str, Any] = {"attachments": [{"media_id": one} for one in ids]}
    else:
        path, name, shown = "/2/tweets", "id", {"media": {"media_ids": ids}}
    async with doubt.noted(call, services):
        answer = await api.call(services, "POST", path, json=body | shown if ids else body, repeatable=False)
        return model.Receipt((named(answer.get(name), repeatable=False),))


async def _change(body: dict[str, Any], api: Api, services: Services) -> model.Receipt:
    """Set what is asked for; what is gone already counts as deleted."""
    try:
        await api.call(services, body["method"], body["path"], json=body["json"])
    except PermanentError as error:
        if body["method"] != "DELETE" or error.code not in ("404", "resource-not-found"):
            raise
    return model.Receipt()


async def reconcile(call: model.Call, api: Api, ours: str, services: Services) -> model.Reconciled:
    """Look for what was sent among our own messages to this person, or our own posts that answer this one."""
    if call.action == DM:
        path, wanted, own = f"/2/dm_conversations/with/{call.to.value}/dm_events", "id,text,created_at,sender_id", ours
        query = {"dm_event.fields": wanted, "max_results": str(LISTED)}
    else:
        path, wanted, own = f"/2/users/{ours}/tweets", "created_at,referenced_tweets", ""
        query = {"tweet.fields": wanted, "max_results": str(LISTED)}
    answered = {"type": "replied_to", "id": call.body.get("reply", {}).get("in_reply_to_tweet_id")}

    def read(row: Any) -> Listed:
        mine = row.get("sender_id") == own if own else answered in row.get("referenced_tweets", ())
        made = datetime.fromisoformat(row["created_at"])
        return Listed(identifier(row["id"]), row.get("text", ""), made, mine)

    async def listed() -> Sequence[Listed]:
        return [read(row) for row in (await api.call(services, "GET", path, query=query)).get("", ())]

    # links and files change the text, so that another one proves nothing
    return await doubt.settle(call, None if call.uploads else call.body.get("text", ""), listed, LISTED, services)
