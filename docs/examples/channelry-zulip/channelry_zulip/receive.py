"""Receiving: whether a request is Zulip's, and what it means (https://zulip.com/api/outgoing-webhook-payload)."""

import hmac
from collections.abc import Iterator
from typing import Any

from attrs import evolve

from channelry.errors import RejectedError
from channelry.model import Address, Event, MessageReceived, Profile, Received, Request, Response, Thread
from channelry.parsing import identifier, received, sequence, string, timestamp
from channelry.secrets import Secrets

from .files import named

USER, GROUP, STREAM = "zulip", "zulip-group", "zulip-stream"
"""Name spaces of addresses: a user's id, the ids of several users joined by commas, a stream's id."""

SILENCE = Response.json({"response_not_required": True})
"""The answer after which Zulip writes nothing into the conversation: ours goes by the API."""


def verify(request: Request, tokens: Secrets) -> None:
    """Raise RejectedError unless the body shows a token that Zulip gave the bot; it signs nothing."""
    try:
        shown = string(request.json()["token"]).encode()
    except (ValueError, TypeError, KeyError):
        raise RejectedError("the body shows no token") from None
    if not any(hmac.compare_digest(token.encode(), shown) for token in tokens):
        raise RejectedError("the token is wrong")


def parse(request: Request) -> Received:
    """Read a webhook, which is one message that names the bot or was written to it."""

    def events(body: Any) -> Iterator[Event | str]:
        message = body["message"]
        place = PLACES.get(message["type"])
        if place is None:
            yield "unknown type of message"
            return
        key, text = identifier(message["id"]), string(message["content"])
        sender = Address(USER, identifier(message["sender_id"]), display=string(message.get("sender_email")))
        yield MessageReceived(
            key=key,
            occurred_at=timestamp(message.get("timestamp"), request.received_at),
            sender=Profile(
                address=sender, name=string(message.get("sender_full_name")), picture=string(message.get("avatar_url"))
            ),
            external_id=key,
            text=text,
            parts=named(text),
            **place(message, string(body["bot_email"])),
        )

    return evolve(received(request, events), answer=SILENCE)


def _stream(message: Any, bot: str) -> dict[str, Any]:
    """A topic is a thread, by its name, which is unique within its stream only; an answer must name it again."""
    stream, topic = identifier(message["stream_id"]), string(message["subject"])
    return {
        "reply_address": Address(STREAM, stream, display=string(message["display_recipient"])),
        "thread": Thread(root=f"{stream}/{topic}"),
        "context": {"topic": topic},
    }


def _direct(message: Any, bot: str) -> dict[str, Any]:
    """Several people are a thread of their own, apart from what each of them writes alone."""
    users = [identifier(user["id"]) for user in sequence(message["display_recipient"]) if user["email"] != bot]
    if len(users) == 1:
        return {}
    group = ",".join(users)
    return {"reply_address": Address(GROUP, group), "thread": Thread(root=group)}


PLACES = {"stream": _stream, "private": _direct}
"""What else is known of a message by its type: where it was written, and so where an answer goes."""
