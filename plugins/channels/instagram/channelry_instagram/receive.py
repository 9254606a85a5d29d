"""What Instagram tells: messages, comments and mentions in, events out.

https://developers.facebook.com/documentation/instagram-platform/webhooks
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from attrs import define

from channelry.model import (
    Address,
    Announced,
    EchoSent,
    Event,
    MessageReceived,
    Part,
    Profile,
    Received,
    Request,
    Surface,
    Thread,
    Unsupported,
)
from channelry.parsing import each, identifier, mapping, string, timestamp
from channelry_meta import conversations, webhook

from .send import LIVE, MENTIONED_COMMENT, MENTIONED_MEDIA, SCHEME

OBJECT = "instagram"
"""What a webhook of Instagram is about."""

BY_NAME = "instagram_username"
"""The scheme of people of whom only the user name is known: who mentioned us."""


def parse(request: Request, app_id: str) -> Received:
    """Tell what a verified request means; `app_id` tells our own echoes from others."""
    return webhook.parse(request, OBJECT, partial(_entry, app_id))


def _entry(app_id: str, entry: Any, at: datetime, found: webhook.Found) -> None:
    conversations.read(entry, at, SCHEME, app_id, found)
    changes = entry.get("changes")
    if changes is None and "field" in entry:  # the Instagram login leaves the array out
        changes = [entry]
    if changes is not None:
        inbox = conversations.Inbox(SCHEME, identifier(entry["id"]), app_id, at, False)
        found += each(changes, _Account(inbox, entry.get("time")).change, at, inbox.account)


@define(eq=False)
class _Account:
    """Our account in one webhook, and when Meta made that."""

    inbox: conversations.Inbox
    time: Any

    def change(self, change: Any) -> Event | str:
        field, value = change["field"], change["value"]
        if field == "comments" or field == "live_comments":
            return self._comment(value, live=field == "live_comments")
        if field == "mentions":
            return self._mention(value)
        if "sender" in value:  # a row of a conversation in another wrapping
            return self.inbox.row(value)
        return f"field {string(field):.40}"

    def _comment(self, value: Any, *, live: bool) -> Event:
        account, name, author = self.inbox.account, identifier(value["id"]), value.get("from")
        occurred_at, text = timestamp(self.time, self.inbox.at), string(value.get("text"))
        media, parent = identifier(value["media"]["id"]), value.get("parent_id")
        nested = parent is not None and parent != media
        thread = Thread(
            root=media, parent=identifier(parent) if nested else media, depth=2 if nested else 1, private=False
        )
        parts: tuple[Part, ...] = ()
        if not text:
            parts = (Unsupported(kind="comment", raw=orjson.dumps(value).decode()),)
        person = f"author of {name}" if author is None else identifier(author["id"])
        if person == account:
            return EchoSent(
                account=account,
                key=name,
                occurred_at=occurred_at,
                recipient=None,
                external_id=name,
                thread=thread,
                text=text,
                parts=parts,
            )
        return MessageReceived(
            account=account,
            key=name,
            occurred_at=occurred_at,
            sender=_person(SCHEME, person, account, "" if author is None else string(author.get("username"))),
            external_id=name,
            text=text,
            parts=parts,
            surface=Surface.COMMENT,
            thread=thread,
            context={LIVE: "1"} if live else {},
        )

    def _mention(self, value: Any) -> Event:
        """Read that somebody named us elsewhere: `expand` reads what they wrote."""
        media, comment = identifier(value["media_id"]), value.get("comment_id")
        ids = {MENTIONED_MEDIA: media}
        if comment is not None:
            ids[MENTIONED_COMMENT] = identifier(comment)
        return Announced(
            account=self.inbox.account,
            key=f"mention:{ids.get(MENTIONED_COMMENT, media)}",
            occurred_at=timestamp(self.time, self.inbox.at),
            what="mention",
            ids=ids,
        )


def _person(scheme: str, value: str, account: str, username: str) -> Profile:
    scope = account if scheme == SCHEME else ""
    return Profile(address=Address(scheme, value, scope, username and f"@{username}"), name=username)


def mention_fields(event: Announced) -> str:
    """Name the fields of our account that tell of a mention: in a comment, or in the caption of a post."""
    comment = event.ids.get(MENTIONED_COMMENT)
    if comment is not None:
        return f"mentioned_comment.comment_id({comment}){{id,text,timestamp,username,media{{id,permalink}}}}"
    return f"mentioned_media.media_id({event.ids[MENTIONED_MEDIA]}){{id,caption,timestamp,username,permalink}}"


def mention(event: Announced, found: Mapping[str, Any] | None) -> MessageReceived:
    """Make the message of a mention from what Meta tells of it, or tells not."""
    ids, told = event.ids, found or {}
    comment, media = mapping(told.get("mentioned_comment")), mapping(told.get("mentioned_media"))
    what, written = ids.get(MENTIONED_COMMENT, ids[MENTIONED_MEDIA]), comment or media
    text, username = string(written.get("text") or written.get("caption")), string(written.get("username"))
    link = string((mapping(comment.get("media")) or media).get("permalink"))
    time, nested = written.get("timestamp"), MENTIONED_COMMENT in ids
    root = ids[MENTIONED_MEDIA]
    return MessageReceived(
        account=event.account,
        key=f"{what}:mention",
        occurred_at=datetime.fromisoformat(time).astimezone(UTC) if isinstance(time, str) else event.occurred_at,
        sender=_person(BY_NAME, username or f"author of {what}", event.account, username),
        external_id=what,
        text=text,
        parts=() if text else (Unsupported(kind="mention", raw=orjson.dumps(dict(ids)).decode()),),
        surface=Surface.MENTION,
        thread=Thread(
            root=root, parent=root if nested else "", depth=1 if nested else 0, permalink=link, private=False
        ),
        context=ids,
    )


def profile(address: Address, found: Mapping[str, Any]) -> Profile:
    """Read the answer to a look-up of somebody who wrote."""
    username = string(found.get("username"))
    return Profile(
        address=Address(address.scheme, address.value, address.scope, username and f"@{username}"),
        name=string(found.get("name")) or username,
        picture=string(found.get("profile_pic")),
    )
