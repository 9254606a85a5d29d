"""Sending: from an action to calls of the Web API, and the calls themselves.

Sources: https://docs.slack.dev/reference/methods/chat.postMessage,
https://docs.slack.dev/messaging/working-with-files#upload and https://docs.slack.dev/messaging/message-metadata
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from attrs import frozen

from channelry.errors import AmbiguousError, PermanentError, RetryableError
from channelry.model import (
    Accepted,
    Button,
    Call,
    Capabilities,
    Delete,
    Edit,
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
from channelry.model.outbound import SendablePart
from channelry.parsing import identifier, mapping, sequence, string
from channelry.services import FilePart, Services
from channelry.text import split

from .account import PEOPLE
from .api import Api
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


@frozen
class _Draft:
    """A call in the making: its method and body, the files that are uploaded before, and what may be repeated."""

    action: str
    body: dict[str, Any]
    uploads: tuple[Media, ...] = ()
    resend: Resend | None = None


def compose(capabilities: Capabilities, outbound: Outbound) -> Sequence[Call]:
    """Turn an action into calls: text is split, uploaded files go together and bear the text."""
    capabilities.admit(outbound)
    match outbound:
        case SendMessage():
            drafts = _message(capabilities, outbound)
        case Edit(external_id=external_id, text=text):
            if not text.strip():
                raise PermanentError("the message is empty", code="empty")
            drafts = [_state(UPDATE, {**_at(external_id), "text": escape(text), "blocks": []})]
        case Delete(external_id=external_id) if external_id.startswith(FILE):
            drafts = [_state(DELETE_FILE, {"file": external_id})]
        case Delete(external_id=external_id):
            drafts = [_state(DELETE, _at(external_id))]
        case React(external_id=external_id, emoji=emoji, on=on):
            if emoji not in NAMES:
                raise PermanentError(f"Slack has no name for {emoji}", code="unsupported")
            place = _at(external_id)
            body = {"channel": place["channel"], "timestamp": place["ts"], "name": NAMES[emoji]}
            drafts = [_state(REACT if on else UNREACT, body)]
        case _:
            raise PermanentError(f"Slack has no {outbound.kind} for apps", code="unsupported")
    to, group = outbound.target.to, outbound.target.thread is not None
    return [
        Call(
            key=key, to=to, group=group, action=draft.action, body=_keyed(draft, key), uploads=draft.uploads,
            resend=draft.resend,
        )
        for n, draft in enumerate(drafts)
        for key in [f"{outbound.key}:{n}"]
    ]  # fmt: skip


def _state(action: str, body: dict[str, Any]) -> _Draft:
    """Draft a call that sets what is so after it, so that twice is the same as once."""
    return _Draft(action, body, resend=Resend.SAFE)


def _keyed(draft: _Draft, key: str) -> dict[str, Any]:
    if draft.action != POST:
        return draft.body
    return {**draft.body, "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}}}


def _at(external_id: str) -> dict[str, str]:
    channel, _, ts = external_id.partition(":")
    if not (channel and ts.isascii() and ts.replace(".", "", 1).isdecimal()):
        raise PermanentError(f"{external_id!r} is no message of Slack's: expected CHANNEL:TS", code="message_id")
    return {"channel": channel, "ts": ts}


def _message(capabilities: Capabilities, message: SendMessage) -> list[_Draft]:
    """Text, then parts; but uploads bear the beginning of the text, and buttons hang below the end of it."""
    limit = capabilities.buttons.text if message.buttons and capabilities.buttons else capabilities.text
    pieces = [escape(piece) for piece in split(message.text, limit, lambda text: len(escape(text)))]
    if message.buttons and not pieces:
        raise PermanentError("buttons need a text on Slack", code="empty")
    drafts = [_part(run) for run in _runs(message.parts)]
    bearer = next((draft.body for draft in drafts if draft.uploads), None)
    if bearer is not None and pieces and not message.buttons:
        bearer["initial_comment"] = pieces.pop(0)
    written = [_Draft(POST, {"text": piece}) for piece in pieces]
    if message.buttons:
        last = written[-1].body
        section = {"type": "section", "text": {"type": "mrkdwn", "text": last["text"]}}
        elements = [_button(n, one) for n, one in enumerate(message.buttons)]
        last["blocks"] = [section, {"type": "actions", "elements": elements}]
    drafts = drafts + written if message.buttons or bearer is not None else written + drafts
    for draft in drafts:
        draft.body.update({_PLACE[draft.action]: message.target.to.value, **_thread(message)})
    return drafts


def _thread(message: SendMessage) -> dict[str, str]:
    """Answer in the thread of the message; one that is quoted begins a thread."""
    target: Target = message.target
    if found := target.context.get(THREAD):
        return {"thread_ts": found}
    if message.quote and target.reply_to.count(":") == 1:  # a pressed button's id has more
        return {"thread_ts": _at(target.reply_to)["ts"]}
    return {}


def _runs(parts: Sequence[SendablePart]) -> Iterator[Sequence[Media]]:
    """Part by part, but neighbouring uploads together."""
    files = [part for part in parts if isinstance(part, Media)]  # nothing else is admitted
    for uploaded, run in groupby(files, lambda file: not file.url):
        found, most = list(run), FILES if uploaded else 1
        yield from (found[start : start + most] for start in range(0, len(found), most))


def _part(files: Sequence[Media]) -> _Draft:
    """Upload files; show what we only have a link to: a picture itself, anything else as the link."""
    first = files[0]
    if not first.url:
        if not all(file.ref for file in files):
            raise PermanentError("the file has neither url nor ref", code="no_file")
        return _Draft(SHARE, {}, tuple(files), resend=Resend.NEVER)  # nothing of ours is in the message it makes
    if not first.url.startswith(("https://", "http://")):
        raise PermanentError("the file's link is not http or https", code="bad_url")
    name = escape(first.name)
    if first.kind is Kind.IMAGE:
        image = {"type": "image", "image_url": first.url, "alt_text": (first.name or first.url)[:ALT_TEXT]}
        return _Draft(POST, {"text": name or escape(first.url), "blocks": [image]})
    return _Draft(POST, {"text": f"{name}\n{escape(first.url)}".strip()})


def _button(number: int, button: Button) -> dict[str, Any]:
    shown = {"type": "button", "text": {"type": "plain_text", "text": button.title}}
    if button.url:
        return {**shown, "action_id": f"{LINK}{number}", "url": button.url}
    return {**shown, "action_id": f"button:{number}", "value": button.payload}


async def send(api: Api, call: Call, services: Services) -> Receipt:
    """Make one call; a person is written to in the conversation that is opened first, files are uploaded first."""
    body = dict(call.body)
    if place := _PLACE.get(call.action):
        body[place] = await _channel(api, call, services)
    if call.uploads:
        body["files"] = [await _uploaded(api, media, services) for media in call.uploads]
    answer = await api.ask(services, call.action, body, repeatable=False)
    if answer.error in DONE.get(call.action, ()):
        return Receipt()
    result = answer.result()
    if call.resend is Resend.SAFE:
        return Receipt()
    try:
        if call.uploads:  # the message comes a while later, without an id of its own: Slack knows it by its files
            return Receipt(tuple(identifier(file["id"]) for file in result["files"]))
        return Receipt((f"{identifier(result['channel'])}:{identifier(result['ts'])}",))
    except (LookupError, TypeError, ValueError):
        raise AmbiguousError("Slack answered without the id of the message", code="unreadable") from None


async def _channel(api: Api, call: Call, services: Services) -> str:
    """Give the conversation to write in; the one with a person is opened, or found where it is open already."""
    if not call.to.value.startswith(PEOPLE):
        return call.to.value
    opened = (await api.ask(services, "conversations.open", {"users": call.to.value})).result()
    return _told(mapping(opened.get("channel")).get("id"))


def _told(value: Any) -> str:
    """Give an id that a preparation brought."""
    try:
        return identifier(value)
    except ValueError:
        raise RetryableError("Slack answered without an id", code="unreadable") from None


async def _uploaded(api: Api, media: Media, services: Services) -> dict[str, str]:
    size, name = media.size, media.name or "file"
    if size is None:
        size = sum([len(piece) async for piece in services.files.read(media.ref)])
    place = await api.read(services, "files.getUploadURLExternal", filename=name, length=str(size))
    file_id, url = _told(place.get("file_id")), _told(place.get("upload_url"))
    content = services.files.read(media.ref)
    file = FilePart("filename", name, media.media_type or "application/octet-stream", content, size)
    answer = await services.http.request("POST", url, files=[file], repeatable=True)
    if answer.status != 200:
        error = RetryableError if answer.status >= 500 or answer.status == 429 else PermanentError
        raise error(f"Slack does not take the file: HTTP {answer.status}", code=str(answer.status))
    return {"id": file_id, "title": name}


async def reconcile(api: Api, call: Call, services: Services) -> Reconciled:
    """Look for the message that has our key, among the newest of its conversation or in its thread."""
    if call.action != POST:
        return Unknown("Slack cannot be asked whether files were posted")
    channel, thread_ts = await _channel(api, call, services), call.body.get("thread_ts")
    query = {"channel": channel, "limit": str(PAGE), "include_all_metadata": "true"}
    method = "conversations.history" if thread_ts is None else "conversations.replies"
    if thread_ts is not None:
        query["ts"] = thread_ts
    for _ in range(PAGES):
        page = await api.read(services, method, **query)
        for message in sequence(page.get("messages")):
            if mapping(message.get("metadata")).get("event_payload") == {"key": call.key}:
                return Accepted(Receipt((f"{channel}:{identifier(message['ts'])}",)))
        cursor = string(mapping(page.get("response_metadata")).get("next_cursor"))
        if not cursor:
            return NotTaken()
        query["cursor"] = cursor
    return Unknown(f"it is not among the {PAGES * PAGE} messages that were looked at")
