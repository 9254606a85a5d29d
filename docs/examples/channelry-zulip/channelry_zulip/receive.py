"""Receiving: whether a request is Zulip's, and what it means (https://zulip.com/api/outgoing-webhook-payload)."""

import hmac
from collections.abc import Iterator
from typing import Any

from attrs import evolve

from channelry.errors import RejectedError
from channelry.model import Address, Event, MessageReceived, Profile, Received, Request, Response, Thread
from channelry.parsing import identifier, received, sequence, string, timestamp
from channelry.secrets import Secrets

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
        key = identifier(message["id"])
        sender = Address(USER, identifier(message["sender_id"]), display=string(message.get("sender_email")))
        where, thread = place(message, string(body["bot_email"]))
        yield MessageReceived(
            key=key,
            occurred_at=timestamp(message.get("timestamp"), request.received_at),
            sender=Profile(
                address=sender, name=string(message.get("sender_full_name")), picture=string(message.get("avatar_url"))
            ),
            external_id=key,
            text=string(message["content"]),
            reply_address=None if where == sender else where,
            thread=thread,
        )

    return evolve(received(request, events), answer=SILENCE)


def _stream(message: Any, bot: str) -> tuple[Address, Thread]:
    """Give the stream, and the topic as a thread; a topic's name is unique within its stream only."""
    stream = identifier(message["stream_id"])
    where = Address(STREAM, stream, display=string(message["display_recipient"]))
    return where, Thread(root=f"{stream}/{string(message['subject'])}")


def _direct(message: Any, bot: str) -> tuple[Address, None]:
    """Give all who take part but the bot: one user, or a group of them."""
    users = [identifier(user["id"]) for user in sequence(message["display_recipient"]) if user["email"] != bot]
    return Address(USER if len(users) == 1 else GROUP, ",".join(users)), None


PLACES = {"stream": _stream, "private": _direct}
"""Where a message of each type was written, and where an answer goes."""
