"""What WhatsApp tells: webhooks in, events out.

The envelope and its rows: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, TypeAlias

import orjson
from attrs import define

from channelry import model
from channelry.parsing import each, identifier, mapping, number, received, sequence, string, timestamp
from channelry_meta import challenge

from .content import content

OBJECT = "whatsapp_business_account"
"""What a webhook of WhatsApp is about; the other objects of an app come to the same URL."""

_STATUSES = {
    "sent": model.Status.SENT,
    "delivered": model.Status.DELIVERED,
    "read": model.Status.READ,
    "played": model.Status.PLAYED,
    "failed": model.Status.FAILED,
}
_ENDS = {"COMPLETED": model.CallState.COMPLETED, "FAILED": model.CallState.FAILED}
_CALLS = {"RINGING": model.CallState.RINGING, "ACCEPTED": model.CallState.ANSWERED, "REJECTED": model.CallState.MISSED}
"""What is told of a call. The fields and words of calls and preferences are not confirmed by Meta's pages.
https://developers.facebook.com/documentation/business-messaging/whatsapp/calling"""
_PREFERENCES: Mapping[str, type[model.OptedIn] | type[model.OptedOut]] = {
    "stop": model.OptedOut,
    "resume": model.OptedIn,
}


def parse(request: model.Request) -> model.Received:
    """Tell what a verified request means: the events of a delivery, or the answer to a handshake."""
    if request.method == "GET":
        return model.Received(request, answer=challenge(request))
    return received(request, partial(_events, request.received_at))


def _events(at: datetime, body: Any) -> Iterator[model.Event | str]:
    """Walk entries, changes and rows, level by level, so that a bad one harms none beside it."""
    if body["object"] != OBJECT:
        yield "object is not WhatsApp's"
        return
    changes: list[Any] = []
    yield from each(body["entry"], lambda entry: changes.extend(sequence(entry["changes"])), at)
    batches: list[tuple[_Number, Any, _Build]] = []
    yield from each(changes, partial(_open, batches, at), at)
    for line, rows, build in batches:
        yield from each(rows, partial(build, line), at, line.account)


def _open(batches: list[tuple["_Number", Any, "_Build"]], at: datetime, change: Any) -> str | None:
    """Add the rows of one change, with what reads them; or say why they concern nobody."""
    field = change["field"]
    builds = _BUILDS.get(field)
    if builds is None:
        return f"field {string(field):.40}"
    value = change["value"]
    line = _Number(identifier(value["metadata"]["phone_number_id"]), _people(value.get("contacts")), at)
    told, unknown = False, ""
    for name, rows in value.items():
        build = builds.get(name)
        if build is not None:
            told = True
            if sequence(rows):
                batches.append((line, rows, build))
        elif type(rows) is list and name != "contacts":
            unknown = f"rows {name:.40}"
    return unknown or (None if told else f"field {field} without rows")


@define(eq=False)
class _Number:
    """One of our phone numbers in one webhook: its id, who wrote to it (by both of their ids), and when."""

    account: str
    people: Mapping[str, model.Profile]
    at: datetime

    def message(self, row: Any) -> model.Event:
        get = row.get
        kind, key, sender = row["type"], identifier(row["id"]), self._person(get("from"), get("from_user_id"))
        occurred_at = timestamp(get("timestamp"), self.at)
        special = _SPECIAL.get(kind)
        if special is not None:
            common = {"account": self.account, "key": key, "occurred_at": occurred_at}
            event = special(mapping(row[kind]), sender, common)
            if event is not None:
                return event
        text, parts = content(row)
        context, referral, group = get("context"), get("referral"), get("group_id")
        quote, forwarded = (None, False) if context is None else _context(context)
        return model.MessageReceived(
            account=self.account,
            key=key,
            occurred_at=occurred_at,
            sender=sender,
            external_id=key,
            text=text,
            parts=parts,
            reply_to=quote,
            referral=None if referral is None else _referral(referral),
            thread=None if group is None else model.Thread(root=identifier(group)),
            reply_address=None if group is None else model.Address("whatsapp", identifier(group)),
            forwarded=forwarded,
        )

    def echo(self, row: Any) -> model.Event:
        key, (text, parts) = identifier(row["id"]), content(row)
        return model.EchoSent(
            account=self.account,
            key=key,
            occurred_at=timestamp(row.get("timestamp"), self.at),
            recipient=self._person(row.get("to"), row.get("to_user_id")).address,
            external_id=key,
            text=text,
            parts=parts,
        )

    def status(self, row: Any) -> model.Event | str:
        name, external_id = string(row["status"]), identifier(row["id"])
        if name == "deleted":  # of old versions; nothing can be done about it
            return "status deleted"
        if name not in _STATUSES:
            raise ValueError("an unknown status")
        phone, user = row.get("recipient_id"), row.get("recipient_user_id")
        code, reason = _failure(sequence(row.get("errors")))
        return model.StatusChanged(
            account=self.account,
            key=f"{external_id}:{name}",
            occurred_at=timestamp(row.get("timestamp"), self.at),
            external_id=external_id,
            status=_STATUSES[name],
            reference=string(row.get("biz_opaque_callback_data")),
            recipient=None if phone is None and user is None else self._person(phone, user).address,
            code=code,
            reason=reason,
        )

    def call(self, row: Any) -> model.Event:
        """Read that a call comes in or ended; who was not reached has no duration."""
        external_id, kind = identifier(row["id"]), string(row["event"])
        inbound, seconds = row.get("direction") != "BUSINESS_INITIATED", row.get("duration")
        if kind == "connect":
            state = model.CallState.RINGING
        elif kind == "terminate":
            state = _ENDS[row["status"]]
            if state is model.CallState.COMPLETED and not seconds:
                state = model.CallState.MISSED
        else:
            raise ValueError("an unknown event of a call")
        phone, user = ("from", "from_user_id") if inbound else ("to", "to_user_id")
        return model.CallRecord(
            account=self.account,
            key=f"{external_id}:{kind}",
            occurred_at=timestamp(row.get("timestamp"), self.at),
            caller=self._person(row.get(phone), row.get(user)).address,
            external_id=external_id,
            state=state,
            inbound=inbound,
            seconds=None if seconds is None else number(seconds),
        )

    def call_status(self, row: Any) -> model.Event:
        """Read how far a call of ours has got."""
        external_id, name = identifier(row["id"]), string(row["status"])
        return model.CallRecord(
            account=self.account,
            key=f"{external_id}:{name}",
            occurred_at=timestamp(row.get("timestamp"), self.at),
            caller=self._person(row.get("recipient_id"), row.get("recipient_user_id")).address,
            external_id=external_id,
            state=_CALLS[name],
            inbound=False,
        )

    def preference(self, row: Any) -> model.Event:
        """Read that a customer wants a kind of messages no more, or again."""
        sender, value = self._person(row.get("wa_id"), row.get("user_id")).address, string(row["value"])
        told_at, topic = row.get("timestamp"), string(row.get("category"))
        key, at = f"preference:{sender.value}:{topic}:{value}:{told_at}", timestamp(told_at, self.at)
        return _PREFERENCES[value](account=self.account, key=key, occurred_at=at, sender=sender, topic=topic)

    def error(self, row: Any) -> model.Event:
        code, reason = _failure((row,))
        digest = sha256(orjson.dumps(row)).hexdigest()  # it has no id of its own
        return model.AccountHealth(
            account=self.account, key=f"error:{digest}", occurred_at=self.at, code=code, detail=reason
        )

    def _person(self, phone: Any, user: Any) -> model.Profile:
        """Tell who it is: by the business-scoped user id where there is one, else by the phone number.

        Either may stand with the contact only, and `from` may hold a user id: then it is no digits.
        """
        known = self.people.get(phone if user is None else user)
        if known is not None and (phone is None or known.aliases or known.address.value == phone):
            return known
        named = known or self.people.get(phone)
        user = "" if user is None else identifier(user)
        phone = "" if phone is None else identifier(phone)
        return _profile(user, phone, named.name if named else "")


_Build: TypeAlias = Callable[[_Number, Any], model.Event | str]
_MESSAGES: Mapping[str, _Build] = {
    "messages": _Number.message,
    "message_echoes": _Number.echo,
    "statuses": _Number.status,
    "errors": _Number.error,
}
_BUILDS: Mapping[str, Mapping[str, _Build]] = {
    "messages": _MESSAGES,
    "smb_message_echoes": _MESSAGES,
    "calls": {"calls": _Number.call, "statuses": _Number.call_status, "errors": _Number.error},
    "user_preferences": {"user_preferences": _Number.preference},
}
"""What reads the rows of each field that webhooks are subscribed to."""


def _people(contacts: Any) -> dict[str, model.Profile]:
    """Index the contacts by both ids; what is wrong with one costs its name, not the message."""
    people: dict[str, model.Profile] = {}
    for contact in contacts if isinstance(contacts, list) else ():
        try:
            phone, user = string(contact.get("wa_id")), string(contact.get("user_id"))
            profile = contact["profile"]
            person = _profile(user, phone, string(profile.get("name")), string(profile.get("username")))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        for key in (phone, user):
            if key:
                people[key] = person
    return people


def _profile(user: str, phone: str, name: str = "", username: str = "") -> model.Profile:
    if not phone.isdigit():
        user, phone = user or phone, ""
    if not (user or phone):
        raise ValueError("expected a phone number or a user id")
    if not phone:
        return model.Profile(address=model.Address("whatsapp", user, "", username and f"@{username}"), name=name)
    written = f"+{phone}"
    address = model.Address("whatsapp", user or phone, "", written)
    return model.Profile(address=address, name=name, aliases=(model.Address("phone", written),))


def _context(context: Any) -> tuple[model.Quote | None, bool]:
    """Read what a message follows: the message that it answers, and whether it was forwarded."""
    get, quoted = context.get, context.get("id")
    forwarded = get("forwarded") is True or get("frequently_forwarded") is True
    return None if quoted is None else model.Quote(external_id=identifier(quoted)), forwarded


def _referral(row: Any) -> model.Referral:
    return model.Referral(
        source=string(row.get("source_type")),
        ref=string(row.get("source_id")),
        url=string(row.get("source_url")),
        title=string(row.get("headline")),
    )


def _failure(errors: Any) -> tuple[str, str]:
    if not errors:
        return "", ""
    error = errors[0]
    code = error.get("code")
    title = string(error.get("title")) or string(error.get("message"))
    details = string(mapping(error.get("error_data")).get("details"))
    return "" if code is None else identifier(code), ": ".join(words for words in (title, details) if words)


# What is no message of its own: changes of earlier messages, and of who somebody is.


def _reaction(body: Mapping[str, Any], sender: model.Profile, common: dict[str, Any]) -> model.Event:
    message, emoji = identifier(body["message_id"]), string(body.get("emoji"))
    return model.ReactionChanged(**common, sender=sender.address, external_id=message, emoji=emoji, on=bool(emoji))


def _edit(body: Mapping[str, Any], sender: model.Profile, common: dict[str, Any]) -> model.Event:
    text, parts = content(body["message"])
    message = identifier(body["original_message_id"])
    return model.MessageEdited(**common, sender=sender.address, external_id=message, text=text, parts=parts)


def _revoke(body: Mapping[str, Any], sender: model.Profile, common: dict[str, Any]) -> model.Event:
    return model.MessageDeleted(**common, external_id=identifier(body["original_message_id"]), sender=sender.address)


def _system(body: Mapping[str, Any], sender: model.Profile, common: dict[str, Any]) -> model.Event | None:
    """Read a change of number or user id; other system messages are shown as they are."""
    if body.get("type") not in ("user_changed_number", "user_changed_user_id"):
        return None
    new = _profile(string(body.get("user_id")), string(body.get("wa_id"))).address
    return model.IdentityChanged(**common, old=sender.address, new=new, reason=string(body.get("body")))


_SPECIAL: Mapping[str, Callable[[Mapping[str, Any], model.Profile, dict[str, Any]], model.Event | None]] = {
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "system": _system,
}
