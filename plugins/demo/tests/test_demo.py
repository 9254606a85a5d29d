"""The demonstration runs to its end and its totals agree; where they do not, it says so."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from attrs import evolve, field, frozen
from click.testing import CliRunner

from channelry import hookimpl, plugin
from channelry.cli import main
from channelry.config import Configuration, Entry
from channelry.discovery import available
from channelry.errors import PermanentError, RetryableError
from channelry.hub import open_hub
from channelry.model import (
    Address,
    Announced,
    Call,
    Capabilities,
    Event,
    MessageReceived,
    Outbound,
    Profile,
    Receipt,
    Received,
    Request,
    SendMessage,
    Status,
)
from channelry.services import Services
from channelry_demo import echo
from channelry_demo.totals import Ledger, totals
from channelry_demo.words import REGULAR
from channelry_desk.schema import SCRIPTS
from channelry_testing import FakeClock

CLOCK = FakeClock()


@plugin
class Acme:
    @frozen
    class Config:
        pass

    config: Config
    capabilities = Capabilities(text=100, statuses=frozenset({Status.DELIVERED}))
    failures: list[Exception] = field(factory=list, init=False)
    sent: Counter[str] = field(factory=Counter, init=False)

    @hookimpl
    def verify(self, request: Request) -> None: ...

    @hookimpl
    def parse(self, request: Request) -> Received:
        return Received(request)

    @hookimpl
    async def expand(self, event: Announced, services: Services) -> Sequence[Event]:
        if event.what == "gone":
            raise PermanentError("it is gone")
        if event.what == "broken":
            raise ValueError("a plugin's own")
        return [message(event.what)]

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        assert isinstance(outbound, SendMessage)
        return [Call(key=outbound.key, to=outbound.target.to, action="say", body={"text": outbound.text})]

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        if self.failures:
            raise self.failures.pop(0)
        self.sent[call.body["text"]] += 1
        return Receipt(("x",))


ENTRY = Entry("connections.acme", "acme", endpoint="acme", cls=Acme, config=Acme.Config())


def message(key: str) -> MessageReceived:
    ada = Profile(address=Address("acme", "ada"))
    return MessageReceived(key=key, occurred_at=CLOCK.now(), sender=ada, external_id=key, text=key)


def received(*events: Any) -> Received:
    return Received(Request("POST", "/", (), b"", CLOCK.now()), events, connection="acme")


@pytest.mark.anyio
async def test_the_echo_answers_each_message_once_and_tries_again_when_it_may(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    async with open_hub(Configuration(Path("demo.toml"), (ENTRY,)), echo.app, clock=clock) as hub:
        acme = hub.connections["acme"].plugin
        acme.failures = [RetryableError("slow down", retry_after=7)]
        await hub.sink.record(received(message("a"), message("a")))
        await anyio.wait_all_tasks_blocked()
        assert (acme.sent, clock.sleepers) == ({}, 1)
        await clock.advance(7)
        acme.failures = [PermanentError("no")]
        await hub.sink.record(received(message("b"), message("a")))
        await hub.sink.record(evolve(received(message("c")), connection=""))
        await anyio.wait_all_tasks_blocked()
        assert acme.sent == {"You wrote: a": 1}
        for what in ("gone", "broken", "d", "d"):
            await hub.sink.record(received(Announced(key=f"announced:{what}", occurred_at=clock.now(), what=what)))
        await anyio.wait_all_tasks_blocked()
        assert acme.sent == {"You wrote: a": 1, "You wrote: d": 1}
    undone = [record.getMessage() for record in caplog.records if "is not done" in record.getMessage()]
    assert sorted(line.split()[1] for line in undone) == ["announced:broken", "announced:gone", "b"]


def test_the_demonstration_agrees_with_its_ledgers() -> None:
    """Each channel that has a simulator has its row, and delivered and read only where they are reported."""
    channels = available("channelry.simulators")
    result = CliRunner().invoke(main, ["demo", "--customers", str(4 * len(channels)), "--seed", "3", "--json"])
    assert result.exit_code == 0, result.output
    rows = {row["channel"]: row for row in orjson.loads(result.stdout)}
    assert rows.keys() == channels.keys()
    for row in rows.values():
        assert row.items() >= {"received": 8, "answered": 8, "taken": 8, "rejected": 1, "disagreements": []}.items()
        assert row["accepted"] + row["uncertain"] == 8
    telegram, whatsapp = rows["telegram"], rows["whatsapp"]
    assert telegram.items() >= {"accepted": 7, "uncertain": 1, "delivered": None, "read": None}.items()
    assert whatsapp.items() >= {"accepted": 8, "uncertain": 0, "delivered": 8, "read": 8}.items()
    assert "ledgers agree" in result.stderr


def test_ctrl_c_ends_a_demonstration_that_is_kept_in_order() -> None:
    """A terminal sends SIGINT to the whole group of processes."""
    script = "from channelry.cli import main; main()"
    command = [sys.executable, "-c", script, "demo", "--customers", "4", "--keep"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        assert any("is one customer on telegram, twilio, whatsapp" in line for line in process.stdout)
        assert any("Ctrl+C ends it" in line for line in process.stderr)
        os.killpg(process.pid, signal.SIGINT)
        told = process.stderr.read()
        assert process.wait(20) == 0
    assert "Traceback" not in told
    assert "ledgers agree" in told


LEDGER = Ledger(written=0, forged=0, refused=0, duplicates=0, taken=0, wrong=0, statuses=0)
DECLARED = {"acme": frozenset({Status.DELIVERED})}


def test_a_ledger_that_tells_something_else_is_a_disagreement(tmp_path: Path) -> None:
    file = tmp_path / "desk.db"
    with closing(sqlite3.connect(file)) as db:
        db.executescript("".join(SCRIPTS))
    assert [row.disagreements for row in totals(file, {"acme": LEDGER}, DECLARED)] == [()]
    for change in ({"written": 1}, {"forged": 1}, {"taken": 1}, {"wrong": 1}, {"statuses": 1}):
        (row,) = totals(file, {"acme": evolve(LEDGER, **change)}, DECLARED)
        assert row.disagreements


def test_one_person_who_is_two_customers_is_a_disagreement(tmp_path: Path) -> None:
    file = tmp_path / "desk.db"
    with closing(sqlite3.connect(file)) as db:
        db.executescript("".join(SCRIPTS))
        for channel, number in (("telegram", REGULAR), ("twilio", f"+{REGULAR}")):
            db.execute(
                "INSERT INTO profiles (channel, scheme, value, scope, display, name, first_name, last_name, picture,"
                " locale, seen, dropped, created_at) VALUES (?, 'phone', ?, '', '', '', '', '', '', '', '', 0, 1)",
                (channel, number),
            )
        db.commit()
    (row,) = totals(file, {"telegram": LEDGER}, {"telegram": frozenset()})
    assert row.disagreements == ("customers of one person: 2, not 1",)
