"""What Facebook and Instagram tell of comments and of mentions: the events that they become."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from channelry.model import Address, Announced, EchoSent, Event, MessageReceived, Part, Profile, Surface, Thread
from channelry.parsing import string

from .attachments import unsupported
from .values import optional


def person(told: Any) -> str:
    """Give the id of a person; `""` where Meta withholds it, for the app lacks a right."""
    return optional(told.get("id")) if told else ""


def author(scheme: str, account: str, told: Any, name: str) -> Profile:
    """Tell who wrote; where Meta withholds it, it is somebody, of this comment only."""
    known = person(told)
    if not known:
        return Profile(address=Address(scheme, f"author of {name}", account))
    username = string(told.get("username"))
    address = Address(scheme, known, account, username and f"@{username}")
    return Profile(address=address, name=username or string(told.get("name")))


def thread(post: str, above: Any, link: str = "") -> Thread:
    """Tell where a comment stands: on the first level if what it answers (`above`) is nothing or the post, which
    either may name with the account (or the visitor) before it or without."""
    parent = optional(above)
    if parent == post or not parent or parent.rpartition("_")[2] == post.rpartition("_")[2]:
        return Thread(root=post, parent=post, depth=1, permalink=link, private=False)
    return Thread(root=post, parent=parent, depth=2, permalink=link, private=False)


def written(
    account: str,
    name: str,
    at: datetime,
    sender: Profile,
    thread: Thread,
    text: str,
    parts: tuple[Part, ...],
    context: Mapping[str, str],
) -> Event:
    """Make the event of a comment or a post; one of ours was written elsewhere, or by us, whose receipt names it."""
    if sender.address.value == account:
        ours: dict[str, Any] = {"key": name, "external_id": name, "thread": thread, "text": text, "parts": parts}
        return EchoSent(account=account, occurred_at=at, recipient=None, **ours)
    return MessageReceived(
        account=account,
        key=name,
        occurred_at=at,
        sender=sender,
        external_id=name,
        text=text,
        parts=parts,
        surface=Surface.COMMENT,
        thread=thread,
        context=context,
    )


def expanded(build: Callable[[Mapping[str, Any]], Event], told: Mapping[str, Any] | None) -> list[Event]:
    """Build an event from what Meta tells of it; what it tells in an odd way is as good as not told."""
    try:
        return [build(told or {})]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return [build({})]


def mention(
    event: Announced,
    sender: Profile,
    root: str,
    told_at: Any,
    text: str,
    link: str,
    context: Mapping[str, str],
    *,
    above: Any = None,
    files: tuple[Part, ...] = (),
) -> MessageReceived:
    """Make the message of a mention in a comment or a post; where Meta tells no content, its ids are all there is.

    `root`: the post; `told_at`: the time as the Graph API writes it, else that of the event; `above`: the comment that
    the mention's answers; `files`: what is in it beside the text.
    """
    what = event.ids.get("comment", root)
    post = Thread(root=root, permalink=link, private=False)
    return MessageReceived(
        account=event.account,
        key=f"{what}:mention",
        occurred_at=datetime.fromisoformat(told_at).astimezone(UTC) if isinstance(told_at, str) else event.occurred_at,
        sender=sender,
        external_id=what,
        text=text,
        parts=files if text or files else (unsupported("mention", dict(event.ids)),),
        surface=Surface.MENTION,
        thread=thread(root, above, link) if "comment" in event.ids else post,
        context=context,
    )
