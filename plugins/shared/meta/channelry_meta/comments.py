"""What we send to comments of Facebook and Instagram, and how it is found again after a lost answer.

A call's body is the request itself: `method`, `path`, `json`. Of a new comment it has `among` too: the edge that lists
it, which for an answer to an answer is that of the first-level comment, since both services nest one level deep.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson
from attrs import frozen

from channelry.errors import AmbiguousError, PermanentError, SendError
from channelry.model import Accepted, Call, Delete, Hide, NotTaken, Receipt, Reconciled, Resend, Target, Unknown
from channelry.services import Services

from .account import told
from .codes import GONE
from .graph import Graph, named

COMMENT, CHANGE = "comment", "change"
"""The actions: what everybody can read, and what may be repeated: an edit, a deletion, hiding, a like."""

_LISTED = timedelta(seconds=15)
"""After how long a comment that was taken is certainly listed [k]."""


@frozen
class Listing:
    """How a service lists comments: the name of their text, who we are there, and how the newest come first."""

    text: str
    author: str
    order: Mapping[str, str]

    async def alike(self, call: Call, graph: Graph, services: Services) -> tuple[dict[str, bool], bool] | None:
        """Give the comments beside a new one, or that new one, which have its text: by id, whether they are ours for
        certain; and whether the list is whole. None where we may not read it."""
        edge, text = call.body["among"], call.body["json"].get("message", "").strip()
        answer = await told(edge, f"id,from,{self.text}", graph, services, limit="100", **self.order)
        if answer is None:
            return None
        data, paging = answer.get("data"), answer.get("paging")
        listed = data if isinstance(data, list) else [None]
        rows = [row for row in listed if isinstance(row, dict)]
        same = [row for row in rows if str(row.get(self.text) or "").strip() == text]
        found = {str(row.get("id")): self._is_ours(row) for row in same}
        return found, len(rows) == len(listed) and not (isinstance(paging, dict) and paging.get("next"))

    def _is_ours(self, row: Mapping[str, Any]) -> bool:
        author = row.get("from")
        return isinstance(author, dict) and str(author.get("id")) == self.author


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


async def send(call: Call, listing: Listing, graph: Graph, services: Services) -> Receipt:
    """Make one call. Before a new comment those that look like it are noted, by which it can be told from them."""
    body = call.body
    if call.action == CHANGE:
        try:
            answer = await graph.call(services, body["method"], body["path"], json=body["json"], repeatable=True)
        except PermanentError as error:
            if body["method"] != "DELETE" or error.code != GONE:
                raise
            return Receipt()
        if answer.get("success") is False:
            raise PermanentError("Meta answered that it was not done", code="not_done")
        return Receipt()
    if "among" in body:
        before = await listing.alike(call, graph, services)
        note = before and {"at": services.clock.now().isoformat(), "known": list(before[0])}
        await _keep(call, orjson.dumps(note).decode() if note else None, services)
    try:
        answer = await graph.call(services, "POST", body["path"], json=body["json"], repeatable=False)
        receipt = Receipt((named(answer.get("id"), AmbiguousError),))
    except AmbiguousError:
        raise
    except SendError:
        await _keep(call, None, services)
        raise
    await _keep(call, None, services)
    return receipt


async def reconcile(call: Call, listing: Listing, graph: Graph, services: Services) -> Reconciled:
    """Look for one comment of ours that has this text and was not there before the call. A list that may leave it out
    settles nothing, nor do comments of which it is not certain that they are ours: the id that we go by may be another
    there."""
    noted = await services.state.get(_name(call))
    if noted is None:
        return Unknown("it is not known what was there before")
    note = orjson.loads(noted)
    after = await listing.alike(call, graph, services)
    if after is None:
        return Unknown("the comments cannot be read")
    new = {one: ours for one, ours in after[0].items() if one not in note["known"]}
    found = [one for one, ours in new.items() if ours]
    if len(found) > 1:
        return Unknown("several comments of ours have this text")
    if new and not found:
        return Unknown("it is not certain whose comment has this text")
    if not found and not after[1]:
        return Unknown("not all comments are listed")
    if not found and services.clock.now() - datetime.fromisoformat(note["at"]) < _LISTED:
        return Unknown("not listed yet")
    await _keep(call, None, services)
    return Accepted(Receipt((found[0],))) if found else NotTaken()


async def _keep(call: Call, note: str | None, services: Services) -> None:
    name = _name(call)
    await services.state.compare_and_set(name, await services.state.get(name), note)


def _name(call: Call) -> str:
    return f"comment:{call.key}"
