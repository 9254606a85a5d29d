"""What LINE tells: recorded webhooks against the events that were written down for them by hand."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from channelry.codec import from_json, to_json
from channelry.errors import RejectedError
from channelry.model import OK, Event, MessageReceived, OptedOut, Received, Request, Target, Unparsed
from channelry.secrets import Secret
from channelry_line.plugin import Line
from channelry_line.simulator import LineSimulator

RECORDED = {path.stem: orjson.loads(path.read_bytes()) for path in (Path(__file__).parent / "payloads").glob("*.json")}
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)

VECTOR = b'{"hello":"w\\u00f6rld"}'
SIGNED = b"AXk6eMhssex5idEWaoOyYvF6QGONh0JSyj3ysy21iQc="

ROWS = {
    "text", "image", "video", "audio", "file", "location", "sticker", "unknown message", "group", "room", "standby",
    "redelivery", "batch", "verify", "messageEdited", "unsend", "follow", "unfollow", "join", "leave",
    "memberJoined", "memberLeft", "postback", "accountLink", "beacon", "videoPlayComplete", "membership",
    "activated", "deactivated", "botSuspended", "botResumed", "unknown event",
}  # fmt: skip
"""The types of LINE's messages, where they come from, and its other events."""


def channel(*secrets: str, account: str = "") -> Line:
    config = Line.Config(channel_secret=tuple(map(Secret, secrets)), channel_id="1", bot_user_id=account)
    return Line(config)


def delivery(body: Any, signature: bytes = b"") -> Request:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Request("POST", "/hooks/line", ((b"x-line-signature", signature),), raw, NOW)


def parse(body: Any) -> Received:
    return channel("line_channel_secret").parse(delivery(body))


def written(event: Any) -> Any:
    """Write an event as JSON; an expected one, which leaves the defaults out, with all its fields."""
    return to_json(from_json(event, cast("Any", Event)) if isinstance(event, dict) else event, Event)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_recorded_webhook_becomes_the_events_written_for_it(name: str) -> None:
    recorded = RECORDED[name]
    received = parse(recorded["json"])
    assert [written(event) for event in received.events] == [written(event) for event in recorded["events"]]
    assert list(received.ignored) == recorded["ignored"]
    assert received.answer == OK


def test_every_row_of_the_tables_has_a_recorded_webhook() -> None:
    assert {recorded["row"] for recorded in RECORDED.values()} == ROWS


def test_the_published_vector_is_accepted() -> None:
    channel("line_channel_secret").verify(delivery(VECTOR, SIGNED))


@pytest.mark.parametrize("secrets", [("new", "line_channel_secret"), ("line_channel_secret", "new")])
def test_both_secrets_are_good_while_one_replaces_the_other(secrets: tuple[str, ...]) -> None:
    channel(*secrets).verify(delivery(VECTOR, SIGNED))


@pytest.mark.parametrize("secrets", [(), ("another",), ("another", "and another")])
def test_webhooks_of_another_channel_are_rejected(secrets: tuple[str, ...]) -> None:
    with pytest.raises(RejectedError):
        channel(*secrets).verify(delivery(VECTOR, SIGNED))


@pytest.mark.parametrize(
    "signature", [b"", b"\xfc" * 44, SIGNED[:-1], SIGNED + b"=", SIGNED.lower(), b"sha256=" + SIGNED, b"0" * 44]
)
def test_a_bad_signature_is_rejected(signature: bytes) -> None:
    with pytest.raises(RejectedError):
        channel("line_channel_secret").verify(delivery(VECTOR, signature))


def test_a_missing_signature_and_a_changed_body_are_rejected() -> None:
    with pytest.raises(RejectedError):
        channel("line_channel_secret").verify(Request("POST", "/hooks/line", (), VECTOR, NOW))
    with pytest.raises(RejectedError):
        channel("line_channel_secret").verify(delivery(VECTOR + b" ", SIGNED))


@pytest.mark.parametrize("body", [b"", b"no JSON", b"NaN", b"[]", b"3", b"{}", b'{"events":[]}', b"\xff"])
def test_a_body_that_is_none_of_lines_is_kept_whole(body: bytes) -> None:
    (event,) = parse(body).events
    assert isinstance(event, Unparsed)
    assert event.raw == body


TEXT = RECORDED["text"]["json"]["events"][0]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        3,
        "x",
        [],
        {},
        {"type": "message"},
        TEXT | {"webhookEventId": 1.5},
        TEXT | {"source": {}},
        TEXT | {"source": None},
        TEXT | {"message": {"type": "text"}},
        TEXT | {"message": {"id": 1.5, "type": "text", "text": "x"}},
        TEXT | {"timestamp": "yesterday"},
    ],
)
def test_an_event_that_cannot_be_read_harms_none_beside_it(bad: Any) -> None:
    first, second, third = parse({"destination": "Ubot", "events": [TEXT, bad, TEXT | {"webhookEventId": "2"}]}).events
    assert isinstance(first, MessageReceived)
    assert isinstance(second, Unparsed)
    assert second.account == "Ubot"
    assert isinstance(third, MessageReceived)


def test_an_event_without_a_time_happened_when_it_came() -> None:
    row = {name: value for name, value in TEXT.items() if name != "timestamp"}
    (event,) = parse({"destination": "Ubot", "events": [row]}).events
    assert event.occurred_at == NOW


def test_an_answer_in_a_group_goes_to_the_group() -> None:
    (event,) = parse(RECORDED["group"]["json"]).events
    assert isinstance(event, MessageReceived)
    target = Target.answering(event)
    assert target.to.value == "C1"
    assert target.context == {"reply_token": "r1", "quote_token": "q10"}


def test_events_keep_their_keys_in_whatever_order_they_come_again() -> None:
    """LINE keeps no order: each event has its own key and its own time."""
    rows = [RECORDED[name]["json"]["events"][0] for name in ("text", "unsend", "unfollow")]
    there = parse({"destination": "Ubot", "events": rows}).events
    back = parse({"destination": "Ubot", "events": rows[::-1]}).events
    assert back == there[::-1]
    assert len({event.key for event in there}) == 3


@pytest.mark.row("F9")
def test_events_bear_the_account_they_came_to() -> None:
    one, two = LineSimulator(channel_secret="one", bot_user_id="U1"), LineSimulator(channel_secret="two")
    assert channel("one", account="U1").account == "U1"
    request = one.webhook(one.event("unfollow", "Udi"))
    channel("one").verify(request)
    (event,) = channel("one").parse(request).events
    assert isinstance(event, OptedOut)
    assert event.account == "U1"
    with pytest.raises(RejectedError):
        channel("one").verify(two.message("Udi", "hi"))
