"""What Viber tells, beyond the recorded payloads: who signed it, whom it greets, what is no event."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from channelry.errors import RejectedError
from channelry.model import (
    OK,
    Activity,
    EchoSent,
    Location,
    Media,
    MessageReceived,
    Received,
    Request,
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


def bot(*tokens: str, **other: Any) -> Viber:
    return Viber(Viber.Config(auth_token=tuple(map(Secret, tokens)), sender_name="Care", **other))


def delivery(body: Any, *headers: tuple[bytes, bytes], path: str = "/hooks/viber") -> Request:
    return Request("POST", path, headers, body if isinstance(body, bytes) else orjson.dumps(body), NOW)


def parse(body: Any) -> Received:
    return bot("viber-token").parse(delivery(body))


def test_the_published_vector_is_accepted() -> None:
    bot("viber-token").verify(delivery(VECTOR, (b"x-viber-content-signature", SIGNED)))
    bot("viber-token").verify(delivery(VECTOR, path=f"/hooks/viber?sig={SIGNED.decode()}"))


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


def written(message: dict[str, Any], **sender: Any) -> MessageReceived:
    row = {"event": "message", "timestamp": 1795300500123, "message_token": 7, "sender": {"id": "ab12==", **sender}}
    (event,) = parse({**row, "message": message}).events
    assert isinstance(event, MessageReceived)
    return event


def test_coordinates_may_be_texts() -> None:
    place = {"lat": "37.7898", "lon": "-122.3942"}
    assert written({"type": "location", "location": place}).parts == (Location(latitude=37.7898, longitude=-122.3942),)


@pytest.mark.parametrize(("duration", "seconds"), [("7", 7.0), ("", None), ({}, None), (None, None)])
def test_an_odd_duration_costs_no_video(duration: Any, seconds: float | None) -> None:
    (film,) = written({"type": "video", "media": "https://dl.example/v.mp4", "size": 1, "duration": duration}).parts
    assert isinstance(film, Media)
    assert film.seconds == seconds


def test_an_odd_name_costs_no_message() -> None:
    event = written({"type": "text", "text": "hi"}, name=7, avatar=None, language=[])
    assert (event.text, event.sender.name) == ("hi", "")


@pytest.mark.parametrize("text", ["", None])
def test_a_text_without_words_is_kept_as_it_is(text: str | None) -> None:
    event = written({"type": "text", "text": text})
    assert event.text == ""
    assert isinstance(event.parts[0], Unsupported)
