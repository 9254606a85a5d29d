"""Whether requests are X's, what they tell, and that no body breaks anything."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hmac import digest
from pathlib import Path
from typing import Any

import orjson
import pytest

from channelry.errors import RejectedError
from channelry.model import Event, MessageReceived, Request, Unparsed, Unsupported
from channelry.secrets import Secret
from channelry_twitter import content
from channelry_twitter.plugin import Twitter

EVENT: Any = Event
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
PAYLOADS = {path.stem: json.loads(path.read_text()) for path in Path(__file__).parent.glob("payloads/*.json")}


def twitter(*secrets: str) -> Twitter:
    return Twitter(Twitter.Config(user_id="111", consumer_secret=tuple(map(Secret, secrets))))


def request(payload: Mapping[str, Any], signature: bytes = b"") -> Request:
    body = orjson.dumps(payload["json"]) if "json" in payload else payload["body"].encode()
    headers = ((b"x-twitter-webhooks-signature", signature),) if signature else ()
    return Request(payload.get("method", "POST"), payload.get("path", "/"), headers, body, NOW)


def test_a_post_that_mentions_and_answers_us_is_one_message() -> None:
    """X sends it once for the mention and once for the reply, and in both envelopes; the key is the post's id."""
    both = []
    for kind in ("post.mention.create", "post.reply.create"):
        payload = json.loads(json.dumps(PAYLOADS["xaa_reply"]["json"]))
        payload["data"]["event_type"] = kind
        both += twitter().parse(request({"json": payload})).events
    assert both[0] == both[1]


@pytest.mark.parametrize(
    "moment", ["2026-11-22T06:59:00", "0001-01-01T00:00:00+23:59", "yesterday", "2026-13-40T00:00Z"]
)
def test_an_impossible_time_costs_the_row_only(moment: str) -> None:
    payload = json.loads(json.dumps(PAYLOADS["xaa_mention"]["json"]))
    payload["data"]["payload"]["created_at"] = moment
    (event,) = twitter().parse(request({"json": payload})).events
    assert isinstance(event, Unparsed)
    assert event.account == "111"


# Signatures

BODY = rb'{"hello":"w\u00f6rld"}'
SIGNED = b"sha256=5DgFux6WLVzAHKrpvNSyikRW4TEEkam8R9IGT8OeH6A="
KEY = "x_consumer_secret"


def post(signature: bytes, body: bytes = BODY) -> Request:
    return Request("POST", "/", ((b"x-twitter-webhooks-signature", signature),), body, NOW)


@pytest.mark.parametrize("secrets", [(KEY,), ("new", KEY), (KEY, "old")])
def test_the_published_signature_is_accepted(secrets: tuple[str, ...]) -> None:
    twitter(*secrets).verify(post(SIGNED))


@pytest.mark.parametrize(
    "asked",
    [
        post(b""),
        Request("POST", "/", (), BODY, NOW),
        post(SIGNED[:-1]),
        post(SIGNED.removeprefix(b"sha256=")),
        post(SIGNED.upper()),
        post("sha256=é".encode()),
        post(b"\xff\xfe"),
        post(SIGNED, BODY + b" "),
        post(SIGNED, BODY.replace(b"h", b"H", 1)),
        Request("PUT", "/?crc_token=abc", (), BODY, NOW),
    ],
    ids=range(10),
)
def test_what_is_not_signed_is_refused(asked: Request) -> None:
    with pytest.raises(RejectedError):
        twitter(KEY).verify(asked)


def test_without_a_secret_everything_is_refused() -> None:
    empty = b"sha256=" + b64encode(digest(b"", BODY, "sha256"))
    for secrets in ((), ("",)):
        for asked in (post(SIGNED), post(empty), challenge("abc123")):
            with pytest.raises(RejectedError):
                twitter(*secrets).verify(asked)


# The challenge


def challenge(token: str) -> Request:
    return Request("GET", f"/?crc_token={token}", (), b"", NOW)


@pytest.mark.parametrize("token", ["abc123", "MTIz_-4=", "a" * 512])
def test_a_challenge_is_answered_with_its_mac_by_the_newest_secret(token: str) -> None:
    twitter(KEY, "old").verify(challenge(token))
    mac = b64encode(digest(KEY.encode(), token.encode(), "sha256")).decode()
    found = twitter(KEY, "old").parse(challenge(token))
    assert orjson.loads(found.answer.body) == {"response_token": f"sha256={mac}"}
    assert (found.answer.media_type, found.events) == ("application/json", ())


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?crc_token=",
        "/?crc_token=%7B%22for_user_id%22%3A1%7D",
        "/?crc_token=a%20b",
        "/?crc_token=a%0A",
        "/?crc_token=%C3%A9",
        f"/?crc_token={'a' * 513}",
        "//[?crc_token=abc",
    ],
)
def test_what_could_be_a_webhook_is_never_signed_as_a_challenge(path: str) -> None:
    """The answer is a MAC with the key of the webhooks: it would make the token a body that we accept."""
    with pytest.raises(RejectedError):
        twitter(KEY).verify(Request("GET", path, (), b"", NOW))


def test_a_challenge_that_comes_back_as_a_webhook_is_not_kept() -> None:
    """Anybody may have any such token signed by asking, and could fill the store with them."""
    answer = orjson.loads(twitter(KEY).parse(challenge("1234567890")).answer.body)
    forged = post(answer["response_token"].encode(), b"1234567890")
    twitter(KEY).verify(forged)
    found = twitter(KEY).parse(forged)
    assert (found.events, found.ignored) == ((), ("a challenge in place of a webhook",))


# Bodies that nobody wrote


@pytest.mark.parametrize(
    "body", [b"", b"[null]", b"[]", b"[" * 100_000, b'{"data":7}', b'{"for_user_id":1.5}', b"\xff"]
)
def test_what_cannot_be_read_is_kept_whole(body: bytes) -> None:
    (event,) = twitter(KEY).parse(post(SIGNED, body)).events
    assert isinstance(event, Unparsed)
    assert event.raw == body


def test_a_bad_row_harms_no_other() -> None:
    found = twitter().parse(request(PAYLOADS["aaa_dm_batch"]))
    assert [type(event) for event in found.events] == [MessageReceived, Unparsed, MessageReceived]


@pytest.mark.parametrize(
    "users", [7, [7], {"222": 7}, {"222": {"data": 7}}, {"222": {"id": 1.5}}, {"222": {"id": "222", "name": 7}}]
)
def test_what_is_wrong_with_a_name_costs_the_name_and_not_the_message(users: Any) -> None:
    for name in ("aaa_dm", "xaa_dm_received", "xaa_reply"):
        body = json.loads(json.dumps(PAYLOADS[name]["json"]))
        if "data" not in body:
            body["users"] = users
        elif "includes" in body["data"]:
            body["data"]["includes"] = {"users": users, "media": users}
        else:
            body["data"]["payload"]["users"] = users
        (event,) = twitter().parse(request({"json": body})).events
        assert isinstance(event, MessageReceived)
        assert (event.sender.address.value, event.sender.name) == ("222", "")


PAGE = {"url": "https://t.co/page", "expanded_url": "https://shop.example/order/7"}
PHOTO = {"id_str": "7", "type": "photo", "media_url_https": "https://ton.twitter.com/7", "url": "https://t.co/media"}


@pytest.mark.parametrize(
    ("text", "urls", "read"),
    [
        ("see https://t.co/page", [PAGE], "see https://shop.example/order/7"),
        ("https://t.co/media see https://t.co/page", [PAGE], "see https://shop.example/order/7"),
        ("see https://t.co/page https://t.co/media", [PAGE], "see https://shop.example/order/7"),
        ("see https://t.co/media ", [], "see"),
    ],
)
def test_only_the_link_to_the_file_itself_is_taken_away(text: str, urls: list[Any], read: str) -> None:
    found, files = content.direct(
        {"text": text, "entities": {"urls": urls}, "attachment": {"type": "media", "media": PHOTO}}
    )
    assert (found.strip(), len(files)) == (read, 1)


def test_of_a_file_whose_link_is_not_told_the_last_one_goes() -> None:
    data = {"text": "see https://t.co/x ", "attachment": {"type": "media", "media": {**PHOTO, "url": None}}}
    assert content.direct(data)[0] == "see"


def test_a_direct_message_with_nothing_known_in_it_is_kept() -> None:
    text, (part,) = content.direct({"text": "", "voice": {"id": "1"}})
    assert text == ""
    assert isinstance(part, Unsupported)
