"""What Instagram tells that no recorded webhook shows."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from channelry.model import Announced, MessageReceived, Request, Unparsed
from channelry_instagram.plugin import Instagram

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def delivery(body: Any) -> Request:
    return Request("POST", "/", (), body if isinstance(body, bytes) else orjson.dumps(body), NOW)


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"NaN", b"[]", b"3", b"{}", b'{"object":"instagram","entry":{}}', b"\xff"]
)
def test_a_body_that_is_none_of_metas_is_kept_whole(body: bytes, instagram: Instagram) -> None:
    (event,) = instagram.parse(delivery(body)).events
    assert isinstance(event, Unparsed)
    assert event.raw == body


GOOD = {
    "sender": {"id": "IGSID2"},
    "recipient": {"id": "1784"},
    "timestamp": 1,
    "message": {"mid": "m_G", "text": "good"},
}


@pytest.mark.parametrize(
    "bad",
    [None, 3, "x", [], {}, {"id": "1784", "messaging": {}}, {"id": 1.5, "messaging": [GOOD]},
     {"id": "1784", "changes": 3}, {"id": "1784", "field": "comments"},
     {"id": "1784", "changes": [None, {"field": "comments", "value": {}}, {"field": "mentions", "value": []}]},
     {"id": "1784", "messaging": [None, 3, [], {"message": 3}, {"message": {"mid": True}}, {"read": []}]}],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_harms_none_beside_it(bad: Any, instagram: Instagram) -> None:
    good = {"id": "1784", "messaging": [GOOD]}
    events = instagram.parse(delivery({"object": "instagram", "entry": [good, bad, good]})).events
    assert sum(isinstance(event, MessageReceived) for event in events) == 2
    assert all(isinstance(event, MessageReceived | Unparsed) for event in events)
    assert any(isinstance(event, Unparsed) for event in events)


def test_a_redelivery_has_the_same_keys_and_each_row_its_own(instagram: Instagram) -> None:
    reads = [{**GOOD, "message": None, "read": {"mid": message}} for message in ("m_1", "m_2")]
    body = {"object": "instagram", "entry": [{"id": "1784", "messaging": reads}]}
    first, again = instagram.parse(delivery(body)).events, instagram.parse(delivery(body)).events
    assert first == again
    assert len({event.key for event in first}) == 2


@pytest.mark.parametrize("none", ["", 0, None])
def test_what_is_empty_costs_no_row(none: Any, instagram: Instagram) -> None:
    comment = {"id": "C7", "text": "size L?", "from": {"id": ""}, "media": {"id": "MED3"}, "parent_id": ""}
    mention = {"media_id": "MED9", "comment_id": "" if none == 0 else none}
    changes = [{"field": "comments", "value": comment}, {"field": "mentions", "value": mention}]
    body = {"object": "instagram", "entry": [{"id": "1784", "time": none, "messaging": None, "changes": changes}]}
    first, second = instagram.parse(delivery(body)).events
    assert isinstance(first, MessageReceived)
    assert (first.occurred_at, first.sender.address.value) == (NOW, "author of C7")
    assert isinstance(second, Announced)
    assert (second.occurred_at, second.ids) == (NOW, {"media": "MED9"})
