"""What Messenger tells: recorded webhooks against the events that were written down for them by hand."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from channelry.codec import from_json, to_json
from channelry.errors import RejectedError
from channelry.model import Address, Event, MessageReceived, Referral, Request, Response, Unparsed
from channelry.secrets import Secret
from channelry_messenger.plugin import Messenger
from channelry_messenger.simulator import MessengerSimulator

PAYLOADS = sorted((Path(__file__).parent / "payloads").glob("*.json"))
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
ROWS = {
    "message", "message.quick_reply", "message.reply_to", "message.is_echo", "message.is_deleted", "message_edit",
    "message.referral", "reaction", "postback", "referral", "optin", "delivery", "read", "pass_thread_control",
    "take_thread_control", "request_thread_control", "sender.user_ref", "standby", "changes", "handshake",
    *(f"attachments: {kind}" for kind in (
        "image", "audio", "video", "file", "location", "sticker", "reel", "ig_reel", "post", "ig_post", "fallback",
        "template", "appointment_booking")),
}  # fmt: skip
"""The rows of Meta's tables of what a webhook of a Page may hold."""


def recorded(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def delivery(body: Any) -> Request:
    return Request("POST", "/", (), body if isinstance(body, bytes) else orjson.dumps(body), NOW)


def with_secrets(*secrets: str) -> Messenger:
    common = {"access_token": Secret("a-token"), "verify_token": Secret("a-verify-token")}
    config = Messenger.Config(app_id="77", page_id="55", app_secret=tuple(map(Secret, secrets)), **common)
    return Messenger(config)


def written(event: Any) -> Any:
    """Write an event as JSON; an expected one, which leaves the defaults out, with all its fields."""
    return to_json(from_json(event, cast("Any", Event)) if isinstance(event, dict) else event, Event)


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_recorded_webhook_becomes_the_events_written_for_it(path: Path, messenger: Messenger) -> None:
    known = recorded(path)
    body = orjson.dumps(known["json"]) if "json" in known else known["body"].encode()
    received = messenger.parse(Request(known.get("method", "POST"), known.get("path", "/"), (), body, NOW))
    assert [written(event) for event in received.events] == [written(event) for event in known["events"]]
    assert list(received.ignored) == known["ignored"]
    answer = known.get("answer", {"status": 200, "body": ""})
    assert received.answer == Response(answer["status"], answer["body"].encode())


def test_every_row_of_the_type_tables_has_a_recorded_webhook() -> None:
    assert {recorded(path)["row"] for path in PAYLOADS} >= ROWS


def test_the_published_vector_is_accepted_and_what_differs_is_rejected() -> None:
    """Also a signature that is missing, cut off, or not ASCII."""
    simulator = MessengerSimulator(app_secret="meta_app_secret")
    request = simulator.signed(delivery(b'{"hello":"w\\u00f6rld"}'))
    signature = b"sha256=6910dd4ebee0899b4aa2da917e24098e3dcfe47773eed8989457dab83aeaef33"
    assert request.header(b"x-hub-signature-256") == signature
    messenger = with_secrets(simulator.app_secret)
    messenger.verify(request)
    for wrong in (b"", signature[:-1], signature + b"0", b"sha256=\xff\xfe", signature.upper()):
        with pytest.raises(RejectedError):
            messenger.verify(Request("POST", "/", ((b"x-hub-signature-256", wrong),), request.body, NOW))


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"NaN", b"[]", b"3", b"{}", b'{"object":"page","entry":{}}', b"\xff"]
)
def test_a_body_that_is_none_of_metas_is_kept_whole(body: bytes, messenger: Messenger) -> None:
    (event,) = messenger.parse(delivery(body)).events
    assert isinstance(event, Unparsed)
    assert event.raw == body


GOOD = {"sender": {"id": "PSID1"}, "recipient": {"id": "55"}, "timestamp": 1, "message": {"mid": "m_G", "text": "good"}}


@pytest.mark.parametrize(
    "bad",
    [None, 3, "x", [], {}, {"id": "55", "messaging": {}}, {"id": 1.5, "messaging": [GOOD]}, {"id": "55", "changes": 3},
     {"id": "55", "messaging": [None, 3, [], {"message": 3}, {"message": {"mid": True}}, {"read": []}]}],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_harms_none_beside_it(bad: Any, messenger: Messenger) -> None:
    good = {"id": "55", "messaging": [GOOD]}
    events = messenger.parse(delivery({"object": "page", "entry": [good, bad, good]})).events
    assert sum(isinstance(event, MessageReceived) for event in events) == 2
    assert all(isinstance(event, MessageReceived | Unparsed) for event in events)
    assert any(isinstance(event, Unparsed) for event in events)


def test_a_redelivery_has_the_same_keys_and_each_row_its_own(messenger: Messenger) -> None:
    reads = [{**GOOD, "message": None, "read": {"watermark": mark}} for mark in (1795300000000, 1795300000001)]
    body = {"object": "page", "entry": [{"id": "55", "messaging": reads}]}
    first, again = messenger.parse(delivery(body)).events, messenger.parse(delivery(body)).events
    assert first == again
    assert len({event.key for event in first}) == 2


MESSAGE = {"mid": "m_1", "text": "hi"}
ECHO = MESSAGE | {"is_echo": True}
PERSON = {"id": "PSID1"}
TOLERATED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"message": MESSAGE | {"reply_to": {"mid": ""}}}, {"reply_to": None, "text": "hi"}),
    ({"message": MESSAGE, "timestamp": ""}, {"occurred_at": NOW}),
    ({"message": MESSAGE, "timestamp": 0}, {"occurred_at": NOW}),
    ({"message": ECHO | {"app_id": ""}, "recipient": PERSON}, {"text": "hi"}),
    ({"message": ECHO | {"app_id": None}, "recipient": PERSON}, {"text": "hi"}),
    ({"message_edit": {"mid": "m_1", "text": "ho", "num_edit": None}}, {"key": "m_1:edit:1"}),
    ({"message_edit": {"mid": "m_1", "text": "ho", "num_edit": ""}}, {"key": "m_1:edit:1"}),
    ({"message_edit": {"mid": "m_1", "text": "ho", "num_edit": 2}}, {"key": "m_1:edit:2"}),
    ({"postback": {"mid": "", "title": "Go", "payload": "GO"}}, {"text": ""}),
    ({"optin": {"ref": "r", "user_ref": ""}}, {"sender": Address("messenger", "PSID1", "55")}),
    ({"delivery": {"watermark": 0, "mids": ["m_9"]}}, {"until": None, "external_ids": ("m_9",)}),
    ({"read": {"watermark": "", "mid": ""}}, {"until": None, "external_id": ""}),
    ({"pass_thread_control": {"new_owner_app_id": 77, "is_auto": True, "more": {"a": 1}, "metadata": "", "of": None}},
     {"name": "thread_passed", "values": {"new_owner_app_id": "77"}}),
    ({"referral": {"source": "SHORTLINK", "ref": "r", "product": {"id": "P9"}}},
     {"referral": Referral(source="SHORTLINK", ref="r")}),
    ({"referral": {"product": {"id": 9}}}, {"referral": Referral(source="product", ref="9")}),
]  # fmt: skip


@pytest.mark.parametrize(("row", "told"), TOLERATED)
def test_what_is_empty_or_unknown_costs_no_row(row: dict[str, Any], told: dict[str, Any], messenger: Messenger) -> None:
    common = {"sender": PERSON, "recipient": {"id": "55"}}
    body = {"object": "page", "entry": [{"id": "55", "messaging": [common | row]}]}
    (event,) = messenger.parse(delivery(body)).events
    assert not isinstance(event, Unparsed)
    assert {name: getattr(event, name) for name in told} == told


@pytest.mark.parametrize("name", ["messaging", "standby", "changes"])
def test_a_list_of_rows_that_is_null_is_absent(name: str, messenger: Messenger) -> None:
    received = messenger.parse(delivery({"object": "page", "entry": [{"id": "55", name: None}]}))
    assert (received.events, received.ignored) == ((), (f"entry {name}",))


def test_both_secrets_are_good_while_one_replaces_the_other_and_none_refuses_all() -> None:
    simulator = MessengerSimulator()
    request, old = simulator.message("PSID1", "hi"), simulator.app_secret
    with_secrets("new", old).verify(request)
    with_secrets(old, "new").verify(request)
    for secrets in ((), ("new",)):
        with pytest.raises(RejectedError):
            with_secrets(*secrets).verify(request)
