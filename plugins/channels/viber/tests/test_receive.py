"""What Viber tells: recorded callbacks against the events that were written down for them by hand."""

from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from channelry.codec import from_json, to_json
from channelry.errors import RejectedError
from channelry.model import (
    OK,
    Activity,
    EchoSent,
    Event,
    MessageReceived,
    Received,
    Request,
    Status,
    StatusChanged,
    Unparsed,
    Unsupported,
)
from channelry.secrets import Secret
from channelry_viber.plugin import Viber
from channelry_viber.simulator import ViberSimulator

PAYLOADS = Path(__file__).parent / "payloads"
RECORDED = {path.stem: orjson.loads(path.read_bytes()) for path in sorted(PAYLOADS.glob("*.json"))}
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)

VECTOR = b'{"hello":"w\\u00f6rld"}'
SIGNED = b"1135a668714dfe74f067d6a0134f707235d861d020c7ff53822a3fca8a8ce34d"

ROWS = {
    "text", "picture", "video", "file", "sticker", "location", "contact", "url", "unknown message", "delivered",
    "seen", "failed", "subscribed", "unsubscribed", "conversation_started", "webhook", "unknown event",
}  # fmt: skip
"""The types of Viber's messages, and its other events."""


def bot(*tokens: str, **other: Any) -> Viber:
    return Viber(Viber.Config(auth_token=tuple(map(Secret, tokens)), sender_name="Care", **other))


def delivery(body: Any, *headers: tuple[bytes, bytes], path: str = "/hooks/viber") -> Request:
    return Request("POST", path, headers, body if isinstance(body, bytes) else orjson.dumps(body), NOW)


def parse(body: Any) -> Received:
    return bot("viber-token").parse(delivery(body))


def written(event: Any) -> Any:
    """Write an event as JSON; an expected one, which leaves the defaults out, with all its fields."""
    return to_json(from_json(event, cast("Any", Event)) if isinstance(event, dict) else event, Event)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_recorded_callback_becomes_the_events_written_for_it(name: str) -> None:
    recorded = RECORDED[name]
    received = parse(recorded["json"])
    assert [written(event) for event in received.events] == [written(event) for event in recorded["events"]]
    assert list(received.ignored) == recorded["ignored"]
    assert received.answer == OK


def test_every_row_of_the_tables_has_a_recorded_callback() -> None:
    assert {recorded["row"] for recorded in RECORDED.values()} == ROWS


def test_the_published_vector_is_accepted() -> None:
    bot("viber-token").verify(delivery(VECTOR, (b"x-viber-content-signature", SIGNED)))
    bot("viber-token").verify(delivery(VECTOR, path=f"/hooks/viber?sig={SIGNED.decode()}"))


@pytest.mark.parametrize("tokens", [("new", "viber-token"), ("viber-token", "new")])
def test_both_tokens_are_good_while_one_replaces_the_other(tokens: tuple[str, ...]) -> None:
    bot(*tokens).verify(delivery(VECTOR, (b"x-viber-content-signature", SIGNED)))


@pytest.mark.parametrize("tokens", [(), ("another",), ("another", "and another")])
def test_callbacks_of_another_bot_are_rejected(tokens: tuple[str, ...]) -> None:
    with pytest.raises(RejectedError):
        bot(*tokens).verify(delivery(VECTOR, (b"x-viber-content-signature", SIGNED)))


@pytest.mark.parametrize(
    "signature", [b"", b"\xfc" * 64, SIGNED[:-1], SIGNED + b"0", SIGNED.upper(), b"sha256=" + SIGNED, b"0" * 64]
)
def test_a_bad_signature_is_rejected(signature: bytes) -> None:
    with pytest.raises(RejectedError):
        bot("viber-token").verify(delivery(VECTOR, (b"x-viber-content-signature", signature)))
    with pytest.raises(RejectedError):
        bot("viber-token").verify(delivery(VECTOR, path=f"/hooks/viber?sig={signature.decode('latin-1')}"))


def test_a_body_that_was_changed_is_rejected() -> None:
    with pytest.raises(RejectedError):
        bot("viber-token").verify(delivery(VECTOR + b" ", (b"x-viber-content-signature", SIGNED)))


def test_who_opens_the_chat_is_greeted_by_the_answer_itself() -> None:
    opened = delivery(RECORDED["conversation_started"]["json"])
    channel = bot("viber-token", sender_avatar="https://care.example.com/a.png", welcome="Welcome! 👋")
    received = channel.parse(opened)
    activity, echo = received.events
    assert isinstance(activity, Activity)
    assert isinstance(echo, EchoSent)
    assert (echo.text, echo.recipient) == ("Welcome! 👋", activity.sender.address)
    assert echo.key != activity.key
    assert orjson.loads(received.answer.body) == {
        "sender": {"name": "Care", "avatar": "https://care.example.com/a.png"},
        "type": "text",
        "text": "Welcome! 👋",
    }
    assert received.answer.media_type == "application/json"
    assert channel.parse(delivery(RECORDED["text"]["json"])).answer == OK


@pytest.mark.parametrize("body", [b"", b"no JSON", b"NaN", b"[]", b"3", b"{}", b'{"event":"message"}', b"\xff"])
def test_a_body_that_is_none_of_vibers_is_kept_whole(body: bytes) -> None:
    (event,) = parse(body).events
    assert isinstance(event, Unparsed)
    assert event.raw == body


@pytest.mark.parametrize("token", [float(2**64), 1.5, True, "", None, []])
def test_a_token_that_has_lost_its_digits_is_no_token(token: Any) -> None:
    (event,) = parse({**RECORDED["text"]["json"], "message_token": token}).events
    assert isinstance(event, Unparsed)


def test_a_message_of_an_unknown_type_is_kept_with_all_its_fields() -> None:
    message = {"type": "hologram", "depth": 3}
    (event,) = parse({**RECORDED["text"]["json"], "message": message}).events
    assert isinstance(event, MessageReceived)
    (part,) = event.parts
    assert isinstance(part, Unsupported)
    assert orjson.loads(part.raw) == message


def test_a_callback_without_a_time_happened_when_it_came() -> None:
    body = {name: value for name, value in RECORDED["seen"]["json"].items() if name != "timestamp"}
    (event,) = parse(body).events
    assert event.occurred_at == NOW


@pytest.mark.parametrize("order", list(permutations(("delivered", "seen", "failed"))))
def test_statuses_may_come_in_any_order(order: tuple[str, ...]) -> None:
    """Each has a key of its own, and the highest wins."""
    events = [event for name in order for event in parse(RECORDED[name]["json"]).events]
    statuses = [event for event in events if isinstance(event, StatusChanged)]
    assert len({event.key for event in statuses}) == 3
    highest = Status.QUEUED
    for event in statuses:
        highest = highest.highest(event.status)
    assert highest is Status.READ


def test_redelivery_has_the_same_keys() -> None:
    assert parse(RECORDED["text"]["json"]).events == parse(RECORDED["text"]["json"]).events


@pytest.mark.parametrize("tracking", ["{", '{"buttons":', '{"buttons":3}', '{"buttons":{"hi":7}}', "", 3, None, {}])
def test_tracking_data_that_is_not_ours_leaves_the_text_alone(tracking: Any) -> None:
    message = {"type": "text", "text": "hi", "tracking_data": tracking}
    (event,) = parse({**RECORDED["text"]["json"], "message": message}).events
    assert isinstance(event, MessageReceived)
    assert (event.text, event.parts) == ("hi", ())


@pytest.mark.row("F9")
def test_two_bots_take_each_its_own_callbacks() -> None:
    one, two = ViberSimulator(auth_token="one"), ViberSimulator(auth_token="two")
    bot("one").verify(one.message("di==", "hi"))
    with pytest.raises(RejectedError):
        bot("one").verify(two.message("di==", "hi"))
