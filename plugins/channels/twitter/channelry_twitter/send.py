"""Sending: from an action to direct messages and posts, and what became of one whose answer was lost.

Sources: https://docs.x.com/x-api/direct-messages/manage/introduction,
https://docs.x.com/x-api/posts/manage-tweets/introduction and
https://docs.x.com/x-api/media/quickstart/media-upload-chunked
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from itertools import zip_longest
from typing import Any

from channelry import hookimpl, model
from channelry.errors import PermanentError, RetryableError
from channelry.parsing import identifier, mapping
from channelry.services import Services
from channelry.text import split
from channelry_webapi import Draft, Listed, batches, calls, change, cut, doubt, named

from .capabilities import CHANGE, DM, GIF, IMAGE_BYTES, LISTED, PIECE, POST, POST_IMAGES, weight
from .connection import Account
from .refusals import GONE

PATIENCE = 120.0
"""Seconds for which X may work on a video before its message is tried again later."""


@hookimpl
def compose(account: Account, outbound: model.Outbound) -> Sequence[model.Call]:
    """Turn an action into calls: messages and posts, or a change that may be repeated."""
    account.capabilities.admit(outbound)
    public, likes = outbound.target.audience is model.Audience.PUBLIC, f"/2/users/{account.account}/likes"
    json: Any = None
    match outbound:
        case model.SendMessage():
            return calls(outbound, _message(outbound, account.capabilities.of(outbound.target), public))
        case model.Delete(external_id=found):
            method, path = "DELETE", f"/2/{'tweets' if public else 'dm_events'}/{_number(found)}"
        case model.React(external_id=found, on=True):
            method, path, json = "POST", likes, {"tweet_id": _number(found)}
        case model.React(external_id=found):
            method, path = "DELETE", f"{likes}/{_number(found)}"
        case model.Hide(external_id=found, on=on):
            method, path, json = "PUT", f"/2/tweets/{_number(found)}/hidden", {"hidden": on}
    return change(outbound, CHANGE, {"method": method, "path": path, "json": json})


def _message(message: model.SendMessage, limits: model.Capabilities, public: bool) -> Iterator[Draft]:
    """Give the drafts, the first files with the beginning of the text.

    A direct message has one file, and a post up to four pictures that do not move, or one that does. Posts all answer
    the same one: that which is named, else the one that the thread hangs on.
    """
    target, reply = message.target, dict[str, Any]()
    if public:
        answered = _number(target.reply_to or (target.thread.root if target.thread else ""))
        reply = {"reply": {"in_reply_to_tweet_id": answered}}
    groups = batches(map(_file, message.parts), POST_IMAGES if public else 1, _is_picture)
    pieces = split(message.text, limits.text, weight if public else len)
    for piece, group in zip_longest(pieces, groups, fillvalue=()):
        yield Draft(POST if public else DM, {"text": piece, **reply} if piece else reply, group)


def _number(external_id: str) -> str:
    if not (external_id.isascii() and external_id.isdecimal()):
        raise PermanentError(f"{external_id!r} is no id of X's: expected digits", code="message_id")
    return external_id


def _file(part: Any) -> model.Media:
    if not isinstance(part, model.Media) or not part.ref:
        raise PermanentError("X takes files by upload only", code="no_upload")
    if not part.media_type or part.size is None:
        raise PermanentError("a file to upload needs its media_type and its size", code="no_media_type")
    if _is_picture(part) and part.size > IMAGE_BYTES:
        raise PermanentError(f"a picture is larger than {IMAGE_BYTES} bytes", code="too_large")
    return part


def _is_picture(file: model.Media) -> bool:
    """Tell whether a file is a picture that does not move."""
    return file.kind is model.Kind.IMAGE and file.media_type != GIF


@hookimpl
async def send(account: Account, call: model.Call, services: Services) -> model.Receipt:
    """Make one call, after uploading its files; only a message or a post can be ambiguous."""
    body = dict(call.body)
    if call.action == CHANGE:
        return await _change(account, services, **body)
    ids = [await _upload(account, file, "dm" if call.action == DM else "tweet", services) for file in call.uploads]
    if call.action == DM:
        path, name = f"/2/dm_conversations/with/{_number(call.to.value)}/messages", "dm_event_id"
        shown: dict[str, Any] = {"attachments": [{"media_id": one} for one in ids]}
    else:
        path, name, shown = "/2/tweets", "id", {"media": {"media_ids": ids}}
    async with doubt.noted(call, services):
        answer = await account.call(services, "POST", path, json=body | shown if ids else body, repeatable=False)
        return model.Receipt((named(answer.get(name), repeatable=False),))


async def _change(account: Account, services: Services, method: str, path: str, json: Any) -> model.Receipt:
    """Set what is asked for; what is gone already counts as deleted."""
    try:
        await account.call(services, method, path, json=json)
    except PermanentError as error:
        if method != "DELETE" or error.code != GONE:
            raise
    return model.Receipt()


async def _upload(account: Account, file: model.Media, place: str, services: Services) -> str:
    """Upload a file and give its id, good for a day; every step may be repeated."""
    path, image = "/2/media/upload", file.kind is model.Kind.IMAGE
    kind = "image" if _is_picture(file) else "gif" if image else "video"
    started = {"media_type": file.media_type, "total_bytes": file.size, "media_category": f"{place}_{kind}"}
    begun = await account.call(services, "POST", f"{path}/initialize", json=started)
    media_id = named(begun.get("id"), repeatable=True)
    number = 0
    async with aclosing(cut("media", file, PIECE, services)) as pieces:
        async for piece in pieces:
            form = [("segment_index", str(number))]
            await account.call(services, "POST", f"{path}/{media_id}/append", form=form, files=[piece])
            number += 1
    state = await account.call(services, "POST", f"{path}/{media_id}/finalize")
    waited = 0.0
    while seconds := _still(state):
        if waited >= PATIENCE:
            raise RetryableError("X still works on the video", code="processing", retry_after=seconds)
        await services.clock.sleep(seconds)
        waited += seconds
        state = await account.call(services, "GET", path, query={"command": "STATUS", "media_id": media_id})
    return media_id


def _still(state: Mapping[str, Any]) -> float:
    """Give the seconds after which to look again, 0 for a file that is ready."""
    progress = mapping(state.get("processing_info"))
    if progress.get("state") == "failed":
        raise PermanentError("X cannot use the file", code="media")
    if progress.get("state") not in ("pending", "in_progress"):
        return 0.0
    seconds = progress.get("check_after_secs")
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else 5.0


@hookimpl
async def reconcile(account: Account, call: model.Call, services: Services) -> model.Reconciled:
    """Look for what was sent among our own messages to this person, or our own posts that answer this one."""
    path, kind, fields = f"/2/users/{account.account}/tweets", "tweet", "created_at,referenced_tweets"
    if call.action == DM:
        path, kind = f"/2/dm_conversations/with/{call.to.value}/dm_events", "dm_event"
        fields = "id,text,created_at,sender_id"
    answered = {"type": "replied_to", "id": call.body.get("reply", {}).get("in_reply_to_tweet_id")}

    def read(row: Any) -> Listed:
        ours = row.get("sender_id") == account.account or answered in row.get("referenced_tweets", ())
        return Listed(identifier(row["id"]), row.get("text", ""), datetime.fromisoformat(row["created_at"]), ours)

    async def listed() -> Any:  # no data at all where there is none
        query = {f"{kind}.fields": fields, "max_results": str(LISTED)}
        return (await account.call(services, "GET", path, query=query)).get("", [])

    # links and files change the text, so that another one proves nothing
    text = None if call.uploads else call.body.get("text", "")
    return await doubt.settle(call, text, listed, read, LISTED, services)
