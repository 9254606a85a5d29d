"""Bodies that nobody wrote: 10,000 of them, none of which may raise or take a neighbour with it."""

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from channelry.model import EVENT_TYPES, MessageReceived, Request, Unparsed
from channelry_whatsapp.receive import parse

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
FILES = (Path(__file__).parent / "payloads").glob("*.json")
BODIES = [orjson.loads(path.read_bytes())["json"] for path in sorted(FILES)]
GOOD = {"from": "306900000000", "id": "wamid.GOOD", "type": "text", "text": {"body": "x"}}

numbers = st.one_of(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))
shapes: st.SearchStrategy[Any] = st.sampled_from([None, True, "", "\x00", [], {}, [{}], {"id": 1.5}])
junk = st.one_of(shapes, numbers, st.text(max_size=8))


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Take a recorded body and replace, drop or double one to three things in it, wherever they are."""
    body = copy.deepcopy(draw(st.sampled_from(BODIES)))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = body
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            match draw(st.sampled_from(("replace", "drop", "double"))):
                case "replace":
                    place[key] = copy.deepcopy(draw(junk))
                case "drop":
                    del place[key]
                case "double" if isinstance(place, list):
                    place.append(copy.deepcopy(place[key]))
            break
    return body


def received(body: bytes) -> list[Any]:
    found = parse(Request("POST", "/", (), body, NOW))
    assert all(type(event) in EVENT_TYPES for event in found.events)
    assert all(isinstance(reason, str) for reason in found.ignored)
    return list(found.events)


@settings(max_examples=6000, deadline=None)
@given(mutated())
def test_a_mutated_body_gives_events_and_never_an_exception(body: Any) -> None:
    received(orjson.dumps(body))


@settings(max_examples=2500, deadline=None)
@given(mutated(), st.booleans())
def test_a_mutated_entry_takes_no_neighbour_with_it(body: Any, first: bool) -> None:
    """Whatever stands in one row, the good row beside it arrives."""
    value = {"metadata": {"phone_number_id": "2002"}, "messages": [GOOD]}
    good = {"changes": [{"field": "messages", "value": value}]}
    entries = body.get("entry")
    bad = entries if isinstance(entries, list) else [entries]
    whole = {"object": "whatsapp_business_account", "entry": [good, *bad] if first else [*bad, good]}
    events = received(orjson.dumps(whole))
    assert any(isinstance(event, MessageReceived) and event.key == "wamid.GOOD" for event in events)


@settings(max_examples=500, deadline=None)
@given(mutated(), st.data())
def test_a_body_that_was_cut_off_is_kept_whole(body: Any, data: st.DataObject) -> None:
    raw = orjson.dumps(body)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    (event,) = received(cut)
    assert isinstance(event, Unparsed)
    assert event.raw == cut


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_json_are_kept_whole(body: bytes) -> None:
    for event in received(body):
        assert isinstance(event, Unparsed)
