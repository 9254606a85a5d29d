"""Bodies that nobody wrote: 10,000 of them, none of which may raise or be lost without a word."""

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from channelry.model import EVENT_TYPES, OK, Request, Unparsed
from channelry_viber.receive import parse

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
FILES = (Path(__file__).parent / "payloads").glob("*.json")
BODIES = [orjson.loads(path.read_bytes())["json"] for path in sorted(FILES)]

numbers = st.one_of(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))
shapes: st.SearchStrategy[Any] = st.sampled_from([None, True, "", "\x00", [], {}, [{}], {"id": 1.5}])
junk = st.one_of(shapes, numbers, st.text(max_size=8))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Name every place in a body, by the keys that lead there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Take a recorded body and put junk into one to three places of it, or nothing."""
    body = copy.deepcopy(draw(st.sampled_from(BODIES)))
    for _ in range(draw(st.integers(1, 3))):
        if not body:
            break
        *path, last = draw(st.sampled_from(places(body)[1:]))
        place = body
        for key in path:
            place = place[key]
        if draw(st.booleans()):
            place[last] = copy.deepcopy(draw(junk))
        else:
            del place[last]
    return body


def events(body: bytes) -> list[Any]:
    found = parse(Request("POST", "/", (), body, NOW), "", OK)
    assert all(type(event) in EVENT_TYPES for event in found.events)
    assert all(isinstance(reason, str) for reason in found.ignored)
    assert found.events or found.ignored
    return list(found.events)


@settings(max_examples=8500, deadline=None)
@given(mutated())
def test_a_mutated_body_gives_an_event_or_a_reason(body: Any) -> None:
    events(orjson.dumps(body))


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(BODIES), st.data())
def test_a_body_that_was_cut_off_is_kept_whole(body: Any, data: st.DataObject) -> None:
    raw = orjson.dumps(body)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    (event,) = events(cut)
    assert isinstance(event, Unparsed)
    assert event.raw == cut


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_json_are_kept_whole(body: bytes) -> None:
    for event in events(body):
        assert isinstance(event, Unparsed)
