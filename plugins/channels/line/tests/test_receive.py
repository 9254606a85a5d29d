"""What LINE tells, beyond the recorded payloads: who signed it, when it happened, where answers go."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from channelry.errors import RejectedError
from channelry.model import MessageReceived, OptedOut, Received, Request, Target
from channelry.secrets import Secret
from channelry_line.plugin import Line
from channelry_line.simulator import LineSimulator

RECORDED = {path.stem: orjson.loads(path.read_bytes()) for path in (Path(__file__).parent / "payloads").glob("*.json")}
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)

VECTOR = b'{"hello":"w\\u00f6rld"}'
SIGNED = b"AXk6eMhssex5idEWaoOyYvF6QGONh0JSyj3ysy21iQc="


def channel(*secrets: str, account: str = "") -> Line:
    config = Line.Config(channel_secret=tuple(map(Secret, secrets)), channel_id="1", bot_user_id=account)
    return Line(config)


def delivery(body: Any, signature: bytes = b"") -> Request:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Request("POST", "/hooks/line", ((b"x-line-signature", signature),), raw, NOW)


def parse(body: Any) -> Received:
    return channel("line_channel_secret").parse(delivery(body))


def test_the_published_vector_is_accepted() -> None:
    channel("line_channel_secret").verify(delivery(VECTOR, SIGNED))


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


TEXT = RECORDED["text"]["json"]["events"][0]


def test_an_event_without_a_time_happened_when_it_came() -> None:
    row = {name: value for name, value in TEXT.items() if name != "timestamp"}
    (event,) = parse({"destination": "Ubot", "events": [row]}).events
    assert event.occurred_at == NOW


def test_an_answer_in_a_group_goes_to_the_group() -> None:
    (event,) = parse(RECORDED["group"]["json"]).events
    assert isinstance(event, MessageReceived)
    target = Target.answering(event)
    assert target.to.value == "C1"
    assert target.context == {"replyToken": "r1", "quoteToken": "q10"}


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
