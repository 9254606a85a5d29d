"""What we send on Instagram: messages, answers to comments and to mentions, hiding and deleting comments.

https://developers.facebook.com/documentation/instagram-platform/comment-moderation and …/private-replies
"""

from collections.abc import Sequence
from typing import Any

from channelry.errors import PermanentError
from channelry.model import Audience, Call, Capabilities, Delete, Hide, Outbound, Receipt, Resend, SendMessage, Sticker
from channelry.services import Services
from channelry.text import split
from channelry_meta import Graph, comments, messages

from .capabilities import HEART, SCHEME

LIVE, MENTIONED_MEDIA, MENTIONED_COMMENT = "live", "media", "comment"
"""The keys of a message's context: it came during a broadcast; where a mention stands."""


def _sticker(sticker: Sticker) -> dict[str, Any]:
    if sticker.id != HEART:
        raise PermanentError(f"Instagram sends one sticker only: {HEART}", code="unsupported")
    return {"attachment": {"type": HEART}}


def _reaction(emoji: str) -> str:
    return "love"


DIALECT = messages.Dialect(SCHEME, _sticker, _reaction, templates=False, metadata=False, platform="instagram")


def compose(outbound: Outbound, limits: Capabilities, account: str, *, tagged: bool) -> Sequence[Call]:
    """Turn an admitted action into calls; `account` is ours, at which mentions are answered."""
    target = outbound.target
    if target.audience is Audience.PRIVATE:
        return messages.compose(outbound, limits, DIALECT, tagged=tagged)
    if isinstance(outbound, Delete | Hide):
        return [comments.moderation(outbound, "hide")]
    if not isinstance(outbound, SendMessage):
        raise PermanentError(f"comments have no {outbound.kind}", code="unsupported")
    if target.context.get(LIVE):
        raise PermanentError("comments of a broadcast can only be answered in private", code="unsupported")
    texts = enumerate(split(outbound.text, limits.text, limits.unit.measure))
    return [_comment(f"{outbound.key}:{index}", outbound, text, account) for index, text in texts]


def _comment(key: str, message: SendMessage, text: str, account: str) -> Call:
    target = message.target
    media, mentioned = target.context.get(MENTIONED_MEDIA), target.context.get(MENTIONED_COMMENT)
    if media is None:
        return comments.comment(key, target, "replies" if target.reply_to else "comments", {"message": text})
    json = {"media_id": media, "message": text} | ({"comment_id": mentioned} if mentioned else {})
    body = {"method": "POST", "path": comments.path(account, "mentions"), "json": json}
    return Call(key=key, to=target.to, action=comments.COMMENT, body=body, resend=Resend.NEVER)


def listing(account: str) -> comments.Listing:
    """Tell how Instagram lists comments, the newest first."""
    return comments.Listing("text", account, {})


async def send(call: Call, graph: Graph, account: str, node: str, services: Services) -> Receipt:
    """Make one call; `node` is what messages go through: the account, or its Page."""
    if call.action in (comments.COMMENT, comments.CHANGE):
        return await comments.send(call, listing(account), graph, services)
    return await messages.send(call, graph, node, DIALECT, services)
