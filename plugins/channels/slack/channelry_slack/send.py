"""Sending: from an action to calls of the Web API, and the calls themselves.

Sources: https://docs.slack.dev/reference/methods/chat.postMessage,
https://docs.slack.dev/messaging/working-with-files#upload and https://docs.slack.dev/messaging/message-metadata
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from channelry import model
from channelry.errors import PermanentError, RetryableError
from channelry.model.outbound import SendablePart
from channelry.parsing import identifier, mapping, sequence, string
from channelry.services import FilePart, Services
from channelry.text import split
from channelry_webapi import Client
from channelry_webapi.answers import kind_of, named, unreadable

from .account import PEOPLE
from .api import call
from .capabilities import DELETE, DELETE_FILE, POST, REACT, SHARE, UNREACT, UPDATE
from .emoji import NAMES
from .markup import escape
from .receive import LINK, THREAD

FILES = 10
"""Most files of one message, as general knowledge has it."""
ALT_TEXT = 2000
"""Most characters of what stands for a picture. Source: https://docs.slack.dev/reference/block-kit/blocks/image-block"""
FILE = "F"
"""What the ids of files begin with; Slack's messages are CHANNEL:TS, and no channel's id begins so."""
EVENT_TYPE = "channelry_call"
"""What our metadata is called; it holds the call's key, by which a message is found again."""
PAGES, PAGE = 3, 200
"""How far back a message is looked for."""
DONE: Mapping[str, frozenset[str]] = {
    DELETE: frozenset({"message_not_found"}),
    DELETE_FILE: frozenset({"file_not_found", "file_deleted"}),
    REACT: frozenset({"already_reacted"}),
    UNREACT: frozenset({"no_reaction"}),
}
"""Refusals that say that what was asked for is so already."""
_PLACE = {POST: "channel", SHARE: "channel_id"}
"""The parameter that says where a new message goes."""


_Body: TypeAlias = dict[str, Any]
_Draft: TypeAlias = tuple[str, _Body, tuple[model.Media, ...]]
"""A call in the making: its method and body, and the files that are uploaded before."""


def compose(capabilities: model.Capabilities, outbound: model.Outbound) -> Sequence[model.Call]:
    """Turn an action into calls: text is split, uploaded files go together and bear the text."""
    capabilities.admit(outbound)
    writer = _WRITERS.get(outbound.kinds()[0])
    drafts = [(*writer(outbound), ())] if writer else _message(capabilities, outbound)
    to, group, calls = outbound.target.to, outbound.target.thread is not None, []
    for n, (action, body, uploads) in enumerate(drafts):
        key = f"{outbound.key}:{n}"
        if action == POST:
            body["metadata"] = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
        # what is so after an action is so if it is done twice; nothing of ours is in the message that files make
        resend = model.Resend.SAFE if writer else model.Resend.NEVER if uploads else None
        calls.append(model.Call(key=key, to=to, action=action, body=body, uploads=uploads, group=group, resend=resend))
    return calls


def _edit(edit: model.Edit) -> tuple[str, _Body]:
    if not edit.text.strip():
        raise PermanentError("the message is empty", code="empty")
    return UPDATE, {**_at(edit.external_id), "text": escape(edit.text), "blocks": []}


def _delete(delete: model.Delete) -> tuple[str, _Body]:
    if delete.external_id.startswith(FILE):
        return DELETE_FILE, {"file": delete.external_id}
    return DELETE, _at(delete.external_id)


def _react(react: model.React) -> tuple[str, _Body]:
    if react.emoji not in NAMES:
        raise PermanentError(f"Slack has no name for {react.emoji}", code="unsupported")
    place, name = _at(react.external_id), NAMES[react.emoji]
    return REACT if react.on else UNREACT, {"channel": place["channel"], "timestamp": place["ts"], "name": name}


_WRITERS: Mapping[model.Kind, Callable[[Any], tuple[str, _Body]]] = {
    model.Kind.EDIT: _edit,
    model.Kind.DELETE: _delete,
    model.Kind.REACTION: _react,
}


def _at(external_id: str) -> dict[str, str]:
    channel, _, ts = external_id.partition(":")
    if not (channel and ts.isascii() and ts.replace(".", "", 1).isdecimal()):
        raise PermanentError(f"{external_id!r} is no message of Slack's: expected CHANNEL:TS", code="message_id")
    return {"channel": channel, "ts": ts}


def _message(capabilities: model.Capabilities, message: Any) -> list[_Draft]:
    """Text, then parts; but uploads bear the beginning of the text, and buttons hang below the end of it."""
    limit = capabilities.buttons.text if message.buttons and capabilities.buttons else capabilities.text
    pieces = [escape(piece) for piece in split(message.text, limit, lambda text: len(escape(text)))]
    if message.buttons and not pieces:
        raise PermanentError("buttons need a text on Slack", code="empty")
    drafts = [_part(run) for run in _runs(message.parts)]
    bearer = next((body for _, body, uploads in drafts if uploads), None)
    if bearer is not None and pieces and not message.buttons:
        bearer["initial_comment"] = pieces.pop(0)
    written: list[_Draft] = [(POST, {"text": piece}, ()) for piece in pieces]
    if message.buttons:
        _, last, _ = written[-1]
        section = {"type": "section", "text": {"type": "mrkdwn", "text": last["text"]}}
        elements = [_button(n, one) for n, one in enumerate(message.buttons)]
        last["blocks"] = [section, {"type": "actions", "elements": elements}]
    drafts = drafts + written if message.buttons or bearer is not None else written + drafts
    for action, body, _ in drafts:
        body.update({_PLACE[action]: message.target.to.value, **_thread(message)})
    return drafts


def _thread(message: model.SendMessage) -> dict[str, str]:
    """Answer in the thread of the message; one that is quoted begins a thread."""
    target = message.target
    if found := target.context.get(THREAD):
        return {"thread_ts": found}
    if message.quote and target.reply_to.count(":") == 1:  # a pressed button's id has more
        return {"thread_ts": _at(target.reply_to)["ts"]}
    return {}


def _runs(parts: Sequence[SendablePart]) -> Iterator[Sequence[model.Media]]:
    """Part by part, but neighbouring uploads together."""
    files = [part for part in parts if isinstance(part, model.Media)]  # nothing else is admitted
    for uploaded, run in groupby(files, lambda file: not file.url):
        found, most = list(run), FILES if uploaded else 1
        yield from (found[start : start + most] for start in range(0, len(found), most))


def _part(files: Sequence[model.Media]) -> _Draft:
    """Upload files; show what we only have a link to: a picture itself, anything else as the link."""
    first = files[0]
    if not first.url:
        if not all(file.ref for file in files):
            raise PermanentError("the file has neither url nor ref", code="no_file")
        return SHARE, {}, tuple(files)
    if not first.url.startswith(("https://", "http://")):
        raise PermanentError("the file's link is not http or https", code="bad_url")
    name = escape(first.name)
    if first.kind is model.Kind.IMAGE:
        image = {"type": "image", "image_url": first.url, "alt_text": (first.name or first.url)[:ALT_TEXT]}
        return POST, {"text": name or escape(first.url), "blocks": [image]}, ()
    return POST, {"text": f"{name}\n{escape(first.url)}".strip()}, ()


def _button(number: int, button: model.Button) -> dict[str, Any]:
    shown = {"type": "button", "text": {"type": "plain_text", "text": button.title}}
    if button.url:
        return {**shown, "action_id": f"{LINK}{number}", "url": button.url}
    return {**shown, "action_id": f"button:{number}", "value": button.payload}


async def send(client: Client, given: model.Call, services: Services) -> model.Receipt:
    """Make one call; a person is written to in the conversation that is opened first, files are uploaded first."""
    body, action = dict(given.body), given.action
    if place := _PLACE.get(action):
        body[place] = await _channel(client, given, services)
    if given.uploads:
        body["files"] = [await _uploaded(client, media, services) for media in given.uploads]
    expected = DONE.get(action, frozenset())
    result = await call(client, services, action, body, expected=expected, repeatable=False)
    if given.resend is model.Resend.SAFE:
        return model.Receipt()
    if not given.uploads:
        channel, ts = (named(result.get(name), repeatable=False) for name in ("channel", "ts"))
        return model.Receipt((f"{channel}:{ts}",))
    try:  # the message comes a while later, without an id of its own: Slack knows it by its files
        return model.Receipt(tuple(identifier(file["id"]) for file in result["files"]))
    except (LookupError, TypeError, ValueError):
        raise unreadable(repeatable=False) from None


async def _channel(client: Client, given: model.Call, services: Services) -> str:
    """Give the conversation to write in; the one with a person is opened, or found where it is open already."""
    if not given.to.value.startswith(PEOPLE):
        return given.to.value
    opened = await call(client, services, "conversations.open", {"users": given.to.value})
    return named(mapping(opened.get("channel")).get("id"), repeatable=True)


async def _uploaded(client: Client, media: model.Media, services: Services) -> dict[str, str]:
    size, name = media.size, media.name or "file"
    if size is None:
        size = sum([len(piece) async for piece in services.files.read(media.ref)])
    query = {"filename": name, "length": str(size)}
    place = await call(client, services, "files.getUploadURLExternal", query=query)
    file_id, url = (named(place.get(key), repeatable=True) for key in ("file_id", "upload_url"))
    content = services.files.read(media.ref)
    file = FilePart("filename", name, media.media_type or "application/octet-stream", content, size)
    answer = await services.http.request("POST", url, files=[file], repeatable=True)
    if answer.status != 200:
        error = RetryableError if kind_of(answer.status) is RetryableError else PermanentError
        raise error(f"Slack does not take the file: HTTP {answer.status}", code=str(answer.status))
    return {"id": file_id, "title": name}


async def reconcile(client: Client, given: model.Call, services: Services) -> model.Reconciled:
    """Look for the message that has our key, among the newest of its conversation or in its thread."""
    if given.action != POST:
        return model.Unknown("Slack cannot be asked whether files were posted")
    channel, thread_ts = await _channel(client, given, services), given.body.get("thread_ts")
    query = {"channel": channel, "limit": str(PAGE), "include_all_metadata": "true"}
    query |= {"ts": thread_ts} if thread_ts else {}
    for _ in range(PAGES):
        page = await call(client, services, f"conversations.{'replies' if thread_ts else 'history'}", query=query)
        for message in sequence(page.get("messages")):
            if mapping(message.get("metadata")).get("event_payload") == {"key": given.key}:
                return model.Accepted(model.Receipt((f"{channel}:{identifier(message['ts'])}",)))
        cursor = string(mapping(page.get("response_metadata")).get("next_cursor"))
        if not cursor:
            return model.NotTaken()
        query["cursor"] = cursor
    return model.Unknown(f"it is not among the {PAGES * PAGE} messages that were looked at")
