"""Receiving: whether a callback is Viber's, and what it tells.

Source: https://developers.viber.com/docs/api/rest-bot-api/#callbacks
"""

from binascii import hexlify
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from attrs import evolve

from channelry import hookimpl, model
from channelry.parsing import identifier, received, string, timestamp
from channelry_webapi import optional_text, read, require_hmac

from .capabilities import SCHEME
from .connection import Bot
from .content import READERS

SIGNATURE = b"x-viber-content-signature"


@hookimpl
def verify(bot: Bot, request: model.Request) -> None:
    """Raise RejectedError unless the body is signed with one of the bot's tokens.

    The signature stands in a header; some have seen it in the query as `sig` instead.
    """
    given = request.header(SIGNATURE) or request.query().get("sig", "").encode()
    require_hmac(given, request.body, bot.config.auth_token, hexlify, "Viber")


@hookimpl
def parse(bot: Bot, request: model.Request) -> model.Received:
    """Read one callback; the answer to a conversation that was opened shows the customer the welcome."""
    welcome = bot.config.welcome
    found = received(request, partial(_read, request.received_at, welcome))
    if welcome and found.events and isinstance(found.events[-1], model.EchoSent):
        return evolve(found, answer=model.Response.json({"sender": bot.sender, "type": "text", "text": welcome}))
    return found


def _read(at: datetime, welcome: str, body: Any) -> Iterator[model.Event | str]:
    event = string(body["event"])
    reader = _READERS.get(event)
    if reader is None:  # `webhook`, which only wants its 200, and what is not known yet
        yield f"event {event:.40}"
        return
    token = identifier(body["message_token"])
    # a token names a message, of which several things are told
    found = reader(body, token, {"key": f"{token}:{event}", "occurred_at": timestamp(body.get("timestamp"), at)})
    yield found
    if welcome and isinstance(found, model.Activity):
        yield model.EchoSent(
            key=f"{token}:welcome",
            occurred_at=found.occurred_at,
            recipient=found.sender.address,
            external_id=f"welcome:{token}",  # Viber gives what rides on an answer no id
            text=welcome,
        )


_Common: TypeAlias = Mapping[str, Any]
_Reader: TypeAlias = Callable[[Any, str, _Common], model.Event]


def _message(body: Any, token: str, common: _Common) -> model.Event:
    text, parts = read(body["message"], READERS)
    return model.MessageReceived(**common, sender=_profile(body["sender"]), external_id=token, text=text, parts=parts)


def _status(status: model.Status, body: Any, token: str, common: _Common) -> model.Event:
    """Read what became of a message. What a customer wrote is `delivered` too: no call of ours has its token."""
    who, reason = _address(body["user_id"]), string(body.get("desc"))
    return model.StatusChanged(**common, external_id=token, status=status, recipient=who, reason=reason)


def _opened(body: Any, token: str, common: _Common) -> model.Event:
    """Read that a customer came by a link or a code, which may have brought a `context` of ours along."""
    values, ref = {"subscribed": "yes" if body.get("subscribed") is True else "no"}, string(body.get("context"))
    referral = model.Referral(source="link", ref=ref) if ref else None
    return model.Activity(**common, sender=_profile(body["user"]), name="opened", values=values, referral=referral)


def _address(value: Any) -> model.Address:
    return model.Address(SCHEME, identifier(value))


def _profile(who: Mapping[str, Any]) -> model.Profile:
    return model.Profile(
        address=_address(who["id"]),
        name=optional_text(who.get("name")),
        picture=optional_text(who.get("avatar")),
        locale=optional_text(who.get("language")),
    )


_READERS: Mapping[str, _Reader] = {
    "message": _message,
    "delivered": partial(_status, model.Status.DELIVERED),
    "seen": partial(_status, model.Status.READ),
    "failed": partial(_status, model.Status.FAILED),
    "subscribed": lambda body, token, common: model.OptedIn(**common, sender=_address(body["user"]["id"])),
    "unsubscribed": lambda body, token, common: model.OptedOut(**common, sender=_address(body["user_id"])),
    "conversation_started": _opened,
}
