"""What Facebook tells: recorded webhooks against the events that were written down for them by hand."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from channelry.codec import from_json, to_json
from channelry.errors import RejectedError
from channelry.model import Address, Event, MessageDeleted, MessageReceived, Profile, Request, Response, Unparsed
from channelry.secrets import Secret
from channelry_facebook.plugin import Facebook
from channelry_facebook.simulator import FacebookSimulator

PAYLOADS = sorted((Path(__file__).parent / "payloads").glob("*.json"))
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
ROWS = {
    "comment add", "comment add, nested", "comment add, photo", "comment add, video", "comment add, link",
    "comment add, by the Page", "comment edited", "comment remove", "comment hide", "comment unhide", "post", "status",
    "photo", "video", "share", "reaction", "reaction add", "reaction add, by the Page", "reaction edit",
    "reaction remove", "like", "album", "event", "mention", "messaging", "handshake",
}  # fmt: skip
"""What the feed tells, by item and verb."""


def recorded(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def delivery(body: Any) -> Request:
    return Request("POST", "/", (), body if isinstance(body, bytes) else orjson.dumps(body), NOW)


def with_secrets(*secrets: str) -> Facebook:
    common = {"access_token": Secret("a-token"), "verify_token": Secret("a-verify-token")}
    config = Facebook.Config(app_id="77", page_id="55", app_secret=tuple(map(Secret, secrets)), **common)
    return Facebook(config)


def written(event: Any) -> Any:
    """Write an event as JSON; an expected one, which leaves the defaults out, with all its fields."""
    return to_json(from_json(event, cast("Any", Event)) if isinstance(event, dict) else event, Event)


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_recorded_webhook_becomes_the_events_written_for_it(path: Path, facebook: Facebook) -> None:
    known = recorded(path)
    body = orjson.dumps(known["json"]) if "json" in known else known["body"].encode()
    received = facebook.parse(Request(known.get("method", "POST"), known.get("path", "/"), (), body, NOW))
    assert [written(event) for event in received.events] == [written(event) for event in known["events"]]
    assert list(received.ignored) == known["ignored"]
    answer = known.get("answer", {"status": 200, "body": ""})
    assert received.answer == Response(answer["status"], answer["body"].encode())


def test_every_row_of_the_type_tables_has_a_recorded_webhook() -> None:
    assert {recorded(path)["row"] for path in PAYLOADS} >= ROWS


def test_the_published_vector_is_accepted_and_what_differs_is_rejected() -> None:
    """Also a signature that is missing, cut off, or not ASCII."""
    simulator = FacebookSimulator(app_secret="meta_app_secret")
    request = simulator.signed(delivery(b'{"hello":"w\\u00f6rld"}'))
    signature = b"sha256=6910dd4ebee0899b4aa2da917e24098e3dcfe47773eed8989457dab83aeaef33"
    assert request.header(b"x-hub-signature-256") == signature
    facebook = with_secrets(simulator.app_secret)
    facebook.verify(request)
    for wrong in (b"", signature[:-1], signature + b"0", b"sha256=\xff\xfe", signature.upper()):
        with pytest.raises(RejectedError):
            facebook.verify(Request("POST", "/", ((b"x-hub-signature-256", wrong),), request.body, NOW))


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


def test_both_secrets_are_good_while_one_replaces_the_other_and_none_refuses_all() -> None:
    simulator = FacebookSimulator()
    request, old = simulator.message("U9", "hi"), simulator.app_secret
    with_secrets("new", old).verify(request)
    with_secrets(old, "new").verify(request)
    for secrets in ((), ("new",)):
        with pytest.raises(RejectedError):
            with_secrets(*secrets).verify(request)
