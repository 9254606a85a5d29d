"""Sending: from an action to calls of the Web API, and the calls themselves.

Sources: https://docs.slack.dev/reference/methods/chat.postMessage,
https://docs.slack.dev/messaging/working-with-files#upload and https://docs.slack.dev/messaging/message-metadata
"""

from collections.abc import Iterator, Sequence

from attrs import evolve

from channelry import hookimpl, model
from channelry.errors import PermanentError, RetryableError
from channelry.services import Services
from channelry.text import split
from channelry_webapi import Body, Draft, Piece, batches, calls, change, doubt, enclosed, require_link
from channelry_webapi.answers import ids, kind_of, named, object_in, refusal, rows_in, unreadable

from .capabilities import ALT_TEXT, DELETE, DELETE_FILE, FILES, PAGE, POST, REACT, SECTION, SHARE, UNREACT, UPDATE
from .connection import FILE, PEOPLE, Workspace
from .emoji import name_of
from .markup import escape
from .receive import LINK, THREAD

EVENT_TYPE = "channelry_call"
"""What our metadata is called; it holds the call's key, by which a message is found again."""
PAGES = 3
"""How far back a message is looked for."""


@hookimpl
def compose(workspace: Workspace, outbound: model.Outbound) -> Sequence[model.Call]:
    """Turn an action into calls: text is split, uploaded files go together and bear the text."""
    workspace.capabilities.admit(outbound)
    match outbound:
        case model.SendMessage():
            return calls(outbound, _message(outbound, workspace.capabilities.text))
        case model.Edit(external_id=place, text=text):
            if len(escape(text)) > workspace.capabilities.text:
                raise PermanentError("the text is too long, as Slack writes & < >", code="too_long")
            return change(outbound, UPDATE, {**_at(place), "text": escape(text), "blocks": []})
        case model.Delete(external_id=place):
            if place.startswith(FILE):
                return change(outbound, DELETE_FILE, {"file": place})
            return change(outbound, DELETE, _at(place))
    assert isinstance(outbound, model.React)  # nothing else is admitted
    if not (name := name_of(outbound.emoji)):
        raise PermanentError(f"Slack has no name for {outbound.emoji}", code="unsupported")
    at = _at(outbound.external_id)
    body = {"channel": at["channel"], "timestamp": at["ts"], "name": name}
    return change(outbound, REACT if outbound.on else UNREACT, body)


def _at(external_id: str) -> dict[str, str]:
    channel, _, ts = external_id.partition(":")
    if not (channel and ts.isascii() and ts.replace(".", "", 1).isdecimal()):
        raise PermanentError(f"{external_id!r} is no message of Slack's: expected CHANNEL:TS", code="message_id")
    return {"channel": channel, "ts": ts}


def _message(message: model.SendMessage, limit: int) -> Iterator[Draft]:
    """Text, then parts; but uploads bear the beginning of the text, and buttons hang below the end of it."""
    most = SECTION if message.buttons else limit
    pieces = [escape(piece) for piece in split(message.text, most, lambda text: len(escape(text)))]
    if message.buttons and not pieces:
        raise PermanentError("buttons need a text on Slack", code="empty")
    files = [part for part in message.parts if isinstance(part, model.Media)]  # nothing else is admitted
    shown = [_files(run) for run in batches(files, FILES, lambda file: not file.url)]
    bearer = next((body for body, uploads in shown if uploads), None)
    if bearer is not None and pieces and not message.buttons:
        bearer["initial_comment"] = pieces.pop(0)
    written: list[Piece] = [({"text": piece}, ()) for piece in pieces]
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
    target, found = message.target, message.target.context.get(THREAD)
    if not found and message.quote and target.reply_to.count(":") == 1:  # a pressed button's id has more
        found = _at(target.reply_to)["ts"]
    return {"thread_ts": found} if found else {}


def _files(files: tuple[model.Media, ...]) -> Piece:
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


def _button(number: int, button: model.Button) -> Body:
    shown = {"type": "button", "text": {"type": "plain_text", "text": button.title}}
    if button.url:
        return {**shown, "action_id": f"{LINK}{number}", "url": button.url}
    return {**shown, "action_id": f"button:{number}", "value": button.payload}


@hookimpl
async def send(workspace: Workspace, call: model.Call, services: Services) -> model.Receipt:
    """Make one call; a person is written to in the conversation that is opened first, files are uploaded first."""
    if call.resend is model.Resend.SAFE:
        await workspace.call(services, call.action, json=call.body)
        return model.Receipt()
    channel = await _channel(workspace, call, services)
    if call.uploads:
        files = [await _uploaded(workspace, media, services) for media in call.uploads]
        body = {**call.body, "channel_id": channel, "files": files}
        shared = await workspace.call(services, SHARE, json=body, repeatable=False)
        if not (found := ids(shared.get("files"))):
            raise unreadable(repeatable=False)
        return model.Receipt(found)  # the message comes a while later, without an id of its own: it is known by these
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": call.key}}
    body = {**call.body, "channel": channel, "metadata": metadata}
    async with doubt.noted(call, services):
        posted = await workspace.call(services, POST, json=body, repeatable=False)
        channel, ts = (named(posted.get(name), repeatable=False) for name in ("channel", "ts"))
        return model.Receipt((f"{channel}:{ts}",))


async def _channel(workspace: Workspace, call: model.Call, services: Services) -> str:
    """Give the conversation to write in; the one with a person is opened, or found where it is open already."""
    if not call.to.value.startswith(PEOPLE):
        return call.to.value
    opened = await workspace.call(services, "conversations.open", json={"users": call.to.value})
    return named(object_in(opened, "channel").get("id"), repeatable=True)


async def _uploaded(workspace: Workspace, media: model.Media, services: Services) -> dict[str, str]:
    if media.size is None:
        media = evolve(media, size=sum([len(piece) async for piece in services.files.read(media.ref)]))
    file = enclosed("filename", media, services)
    query = {"filename": file.filename, "length": str(media.size)}
    place = await workspace.call(services, "files.getUploadURLExternal", query=query)
    file_id, url = (named(place.get(key), repeatable=True) for key in ("file_id", "upload_url"))
    answer = await services.http.request("POST", url, files=[file], repeatable=True)
    if answer.status != 200:
        kind = RetryableError if kind_of(answer.status) is RetryableError else PermanentError
        raise refusal(answer, services, kind, said=f"Slack does not take the file: HTTP {answer.status}")
    return {"id": file_id, "title": file.filename}


@hookimpl
async def reconcile(workspace: Workspace, call: model.Call, services: Services) -> model.Reconciled:
    """Look for the message that has our key, among the newest of its conversation or in its thread."""
    if call.action != POST:
        return model.Unknown("Slack cannot be asked whether files were posted")
    return await doubt.conclude(call, await _found(workspace, call, services), services)


async def _found(workspace: Workspace, call: model.Call, services: Services) -> model.Reconciled:
    channel, thread_ts = await _channel(workspace, call, services), call.body.get("thread_ts")
    query = {"channel": channel, "limit": str(PAGE), "include_all_metadata": "true"}
    query |= {"ts": thread_ts} if thread_ts else {}
    for _ in range(PAGES):
        page = await workspace.call(services, f"conversations.{'replies' if thread_ts else 'history'}", query=query)
        for message in rows_in(page, "messages"):
            if object_in(message, "metadata").get("event_payload") == {"key": call.key}:
                return model.Accepted(model.Receipt((f"{channel}:{named(message.get('ts'), repeatable=True)}",)))
        query["cursor"] = str(object_in(page, "response_metadata").get("next_cursor") or "")
        if not query["cursor"]:
            return model.NotTaken()
    return model.Unknown(f"it is not among the {PAGES * PAGE} messages that were looked at")
