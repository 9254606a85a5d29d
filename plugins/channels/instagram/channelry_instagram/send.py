"""What we send on Instagram: messages, answers to comments and to mentions, hiding and deleting comments.

https://developers.facebook.com/documentation/instagram-platform/comment-moderation and …/private-replies
"""

from collections.abc import Sequence
from typing import Any

from channelry import hookimpl
from channelry.errors import PermanentError
from channelry.model import Audience, Call, Delete, Hide, Outbound, Receipt, Reconciled, Resend, SendMessage, Sticker
from channelry.services import Services
from channelry.text import split
from channelry_meta import comments, messages

from .capabilities import HEART, LIVE, MENTIONED_COMMENT, MENTIONED_MEDIA, SCHEME
from .connection import Professional


def _sticker(sticker: Sticker) -> dict[str, Any]:
    if sticker.id != HEART:
        raise PermanentError(f"Instagram sends one sticker only: {HEART}", code="unsupported")
    return {"attachment": {"type": HEART}}


def _reaction(emoji: str) -> str:
    return "love"


DIALECT = messages.Dialect(
    SCHEME, _sticker, _reaction, templates=False, metadata=False, reusable=False, platform="instagram"
)


@hookimpl
def compose(account: Professional, outbound: Outbound) -> Sequence[Call]:
    """Turn an action into calls."""
    account.capabilities.admit(outbound)
    target, limits = outbound.target, account.capabilities.of(outbound.target)
    if target.audience is Audience.PRIVATE:
        if MENTIONED_MEDIA in target.context:
            raise PermanentError("a mention is answered where it stands", code="unsupported")
        return messages.compose(outbound, limits, DIALECT, tagged=account.config.human_agent)
    if isinstance(outbound, Delete | Hide):
        return [comments.moderation(outbound, "hide")]
    if not isinstance(outbound, SendMessage):
        raise PermanentError(f"comments have no {outbound.kind}", code="unsupported")
    if target.context.get(LIVE):
        raise PermanentError("comments of a broadcast can only be answered in private", code="unsupported")
    texts = enumerate(split(outbound.text, limits.text, limits.unit.measure))
    return [_comment(f"{outbound.key}:{index}", outbound, text, account.account) for index, text in texts]


def _comment(key: str, message: SendMessage, text: str, account: str) -> Call:
    """Write a comment; a mention is answered at our `account`."""
    target = message.target
    media, mentioned = target.context.get(MENTIONED_MEDIA), target.context.get(MENTIONED_COMMENT)
    if media is None:
        return comments.comment(key, target, "replies" if target.reply_to else "comments", {"message": text})
    json = {"media_id": media, "message": text} | ({"comment_id": mentioned} if mentioned else {})
    body = {"method": "POST", "path": comments.path(account, "mentions"), "json": json}
    return Call(key=key, to=target.to, action=comments.COMMENT, body=body, resend=Resend.NEVER)


def _listing(account: Professional) -> comments.Listing:
    """Tell how Instagram lists comments, the newest first."""
    return comments.Listing("text", account.account, {})


@hookimpl
async def send(account: Professional, call: Call, services: Services) -> Receipt:
    """Make one call; messages go through the account, or its Page."""
    graph = await account.graph(services)
    if call.action in (comments.COMMENT, comments.CHANGE):
        return await comments.send(call, _listing(account), graph, services)
    return await messages.send(call, graph, account.node, DIALECT, services)


@hookimpl
async def reconcile(account: Professional, call: Call, services: Services) -> Reconciled:
    """Look for the comment whose answer was lost."""
    return await comments.reconcile(call, _listing(account), await account.graph(services), services)
