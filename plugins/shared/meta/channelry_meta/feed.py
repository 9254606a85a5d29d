"""What Facebook and Instagram tell of comments and of mentions: the events that they become."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from channelry.model import Announced, EchoSent, Event, MessageReceived, Part, Profile, Surface, Thread
from channelry.parsing import identifier

from .attachments import unsupported


def author(told: Any, name: str) -> str:
    """Give the id of who wrote; Meta withholds it where the app lacks a right: then it is somebody, of this only."""
    return f"author of {name}" if told is None else identifier(told["id"])


def thread(post: str, above: str, link: str = "") -> Thread:
    """Tell where a comment stands, by the post and by what it answers: the post itself, or a comment."""
    return Thread(root=post, parent=above, depth=1 if above == post else 2, permalink=link, private=False)


def written(
    account: str,
    name: str,
    occurred_at: datetime,
    sender: Profile,
    thread: Thread,
    text: str,
    parts: tuple[Part, ...],
    context: Mapping[str, str],
) -> Event:
    """Make the event of a comment or a post; one of ours was written elsewhere, or by us, whose receipt names it."""
    common: dict[str, Any] = {
        "account": account,
        "key": name,
        "occurred_at": occurred_at,
        "external_id": name,
        "thread": thread,
        "text": text,
        "parts": parts,
    }
    if sender.address.value == account:
        return EchoSent(recipient=None, **common)
    return MessageReceived(sender=sender, surface=Surface.COMMENT, context=context, **common)


def mention(
    event: Announced, sender: Profile, root: str, told_at: Any, text: str, link: str, context: Mapping[str, str]
) -> MessageReceived:
    """Make the message of a mention in a comment or a post; where Meta tells no text, its ids are all there is.

    `root`: the post; `told_at`: the time as the Graph API writes it, else that of the event.
    """
    nested = "comment" in event.ids
    what = event.ids.get("comment", root)
    return MessageReceived(
        account=event.account,
        key=f"{what}:mention",
        occurred_at=datetime.fromisoformat(told_at).astimezone(UTC) if isinstance(told_at, str) else event.occurred_at,
        sender=sender,
        external_id=what,
        text=text,
        parts=() if text else (unsupported("mention", dict(event.ids)),),
        surface=Surface.MENTION,
        thread=Thread(root=root, parent=root if nested else "", depth=int(nested), permalink=link, private=False),
        context=context,
    )
