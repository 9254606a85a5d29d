"""Whether a request is Meta's."""

import hmac
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channelry.errors import RejectedError
from channelry.model import Request, Unparsed
from channelry_meta import challenge, verify
from channelry_meta.webhook import Found, parse

BODY = b'{"hello":"w\\u00f6rld"}'
SECRET = b"meta_app_secret"
SIGNATURE = b"sha256=6910dd4ebee0899b4aa2da917e24098e3dcfe47773eed8989457dab83aeaef33"
TOKEN = b"a-verify-token"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def delivery(signature: bytes | None, body: bytes = BODY) -> Request:
    headers = () if signature is None else ((b"x-hub-signature-256", signature),)
    return Request("POST", "/hooks/meta", headers, body, NOW)


def handshake(query: str) -> Request:
    return Request("GET", f"/hooks/meta?{query}", (), b"", NOW)


def test_the_published_vector_is_accepted() -> None:
    """A body with its escapes as sent is Meta's if the MAC over its bytes is right."""
    verify(delivery(SIGNATURE), [SECRET], TOKEN)


@pytest.mark.parametrize("secrets", [[b"new", SECRET], [SECRET, b"new"]])
def test_old_and_new_secret_are_accepted_while_they_rotate(secrets: list[bytes]) -> None:
    verify(delivery(SIGNATURE), secrets, TOKEN)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        b"",
        b"sha256=",
        SIGNATURE[:-1],
        SIGNATURE + b"0",
        SIGNATURE[7:],
        SIGNATURE.upper(),
        SIGNATURE.replace(b"sha256", b"sha1"),
        b"sha256=" + b"0" * 64,
        "sha256=ünïcode".encode(),
        b"\xff\xfe" * 35,
    ],
)
def test_any_other_signature_is_rejected(signature: bytes | None) -> None:
    """Missing, truncated, wrong or non-ASCII: one rejection, the same words, no other exception."""
    with pytest.raises(RejectedError, match=r"^the request is not signed by Meta$"):
        verify(delivery(signature), [SECRET], TOKEN)


def test_a_body_that_was_changed_is_rejected() -> None:
    with pytest.raises(RejectedError):
        verify(delivery(SIGNATURE, BODY + b" "), [SECRET], TOKEN)


@pytest.mark.parametrize("secrets", [[], [b""]])
def test_no_secret_refuses_everything(secrets: list[bytes]) -> None:
    """An empty secret is none: anybody could sign with it."""
    signed_with_nothing = b"sha256=" + hmac.digest(b"", BODY, "sha256").hex().encode()
    for signature in (SIGNATURE, signed_with_nothing):
        with pytest.raises(RejectedError):
            verify(delivery(signature), secrets, TOKEN)


def test_a_handshake_is_answered_with_its_challenge() -> None:
    request = handshake("hub.mode=subscribe&hub.challenge=11%2622&hub.verify_token=a-verify-token")
    verify(request, [SECRET], TOKEN)
    answer = challenge(request)
    assert (answer.status, answer.body) == (200, b"11&22")
    assert answer.media_type.startswith("text/plain")


@pytest.mark.parametrize(
    ("query", "token"),
    [
        ("hub.mode=subscribe&hub.challenge=1&hub.verify_token=another", TOKEN),
        ("hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=a-verify-token", TOKEN),
        ("hub.challenge=1&hub.verify_token=a-verify-token", TOKEN),
        ("hub.mode=subscribe&hub.challenge=1&hub.verify_token=%C3%BC%FF", TOKEN),
        ("hub.mode=subscribe&hub.challenge=1", TOKEN),
        ("hub.mode=subscribe&hub.challenge=1&hub.verify_token=", b""),
        ("", TOKEN),
    ],
)
def test_any_other_handshake_is_rejected(query: str, token: bytes) -> None:
    with pytest.raises(RejectedError):
        verify(handshake(query), [SECRET], token)


def test_a_handshake_needs_no_secret_and_a_delivery_no_token() -> None:
    verify(handshake("hub.mode=subscribe&hub.challenge=1&hub.verify_token=a-verify-token"), [], TOKEN)
    verify(delivery(SIGNATURE), [SECRET], b"")


@settings(max_examples=300, deadline=None)
@given(st.text(), st.binary(max_size=80), st.binary(max_size=80))
def test_nothing_but_a_rejection_comes_of_garbage(path: str, signature: bytes, body: bytes) -> None:
    for method in ("GET", "POST"):
        request = Request(method, path, ((b"x-hub-signature-256", signature),), body, NOW)
        with pytest.raises(RejectedError):
            verify(request, [SECRET], TOKEN)


def entries(entry: Any, at: datetime, found: Found) -> None:
    """Read an entry's rows as reasons to ignore it."""
    for row in entry["rows"]:
        found.append(row.upper())


def test_entries_are_read_one_by_one_and_what_was_read_before_one_broke_is_kept() -> None:
    rows = [{"rows": ["a", "b"]}, {"rows": ["c", 3, "d"]}, None, {"rows": ["e"]}]
    received = parse(delivery(None, orjson.dumps({"object": "page", "entry": rows})), "page", entries)
    assert received.ignored == ("A", "B", "C", "E")
    assert [type(event) for event in received.events] == [Unparsed, Unparsed]


def test_another_object_is_ignored_by_name_and_a_handshake_answered() -> None:
    body = orjson.dumps({"object": "user", "entry": [{}]})
    assert parse(delivery(None, body), "page", entries).ignored == ("object is not page",)
    received = parse(handshake("hub.mode=subscribe&hub.challenge=42"), "page", entries)
    assert (received.answer.body, received.events, received.ignored) == (b"42", (), ())
