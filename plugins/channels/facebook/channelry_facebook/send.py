"""What we send to a Page's comments: answers in public, edits, deletions, hiding, likes; and one private reply each.

https://developers.facebook.com/docs/graph-api/reference/comment
"""

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from channelry import hookimpl, model
from channelry.errors import PermanentError
from channelry.services import Services
from channelry.text import split
from channelry_meta import comments, messages

from .connection import Page

_LINK_SECONDS = 3600.0
"""How long a picture that Facebook loads can be loaded."""


def _no_sticker(sticker: model.Sticker) -> dict[str, Any]:
    raise PermanentError("a private reply is text", code="unsupported")


ASIDE = messages.Dialect("messenger", _no_sticker)
"""A private reply opens a conversation in Messenger, where its author has another id."""


@hookimpl
def compose(page: Page, outbound: model.Outbound) -> Sequence[model.Call]:
    """Turn an action into calls."""
    page.capabilities.admit(outbound)
    target, key, limits = outbound.target, f"{outbound.key}:0", page.capabilities.of(outbound.target)
    if target.audience is model.Audience.PRIVATE:
        return messages.compose(outbound, limits, ASIDE, tagged=False)
    if isinstance(outbound, model.SendMessage):
        return list(_comments(outbound, limits))
    if isinstance(outbound, model.Edit):
        at = comments.path(outbound.external_id)
        return [comments.change(key, target, "POST", at, {"message": outbound.text})]
    if isinstance(outbound, model.React):
        at = comments.path(outbound.external_id, "likes")
        return [comments.change(key, target, "POST" if outbound.on else "DELETE", at)]
    if isinstance(outbound, model.Delete | model.Hide):
        return [comments.moderation(outbound, "is_hidden")]
    raise PermanentError(f"comments have no {outbound.kind}", code="unsupported")


def _comments(message: model.SendMessage, limits: model.Capabilities) -> Iterator[model.Call]:
    """Cut a message into comments of a text and at most one picture each; the first picture goes with the last text."""
    texts = split(message.text, limits.text, limits.unit.measure)
    pictures = [part for part in message.parts if isinstance(part, model.Media)]
    pieces: list[tuple[str, model.Media | None]] = [(text, None) for text in texts[:-1]]
    pieces.append((texts[-1] if texts else "", pictures[0] if pictures else None))
    pieces += [("", picture) for picture in pictures[1:]]
    for index, (text, picture) in enumerate(pieces):
        json = {"message": text} if text else {}
        uploads: tuple[model.Media, ...] = ()
        if picture is not None and picture.ref:
            uploads = (picture,)
        elif picture is not None:
            json |= {"attachment_url": picture.url} if picture.url else {"attachment_id": picture.id}
        yield comments.comment(f"{message.key}:{index}", message.target, "comments", json, uploads=uploads)


def _listing(page: Page) -> comments.Listing:
    """Tell how Facebook lists comments."""
    return comments.Listing("message", page.account, {"filter": "toplevel", "order": "reverse_chronological"})


@hookimpl
async def send(page: Page, call: model.Call, services: Services) -> model.Receipt:
    """Make one call; Facebook loads a file of the application's by a link."""
    graph = page.config.graph()
    if call.action == messages.PRIVATE:
        return await messages.send(call, graph, page.account, ASIDE, services)
    for file in call.uploads:
        link = await services.files.link(file.ref, _LINK_SECONDS)
        call = evolve(call, body={**call.body, "json": {**call.body["json"], "attachment_url": link}})
    return await comments.send(call, _listing(page), graph, services)


@hookimpl
async def reconcile(page: Page, call: model.Call, services: Services) -> model.Reconciled:
    """Look for the comment whose answer was lost."""
    return await comments.reconcile(call, _listing(page), page.config.graph(), services)
