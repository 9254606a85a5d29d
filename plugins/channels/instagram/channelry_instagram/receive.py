"""What Instagram tells: messages, comments and mentions in, events out.

https://developers.facebook.com/documentation/instagram-platform/webhooks
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from attrs import define

from channelry import hookimpl
from channelry.model import Address, Announced, Event, Profile, Received, Request
from channelry.parsing import each, identifier, mapping, string, timestamp
from channelry.services import Services
from channelry_meta import conversations, feed, webhook
from channelry_meta.account import told
from channelry_meta.attachments import unsupported
from channelry_meta.values import optional

from .capabilities import LIVE, MENTIONED_COMMENT, MENTIONED_MEDIA, OBJECT, SCHEME
from .connection import Professional

BY_NAME = "instagram_username"
"""The scheme of people of whom only the user name is known: who mentioned us."""


@hookimpl
def parse(account: Professional, request: Request) -> Received:
    """Tell what a verified request means; the app's id tells our own echoes from others."""
    return webhook.parse(request, OBJECT, partial(_entry, account.config.app_id))


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
        account, name = self.inbox.account, identifier(value["id"])
        at, text = timestamp(self.time or None, self.inbox.at), string(value.get("text"))
        author = feed.author(SCHEME, account, value.get("from"), name)
        thread = feed.thread(identifier(value["media"]["id"]), value.get("parent_id"))
        parts = () if text else (unsupported("comment", value),)
        return feed.written(account, name, at, author, thread, text, parts, {LIVE: "1"} if live else {})

    def _mention(self, value: Any) -> Event:
        """Read that somebody named us elsewhere: `expand` reads what they wrote."""
        media, comment = identifier(value["media_id"]), optional(value.get("comment_id"))
        ids = {MENTIONED_MEDIA: media} | ({MENTIONED_COMMENT: comment} if comment else {})
        return Announced(
            account=self.inbox.account,
            key=f"mention:{ids.get(MENTIONED_COMMENT, media)}",
            occurred_at=timestamp(self.time or None, self.inbox.at),
            what="mention",
            ids=ids,
        )


def _mention_fields(event: Announced) -> str:
    """Name the fields of our account that tell of a mention: in a comment, or in the caption of a post."""
    comment = event.ids.get(MENTIONED_COMMENT)
    if comment is not None:
        return f"mentioned_comment.comment_id({comment}){{id,text,timestamp,username,media{{id,permalink}}}}"
    return f"mentioned_media.media_id({event.ids[MENTIONED_MEDIA]}){{id,caption,timestamp,username,permalink}}"


@hookimpl
async def expand(account: Professional, event: Announced, services: Services) -> Sequence[Event]:
    """Make the message of a mention from what Meta tells of it, or tells not."""
    found = await told(account.account, _mention_fields(event), await account.graph(services), services)
    return feed.expanded(partial(_mentioned, event), found)


def _mentioned(event: Announced, told: Mapping[str, Any]) -> Event:
    ids = event.ids
    comment, media = mapping(told.get("mentioned_comment")), mapping(told.get("mentioned_media"))
    written, root = comment or media, ids[MENTIONED_MEDIA]
    text, username = string(written.get("text") or written.get("caption")), string(written.get("username"))
    link = string((mapping(comment.get("media")) or media).get("permalink"))
    person = username or f"author of {ids.get(MENTIONED_COMMENT, root)}"
    sender = Profile(address=Address(BY_NAME, person, "", username and f"@{username}"), name=username)
    return feed.mention(event, sender, root, written.get("timestamp"), text, link, ids)


@hookimpl
async def profile(account: Professional, address: Address, services: Services) -> Profile | None:
    """Look up the name and picture of somebody who wrote; who mentioned us has no id to look them up by."""
    if address.scheme != SCHEME:
        return None
    graph, fields = await account.graph(services), "name,username,profile_pic"
    found = await told(address.value, fields, graph, services)
    if found is None:
        return None
    username = string(found.get("username"))
    return Profile(
        address=Address(address.scheme, address.value, address.scope, username and f"@{username}"),
        name=string(found.get("name")) or username,
        picture=string(found.get("profile_pic")),
    )
