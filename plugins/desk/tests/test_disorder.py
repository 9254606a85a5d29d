"""Redelivery and disorder: one row per key, one final state whatever the order, statuses that never go back."""

import sqlite3
import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from channelry.model import (
    Address,
    Call,
    EchoSent,
    MessageDeleted,
    MessageEdited,
    ReactionChanged,
    ReadUpTo,
    Receipt,
    Received,
    Request,
    SendMessage,
    Status,
    StatusChanged,
    Target,
)
from channelry_desk import calls
from channelry_desk.intake import Intake
from channelry_desk.moments import DAY
from channelry_desk.sqlite import open_writer
from channelry_desk.writer import apply, commit

from .conftest import START, message

EVE = Address("post", "eve")
REQUEST = Request("POST", "/hooks/post", (), b"[]", START)


def at(seconds: int) -> Any:
    return START + timedelta(seconds=seconds)


EVENTS = (
    message("eve", "one", key="m1"),
    message("eve", "two", key="m2", occurred_at=at(1)),
    message("eve", "three", key="m3", occurred_at=at(2)),
    MessageEdited(key="e1", occurred_at=at(3), sender=EVE, external_id="m1", text="one, edited"),
    MessageEdited(key="e2", occurred_at=at(4), sender=EVE, external_id="m1", text="one, edited again"),
    MessageEdited(key="e3", occurred_at=at(4), sender=EVE, external_id="m2", text="two, edited"),
    MessageDeleted(key="d2", occurred_at=at(5), external_id="m2"),
    ReactionChanged(key="r1", occurred_at=at(3), sender=EVE, external_id="m3", emoji="👍"),
    ReactionChanged(key="r2", occurred_at=at(4), sender=EVE, external_id="m3", emoji="👍", on=False),
    EchoSent(key="echo", occurred_at=at(6), recipient=EVE, external_id="out", text="hi"),
    *(
        StatusChanged(key=f"s{status}", occurred_at=at(6), external_id="out", status=status)
        for status in (Status.SENT, Status.FAILED, Status.DELIVERED)
    ),
    ReadUpTo(key="read", occurred_at=at(7), sender=EVE, external_id="out"),
)
ACCEPT = "accept"
STEPS = [*EVENTS, ACCEPT]
RANK = list(Status)


@settings(max_examples=60, deadline=None)
@given(order=st.permutations(STEPS), repeats=st.lists(st.sampled_from(STEPS), max_size=8))
def test_the_final_state_does_not_depend_on_the_order(order: list[Any], repeats: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        db = open_writer(Path(folder) / "desk.db")
        intake = Intake({"post": "post"}, DAY)
        do(db, lambda db: intake.record(db, Received(REQUEST, (message("eve", "zero", key="m0"),), connection="post")))
        outbound = SendMessage(key="k", target=Target(to=EVE), text="hi")
        call = Call(key="k/0", to=EVE, action="post", body={})
        do(db, lambda db: calls.queue(db, 1, "post", "ann", outbound, [call], None, 1))
        (one,) = calls.due(db, "post", 2, 1)
        do(db, lambda db: calls.claim(db, [one], 2**60, 2))
        known = Status.QUEUED
        for step in [*order, *repeats]:
            if step is ACCEPT:
                do(db, lambda db: calls.accept(db, one, 1, "post", Receipt(("out",)), 3))
            else:
                do(db, partial(intake.record, received=Received(REQUEST, (step,), connection="post")))
            ((status,),) = db.execute("SELECT status FROM calls").fetchall()
            assert RANK.index(status) >= RANK.index(known)
            known = Status(status)
        texts = dict(db.execute("SELECT key, text FROM messages WHERE direction = 'in'").fetchall())
        assert texts == {"m0": "zero", "m1": "one, edited again", "m2": "", "m3": "three"}
        assert db.execute("SELECT status, state FROM calls").fetchall() == [("read", "accepted")]
        assert db.execute("SELECT count(*) FROM messages WHERE direction = 'echo'").fetchone() == (0,)
        assert db.execute("SELECT active FROM reactions").fetchall() == [(0,)]
        assert db.execute("SELECT count(*) FROM conversations").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM events WHERE settled = 0").fetchone() == (0,)
        db.close()


def do(db: sqlite3.Connection, operation: Any) -> Any:
    ((value, error),) = commit(db, [(apply, operation)])
    assert error is None, error
    return value
