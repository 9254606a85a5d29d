"""Whether a request is Meta's (the signature of a delivery, the token of the handshake), and the walk through it.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from hmac import compare_digest, digest
from typing import Any, TypeAlias

from channelry.errors import RejectedError
from channelry.model import Event, Received, Request, Response
from channelry.parsing import each, received

Found: TypeAlias = list[Event | str]
"""The events of a delivery, and the reasons of what was ignored."""
ReadEntry: TypeAlias = Callable[[Any, datetime, Found], None]
"""Reads one entry of a delivery, given when it was received, and adds what it tells; also before it fails."""

_COMMON = frozenset({"id", "time"})
"""What every entry has, beside what it tells."""
_REJECTED = "the request is not signed by Meta"


def verify(request: Request, app_secrets: Sequence[bytes], verify_token: bytes) -> None:
    """Raise RejectedError unless a POST bears the MAC of one of the secrets, or a GET the verify token.

    - `app_secrets`: those of the app, several while they rotate; empty ones are none, and none refuses all.
    - `verify_token`: the one that was given to Meta with the callback's URL; an empty one refuses all.

    The MAC covers the raw bytes. Bytes are compared (of `str`, non-ASCII raises), in constant time.
    """
    if request.method == "GET":
        if not _shakes_hands(request, verify_token):
            raise RejectedError(_REJECTED)
        return
    signature = request.header(b"x-hub-signature-256")
    for secret in app_secrets:
        expected = b"sha256=" + digest(secret, request.body, "sha256").hex().encode()
        if compare_digest(expected, signature) and secret:
            return
    raise RejectedError(_REJECTED)


def challenge(request: Request) -> Response:
    """Answer a verified handshake: its challenge, as plain text."""
    return Response(body=request.query().get("hub.challenge", "").encode(errors="replace"))


def parse(request: Request, about: str, read: ReadEntry) -> Received:
    """Answer a handshake, or read each entry of a delivery about the object `about` (`"page"`).

    The other objects of an app come to the same URL. An entry that cannot be read harms none beside it.
    """
    if request.method == "GET":
        return Received(request, answer=challenge(request))
    return received(request, partial(_events, about, read, request.received_at))


def _events(about: str, read: ReadEntry, at: datetime, body: Any) -> Found:
    if body["object"] != about:
        return [f"object is not {about}"]
    found: Found = []

    def entered(entry: Any) -> str | None:
        before = len(found)
        read(entry, at, found)
        return None if len(found) > before else f"entry {'+'.join(sorted(entry.keys() - _COMMON)):.40}"

    return each(body["entry"], entered, at) + found


def _shakes_hands(request: Request, verify_token: bytes) -> bool:
    try:
        query = request.query()
    except ValueError:  # a path that is no URL, or too many fields
        return False
    given = query.get("hub.verify_token", "").encode(errors="replace")
    return compare_digest(given, verify_token) and bool(verify_token) and query.get("hub.mode") == "subscribe"
