"""What updates mean, whether they are Telegram's, and that no body breaks anything."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from channelry.codec import from_json, to_json
from channelry.errors import RejectedError
from channelry.model import (
    OK,
    Contact,
    Event,
    MessageReceived,
    OptedIn,
    OptedOut,
    Quote,
    Received,
    Request,
    Unparsed,
    Unsupported,
)
from channelry.secrets import Secret
from channelry_telegram.capabilities import BESIDE, SERVICE, UNHANDLED
from channelry_telegram.plugin import Telegram
from channelry_telegram.receive import HANDLED

EVENT: Any = Event
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
PAYLOADS = {path.stem: json.loads(path.read_text()) for path in Path(__file__).parent.glob("payloads/*.json")}

UPDATE_ROWS = {
    "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message",
    "edited_business_message", "deleted_business_messages", "message_reaction", "message_reaction_count",
    "callback_query", "my_chat_member", "chat_member", "inline_query", "poll", "poll_answer",
    "chat_join_request",
}  # fmt: skip


def telegram(*secrets: str) -> Telegram:
    tokens = tuple(Secret(secret) for secret in secrets)
    return Telegram(Telegram.Config(token=Secret("7:canary-token"), secret_token=tokens))


def post(body: bytes, token: bytes | None = None) -> Request:
    headers = () if token is None else ((b"x-telegram-bot-api-secret-token", token),)
    return Request("POST", "/", headers, body, NOW)


def parse(update: Any) -> Received:
    return telegram().parse(post(orjson.dumps(update)))


def test_every_kind_of_update_is_either_handled_or_named_as_not_for_us() -> None:
    assert not set(HANDLED) & UNHANDLED
    assert UPDATE_ROWS | {"message"} <= set(HANDLED) | UNHANDLED


@pytest.mark.parametrize(
    ("secrets", "token"),
    [(("one",), b"one"), (("one", "two"), b"one"), (("one", "two"), b"two"), (("zażółć",), "zażółć".encode())],
)
def test_a_request_with_one_of_the_secret_tokens_is_telegrams(secrets: tuple[str, ...], token: bytes) -> None:
    telegram(*secrets).verify(post(b"{}", token))


@pytest.mark.parametrize(
    ("secrets", "token"),
    [
        (("one",), b"two"),
        (("one",), None),
        (("one",), b""),
        (("one",), b"on"),
        (("one",), b"one "),
        (("one",), b"ONE"),
        (("one",), "öne".encode()),
        (("one",), b"\xff\xfe\x00"),
        (("one", "two"), b"onetwo"),
        ((), b"one"),
        ((), None),
        ((), b""),
        (("",), b""),
        (("",), None),
    ],
)
def test_any_other_request_is_rejected_with_one_constant_reason(secrets: tuple[str, ...], token: bytes | None) -> None:
    with pytest.raises(RejectedError, match=r"^the request bears no valid signature or token of Telegram$"):
        telegram(*secrets).verify(post(b"{}", token))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{}",
        b"not json",
        b'{"update_id":NaN,"message":{}}',
        b'{"update_id":1,"message":[]}',
        b'{"update_id":1,"message":{"text":"\\ud800"}}',
        b'{"update_id":1.5,"message":{}}',
        b'{"update_id":18446744073709551616,"poll":{}}',
        b'{"update_id":true,"poll":{}}',
        b'{"update_id":1,"message":{"message_id":1,"date":1795300700,"chat":{"id":1e30},"from":{"id":4},"text":"a"}}',
        b'{"update_id":1,"message":{"message_id":1,"date":1795300700,"chat":{"id":4},"from":{"id":1.5},"text":"a"}}',
        b'{"update_id":1,"message":{"message_id":1,"date":-1,"chat":{"id":4},"from":{"id":4},"text":"a"}}',
        b'{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":4},"from":{"id":4},"text":7}}',
        b'{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":4},"from":{"id":4},"photo":[]}}',
        b'{"update_id":1,"my_chat_member":{"chat":{"id":4},"date":1,"new_chat_member":{"status":"odd"}}}',
        b'{"update_id":1,"deleted_business_messages":{"chat":{"id":4},"message_ids":4}}',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_is_kept_whole_as_unparsed(body: bytes) -> None:
    found = telegram().parse(post(body))
    (event,) = found.events
    assert isinstance(event, Unparsed)
    assert event.raw == body
    assert found.answer is OK


def test_one_bad_deletion_leaves_its_neighbours_alone() -> None:
    row = {"chat": {"id": 42}, "message_ids": [12, 1.5, 13]}
    first, bad, last = parse({"update_id": 82, "deleted_business_messages": row}).events
    assert isinstance(bad, Unparsed)
    assert [first.key, last.key] == ["82:12", "82:13"]


def test_an_empty_deletion_is_named_as_nothing() -> None:
    found = parse({"update_id": 82, "deleted_business_messages": {"chat": {"id": 42}, "message_ids": []}})
    assert (found.events, found.ignored) == ((), ("nothing was deleted",))


MESSAGE = {"message_id": 1, "date": 1795300700, "chat": {"id": 4, "type": "private"}, "from": {"id": 4}}


def only(update: Any) -> Any:
    (event,) = parse(update).events
    return event


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_null_is_as_if_absent(name: str) -> None:
    """Libraries that pass an update on write so what is not there, beside it and in it."""
    update, absent = PAYLOADS[name]["json"], sorted(set(HANDLED) | BESIDE | SERVICE | {"photo", "voice", "venue"})
    rows = {kind: {**dict.fromkeys(absent), **row} if isinstance(row, dict) else row for kind, row in update.items()}
    found, plain = parse({**dict.fromkeys(absent), **rows}), parse(update)
    assert (found.events, found.ignored) == (plain.events, plain.ignored)


def test_an_update_of_nulls_is_none() -> None:
    found = parse({"update_id": 1, "message": None})
    assert (found.events, found.ignored) == ((), ("unknown kind of update",))


def link(offset: Any, length: Any, url: Any = "https://a.example/1") -> dict[str, Any]:
    return {"type": "text_link", "offset": offset, "length": length, "url": url}


@pytest.mark.parametrize(
    ("entities", "told"),
    [
        ([], "😀 see here"),
        ([link(7, 4)], "😀 see here (https://a.example/1)"),
        ([link(7, 4, "https://a.example/2"), link(3, 3)], "😀 see (https://a.example/1) here (https://a.example/2)"),
        ([link(0, 2)], "😀 (https://a.example/1) see here"),
        ([{"type": "bold", "offset": 3, "length": 3}, {"type": "url", "offset": 3, "length": 3}], "😀 see here"),
        # odd ones lose no word
        ([link(0, 1)], " (https://a.example/1)😀 see here"),
        ([link(7, 2**62)], "😀 see here (https://a.example/1)"),
        ([link("3", 3), link(3, None), link(3, 3, 7), link(3.0, 3), {"type": "text_link"}], "😀 see here"),
        ([None, 7, "text_link", [], {}], "😀 see here"),
        (None, "😀 see here"),
        ({"type": "text_link"}, "😀 see here"),
        (7, "😀 see here"),
    ],
)
@pytest.mark.parametrize("name", ["text", "caption"])
def test_a_link_behind_words_is_told(name: str, entities: Any, told: str) -> None:
    names = {"text": "entities", "caption": "caption_entities"}
    row = {**MESSAGE, name: "😀 see here", names[name]: entities, "document": {"file_id": "D1"}}
    assert only({"update_id": 1, "message": row}).text == told
    assert only({"update_id": 1, "edited_message": row}).text == told


def test_a_place_before_the_text_loses_no_word() -> None:
    told = only({"update_id": 1, "message": {**MESSAGE, "text": "see here", "entities": [link(-3, 1)]}}).text
    assert told.replace(" (https://a.example/1)", "") == "see here"


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ({"status": "member"}, {"status": "restricted", "is_member": False}, OptedOut),
        ({"status": "restricted", "is_member": True}, {"status": "restricted", "is_member": False}, OptedOut),
        ({"status": "restricted", "is_member": False}, {"status": "member"}, OptedIn),
        ({"status": "restricted", "is_member": False}, {"status": "restricted", "is_member": True}, OptedIn),
        ({"status": "left"}, {"status": "restricted", "is_member": True}, OptedIn),
        (None, {"status": "restricted"}, OptedIn),
        ({"status": "member"}, {"status": "restricted", "is_member": True}, None),
    ],
)
def test_who_is_restricted_may_have_left(before: Any, after: Any, kind: type[OptedIn | OptedOut] | None) -> None:
    chat = {"id": -1007, "type": "supergroup"}
    found = parse(
        {"update_id": 1, "my_chat_member": {"chat": chat, "old_chat_member": before, "new_chat_member": after}}
    )
    assert [type(event) for event in found.events] == ([kind] if kind else [])


@pytest.mark.parametrize(
    "told",
    [
        {"forward_from": {"id": 43}, "forward_date": 1795300000},
        {"forward_from_chat": {"id": -5}, "forward_from_message_id": 3, "forward_signature": "G", "forward_date": 1},
        {"forward_sender_name": "Gus", "forward_date": 1795300000},
        {"forward_from": {"id": 43}},
    ],
)
def test_a_message_forwarded_in_the_older_way_is_one_and_that_is_no_content(told: dict[str, Any]) -> None:
    assert only({"update_id": 1, "message": {**MESSAGE, **told, "text": "a"}}).forwarded
    (part,) = only({"update_id": 1, "message": {**MESSAGE, **told, "hologram": {}}}).parts
    assert part == Unsupported(kind="hologram", raw='{"hologram":{}}')


@pytest.mark.parametrize("phone", ["", None])
def test_a_contact_may_have_no_number(phone: str | None) -> None:
    row = {**MESSAGE, "contact": {"phone_number": phone, "first_name": "Gus"}}
    assert only({"update_id": 1, "message": row}).parts == (Contact(name="Gus"),)


@pytest.mark.parametrize(
    ("quote", "reply_to"), [({"text": "a sale"}, Quote(external_id="", text="a sale")), (None, None)]
)
def test_of_what_telegram_does_not_name_the_words_are_kept(quote: Any, reply_to: Quote | None) -> None:
    row = {**MESSAGE, "text": "this?", "external_reply": {"origin": {"type": "hidden_user"}}, "quote": quote}
    event = only({"update_id": 1, "message": row})
    assert event.reply_to == reply_to
    assert from_json(orjson.loads(orjson.dumps(to_json(event, EVENT))), EVENT) == event


def test_huge_ids_nul_and_surrogate_pairs_arrive_as_they_are() -> None:
    big = 2**63 - 1
    row = {"message_id": big, "date": 1795300700, "chat": {"id": big}, "from": {"id": big}, "text": "a\x00😀"}
    (event,) = parse({"update_id": big, "message": row}).events
    assert isinstance(event, MessageReceived)
    assert (event.key, event.external_id, event.text) == (str(big), f"{big}:{big}", "a\x00😀")
