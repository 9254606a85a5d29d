"""Bodies that nobody wrote: 10,000 of them, none of which may raise, or be lost without a word."""

import copy
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from channelry.model import EVENT_TYPES, OK, MessageReceived, Request, Unparsed
from channelry_slack.receive import parse

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
FORM = (b"content-type", b"application/x-www-form-urlencoded")
RECORDED = [orjson.loads(path.read_bytes()) for path in sorted((Path(__file__).parent / "payloads").glob("*.json"))]
EVENTS = [recorded["json"] for recorded in RECORDED if "json" in recorded]
PRESSES = [orjson.loads(one["form"]["payload"]) for one in RECORDED if "payload" in one.get("form", ())]

numbers = st.one_of(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))
shapes: st.SearchStrategy[Any] = st.sampled_from([None, True, "", "\x00", [], {}, [{}], {"id": 1.5}])
junk = st.one_of(shapes, numbers, st.text(max_size=8))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Name every place in a body, by the keys that lead there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn, bodies: Sequence[Any]) -> Any:
    """Take a recorded body and put junk into one to three places of it, or nothing."""
    body = copy.deepcopy(draw(st.sampled_from(bodies)))
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


def told(body: bytes, *headers: tuple[bytes, bytes]) -> int:
    """Count what a request tells, what of it is left out with a reason, and the answer to a handshake."""
    found = parse(Request("POST", "/", headers, body, NOW))
    assert all(type(event) in EVENT_TYPES for event in found.events)
    assert all(isinstance(reason, str) for reason in found.ignored)
    return len(found.events) + len(found.ignored) + (found.answer != OK)


def form(payload: Any) -> bytes:
    return urlencode({"payload": orjson.dumps(payload).decode()}).encode()


@settings(max_examples=6000, deadline=None)
@given(mutated(EVENTS))
def test_a_mutated_event_is_told_or_left_out_with_a_reason(body: Any) -> None:
    assert told(orjson.dumps(body)) == 1


@settings(max_examples=2000, deadline=None)
@given(mutated(PRESSES))
def test_a_mutated_press_is_told_or_left_out_with_a_reason(payload: Any) -> None:
    assert told(form(payload), FORM) == 1


@settings(max_examples=1000, deadline=None)
@given(st.lists(junk, max_size=3), st.booleans())
def test_a_bad_action_takes_no_neighbour_with_it(bad: list[Any], first: bool) -> None:
    good = PRESSES[0]["actions"]
    payload = {**PRESSES[0], "actions": [*good, *bad] if first else [*bad, *good]}
    found = parse(Request("POST", "/", (FORM,), form(payload), NOW))
    assert sum(isinstance(event, MessageReceived) for event in found.events) == 1
    assert len(found.events) == len(bad) + 1


@settings(max_examples=500, deadline=None)
@given(st.sampled_from([orjson.dumps(body) for body in EVENTS]), st.data())
def test_a_body_that_was_cut_off_is_kept_whole(body: bytes, data: st.DataObject) -> None:
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    (event,) = parse(Request("POST", "/", (), cut, NOW)).events
    assert isinstance(event, Unparsed)
    assert event.raw == cut


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([(), (FORM,)]))
def test_bytes_that_are_nothing_of_slacks_are_kept(body: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    assert told(body, *headers) == 1
