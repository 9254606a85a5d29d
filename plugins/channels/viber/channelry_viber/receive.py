"""Receiving: whether a callback is Viber's, and what it tells.

Source: https://developers.viber.com/docs/api/rest-bot-api/#callbacks
"""

import hmac
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from attrs import evolve

from channelry.errors import RejectedError
from channelry.model import (
    OK,
    Activity,
    Address,
    EchoSent,
    Event,
    MessageReceived,
    OptedIn,
    OptedOut,
    Profile,
    Received,
    Referral,
    Request,
    Response,
    Status,
    StatusChanged,
)
from channelry.parsing import identifier, received, string, timestamp
from channelry.secrets import Secrets

from .content import read

SCHEME = "viber"
SIGNATURE = b"x-viber-content-signature"


def verify(request: Request, tokens: Secrets) -> None:
    """Raise RejectedError unless the body is signed with one of the bot's tokens.

    The signature stands in a header; some have seen it in the query as `sig` instead.
    """
    given = request.header(SIGNATURE) or request.query().get("sig", "").encode()
    good = False
    for token in tokens:
        good |= hmac.compare_digest(given, hmac.digest(token.encode(), request.body, "sha256").hex().encode())
    if not good:
        raise RejectedError("the signature is missing or wrong")


def parse(request: Request, welcome: str, greeting: Response) -> Received:
    """Read one callback; `greeting` answers a conversation that was opened, and shows the customer `welcome`."""
    found = received(request, partial(_read, request.received_at, welcome))
    if greeting is not OK and found.events and isinstance(found.events[-1], EchoSent):
        return evolve(found, answer=greeting)
    return found


def _read(at: datetime, welcome: str, body: Any) -> Iterator[Event | str]:
    event = string(body["event"])
    reader = _READERS.get(event)
    if reader is None:  # `webhook`, which only wants its 200, and what is not known yet
        yield f"event {event:.40}"
        return
    token = identifier(body["message_token"])
    # a token names a message, of which several things are told
    found = reader(body, token, {"key": f"{token}:{event}", "occurred_at": timestamp(body.get("timestamp"), at)})
    yield found
    if welcome and isinstance(found, Activity):
        yield EchoSent(
            key=f"{token}:welcome",
            occurred_at=found.occurred_at,
            recipient=found.sender.address,
            external_id=f"welcome:{token}",  # Viber gives what rides on an answer no id
            text=welcome,
        )


_Common: TypeAlias = Mapping[str, Any]
_Reader: TypeAlias = Callable[[Any, str, _Common], Event]


def _message(body: Any, token: str, common: _Common) -> Event:
    text, parts = read(body["message"])
    return MessageReceived(**common, sender=_profile(body["sender"]), external_id=token, text=text, parts=parts)


def _status(status: Status) -> _Reader:
    """Read what became of a message. What a customer wrote is `delivered` too: no call of ours has its token."""

    def reader(body: Any, token: str, common: _Common) -> Event:
        return StatusChanged(
            **common,
            external_id=token,
            status=status,
            recipient=Address(SCHEME, identifier(body["user_id"])),
            reason=string(body.get("desc")),
        )

    return reader


def _opened(body: Any, token: str, common: _Common) -> Event:
    """Read that a customer came by a link or a code, which may have brought a `context` of ours along."""
    subscribed = "yes" if body.get("subscribed") is True else "no"
    ref = string(body.get("context"))
    return Activity(
        **common,
        sender=_profile(body["user"]),
        name="opened",
        values={"subscribed": subscribed},
        referral=Referral(source="link", ref=ref) if ref else None,
    )


def _profile(who: Mapping[str, Any]) -> Profile:
    return Profile(
        address=Address(SCHEME, identifier(who["id"])),
        name=string(who.get("name")),
        picture=string(who.get("avatar")),
        locale=string(who.get("language")),
    )


_READERS: Mapping[str, _Reader] = {
    "message": _message,
    "delivered": _status(Status.DELIVERED),
    "seen": _status(Status.READ),
    "failed": _status(Status.FAILED),
    "subscribed": lambda body, token, common: OptedIn(**common, sender=_profile(body["user"]).address),
    "unsubscribed": lambda body, token, common: OptedOut(**common, sender=Address(SCHEME, identifier(body["user_id"]))),
    "conversation_started": _opened,
}
