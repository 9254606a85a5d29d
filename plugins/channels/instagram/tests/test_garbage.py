"""Bodies that nobody wrote: 10,000 of them, none of which may raise or take a neighbour with it."""

import copy
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channelry.model import EVENT_TYPES, Event, MessageReceived, Request, Unparsed
from channelry_instagram.receive import parse

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
RECORDED = [orjson.loads(path.read_bytes()) for path in sorted((Path(__file__).parent / "payloads").glob("*.json"))]
BODIES = [orjson.dumps(known["json"]) for known in RECORDED if "json" in known]
GOOD = {"sender": {"id": "IGSID2"}, "recipient": {"id": "1784"}, "message": {"mid": "m_GOOD", "text": "x"}}
JUNK: list[Any] = [None, True, "", "\x00", [], {}, [{}], {"id": 1.5}, 0, -1, 2**64 - 1, 1e300, "é", "9" * 400]


def events(body: bytes) -> tuple[Event, ...]:
    found = parse(Request("POST", "/", (), body, NOW), "77")
    assert all(type(event) in EVENT_TYPES for event in found.events)
    assert all(isinstance(reason, str) for reason in found.ignored)
    return found.events


def mutate(body: Any, chance: random.Random) -> None:
    """Replace, drop or double one thing in a body, wherever it is."""
    place, key = None, None
    value = body
    while isinstance(value, dict | list) and value and (place is None or chance.random() < 0.8):
        place, key = value, chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        value = place[key]
    if place is None:
        return
    match chance.randrange(3):
        case 0:
            place[key] = copy.deepcopy(chance.choice(JUNK))
        case 1:
            del place[key]
        case _ if isinstance(place, list):
            place.append(place[key])


@pytest.mark.parametrize("seed", range(10))
def test_mutated_bodies_give_events_and_never_an_exception(seed: int) -> None:
    """A good entry beside what was mutated always arrives."""
    chance = random.Random(seed)
    for _ in range(1000):
        body = orjson.loads(chance.choice(BODIES))
        for _ in range(chance.randint(1, 3)):
            mutate(body, chance)
        events(orjson.dumps(body))
        entries = body.get("entry")
        good = {"id": "1784", "messaging": [GOOD]}
        whole = {"object": "instagram", "entry": [*(entries if isinstance(entries, list) else [entries]), good]}
        last = events(orjson.dumps(whole))[-1]
        assert isinstance(last, MessageReceived)
        assert last.key == "m_GOOD"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BODIES), st.data())
def test_a_body_that_was_cut_off_is_kept_whole(body: bytes, data: st.DataObject) -> None:
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    (event,) = events(cut)
    assert isinstance(event, Unparsed)
    assert event.raw == cut


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_json_are_kept_whole(body: bytes) -> None:
    assert all(isinstance(event, Unparsed) for event in events(body))
