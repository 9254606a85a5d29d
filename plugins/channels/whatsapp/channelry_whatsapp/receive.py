"""What WhatsApp tells: webhooks in, events out.

The envelope and its rows: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar

from attrs import define

from channelry import hookimpl, model
from channelry.model import Address, CallState, Event, Profile
from channelry.parsing import each, identifier, mapping, number, sequence, string, timestamp
from channelry_meta import webhook
from channelry_meta.values import digest, optional

from .capabilities import CALLS, PHONE, PREFERENCES, SCHEME, STATUSES
from .connection import Number
from .content import content

OBJECT = "whatsapp_business_account"
"""What a webhook of WhatsApp is about; the other objects of an app come to the same URL."""


@hookimpl
def parse(number: Number, request: model.Request) -> model.Received:
    """Tell what a verified request means: the events of a delivery, or the answer to a handshake."""
    return webhook.parse(request, OBJECT, _entry)


def _entry(entry: Any, at: datetime, found: webhook.Found) -> None:
    """Walk changes, then rows, so that a bad one harms none beside it."""
    found += each(entry["changes"], partial(_change, found, at), at)


def _change(found: webhook.Found, at: datetime, change: Any) -> str | None:
    """Add what the rows of one change tell; or say why they concern nobody."""
    field = change["field"]
    builds = _BUILDS.get(field)
    if builds is None:
        return f"field {string(field):.40}"
    value = change["value"]
    line = _Line(identifier(value["metadata"]["phone_number_id"]), _people(value.get("contacts")), at)
    told, unknown = False, ""
    for name, rows in value.items():
        build = builds.get(name)
        if build is not None:
            told = True
            if sequence(rows):
                found.extend(each(rows, partial(build, line), at, line.account))
        elif type(rows) is list and name != "contacts":
            unknown = f"rows {name:.40}"
    return unknown or (None if told else f"field {field} without rows")


@define(eq=False)
class _Line:
    """One of our phone numbers in one webhook: its id, who wrote to it (by both of their ids), and when."""

    account: str
    people: Mapping[str, Profile]
    at: datetime

    def _common(self, row: Any, of: str = "") -> dict[str, Any]:
        """Give what rows with an id have in common; `of` tells those of one id apart."""
        at = timestamp(row.get("timestamp") or None, self.at)
        return {"account": self.account, "key": identifier(row["id"]) + of, "occurred_at": at}

    def message(self, row: Any) -> Event:
        get, key, at = row.get, identifier(row["id"]), timestamp(row.get("timestamp") or None, self.at)
        kind, phone = get("type"), get("from") or mapping(get("system")).get("customer")
        sender, special = self._person(phone, get("from_user_id")), _SPECIAL.get(kind)
        if special is not None:
            event = special(mapping(row[kind]), sender, self._common(row))
            if event is not None:
                return event
        (text, parts), context, referral, group = content(row), get("context"), get("referral"), get("group_id")
        quote, forwarded, product = _context(context) if context else (None, False, None)
        return model.MessageReceived(
            account=self.account,
            key=key,
            occurred_at=at,
            sender=sender,
            external_id=key,
            text=text,
            parts=parts,
            reply_to=quote,
            referral=_referral(referral) if referral else product,
            thread=model.Thread(root=identifier(group)) if group else None,
            reply_address=Address(SCHEME, identifier(group)) if group else None,
            forwarded=forwarded,
        )

    def echo(self, row: Any) -> Event:
        """Read what was written in the Business app, or that it was taken back there."""
        common, (text, parts) = self._common(row), content(row)
        if row.get("type") == "revoke":
            return _revoke(row["revoke"], None, common)
        recipient = self._person(row.get("to"), row.get("to_user_id")).address
        return model.EchoSent(**common, recipient=recipient, external_id=common["key"], text=text, parts=parts)

    def status(self, row: Any) -> Event | str:
        name = string(row["status"])
        if name == "deleted":  # of old versions; nothing can be done about it
            return "status deleted"
        phone, user = row.get("recipient_id"), row.get("recipient_user_id")
        code, reason = _failure(sequence(row.get("errors")))
        return model.StatusChanged(
            **self._common(row, f":{name}"),
            external_id=identifier(row["id"]),
            status=_meaning(name, STATUSES, "status"),
            reference=string(row.get("biz_opaque_callback_data")),
            recipient=self._person(phone, user).address if phone or user else None,
            code=code,
            reason=reason,
        )

    def call(self, row: Any) -> Event:
        """Read how far a call has got, by its event; or one of ours, by its status. Who was not reached has no
        duration."""
        told, seconds = "event" in row, row.get("duration")
        name, inbound = string(row["event" if told else "status"]), row.get("direction") != "BUSINESS_INITIATED"
        state = _meaning(string(row["status"]) if name == "terminate" else name, CALLS, "state of a call")
        if state is CallState.COMPLETED and not seconds:
            state = CallState.MISSED
        who = "recipient" if not told else "from" if inbound else "to"
        user, phone = row.get(f"{who}_user_id"), row.get(who if told else f"{who}_id")
        return model.CallRecord(
            **self._common(row, f":{name}"),
            caller=self._person(phone, user).address,
            external_id=identifier(row["id"]),
            state=state,
            inbound=told and inbound,
            seconds=None if seconds is None else number(seconds),
        )

    def preference(self, row: Any) -> Event:
        """Read that a customer wants a kind of messages no more, or again."""
        sender, value = self._person(row.get("wa_id"), row.get("user_id")).address, string(row["value"])
        told_at, topic = row.get("timestamp") or None, string(row.get("category"))
        key, at = f"preference:{sender.value}:{topic}:{value}:{told_at}", timestamp(told_at, self.at)
        event = _meaning(value, PREFERENCES, "preference")
        return event(account=self.account, key=key, occurred_at=at, sender=sender, topic=topic)

    def error(self, row: Any) -> Event:
        (code, reason), key = _failure((row,)), f"error:{digest(row)}"
        return model.AccountHealth(account=self.account, key=key, occurred_at=self.at, code=code, detail=reason)

    def _person(self, phone: Any, user: Any) -> Profile:
        """Tell who it is: by the business-scoped user id where there is one, else by the phone number.

        Either may stand with the contact only, and `from` may hold a user id: then it is no digits. Who is not named at
        all is the only contact.
        """
        phone, user = optional(phone), optional(user)
        known = self.people.get(user or phone)
        if known is not None and (not phone or known.aliases or known.address.value == phone):
            return known
        named = known or self.people.get(phone)
        return _profile(user, phone, named.name if named else "")


_T = TypeVar("_T")
_Build: TypeAlias = Callable[[_Line, Any], Event | str]
_MESSAGES: Mapping[str, _Build] = {
    "messages": _Line.message,
    "message_echoes": _Line.echo,
    "statuses": _Line.status,
    "errors": _Line.error,
}
_BUILDS: Mapping[str, Mapping[str, _Build]] = {
    "messages": _MESSAGES,
    "smb_message_echoes": _MESSAGES,
    "calls": {"calls": _Line.call, "statuses": _Line.call, "errors": _Line.error},
    "user_preferences": {"user_preferences": _Line.preference},
}
"""What reads the rows of each field that webhooks are subscribed to."""


def _meaning(word: str, table: Mapping[str, _T], what: str) -> _T:
    if word not in table:
        raise ValueError(f"an unknown {what}")
    return table[word]


def _people(contacts: Any) -> dict[str, Profile]:
    """Index the contacts by both ids, and the only one by `""`; what is wrong with one costs its name, not the
    message."""
    people: dict[str, Profile] = {}
    rows = contacts if isinstance(contacts, list) else ()
    for contact in rows:
        try:
            phone, user = optional(contact.get("wa_id")), optional(contact.get("user_id"))
            profile = mapping(contact.get("profile"))
            person = _profile(user, phone, string(profile.get("name")), string(profile.get("username")))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        people[phone] = people[user] = people[""] = person
    if len(rows) != 1:
        people.pop("", None)
    return people


def _profile(user: str, phone: str, name: str = "", username: str = "") -> Profile:
    if not phone.isdigit():
        user, phone = user or phone, ""
    if not (user or phone):
        raise ValueError("expected a phone number or a user id")
    if not phone:
        return Profile(address=Address(SCHEME, user, "", username and f"@{username}"), name=name)
    written = f"+{phone}"
    address = Address(SCHEME, user or phone, "", written)
    return Profile(address=address, name=name, aliases=(Address(PHONE, written),))


def _context(context: Any) -> tuple[model.Quote | None, bool, model.Referral | None]:
    """Read what a message follows: the message that it answers, whether it was forwarded, the product it is about."""
    get, quoted = context.get, optional(context.get("id"))
    forwarded = get("forwarded") is True or get("frequently_forwarded") is True
    product = optional(mapping(get("referred_product")).get("product_retailer_id"))
    referral = model.Referral(source="product", ref=product) if product else None
    return model.Quote(external_id=quoted) if quoted else None, forwarded, referral


def _referral(row: Any) -> model.Referral:
    return model.Referral(
        source=string(row.get("source_type")),
        ref=optional(row.get("source_id")),
        url=string(row.get("source_url")),
        title=string(row.get("headline")),
    )


def _failure(errors: Any) -> tuple[str, str]:
    error = errors[0] if errors else {}
    title, data = string(error.get("title")) or string(error.get("message")), error.get("error_data")
    details = data if isinstance(data, str) else string(mapping(data).get("details"))
    return optional(error.get("code")), ": ".join(filter(None, (title, details)))


# What is no message of its own: changes of earlier messages, and of who somebody is.


def _reaction(body: Mapping[str, Any], sender: Profile, common: dict[str, Any]) -> Event:
    message, emoji = identifier(body["message_id"]), string(body.get("emoji"))
    return model.ReactionChanged(**common, sender=sender.address, external_id=message, emoji=emoji, on=bool(emoji))


def _edit(body: Mapping[str, Any], sender: Profile, common: dict[str, Any]) -> Event:
    (text, parts), message = content(body["message"]), identifier(body["original_message_id"])
    return model.MessageEdited(**common, sender=sender.address, external_id=message, text=text, parts=parts)


def _revoke(body: Mapping[str, Any], sender: Profile | None, common: dict[str, Any]) -> Event:
    message, address = identifier(body["original_message_id"]), sender.address if sender else None
    return model.MessageDeleted(**common, external_id=message, sender=address)


def _system(body: Mapping[str, Any], sender: Profile, common: dict[str, Any]) -> Event | None:
    """Read a change of number or user id; other system messages are shown as they are."""
    if body.get("type") not in ("user_changed_number", "user_changed_user_id"):
        return None
    new = _profile(optional(body.get("user_id")), optional(body.get("wa_id") or body.get("new_wa_id"))).address
    return model.IdentityChanged(**common, old=sender.address, new=new, reason=string(body.get("body")))


_SPECIAL: Mapping[str, Callable[[Mapping[str, Any], Profile, dict[str, Any]], Event | None]] = {
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "system": _system,
}
