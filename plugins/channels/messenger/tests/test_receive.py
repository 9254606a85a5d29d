"""What Messenger tells that no recorded webhook shows."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from channelry.model import Address, MessageReceived, Referral, Request, Unparsed
from channelry_messenger.plugin import Messenger

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def delivery(body: Any) -> Request:
    return Request("POST", "/", (), body if isinstance(body, bytes) else orjson.dumps(body), NOW)


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
