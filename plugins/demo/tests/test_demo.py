"""The demonstration runs to its end and its totals agree; where they do not, it says so."""

from collections import Counter
from collections.abc import Sequence
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
from channelry.errors import PermanentError, RetryableError
from channelry.hub import open_hub
from channelry.model import (
    Address,
    Call,
    Capabilities,
    MessageReceived,
    Outbound,
    Profile,
    Receipt,
    Received,
    Request,
    SendMessage,
    Status,
    StatusChanged,
)
from channelry.services import Services
from channelry_demo import echo
from channelry_demo.tally import Ledger, Tally, tallied, totals
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
async def test_the_echo_answers_each_message_once_and_tries_again_when_it_may() -> None:
    clock, tallies = FakeClock(), list[Tally]()
    async with open_hub(Configuration(Path("demo.toml"), (ENTRY,)), tallied(echo.app, tallies), clock=clock) as hub:
        acme = hub.connections["acme"].plugin
        acme.failures = [RetryableError("slow down", retry_after=7)]
        await hub.sink.record(received(message("a"), message("a")))
        await anyio.wait_all_tasks_blocked()
        assert (acme.sent, clock.sleepers) == ({}, 1)
        await clock.advance(7)
        acme.failures = [PermanentError("no")]
        await hub.sink.record(received(message("b"), message("a")))
        await hub.sink.record(
            received(StatusChanged(key="s", occurred_at=CLOCK.now(), external_id="x", status=Status.DELIVERED))
        )
        await hub.sink.record(evolve(received(message("c")), connection=""))
        await anyio.wait_all_tasks_blocked()
        assert acme.sent == {"You wrote: a": 1}
        ledger = Ledger(written=2, forged=0, duplicates=2, taken=1, wrong=0, statuses=1)
        row = totals("acme", hub, tallies[0], ledger)
        assert (row.received, row.duplicates, row.answered, row.delivered) == (2, 2, 1, 1)
        assert row.disagreements == ("answered: 1 here, 2 there",)


def test_the_demonstration_agrees_with_its_ledgers() -> None:
    result = CliRunner().invoke(main, ["demo", "--customers", "6", "--seed", "3", "--json"])
    assert result.exit_code == 0, result.output
    telegram, whatsapp = orjson.loads(result.stdout)
    assert (telegram["channel"], telegram["received"], telegram["delivered"]) == ("telegram", 6, None)
    assert (whatsapp["channel"], whatsapp["received"], whatsapp["delivered"]) == ("whatsapp", 6, 6)
    assert telegram["answered"] == telegram["accepted"] == whatsapp["answered"] == whatsapp["accepted"] == 6
    assert "ledgers agree" in result.stderr
