"""What a Page's feed tells: comments, visitors' posts and mentions in, events out.

https://developers.facebook.com/docs/graph-api/webhooks/reference/page
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson
from attrs import define

from channelry.model import (
    Activity,
    Address,
    Announced,
    EchoSent,
    Event,
    Kind,
    Media,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Part,
    Profile,
    Received,
    Request,
    Surface,
    Thread,
    Unsupported,
)
from channelry.parsing import each, identifier, mapping, sequence, string, timestamp
from channelry_meta import webhook

OBJECT, SCHEME = "page", "facebook"
"""What a webhook of a Page is about; the scheme of people's addresses, whose ids are scoped to the Page."""

_POSTS: Mapping[str, Kind | None] = {"post": None, "status": None, "photo": Kind.IMAGE, "video": Kind.VIDEO}
"""What visitors write on a Page, and what its `link` is then."""
_BESIDE = frozenset({"link", "photo", "photos", "video"})
_TOLD_OF_OURS = ("add", "remove")
_HIDDEN = {"hide": "hidden", "unhide": "shown"}


def parse(request: Request) -> Received:
    """Tell what a verified request means."""
    return webhook.parse(request, OBJECT, _entry)


def _entry(entry: Any, at: datetime, found: webhook.Found) -> None:
    page, changes = _Page(identifier(entry["id"]), entry.get("time"), at), entry.get("changes")
    if changes is not None:
        found += each(changes, page.change, at, page.account)
    for name in ("messaging", "standby"):  # conversations, which are another channel's
        if name in entry:
            found += [name] * len(sequence(entry[name]))


@define(eq=False)
class _Page:
    """Our Page in one webhook: its id, when Meta made that, and when it came."""

    account: str
    time: Any
    received_at: datetime

    @property
    def at(self) -> datetime:
        return timestamp(self.time, self.received_at)

    def change(self, change: Any) -> Event | str:
        field, value = change["field"], change["value"]
        if field == "mention":
            return self._mention(value)
        if field != "feed":
            return f"field {string(field):.40}"
        item, verb = string(value["item"]), string(value["verb"])
        build = _BUILDS.get(verb)
        if build is None or not (item == "comment" or item in _POSTS):
            return f"{item:.30} {verb:.30}"
        name, author = identifier(value["comment_id" if item == "comment" else "post_id"]), value.get("from")
        # Meta withholds the author where the app lacks a right: then it is somebody, of this comment only
        person = f"author of {name}" if author is None else identifier(author["id"])
        if person == self.account and (item != "comment" or verb not in _TOLD_OF_OURS):
            return f"{item} {verb} of our own"
        called = "" if author is None else string(author.get("name"))
        return build(self, value, item, name, Profile(address=Address(SCHEME, person, self.account), name=called))

    def add(self, value: Any, item: str, name: str, author: Profile) -> Event:
        """Read a new comment or post; one of ours was written elsewhere, or by us, whose receipt names it."""
        text, parts = _content(value, item)
        thread, created = _thread(value, item), value.get("created_time")
        occurred_at = self.at if created is None else timestamp(created, self.received_at)
        if author.address.value == self.account:
            return EchoSent(
                account=self.account,
                key=name,
                occurred_at=occurred_at,
                recipient=None,
                external_id=name,
                thread=thread,
                text=text,
                parts=parts,
            )
        return MessageReceived(
            account=self.account,
            key=name,
            occurred_at=occurred_at,
            sender=author,
            external_id=name,
            text=text,
            parts=parts,
            surface=Surface.COMMENT,
            thread=thread,
        )

    def edited(self, value: Any, item: str, name: str, author: Profile) -> Event:
        text, parts = _content(value, item)
        common = self._common(value, f"{name}:edited")
        return MessageEdited(**common, sender=author.address, external_id=name, text=text, parts=parts)

    def remove(self, value: Any, item: str, name: str, author: Profile) -> Event:
        """Read a removal, by whomever; Meta names the author at most."""
        named = value.get("from") is not None and author.address.value != self.account
        return MessageDeleted(
            account=self.account,
            key=f"{name}:remove",
            occurred_at=self.at,
            external_id=name,
            sender=author.address if named else None,
        )

    def hidden(self, value: Any, item: str, name: str, author: Profile) -> Event:
        """Read that somebody hid a comment or showed it again."""
        what = _HIDDEN[value["verb"]]
        return Activity(**self._common(value, f"{name}:{what}"), sender=author, name=what, values={item: name})

    def _common(self, value: Any, key: str) -> dict[str, Any]:
        """Give what changes have in common: several of one comment differ in their time only."""
        created, at = value.get("created_time"), self.at
        stamp = "" if created is None else f":{identifier(created)}"
        return {"account": self.account, "key": f"{key}:{at.timestamp():.3f}{stamp}", "occurred_at": at}

    def _mention(self, value: Any) -> Event | str:
        """Read that somebody named the Page elsewhere [k]: `expand` reads what they wrote."""
        verb = string(value.get("verb")) or "add"
        if verb != "add":
            return f"mention {verb:.30}"
        ids = {name: value.get(key) for name, key in _MENTION.items()}
        named = {name: identifier(found) for name, found in ids.items() if found not in (None, "")}
        what = named.get("comment") or named["post"]
        return Announced(
            account=self.account,
            key=f"mention:{what}",
            occurred_at=timestamp(value.get("created_time"), self.at),
            what="mention",
            ids=named,
        )


_Build: TypeAlias = Callable[[_Page, Any, str, str, Profile], Event]
_BUILDS: Mapping[str, _Build] = {
    "add": _Page.add,
    "edited": _Page.edited,
    "edit": _Page.edited,
    "remove": _Page.remove,
    "hide": _Page.hidden,
    "unhide": _Page.hidden,
}
_MENTION = {"post": "post_id", "comment": "comment_id", "sender": "sender_id", "name": "sender_name"}


def _thread(value: Any, item: str) -> Thread:
    """Tell where a comment stands: on the first level if what it answers is the post, by either form of its id."""
    post, about = identifier(value["post_id"]), value.get("post")
    link = "" if about is None else string(about.get("permalink_url"))
    if item != "comment":
        return Thread(root=post, permalink=link, private=False)
    parent = value.get("parent_id")
    above = post if parent in (None, "") else identifier(parent)
    nested = above != post and above != post.rpartition("_")[2]
    return Thread(root=post, parent=above if nested else post, depth=2 if nested else 1, permalink=link, private=False)


def _content(value: Any, item: str) -> tuple[str, tuple[Part, ...]]:
    """Read text and files; a link without a file is text, and what has neither is kept as it is."""
    text = string(value.get("message"))
    if text and value.keys().isdisjoint(_BESIDE):  # the usual case, quickly
        return text, ()
    link = string(value.get("link"))
    files = [(Kind.IMAGE, string(value.get("photo"))), (Kind.VIDEO, string(value.get("video")))]
    files += [(Kind.IMAGE, string(url)) for url in sequence(value.get("photos"))]
    kind = _POSTS.get(item)
    if kind is not None and not any(url for _, url in files):
        files.append((kind, link))
    parts: tuple[Part, ...] = tuple(Media(kind=kind, url=url) for kind, url in files if url)
    if link and not parts and link not in text:
        text = f"{text}\n{link}".lstrip()
    if not text and not parts:
        parts = (Unsupported(kind=item, raw=orjson.dumps(value).decode()),)
    return text, parts


def mention(event: Announced, found: Mapping[str, Any] | None) -> MessageReceived:
    """Make the message of a mention from what Meta tells of it, or tells not: then its page is all there is."""
    ids, told = event.ids, found or {}
    what, author = ids.get("comment") or ids["post"], mapping(told.get("from"))
    sender = author.get("id") or ids.get("sender")
    text, link = string(told.get("message")), string(told.get("permalink_url")) or f"https://www.facebook.com/{what}"
    depth = 1 if "comment" in ids else 0
    root = ids.get("post", what)
    return MessageReceived(
        account=event.account,
        key=f"{what}:mention",
        occurred_at=timestamp_of(told.get("created_time"), event.occurred_at),
        sender=Profile(
            address=Address(SCHEME, identifier(sender) if sender else f"author of {what}", event.account),
            name=string(author.get("name")) or ids.get("name", ""),
        ),
        external_id=what,
        text=text,
        parts=() if text else (Unsupported(kind="mention", raw=orjson.dumps(dict(ids)).decode()),),
        surface=Surface.MENTION,
        thread=Thread(root=root, parent=root if depth else "", depth=depth, permalink=link, private=False),
    )


def timestamp_of(text: Any, otherwise: datetime) -> datetime:
    """Read a time as the Graph API writes it."""
    return datetime.fromisoformat(text).astimezone(UTC) if isinstance(text, str) else otherwise
