"""What WhatsApp tells, beside what the kit proves: accounts, handshakes, and rows that harm no other."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from channelry.model import MessageReceived, Request, StatusChanged, Unparsed
from channelry.secrets import Secret
from channelry_whatsapp.plugin import WhatsApp

PAYLOADS = Path(__file__).parent / "payloads"
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def plugin(account: str = "2002") -> WhatsApp:
    config = WhatsApp.Config(
        phone_number_id=account,
        access_token=Secret("a-token"),
        app_secret=(Secret("a-secret"),),
        verify_token=Secret("a-verify-token"),
    )
    return WhatsApp(config)


def delivery(body: Any) -> Request:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Request("POST", "/hooks/whatsapp", (), raw, NOW)


@pytest.mark.row("F9")
def test_events_bear_the_number_they_came_to() -> None:
    """A batch for two of our numbers: each event names its own, which the plugins are configured for."""
    recorded = orjson.loads((PAYLOADS / "batch.json").read_bytes())
    for number in ("2002", "3003"):
        assert plugin(number).account == number
        events = plugin(number).parse(delivery(recorded["json"])).events
        assert [event.account for event in events] == ["2002", "2002", "2002", "3003"]


def test_a_handshake_is_answered_by_its_challenge() -> None:
    query = "hub.mode=subscribe&hub.challenge=42&hub.verify_token=a-verify-token"
    request = Request("GET", f"/hooks/whatsapp?{query}", (), b"", NOW)
    plugin().verify(request)
    received = plugin().parse(request)
    assert (received.answer.status, received.answer.body, received.events) == (200, b"42", ())


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"NaN", b"[]", b"3", b"{}", b'{"object":"whatsapp_business_account","entry":{}}', b"\xff"]
)
def test_a_body_that_is_none_of_metas_is_kept_whole(body: bytes) -> None:
    (event,) = plugin().parse(delivery(body)).events
    assert isinstance(event, Unparsed)
    assert event.raw == body


def change(**value: Any) -> Any:
    return {"field": "messages", "value": {"metadata": {"phone_number_id": "2002"}} | value}


def webhook(*changes: Any) -> Request:
    return delivery({"object": "whatsapp_business_account", "entry": [{"changes": changes}]})


GOOD = {"from": "306900000000", "id": "wamid.G", "timestamp": "1795300000", "type": "text", "text": {"body": "good"}}


@pytest.mark.parametrize(
    "bad",
    [None, 3, "x", [], {}, {"field": "messages"}, {"field": 3, "value": {}}, change(messages={}),
     change(statuses="x"), change(metadata={"phone_number_id": 2.5}, messages=[GOOD])],
)  # fmt: skip
def test_a_change_that_cannot_be_read_harms_none_beside_it(bad: Any) -> None:
    good = change(messages=[GOOD])
    entries = [{"changes": [bad, good]}, bad, {"changes": bad}, {"changes": [good]}]
    events = plugin().parse(delivery({"object": "whatsapp_business_account", "entry": entries})).events
    assert sum(isinstance(event, MessageReceived) for event in events) == 2
    assert all(isinstance(event, MessageReceived | Unparsed) for event in events)
    assert any(isinstance(event, Unparsed) for event in events)


@pytest.mark.parametrize(
    "contacts",
    [None, {}, "x", [None], [{}], [{"wa_id": 1.5, "profile": {}}], [{"wa_id": "306900000000", "profile": 3}]],
)
def test_contacts_that_cannot_be_read_cost_no_message(contacts: Any) -> None:
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [change(contacts=contacts, messages=[GOOD])]}]}
    (event,) = plugin().parse(delivery(body)).events
    assert isinstance(event, MessageReceived)
    assert (event.text, event.sender.address.value) == ("good", "306900000000")


@pytest.mark.parametrize("id", [b"1.5", b"18446744073709551617", b"true", b'""', b"null", b"{}", b"[]"])
def test_an_id_that_is_none_leaves_the_row_unparsed(id: bytes) -> None:
    """A float is none: orjson makes one of a whole number beyond 64 bits, and its digits are lost."""
    request = webhook(change(messages=[{**GOOD, "id": "ID"}, GOOD]))
    first, second = plugin().parse(delivery(request.body.replace(b'"ID"', id))).events
    assert isinstance(first, Unparsed)
    assert isinstance(second, MessageReceived)


def test_a_whole_number_is_an_id_in_its_digits() -> None:
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [change(messages=[{**GOOD, "id": 2**63}])]}]}
    (event,) = plugin().parse(delivery(body)).events
    assert event.key == "9223372036854775808"


def test_a_failure_without_a_code_is_a_failure_all_the_same() -> None:
    row = {"id": "wamid.B", "status": "failed", "errors": [{"message": "no"}]}
    (event,) = plugin().parse(webhook(change(statuses=[row]))).events
    assert isinstance(event, StatusChanged)
    assert (event.code, event.reason, event.occurred_at) == ("", "no", NOW)


def test_a_row_that_is_nested_deeply_takes_no_other_with_it() -> None:
    deep = {**GOOD, "type": "deep", "deep": "DEEP"}
    request = webhook(change(messages=[GOOD, deep, {**GOOD, "id": "wamid.last"}]))
    body = request.body.replace(b'"DEEP"', b"[" * 300 + b"]" * 300)
    first, second, third = plugin().parse(delivery(body)).events
    assert isinstance(first, MessageReceived)
    assert isinstance(second, Unparsed)
    assert second.raw.count(b"[") == 300
    assert isinstance(third, MessageReceived)


def test_redelivery_has_the_same_keys_and_each_status_its_own() -> None:
    statuses = [{"id": "wamid.B", "status": status, "timestamp": "1795300000"} for status in ("sent", "read")]
    request = delivery({"object": "whatsapp_business_account", "entry": [{"changes": [change(statuses=statuses)]}]})
    first, again = plugin().parse(request).events, plugin().parse(request).events
    assert first == again
    assert all(isinstance(event, StatusChanged) for event in first)
    assert len({event.key for event in first}) == 2
