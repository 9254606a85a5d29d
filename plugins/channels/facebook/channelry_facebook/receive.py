"""What a Page's feed tells: comments, visitors' posts and mentions in, events out.

https://developers.facebook.com/docs/graph-api/webhooks/reference/page
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from attrs import define

from channelry import hookimpl, model
from channelry.model import Address, Event, Kind, Profile
from channelry.parsing import each, identifier, mapping, sequence, string, timestamp
from channelry.services import Services
from channelry_meta import comments, feed, webhook
from channelry_meta.account import told
from channelry_meta.attachments import unsupported
from channelry_meta.values import digest

from .capabilities import OBJECT, REACTIONS, SCHEME
from .connection import Page

_POSTS: Mapping[str, Kind | None] = {
    **dict.fromkeys(("post", "status", "share")),
    "photo": Kind.IMAGE,
    "video": Kind.VIDEO,
}
"""What visitors write on a Page, and what its `link` is then."""
_BESIDE = frozenset({"link", "photo", "photos", "video"})
_TOLD_OF_OURS = ("add", "remove")
_HIDDEN = {"hide": "hidden", "unhide": "shown"}
_REACTED = {"add": True, "edit": True, "edited": True, "remove": False, "unreact": False}


@hookimpl
def parse(page: Page, request: model.Request) -> model.Received:
    """Tell what a verified request means."""
    return webhook.parse(request, OBJECT, _entry)


def _entry(entry: Any, at: datetime, found: webhook.Found) -> None:
    ours, changes = _Entry(identifier(entry["id"]), entry.get("time"), at), entry.get("changes")
    if changes is not None:
        found += each(changes, ours.change, at, ours.account)
    for name in ("messaging", "standby"):  # conversations, which are another channel's
        if name in entry:
            found += [name] * len(sequence(entry[name]))


@define(eq=False)
class _Entry:
    """Our Page in one webhook: its id, when Meta made that, and when it came."""

    account: str
    time: Any
    received_at: datetime

    @property
    def at(self) -> datetime:
        return timestamp(self.time or None, self.received_at)

    def _when(self, value: Any) -> datetime:
        created = value.get("created_time") or None
        return self.at if created is None else timestamp(created, self.received_at)

    def change(self, change: Any) -> Event | str:
        field, value = change["field"], change["value"]
        if field == "mention":
            return self._mention(value)
        if field != "feed":
            return f"field {string(field):.40}"
        item, verb = value["item"], value["verb"]
        build, mute = _BUILDS.get(verb), item == "share" and verb == "add" and not value.get("message")
        if build is None or mute or not (item == "comment" or item in _POSTS):
            return self._reaction(value, verb) if item == "reaction" else f"{item:.30} {verb:.30}"
        name = identifier(value["comment_id" if item == "comment" else "post_id"])
        author = feed.author(SCHEME, self.account, value.get("from"), name)
        if author.address.value == self.account and (item != "comment" or verb not in _TOLD_OF_OURS):
            return f"{item} {verb} of our own"
        return build(self, value, item, name, author)

    def add(self, value: Any, item: str, name: str, author: Profile) -> Event:
        text, parts = _content(value, item)
        return feed.written(self.account, name, self._when(value), author, _thread(value, item), text, parts, {})

    def edited(self, value: Any, item: str, name: str, author: Profile) -> Event:
        text, parts = _content(value, item)
        common = self._common(value, name)
        return model.MessageEdited(**common, sender=author.address, external_id=name, text=text, parts=parts)

    def remove(self, value: Any, item: str, name: str, author: Profile) -> Event:
        """Read a removal, by whomever; Meta names the author at most."""
        sender = None if feed.person(value.get("from")) in ("", self.account) else author.address
        key = f"{name}:remove"
        return model.MessageDeleted(account=self.account, key=key, occurred_at=self.at, external_id=name, sender=sender)

    def hidden(self, value: Any, item: str, name: str, author: Profile) -> Event:
        """Read that somebody hid a comment or showed it again."""
        what = _HIDDEN[value["verb"]]
        return model.Activity(**self._common(value, name), sender=author, name=what, values={item: name})

    def _reaction(self, value: Any, verb: str) -> Event | str:
        """Read a reaction to a comment or a post; it is nobody's to show if Meta names neither who nor what."""
        who, emoji, on = (
            feed.person(value.get("from")),
            REACTIONS.get(value.get("reaction_type"), ""),
            _REACTED.get(verb),
        )
        if on is None or not who or (on and not emoji):
            return f"reaction {verb:.30}"
        if who == self.account:
            return f"reaction {verb} of our own"
        name = identifier(value.get("comment_id") or value["post_id"])
        return model.ReactionChanged(
            **self._common(value, name),
            sender=Address(SCHEME, who, self.account),
            external_id=name,
            emoji=emoji if on else "",
            on=on,
        )

    def _common(self, value: Any, name: str) -> dict[str, Any]:
        """Give what changes have in common; several of one comment may have the same time, but not the same content."""
        key = f"{name}:{value['verb']}:{value.get('created_time') or ''}:{digest(value)}"
        return {"account": self.account, "key": key, "occurred_at": self._when(value)}

    def _mention(self, value: Any) -> Event | str:
        """Read that somebody named the Page elsewhere [k]: `expand` reads what they wrote."""
        verb = string(value.get("verb")) or "add"
        if verb != "add":
            return f"mention {verb:.30}"
        ids = {name: value.get(key) for name, key in _MENTION.items()}
        named = {name: identifier(found) for name, found in ids.items() if found not in (None, "")}
        if named.get("sender") == self.account:
            return "mention add of our own"
        what, at = named.get("comment") or named["post"], timestamp(value.get("created_time") or None, self.at)
        return model.Announced(account=self.account, key=f"mention:{what}", occurred_at=at, what="mention", ids=named)


_Build: TypeAlias = Callable[[_Entry, Any, str, str, Profile], Event]
_BUILDS: Mapping[str, _Build] = {
    "add": _Entry.add,
    "edited": _Entry.edited,
    "edit": _Entry.edited,
    "remove": _Entry.remove,
    "hide": _Entry.hidden,
    "unhide": _Entry.hidden,
}
_MENTION = {"post": "post_id", "comment": "comment_id", "sender": "sender_id", "name": "sender_name"}


def _thread(value: Any, item: str) -> model.Thread:
    """Tell where a comment stands, or that it is a post."""
    post, about = identifier(value["post_id"]), value.get("post")
    link = "" if about is None else string(about.get("permalink_url"))
    if item != "comment":
        return model.Thread(root=post, permalink=link, private=False)
    return feed.thread(post, value.get("parent_id"), link)


def _content(value: Any, item: str) -> tuple[str, tuple[model.Part, ...]]:
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
    parts: tuple[model.Part, ...] = tuple(model.Media(kind=kind, url=url) for kind, url in files if url)
    if link and not parts and link not in text:
        text = f"{text}\n{link}".lstrip()
    return text, parts if text or parts else (unsupported(item, value),)


@hookimpl
async def expand(page: Page, event: model.Announced, services: Services) -> Sequence[Event]:
    """Make the message of a mention from what Meta tells of it, or tells not: then its page is all there is."""
    comment, fields = event.ids.get("comment"), "message,from,created_time,permalink_url"
    what = comment or event.ids["post"]
    if comment:
        fields += ",parent,attachment"
    found = await told(comments.path(what), fields, page.config.graph(), services)
    return feed.expanded(partial(_mentioned, event, what), found)


def _mentioned(event: model.Announced, what: str, told: Mapping[str, Any]) -> Event:
    ids, author = event.ids, mapping(told.get("from"))
    person = author.get("id") or ids.get("sender")
    address = Address(SCHEME, identifier(person) if person else f"author of {what}", event.account)
    sender = Profile(address=address, name=string(author.get("name")) or ids.get("name", ""))
    text, link = string(told.get("message")), string(told.get("permalink_url")) or f"https://www.facebook.com/{what}"
    above, files = mapping(told.get("parent")).get("id"), _attached(mapping(told.get("attachment")))
    written = (ids.get("post", what), told.get("created_time"), text, link)
    return feed.mention(event, sender, *written, {}, above=above, files=files)


def _attached(attachment: Mapping[str, Any]) -> tuple[model.Part, ...]:
    """Read the picture or the video of a comment [k]; what is seen of a link is not its author's.

    https://developers.facebook.com/docs/graph-api/reference/story-attachment
    """
    media = mapping(attachment.get("media"))
    video, picture = string(media.get("source")), string(mapping(media.get("image")).get("src"))
    if attachment.get("type") == "share" or not (video or picture):
        return ()
    return (model.Media(kind=Kind.VIDEO if video else Kind.IMAGE, url=video or picture),)
