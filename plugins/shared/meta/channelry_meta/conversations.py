"""What Messenger and Instagram tell of a conversation: rows of `messaging` in, events out.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from attrs import define

from channelry import model
from channelry.parsing import each, identifier, mapping, sequence, string, timestamp

from .attachments import content
from .values import digest, optional
from .webhook import Found

STANDBY = "standby"
"""The key of a message's context that says: another app owned the conversation when it came."""
BARE = "postback:"
"""How the id of a postback begins that has none of Meta's: it can be no message's that is quoted."""
REFERENCE = "_ref"
"""How the scheme ends of people who have no id yet but a reference: they ticked a box on a web site."""

_ROWS = ("messaging", STANDBY)
_EMOJI = {"smile": "😆", "angry": "😠", "sad": "😢", "wow": "😮", "love": "❤️", "like": "👍", "dislike": "👎"}
"""Meta's names of reactions, for rows that bear no emoji."""


def read(entry: Any, at: datetime, scheme: str, app_id: str, found: Found) -> None:
    """Read one entry's conversations; `app_id` is the app that we send by, `scheme` that of people's addresses."""
    account = identifier(entry["id"])
    for name in _ROWS:
        rows = entry.get(name)
        if rows is not None:
            found += each(rows, Inbox(scheme, account, app_id, at, name == STANDBY).row, at, account)


@define(eq=False)
class Inbox:
    """One of our accounts in one webhook: whose it is, by which app we send, when it came, and who answers there."""

    scheme: str
    account: str
    app_id: str
    at: datetime
    standby: bool

    def row(self, row: Any) -> model.Event | str:
        """Read one row, which has one key beside `sender`, `recipient` and `timestamp`."""
        message = row.get("message")
        if message is not None:
            return self._message(row, message)
        for name, build in _BUILDS.items():
            body = row.get(name)
            if body is not None:
                return build(self, row, body)
        return f"row {'+'.join(sorted(row.keys() - _COMMON)):.40}"

    def _message(self, row: Any, message: Any) -> model.Event | str:
        key, sender = identifier(message["mid"]), self._person(row["sender"])
        occurred_at, ours = timestamp(row.get("timestamp") or None, self.at), sender.value == self.account
        if message.get("is_deleted") is True:
            return model.MessageDeleted(
                account=self.account,
                key=f"{key}:deleted",
                occurred_at=occurred_at,
                external_id=key,
                sender=None if ours else sender,
            )
        if ours or message.get("is_echo") is True:
            return self._echo(row, message, key, occurred_at)
        text, parts = content(message)
        reply_to, referral = message.get("reply_to"), message.get("referral")
        return model.MessageReceived(
            account=self.account,
            key=key,
            occurred_at=occurred_at,
            sender=model.Profile(address=sender),
            external_id=key,
            text=text,
            parts=parts,
            reply_to=None if reply_to is None else _quote(reply_to),
            referral=_referral(referral) if referral is not None else _mention(message) if parts else None,
            context={STANDBY: "1"} if self.standby else {},
        )

    def _echo(self, row: Any, message: Any, key: str, occurred_at: datetime) -> model.Event:
        """Take our own message as the proof that it was sent, and any other as written elsewhere."""
        recipient, app = self._person(row["recipient"]), optional(message.get("app_id"))
        if app and app == self.app_id:
            return model.StatusChanged(
                account=self.account,
                key=f"{key}:sent",
                occurred_at=occurred_at,
                external_id=key,
                status=model.Status.SENT,
                reference=string(message.get("metadata")),
                recipient=recipient,
            )
        text, parts = content(message)
        return model.EchoSent(
            account=self.account,
            key=key,
            occurred_at=occurred_at,
            recipient=recipient,
            external_id=key,
            text=text,
            parts=parts,
        )

    def _person(self, named: Any) -> model.Address:
        """Tell who a `sender` or `recipient` is: by the id that is scoped to the account, else by a reference."""
        name = named.get("id")
        if not name and (reference := optional(named.get("user_ref"))):
            return model.Address(self.scheme + REFERENCE, reference, self.account)
        return model.Address(self.scheme, identifier(name), self.account)

    def _edit(self, row: Any, body: Any) -> model.Event | str:
        message, sender = identifier(body["mid"]), self._person(row["sender"])
        if sender.value == self.account:
            return "edit of our own"
        return model.MessageEdited(
            account=self.account,
            key=f"{message}:edit:{optional(body.get('num_edit')) or 1}",
            occurred_at=timestamp(row.get("timestamp") or None, self.at),
            sender=sender,
            external_id=message,
            text=string(body["text"]),
        )

    def _postback(self, row: Any, body: Any) -> model.Event:
        mid, referral, title = optional(body.get("mid")), body.get("referral"), string(body.get("title"))
        common = self._common(row, BARE.removesuffix(":"))
        if mid:
            common["key"] = mid
        return model.MessageReceived(
            **common,
            sender=model.Profile(address=self._person(row["sender"])),
            external_id=common["key"],
            parts=(model.Postback(payload=string(body.get("payload")) or title, title=title),),
            referral=None if referral is None else _referral(referral),
            context={STANDBY: "1"} if self.standby else {},
        )

    def _reaction(self, row: Any, body: Any) -> model.Event | str:
        sender, on = self._person(row["sender"]), body["action"] == "react"
        if sender.value == self.account:
            return "reaction of our own"
        emoji = string(body.get("emoji")) or _EMOJI.get(string(body.get("reaction")), "")
        return model.ReactionChanged(
            **self._common(row, "reaction"),
            sender=sender,
            external_id=identifier(body["mid"]),
            emoji=emoji if on else "",
            on=on,
        )

    def _delivery(self, row: Any, body: Any) -> model.Event:
        until = body.get("watermark") or None
        return model.DeliveredUpTo(
            **self._common(row, "delivered"),
            sender=self._person(row["sender"]),
            until=None if until is None else timestamp(until, self.at),
            external_ids=tuple(map(identifier, sequence(body.get("mids")))),
        )

    def _read(self, row: Any, body: Any) -> model.Event:
        until = body.get("watermark") or None
        return model.ReadUpTo(
            **self._common(row, "read"),
            sender=self._person(row["sender"]),
            until=None if until is None else timestamp(until, self.at),
            external_id=optional(body.get("mid")),
        )

    def _opened(self, row: Any, body: Any) -> model.Event:
        sender, ad = model.Profile(address=self._person(row["sender"])), optional(body.get("ad_id"))
        return model.Activity(
            **self._common(row, "opened"),
            sender=sender,
            name="opened",
            values={"ad_id": ad} if ad else {},
            referral=_referral(body),
        )

    def _optin(self, row: Any, body: Any) -> model.Event:
        """Read a consent, or its withdrawal; it bears the reference of who ticked a box on a web site."""
        ref, sender = string(body.get("ref")), self._person(body if body.get("user_ref") else row["sender"])
        topic = string(body.get("topic")) or string(body.get("title")) or string(body.get("type"))
        if body.get("notification_messages_status") == "STOP_NOTIFICATIONS":
            return model.OptedOut(**self._common(row, "optout"), sender=sender, topic=topic)
        referral = model.Referral(source="optin", ref=ref) if ref else None
        return model.OptedIn(**self._common(row, "optin"), sender=sender, topic=topic, referral=referral)

    def _handover(self, name: str, row: Any, body: Any) -> model.Event:
        told = mapping(body).items()
        values = {key: str(value) for key, value in told if type(value) in (str, int) and value != ""}
        sender = model.Profile(address=self._person(row["sender"]))
        return model.Activity(**self._common(row, name), sender=sender, name=name, values=values)

    def _policy(self, row: Any, body: Any) -> model.Event:
        code, healthy = string(body.get("action")) or "policy", body.get("action") == "unblock"
        return model.AccountHealth(
            **self._common(row, "policy"), code=code, detail=string(body.get("reason")), healthy=healthy
        )

    def _common(self, row: Any, name: str) -> dict[str, Any]:
        """Give what a row without an id has in common with others, its key being a hash of it."""
        occurred_at = timestamp(row.get("timestamp") or None, self.at)
        return {"account": self.account, "key": f"{name}:{digest(row)}", "occurred_at": occurred_at}


_Build: TypeAlias = Callable[[Inbox, Any, Any], model.Event | str]
_COMMON = frozenset({"sender", "recipient", "timestamp"})


def _handover(name: str) -> _Build:
    return lambda inbox, row, body: inbox._handover(name, row, body)


_BUILDS: Mapping[str, _Build] = {
    "delivery": Inbox._delivery,
    "read": Inbox._read,
    "postback": Inbox._postback,
    "reaction": Inbox._reaction,
    "message_edit": Inbox._edit,
    "referral": Inbox._opened,
    "optin": Inbox._optin,
    "pass_thread_control": _handover("thread_passed"),
    "take_thread_control": _handover("thread_taken"),
    "request_thread_control": _handover("thread_requested"),
    "policy_enforcement": Inbox._policy,  # a warning, a block, or its end [k]
}


def _quote(reply_to: Any) -> model.Quote | None:
    """Read what a message answers: a message, or a story of ours."""
    story = reply_to.get("story")
    if story is not None:
        return model.Quote(external_id=optional(story.get("id")), url=string(story.get("url")))
    message = optional(reply_to.get("mid"))
    return model.Quote(external_id=message) if message else None


def _mention(message: Any) -> model.Referral | None:
    """Tell that a story of the customer's mentions us: it comes as the attachment of a message."""
    for attachment in sequence(message.get("attachments")):
        if isinstance(attachment, dict) and attachment.get("type") == "story_mention":
            return model.Referral(source="story_mention", url=string(mapping(attachment.get("payload")).get("url")))
    return None


def _referral(row: Any) -> model.Referral:
    context, ref = mapping(row.get("ads_context_data")), string(row.get("ref")) or optional(row.get("ad_id"))
    product = "" if ref else optional(mapping(row.get("product")).get("id"))
    return model.Referral(
        source="product" if product else string(row.get("source")) or string(row.get("type")),
        ref=ref or product,
        url=string(row.get("referer_uri")),
        title=string(context.get("ad_title")),
    )
