"""What Instagram tells: recorded webhooks against the events that were written down for them by hand."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from channelry.codec import from_json, to_json
from channelry.errors import RejectedError
from channelry.model import Announced, Event, MessageReceived, Request, Response, Unparsed
from channelry.secrets import Secret
from channelry_instagram.plugin import Instagram
from channelry_instagram.simulator import InstagramSimulator

PAYLOADS = sorted((Path(__file__).parent / "payloads").glob("*.json"))
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
ROWS = {
    "message", "message.quick_reply", "message.reply_to.mid", "message.reply_to.story", "message.is_echo",
    "message.is_deleted", "message.is_unsupported", "message_edit", "reaction", "postback", "referral", "read",
    "pass_thread_control", "standby", "comments", "comments, nested", "comments, without changes", "live_comments",
    "mentions", "handshake",
    *(f"attachments: {kind}" for kind in (
        "image", "audio", "video", "file", "share", "ig_post", "reel", "ig_reel", "story_mention", "like_heart")),
}  # fmt: skip
"""The rows of Meta's tables of what a webhook of Instagram may hold."""


def recorded(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def delivery(body: Any) -> Request:
    return Request("POST", "/", (), body if isinstance(body, bytes) else orjson.dumps(body), NOW)


def with_secrets(*secrets: str) -> Instagram:
    common = {"access_token": Secret("a-token"), "verify_token": Secret("a-verify-token")}
    config = Instagram.Config(app_id="77", ig_id="1784", app_secret=tuple(map(Secret, secrets)), **common)
    return Instagram(config)


def written(event: Any) -> Any:
    """Write an event as JSON; an expected one, which leaves the defaults out, with all its fields."""
    return to_json(from_json(event, cast("Any", Event)) if isinstance(event, dict) else event, Event)


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_recorded_webhook_becomes_the_events_written_for_it(path: Path, instagram: Instagram) -> None:
    known = recorded(path)
    body = orjson.dumps(known["json"]) if "json" in known else known["body"].encode()
    received = instagram.parse(Request(known.get("method", "POST"), known.get("path", "/"), (), body, NOW))
    assert [written(event) for event in received.events] == [written(event) for event in known["events"]]
    assert list(received.ignored) == known["ignored"]
    answer = known.get("answer", {"status": 200, "body": ""})
    assert received.answer == Response(answer["status"], answer["body"].encode())


def test_every_row_of_the_type_tables_has_a_recorded_webhook() -> None:
    assert {recorded(path)["row"] for path in PAYLOADS} >= ROWS


def test_the_published_vector_is_accepted_and_what_differs_is_rejected() -> None:
    """Also a signature that is missing, cut off, or not ASCII."""
    simulator = InstagramSimulator(app_secret="meta_app_secret")
    request = simulator.signed(delivery(b'{"hello":"w\\u00f6rld"}'))
    signature = b"sha256=6910dd4ebee0899b4aa2da917e24098e3dcfe47773eed8989457dab83aeaef33"
    assert request.header(b"x-hub-signature-256") == signature
    instagram = with_secrets(simulator.app_secret)
    instagram.verify(request)
    for wrong in (b"", signature[:-1], signature + b"0", b"sha256=\xff\xfe", signature.upper()):
        with pytest.raises(RejectedError):
            instagram.verify(Request("POST", "/", ((b"x-hub-signature-256", wrong),), request.body, NOW))


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"NaN", b"[]", b"3", b"{}", b'{"object":"instagram","entry":{}}', b"\xff"]
)
def test_a_body_that_is_none_of_metas_is_kept_whole(body: bytes, instagram: Instagram) -> None:
    (event,) = instagram.parse(delivery(body)).events
    assert isinstance(event, Unparsed)
    assert event.raw == body


GOOD = {
    "sender": {"id": "IGSID2"},
    "recipient": {"id": "1784"},
    "timestamp": 1,
    "message": {"mid": "m_G", "text": "good"},
}


@pytest.mark.parametrize(
    "bad",
    [None, 3, "x", [], {}, {"id": "1784", "messaging": {}}, {"id": 1.5, "messaging": [GOOD]},
     {"id": "1784", "changes": 3}, {"id": "1784", "field": "comments"},
     {"id": "1784", "changes": [None, {"field": "comments", "value": {}}, {"field": "mentions", "value": []}]},
     {"id": "1784", "messaging": [None, 3, [], {"message": 3}, {"message": {"mid": True}}, {"read": []}]}],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_harms_none_beside_it(bad: Any, instagram: Instagram) -> None:
    good = {"id": "1784", "messaging": [GOOD]}
    events = instagram.parse(delivery({"object": "instagram", "entry": [good, bad, good]})).events
    assert sum(isinstance(event, MessageReceived) for event in events) == 2
    assert all(isinstance(event, MessageReceived | Unparsed) for event in events)
    assert any(isinstance(event, Unparsed) for event in events)


def test_a_redelivery_has_the_same_keys_and_each_row_its_own(instagram: Instagram) -> None:
    reads = [{**GOOD, "message": None, "read": {"mid": message}} for message in ("m_1", "m_2")]
    body = {"object": "instagram", "entry": [{"id": "1784", "messaging": reads}]}
    first, again = instagram.parse(delivery(body)).events, instagram.parse(delivery(body)).events
    assert first == again
    assert len({event.key for event in first}) == 2


@pytest.mark.parametrize("none", ["", 0, None])
def test_what_is_empty_costs_no_row(none: Any, instagram: Instagram) -> None:
    comment = {"id": "C7", "text": "size L?", "from": {"id": ""}, "media": {"id": "MED3"}, "parent_id": ""}
    mention = {"media_id": "MED9", "comment_id": "" if none == 0 else none}
    changes = [{"field": "comments", "value": comment}, {"field": "mentions", "value": mention}]
    body = {"object": "instagram", "entry": [{"id": "1784", "time": none, "messaging": None, "changes": changes}]}
    first, second = instagram.parse(delivery(body)).events
    assert isinstance(first, MessageReceived)
    assert (first.occurred_at, first.sender.address.value) == (NOW, "author of C7")
    assert isinstance(second, Announced)
    assert (second.occurred_at, second.ids) == (NOW, {"media": "MED9"})


def test_both_secrets_are_good_while_one_replaces_the_other_and_none_refuses_all() -> None:
    simulator = InstagramSimulator()
    request, old = simulator.message("IGSID2", "hi"), simulator.app_secret
    with_secrets("new", old).verify(request)
    with_secrets(old, "new").verify(request)
    for secrets in ((), ("new",)):
        with pytest.raises(RejectedError):
            with_secrets(*secrets).verify(request)
