"""Sending: from an action to calls of the Web API, and the calls themselves.

Sources: https://docs.slack.dev/reference/methods/chat.postMessage,
https://docs.slack.dev/messaging/working-with-files#upload and https://docs.slack.dev/messaging/message-metadata
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from channelry import model
from channelry.errors import PermanentError, RetryableError
from channelry.parsing import identifier, mapping, sequence, string
from channelry.services import FilePart, Services
from channelry.text import split
from channelry_webapi import Client, batches
from channelry_webapi.answers import kind_of, named, unreadable
from channelry_webapi.drafts import Draft, calls
from channelry_webapi.files import require_link

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
_Piece: TypeAlias = tuple[_Body, tuple[model.Media, ...]]
"""The body of one message's call, and the files that are uploaded before."""


def compose(capabilities: model.Capabilities, outbound: model.Outbound) -> Sequence[model.Call]:
    """Turn an action into calls: text is split, uploaded files go together and bear the text."""
    capabilities.admit(outbound)
    if isinstance(outbound, model.SendMessage):
        return calls(outbound, _message(capabilities, outbound))
    action, body = _WRITERS[outbound.kind](outbound)
    return calls(outbound, [Draft(action, body, resend=model.Resend.SAFE)])  # what is so is so if it is done twice


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


def _message(capabilities: model.Capabilities, message: model.SendMessage) -> Iterator[Draft]:
    """Text, then parts; but uploads bear the beginning of the text, and buttons hang below the end of it."""
    limit = capabilities.buttons.text if message.buttons and capabilities.buttons else capabilities.text
    pieces = [escape(piece) for piece in split(message.text, limit, lambda text: len(escape(text)))]
    if message.buttons and not pieces:
        raise PermanentError("buttons need a text on Slack", code="empty")
    files = [part for part in message.parts if isinstance(part, model.Media)]  # nothing else is admitted
    shown = [_files(run) for run in batches(files, FILES, lambda file: not file.url)]
    bearer = next((body for body, uploads in shown if uploads), None)
    if bearer is not None and pieces and not message.buttons:
        bearer["initial_comment"] = pieces.pop(0)
    written: list[_Piece] = [({"text": piece}, ()) for piece in pieces]
    if message.buttons:
        section = {"type": "section", "text": {"type": "mrkdwn", "text": pieces[-1]}}
        elements = [_button(n, one) for n, one in enumerate(message.buttons)]
        written[-1][0]["blocks"] = [section, {"type": "actions", "elements": elements}]
    thread, files_first = _thread(message), message.buttons or bearer is not None
    for body, uploads in shown + written if files_first else written + shown:
        # nothing of ours is in the message that files make
        yield Draft(SHARE, body | thread, uploads, model.Resend.NEVER) if uploads else Draft(POST, body | thread)


def _thread(message: model.SendMessage) -> dict[str, str]:
    """Answer in the thread of the message; one that is quoted begins a thread."""
    target = message.target
    if found := target.context.get(THREAD):
        return {"thread_ts": found}
    if message.quote and target.reply_to.count(":") == 1:  # a pressed button's id has more
        return {"thread_ts": _at(target.reply_to)["ts"]}
    return {}


def _files(files: tuple[model.Media, ...]) -> _Piece:
    """Upload files; show what we only have a link to: a picture itself, anything else as the link."""
    for file in files:
        require_link(file, "https://", "http://")
    first, name = files[0], escape(files[0].name)
    if not first.url:
        return {}, files
    if first.kind is model.Kind.IMAGE:
        image = {"type": "image", "image_url": first.url, "alt_text": (first.name or first.url)[:ALT_TEXT]}
        return {"text": name or escape(first.url), "blocks": [image]}, ()
    return {"text": f"{name}\n{escape(first.url)}".strip()}, ()


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
    if action == POST:
        body["metadata"] = {"event_type": EVENT_TYPE, "event_payload": {"key": given.key}}
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
