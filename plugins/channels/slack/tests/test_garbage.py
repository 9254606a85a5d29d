"""Presses of buttons that nobody made, which stand in a field of a form: none takes a neighbour with it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from channelry.model import MessageReceived, Request
from channelry_slack.plugin import Slack

SLACK = Slack(Slack.Config(signing_secret=()))
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
FORM = (b"content-type", b"application/x-www-form-urlencoded")
RECORDED = [orjson.loads(path.read_bytes()) for path in sorted((Path(__file__).parent / "payloads").glob("*.json"))]
PRESSES = [orjson.loads(one["form"]["payload"]) for one in RECORDED if "payload" in one.get("form", ())]

numbers = st.one_of(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))
shapes: st.SearchStrategy[Any] = st.sampled_from([None, True, "", "\x00", [], {}, [{}], {"id": 1.5}])
junk = st.one_of(shapes, numbers, st.text(max_size=8))


def form(payload: Any) -> bytes:
    return urlencode({"payload": orjson.dumps(payload).decode()}).encode()


@settings(max_examples=1000, deadline=None)
@given(st.lists(junk, max_size=3), st.booleans())
def test_a_bad_action_takes_no_neighbour_with_it(bad: list[Any], first: bool) -> None:
    good = PRESSES[0]["actions"]
    payload = {**PRESSES[0], "actions": [*good, *bad] if first else [*bad, *good]}
    found = SLACK.parse(Request("POST", "/", (FORM,), form(payload), NOW))
    assert sum(isinstance(event, MessageReceived) for event in found.events) == 1
    assert len(found.events) == len(bad) + 1
