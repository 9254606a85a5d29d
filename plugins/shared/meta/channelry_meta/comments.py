"""What we send to comments of Facebook and Instagram, and how it is found again after a lost answer.

A call's body is the request itself: `method`, `path`, `json`. Of a new comment it has `among` too: the edge that lists
it, which for an answer to an answer is that of the first-level comment, since both services nest one level deep.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from attrs import frozen

from channelry.errors import AmbiguousError, PermanentError, SendError
from channelry.model import Accepted, Call, Delete, Hide, NotTaken, Receipt, Reconciled, Resend, Target, Unknown
from channelry.parsing import identifier
from channelry.services import Services

from .account import graph_data
from .codes import GONE
from .graph import Graph

COMMENT, CHANGE = "comment", "change"
"""The actions: what everybody can read, and what may be repeated: an edit, a deletion, hiding, a like."""

_SKEW = timedelta(seconds=30)
"""How far Meta's clock may be behind ours."""
_LISTED = timedelta(seconds=15)
"""After how long a comment that was taken is certainly listed [k]."""


@frozen
class Listing:
    """How a service lists comments: the names of the text and of the time, and who we are there."""

    text: str
    time: str
    author: str

    def query(self) -> dict[str, str]:
        return {"fields": f"id,from,{self.text},{self.time}", "limit": "100"}


def edge(target: Target, name: str) -> str:
    """Give the edge to answer at: the comment's, or the post's where no comment is named."""
    over = target.reply_to or (target.thread.root if target.thread else "")
    if not over:
        raise PermanentError("an answer in public needs a comment or a post in reply_to", code="no_comment")
    return path(over, name)


def path(*names: str) -> str:
    """Write ids and edges as a path."""
    return "/".join(quote(name, safe="") for name in names)


def comment(key: str, target: Target, name: str, json: dict[str, Any], **more: Any) -> Call:
    """Make the call that writes a comment, at the edge `name` of what it answers."""
    at = edge(target, name)
    thread = target.thread
    among = path(thread.parent, name) if thread is not None and thread.depth > 1 and thread.parent else at
    body = {"method": "POST", "path": at, "json": json, "among": among}
    return Call(key=key, to=target.to, action=COMMENT, body=body, resend=Resend.LOOKUP, **more)


def change(key: str, target: Target, method: str, at: str, json: dict[str, Any] | None = None) -> Call:
    """Make a call that may be repeated."""
    body = {"method": method, "path": at, "json": json}
    return Call(key=key, to=target.to, action=CHANGE, body=body, resend=Resend.SAFE)


def moderation(outbound: Delete | Hide, field: str) -> Call:
    """Make the call that deletes a comment, or hides it by the service's own `field`."""
    key, at = f"{outbound.key}:0", path(outbound.external_id)
    if isinstance(outbound, Delete):
        return change(key, outbound.target, "DELETE", at)
    return change(key, outbound.target, "POST", at, {field: outbound.on})


async def send(call: Call, graph: Graph, services: Services) -> Receipt:
    """Make one call; the time of a new comment is noted first, by which it is told from earlier ones like it."""
    body = call.body
    if call.action == CHANGE:
        try:
            await graph.call(services, body["method"], body["path"], json=body["json"], repeatable=True)
        except PermanentError as error:
            if body["method"] != "DELETE" or error.code != GONE:
                raise
        return Receipt()
    await _note(call, services.clock.now().isoformat(), services)
    try:
        answer = await graph.call(services, "POST", body["path"], json=body["json"], repeatable=False)
    except AmbiguousError:
        raise
    except SendError:
        await _note(call, None, services)
        raise
    try:
        receipt = Receipt((identifier(answer.get("id")),))
    except ValueError:
        raise AmbiguousError("Meta answered without the id of the comment", code="unreadable") from None
    await _note(call, None, services)
    return receipt


async def reconcile(call: Call, listing: Listing, graph: Graph, services: Services) -> Reconciled:
    """Look for one comment of ours with this text that is not older than the call."""
    noted, among = await services.state.get(_name(call)), call.body.get("among", "")
    if noted is None or not among:
        return Unknown("there is no list to find it in")
    began, text = datetime.fromisoformat(noted), call.body["json"].get("message", "")
    rows = await graph_data(graph, among, services, listing.query())
    found = [row for row in rows if _is_ours(row, listing, text, began - _SKEW)]
    if len(found) > 1:
        return Unknown("several comments of ours have this text")
    if not found and services.clock.now() - began < _LISTED:
        return Unknown("not listed yet")
    await _note(call, None, services)
    return Accepted(Receipt((identifier(found[0]["id"]),))) if found else NotTaken()


def _is_ours(row: Any, listing: Listing, text: str, since: datetime) -> bool:
    author, told = row.get("from"), row.get(listing.time)
    return (
        isinstance(author, dict)
        and str(author.get("id")) == listing.author
        and (row.get(listing.text) or "").strip() == text.strip()
        and isinstance(told, str)
        and datetime.fromisoformat(told) >= since
    )


async def _note(call: Call, value: str | None, services: Services) -> None:
    name = _name(call)
    await services.state.compare_and_set(name, await services.state.get(name), value)


def _name(call: Call) -> str:
    return f"comment:{call.key}"
