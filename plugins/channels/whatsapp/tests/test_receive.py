"""What WhatsApp tells, beside what the kit proves: accounts, handshakes, and rows that harm no other."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from attrs import evolve

from channelry.model import (
    AccountHealth,
    Address,
    Contact,
    IdentityChanged,
    MessageEdited,
    MessageReceived,
    Profile,
    Quote,
    Referral,
    Request,
    StatusChanged,
    Unparsed,
    Unsupported,
)
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


ADA = Profile(
    address=Address("whatsapp", "DE.7f3a", "", "+306900000000"),
    name="Ada",
    aliases=(Address("phone", "+306900000000"),),
)
CONTACT = {"profile": {"name": "Ada"}, "wa_id": "306900000000", "user_id": "DE.7f3a"}
BARE = {name: value for name, value in GOOD.items() if name != "from"}


@pytest.mark.parametrize(
    ("contacts", "row", "sender"),
    [
        ([CONTACT], GOOD | {"from": 306900000000}, ADA),
        ([CONTACT | {"wa_id": 306900000000}], GOOD, ADA),
        (
            [CONTACT | {"user_id": 73}],
            BARE | {"from_user_id": 73},
            evolve(ADA, address=evolve(ADA.address, value="73")),
        ),
        ([CONTACT], GOOD | {"from_user_id": ""}, ADA),
        ([CONTACT], BARE | {"from": "", "from_user_id": "DE.7f3a"}, ADA),
        ([CONTACT | {"profile": None}], GOOD, evolve(ADA, name="")),
        ([{"wa_id": "306900000000", "user_id": "DE.7f3a"}], GOOD, evolve(ADA, name="")),
        ([CONTACT], BARE, ADA),
        ([CONTACT], BARE | {"from": "", "from_user_id": ""}, ADA),
    ],
)
def test_who_wrote_is_found_by_either_id_or_as_the_only_contact(contacts: Any, row: Any, sender: Profile) -> None:
    (event,) = plugin().parse(webhook(change(contacts=contacts, messages=[row]))).events
    assert isinstance(event, MessageReceived)
    assert event.sender == sender


@pytest.mark.parametrize("contacts", [[], [CONTACT, CONTACT | {"wa_id": "306900000001", "user_id": "DE.8"}]])
def test_a_message_that_several_or_nobody_may_have_written_is_unparsed(contacts: Any) -> None:
    (event,) = plugin().parse(webhook(change(contacts=contacts, messages=[BARE]))).events
    assert isinstance(event, Unparsed)


PRODUCT = {"catalog_id": "C1", "product_retailer_id": "SKU-7"}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"context": {"id": ""}, "group_id": ""}, {"reply_to": None, "thread": None, "reply_address": None}),
        ({"timestamp": ""}, {"occurred_at": NOW}),
        ({"timestamp": 0}, {"occurred_at": NOW}),
        ({"referral": {"source_id": 120, "source_type": "ad"}}, {"referral": Referral(source="ad", ref="120")}),
        ({"context": {"referred_product": PRODUCT}}, {"referral": Referral(source="product", ref="SKU-7")}),
        (
            {"context": {"referred_product": PRODUCT}, "referral": {"source_id": "120", "source_type": "ad"}},
            {"referral": Referral(source="ad", ref="120")},
        ),
        ({"context": {"id": "wamid.Z9", "referred_product": {}}}, {"referral": None}),
    ],
)
def test_what_stands_beside_a_message_may_be_empty_or_a_number(more: Any, told: dict[str, Any]) -> None:
    (event,) = plugin().parse(webhook(change(messages=[GOOD | more]))).events
    assert isinstance(event, MessageReceived)
    assert {name: getattr(event, name) for name in told} == told


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("location", {"latitude": "40.6", "longitude": 22.9}),
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": {"size": "L"}}}),
        ("order", {"product_items": []}),
        ("text", {}),
        ("text", None),
        ("image", {"mime_type": "image/png"}),
        ("contacts", {}),
        ("contacts", ["Gus"]),
    ],
)
def test_a_known_type_with_an_odd_body_keeps_all_the_rest(kind: str, body: Any) -> None:
    row = {**GOOD, "type": kind, "context": {"id": "wamid.Z9"}, kind: body}
    (event,) = plugin().parse(webhook(change(contacts=[CONTACT], messages=[row]))).events
    assert isinstance(event, MessageReceived)
    assert (event.sender, event.reply_to) == (ADA, Quote(external_id="wamid.Z9"))
    assert event.parts == (Unsupported(kind=kind, raw=orjson.dumps(row).decode()),)


def test_an_edit_of_a_file_without_an_id_is_an_edit() -> None:
    inner = {"type": "image", "image": {"caption": "see"}}
    row = GOOD | {"type": "edit", "edit": {"original_message_id": "wamid.A1", "message": inner}}
    (event,) = plugin().parse(webhook(change(messages=[row]))).events
    assert isinstance(event, MessageEdited)
    assert event.parts == (Unsupported(kind="image", raw=orjson.dumps(inner).decode()),)


@pytest.mark.parametrize(
    ("card", "contact"),
    [
        ({"name": {"first_name": "Gus", "last_name": "Ray"}}, Contact(name="Gus Ray")),
        ({"name": {"last_name": "Ray"}}, Contact(name="Ray")),
        ({"name": {"formatted_name": "G. Ray", "first_name": "Gus"}}, Contact(name="G. Ray")),
        ({"phones": [{"wa_id": "30210"}, {"wa_id": 30211}, {"phone": "+30 212", "wa_id": "30212"}, {}]},
         Contact(name="", phones=("+30210", "+30211", "+30 212"))),
    ],
)  # fmt: skip
def test_a_contact_is_read_by_what_its_card_has(card: Any, contact: Contact) -> None:
    (event,) = plugin().parse(webhook(change(messages=[GOOD | {"type": "contacts", "contacts": [card]}]))).events
    assert isinstance(event, MessageReceived)
    assert event.parts == (contact,)


@pytest.mark.parametrize(
    ("more", "new"),
    [
        ({"new_wa_id": "306900000009"}, Address("whatsapp", "306900000009", "", "+306900000009")),
        ({"new_wa_id": 306900000009, "wa_id": None}, Address("whatsapp", "306900000009", "", "+306900000009")),
        ({"wa_id": 306900000009}, Address("whatsapp", "306900000009", "", "+306900000009")),
        ({"wa_id": "306900000009", "user_id": "DE.9"}, Address("whatsapp", "DE.9", "", "+306900000009")),
    ],
)
def test_a_change_of_number_is_told_in_old_ways_too(more: Any, new: Address) -> None:
    """Who changed it may be named inside, and not be the only contact."""
    system = {"type": "user_changed_number", "customer": "306900000000"} | more
    row = {"id": "wamid.S", "type": "system", "system": system}
    contacts = [{"wa_id": "306900000009", "profile": {"name": "Ada"}}]
    (event,) = plugin().parse(webhook(change(contacts=contacts, messages=[row]))).events
    assert isinstance(event, IdentityChanged)
    assert (event.old, event.new) == (Address("whatsapp", "306900000000", "", "+306900000000"), new)


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        ({"code": "", "title": "no"}, "", "no"),
        ({"code": None, "title": "no", "error_data": "not there"}, "", "no: not there"),
        ({"code": 131026, "error_data": {"details": "not there"}}, "131026", "not there"),
    ],
)
def test_a_status_is_read_whatever_is_empty_in_it(error: Any, code: str, reason: str) -> None:
    row = {"id": "wamid.B", "status": "failed", "recipient_id": "", "recipient_user_id": "", "errors": [error]}
    (event,) = plugin().parse(webhook(change(statuses=[row]))).events
    assert isinstance(event, StatusChanged)
    assert (event.recipient, event.code, event.reason) == (None, code, reason)


def test_an_error_of_the_account_is_the_same_in_any_order_of_its_keys() -> None:
    errors = [{"code": 130429, "title": "Rate limit hit"}, {"title": "Rate limit hit", "code": 130429}]
    one, two = plugin().parse(webhook(change(errors=errors))).events
    assert isinstance(one, AccountHealth)
    assert one == two


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
