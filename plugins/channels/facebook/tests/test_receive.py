"""What Facebook tells that no recorded webhook shows."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from channelry.model import Address, MessageDeleted, MessageReceived, Profile, Request, Unparsed
from channelry_facebook.plugin import Facebook
from channelry_facebook.simulator import FacebookSimulator

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def delivery(body: Any) -> Request:
    return Request("POST", "/", (), body if isinstance(body, bytes) else orjson.dumps(body), NOW)


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"NaN", b"[]", b"3", b"{}", b'{"object":"page","entry":{}}', b"\xff"]
)
def test_a_body_that_is_none_of_metas_is_kept_whole(body: bytes, facebook: Facebook) -> None:
    (event,) = facebook.parse(delivery(body)).events
    assert isinstance(event, Unparsed)
    assert event.raw == body


GOOD = {
    "field": "feed",
    "value": {"item": "comment", "verb": "add", "comment_id": "9_G", "post_id": "55_9", "message": "good"},
}


def changed(*values: Any, **entry: Any) -> Request:
    changes = [{"field": "feed", "value": GOOD["value"] | value} for value in values]
    return delivery({"object": "page", "entry": [{"id": "55", "changes": changes, **entry}]})


@pytest.mark.parametrize("withheld", [None, {}, {"name": "Bo"}, {"id": ""}, {"id": None}])
def test_an_author_without_an_id_is_withheld(withheld: Any, facebook: Facebook) -> None:
    added, removed = facebook.parse(changed({"from": withheld}, {"from": withheld, "verb": "remove"})).events
    assert isinstance(added, MessageReceived)
    assert added.sender == Profile(address=Address("facebook", "author of 9_G", "55"))
    assert isinstance(removed, MessageDeleted)
    assert removed.sender is None


@pytest.mark.parametrize(
    ("post", "above", "depth"),
    [
        ("55_900", "55_900", 1),
        ("55_900", "900", 1),
        ("55_900", 900, 1),
        ("900", "55_900", 1),
        ("900", "900", 1),
        ("55_900", "U9_900", 1),
        ("55_900", "", 1),
        ("55_900", None, 1),
        ("55_900", "900_7", 2),
        ("900", "900_7", 2),
    ],
)
def test_a_post_is_known_by_either_form_of_its_id(post: str, above: Any, depth: int, facebook: Facebook) -> None:
    (event,) = facebook.parse(changed({"post_id": post, "parent_id": above})).events
    assert isinstance(event, MessageReceived)
    assert event.thread is not None
    assert (event.thread.depth, event.thread.parent) == (depth, post if depth == 1 else "900_7")


NOBODYS: list[dict[str, Any]] = [
    {"from": None},
    {"from": {"name": "Bo"}},
    {"reaction_type": "new"},
    {"reaction_type": None},
    {"verb": "hide"},
]


@pytest.mark.parametrize("odd", NOBODYS)
def test_a_reaction_that_says_neither_who_nor_what_is_ignored(odd: dict[str, Any], facebook: Facebook) -> None:
    reaction = {"item": "reaction", "reaction_type": "like", "from": {"id": "U9"}}
    received = facebook.parse(changed(reaction | odd))
    assert (received.events, received.ignored) == ((), (f"reaction {odd.get('verb', 'add')}",))


@pytest.mark.parametrize("none", ["", 0, None])
def test_a_time_that_is_none_is_when_it_came(none: Any, facebook: Facebook) -> None:
    values = [{"created_time": none, "verb": verb} for verb in ("add", "edited", "remove", "hide")]
    events = facebook.parse(changed(*values, time=none)).events
    assert [event.occurred_at for event in events] == [NOW] * 4


@pytest.mark.parametrize("name", ["messaging", "standby", "changes"])
def test_a_list_of_rows_that_is_null_is_absent(name: str, facebook: Facebook) -> None:
    received = facebook.parse(delivery({"object": "page", "entry": [{"id": "55", name: None}]}))
    assert (received.events, received.ignored) == ((), (f"entry {name}",))


@pytest.mark.parametrize(
    "bad",
    [None, 3, "x", [], {}, {"id": "55", "changes": {}}, {"id": 1.5, "changes": [GOOD]}, {"id": "55", "messaging": 3},
     {"id": "55", "changes": [None, 3, [], {"field": "feed", "value": 3}, {"field": "mention", "value": {}}]}],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_harms_none_beside_it(bad: Any, facebook: Facebook) -> None:
    good = {"id": "55", "changes": [GOOD]}
    events = facebook.parse(delivery({"object": "page", "entry": [good, bad, good]})).events
    assert sum(isinstance(event, MessageReceived) for event in events) == 2
    assert all(isinstance(event, MessageReceived | Unparsed) for event in events)
    assert any(isinstance(event, Unparsed) for event in events)


def test_a_redelivery_has_the_same_keys_and_each_change_its_own(facebook: Facebook) -> None:
    """Edits of one comment too, whose time of creation stays the same; that of the entry may not."""

    def keys(time: int) -> list[str]:
        values = [{**GOOD["value"], "verb": "edited", "created_time": 1, "message": text} for text in ("one", "two")]
        received = facebook.parse(changed(*values, time=time))
        assert [event.occurred_at.timestamp() for event in received.events] == [1, 1]
        return [event.key for event in received.events]

    assert keys(2) == keys(3)
    assert len(set(keys(2))) == 2


def test_a_comment_and_its_answers_stand_in_one_thread(facebook: Facebook) -> None:
    """Row A2: what is nested joins the first-level comment, which it names as its parent."""
    simulator = FacebookSimulator()
    above = simulator.write("U1", "first", "55_900")
    below = simulator.write("U2", "second", "55_900", above.id)
    deeper = simulator.write("U1", "third", "55_900", below.id)
    threads = []
    for comment in (above, below, deeper):
        (event,) = facebook.parse(simulator.happened(comment, "add")[0]).events
        assert isinstance(event, MessageReceived)
        assert event.thread is not None
        threads.append((event.thread.depth, event.thread.parent, event.thread.root))
    assert threads == [(1, "55_900", "55_900"), (2, above.id, "55_900"), (2, above.id, "55_900")]
