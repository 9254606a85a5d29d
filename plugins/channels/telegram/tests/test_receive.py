"""What updates mean, whether they are Telegram's, and that no body breaks anything."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from channelry.errors import RejectedError
from channelry.model import OK, Event, MessageReceived, Received, Request, Unparsed
from channelry.secrets import Secret
from channelry_telegram.capabilities import UNHANDLED
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
        b'{"update_id":1,"message":null}',
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


def test_huge_ids_nul_and_surrogate_pairs_arrive_as_they_are() -> None:
    big = 2**63 - 1
    row = {"message_id": big, "date": 1795300700, "chat": {"id": big}, "from": {"id": big}, "text": "a\x00😀"}
    (event,) = parse({"update_id": big, "message": row}).events
    assert isinstance(event, MessageReceived)
    assert (event.key, event.external_id, event.text) == (str(big), f"{big}:{big}", "a\x00😀")
