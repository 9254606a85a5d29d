"""The outbox: in order, within the rates, never silently twice, whatever is lost and whenever the process dies."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from channelry.errors import PermanentError, WindowClosedError
from channelry.model import (
    Accepted,
    Address,
    DeliveredUpTo,
    Edit,
    MarkRead,
    Rate,
    RateScope,
    ReadUpTo,
    Receipt,
    Resend,
    Status,
    StatusChanged,
    Target,
    Unknown,
)
from channelry_desk import calls
from channelry_desk.errors import ConflictError
from channelry_desk.grants import SYSTEM
from channelry_desk.rules import CallState, Decision, back_off
from channelry_testing import FakeClock

from .conftest import START, House, Opening, Provider, message, opened

pytestmark = pytest.mark.anyio

EVE = Address("post", "eve")


async def started(house: House, who: str = "eve") -> int:
    await house.deliver(message(who, "hello"))
    return await house.conversation()


async def delivery(house: House, conversation: int) -> Any:
    """Give the first delivery of the newest message that has one."""
    for one in await house.messages(conversation):
        if one.deliveries:
            return one.deliveries[0]
    raise AssertionError("nothing was sent")


async def reply(house: House, conversation: int, text: str = "hi", key: str = "k") -> int:
    return await house.desk.service.conversations.reply(by=SYSTEM, conversation=conversation, text=text, key=key)


def status(external_id: str, what: Status, key: str = "", reference: str = "") -> StatusChanged:
    return StatusChanged(
        key=key or f"{external_id}{reference}{what}", occurred_at=START, external_id=external_id, status=what,
        reference=reference,
    )  # fmt: skip


@pytest.mark.row("A21")
async def test_a_reply_is_sent_in_its_pieces_and_in_order_and_gets_its_receipts(house: House) -> None:
    number = await started(house)
    await reply(house, number, "one two three four five")
    await reply(house, number, "<b>&*_é", "l")
    await house.send()
    assert house.provider.taken == ["k/0", "k/1", "k/2", "l/0"]
    said = [body["text"] for body in house.provider.bodies]
    assert (" ".join(piece.strip() for piece in said[:3]), said[3]) == ("one two three four five", "<b>&*_é")
    found = await delivery(house, number)
    assert (found.state, found.status, found.external_ids) == ("accepted", "accepted", ("id:l/0",))


async def test_what_the_channel_refuses_is_refused_before_anything_is_stored(house: House) -> None:
    number = await started(house)
    with pytest.raises(PermanentError, match="empty"):
        await reply(house, number, "  ")
    house.provider.window = timedelta(hours=1)
    await house.clock.advance(3601)
    with pytest.raises(WindowClosedError):
        await reply(house, number)
    assert await house.rows("SELECT count(*) FROM calls") == [(0,)]


async def test_the_same_key_twice_is_a_conflict_and_one_message(house: House) -> None:
    number = await started(house)
    await reply(house, number)
    with pytest.raises(ConflictError):
        await reply(house, number)
    await house.send()
    assert house.provider.taken == ["k/0"]


async def test_the_next_call_waits_for_the_one_before_and_other_conversations_do_not(house: House) -> None:
    first, second = await started(house), await started(house, "bob")
    house.provider.script.append("retry 100")
    await reply(house, first, "one", "a")
    await reply(house, first, "two", "b")
    await house.desk.worker.outbox.step()
    await house.desk.worker.outbox.settle()
    await reply(house, second, "x", "c")
    await house.send()
    assert house.provider.taken == ["c/0"]
    await house.clock.advance(99)
    await house.send()
    assert house.provider.taken == ["c/0"]
    await house.clock.advance(3600)
    await house.send()
    assert house.provider.taken == ["c/0", "a/0", "b/0"]


async def test_a_refused_call_fails_with_the_reason_and_lets_the_next_one_go(house: House) -> None:
    number = await started(house)
    house.provider.script.append("permanent")
    await reply(house, number, "one", "a")
    await reply(house, number, "two", "b")
    await house.send()
    assert house.provider.taken == ["b/0"]
    assert await house.rows("SELECT state, status, code FROM calls ORDER BY id") == [
        ("failed", "failed", "bad"),
        ("accepted", "accepted", ""),
    ]


async def test_a_closing_window_fails_what_could_not_be_sent(house: House) -> None:
    house.provider.window = timedelta(hours=2)
    number = await started(house)
    house.provider.script.extend(["retry"] * 1000)
    await reply(house, number)
    for _ in range(200):
        await house.send()
        await house.clock.advance(60)
    found = await delivery(house, number)
    assert (found.state, found.code) == ("failed", "window_closed")


async def test_seven_days_without_the_provider_are_survived_in_order_without_a_burst(house: House) -> None:
    house.provider.rates = (Rate(RateScope.CONNECTION, 5, 1.0),)
    numbers = [await started(house, f"c{n}") for n in range(8)]
    for number in numbers:
        for n in range(3):
            await reply(house, number, str(n), f"{number}-{n}")
    house.provider.script.extend(["retry"] * 10_000)
    for _ in range(7 * 24):
        await house.send()
        await house.clock.advance(3600)
    house.provider.script.clear()
    house.provider.times.clear()
    while await house.rows("SELECT 1 FROM calls WHERE state <> 'accepted'"):
        await house.send()
        await house.clock.advance(0.25)
        if not house.provider.times:
            await house.clock.advance(3600)
    for number in numbers:
        own = [key for key in house.provider.taken if key.startswith(f"{number}-")]
        assert own == [f"{number}-{n}/0" for n in range(3)]
    times = house.provider.times
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[5:], strict=False))


async def test_a_quota_stops_the_whole_connection_for_as_long_as_it_asks(house: House) -> None:
    first, second = await started(house), await started(house, "bob")
    house.provider.script.append("retry 50 connection")
    await reply(house, first, "one", "a")
    await house.send()
    await reply(house, second, "two", "b")
    await house.send()
    assert house.provider.taken == []
    await house.clock.advance(51)
    await house.send()
    assert "b/0" in house.provider.taken


@pytest.mark.parametrize(("fault", "taken"), [("lost", 2), ("untaken", 1)])
async def test_safe_sends_again_with_the_same_key(house: House, fault: str, taken: int) -> None:
    house.provider.resend = Resend.SAFE
    house.provider.script.append(fault)
    number = await started(house)
    await reply(house, number)
    await house.send()
    await house.clock.advance(60)
    await house.send()
    assert house.provider.taken == ["k/0"] * taken
    assert (await delivery(house, number)).state == "accepted"


@pytest.mark.parametrize(("days", "state", "taken"), [(0, "accepted", 2), (1, "uncertain", 1)])
async def test_a_key_that_the_provider_may_have_forgotten_is_not_sent_again(
    house: House, days: int, state: str, taken: int
) -> None:
    """As when the server was away from Friday to Monday; a person may send it all the same."""
    house.provider.resend = Resend.SAFE
    house.provider.script.append("lost")
    number = await started(house)
    await reply(house, number)
    await house.send()
    await house.clock.advance(days * 86_400 or 60)
    await house.send()
    found = await delivery(house, number)
    assert (found.state, len(house.provider.taken)) == (state, taken)
    if state == "uncertain":
        assert "too long ago" in found.reason
        await house.desk.service.outbox.decide(by=SYSTEM, call=found.call, decision=Decision.RESEND)
        await house.send()
        assert (await delivery(house, number)).state == "accepted"


async def test_lookup_asks_and_sends_again_only_what_was_not_taken(house: House) -> None:
    house.provider.resend = Resend.LOOKUP
    number = await started(house)
    house.provider.script.extend(["lost", "untaken"])
    house.provider.answers.append(Accepted(Receipt(("found",))))
    await reply(house, number, "one", "a")
    await reply(house, number, "two", "b")
    for _ in range(10):
        await house.send()
        await house.clock.advance(60)
    assert house.provider.taken == ["a/0", "b/0"]
    assert house.provider.asked == 2
    assert ("found",) in await house.rows("SELECT external_id FROM receipts")


async def test_a_provider_that_cannot_tell_leaves_it_to_a_person(house: House) -> None:
    house.provider.resend = Resend.LOOKUP
    house.provider.answers.extend([Unknown("no idea")] * 100)
    house.provider.script.append("lost")
    number = await started(house)
    await reply(house, number)
    for _ in range(200):
        await house.send()
        await house.clock.advance(600)
    assert house.provider.asked == 10
    (found,) = (await house.desk.service.outbox.uncertain(by=SYSTEM)).rows
    assert (found.reason, found.to, found.text) == ("no idea", EVE, "hi")


@pytest.mark.parametrize("early", [False, True], ids=["later", "before we know that the answer is lost"])
async def test_a_status_with_our_reference_settles_a_lost_answer(house: House, early: bool) -> None:
    house.provider.resend = Resend.CALLBACK
    house.provider.script.append("taken-hang" if early else "lost")
    number = await started(house)
    await reply(house, number)
    if early:
        await house.desk.worker.outbox.step()
        await asyncio.sleep(0)
        await house.deliver(status("wamid", Status.SENT, reference="k/0"))
        await house.desk.worker.outbox.close(0)
        await house.clock.advance(121)
        await house.send()
    else:
        await house.send()
        assert (await delivery(house, number)).state == "ambiguous"
        await house.deliver(status("wamid", Status.SENT, reference="k/0"))
    found = await delivery(house, number)
    assert (found.state, found.status, found.external_ids) == ("accepted", "sent", ("wamid",))
    await house.deliver(status("wamid", Status.READ))
    assert (await delivery(house, number)).status == "read"


async def test_without_a_status_in_time_a_person_decides(house: House) -> None:
    house.provider.resend = Resend.CALLBACK
    house.provider.script.append("lost")
    number = await started(house)
    await reply(house, number)
    await house.send()
    await house.clock.advance(3601)
    await house.send()
    assert (await delivery(house, number)).state == "uncertain"


@pytest.mark.parametrize(
    ("decision", "state", "reported", "taken"),
    [
        (Decision.SENT, "accepted", "accepted", 1),
        (Decision.RESEND, "accepted", "accepted", 2),
        (Decision.GIVE_UP, "dead", "failed", 1),
    ],
)
async def test_a_person_decides_about_a_call_that_must_not_be_repeated(
    house: House, decision: Decision, state: str, reported: str, taken: int
) -> None:
    house.provider.script.append("lost")
    number = await started(house)
    await reply(house, number)
    await house.send()
    await house.clock.advance(86400)
    await house.send()
    (found,) = (await house.desk.service.outbox.uncertain(by=SYSTEM)).rows
    await house.desk.service.outbox.decide(by=evolve(SYSTEM, name="sue"), call=found.call, decision=decision)
    with pytest.raises(ConflictError, match="decided by sue"):
        await house.desk.service.outbox.decide(by=evolve(SYSTEM, name="tom"), call=found.call, decision=decision)
    await house.send()
    settled = await delivery(house, number)
    assert (settled.state, settled.status, settled.decided_by) == (state, reported, "sue")
    assert house.provider.taken == ["k/0"] * taken


async def test_an_edit_says_itself_that_it_may_be_repeated(house: House) -> None:
    number = await started(house)
    await house.desk.service.conversations.reply(by=SYSTEM, conversation=number, text="old", key="k")
    await house.send()
    edit = Edit(key="e", target=Target(to=EVE), external_id="id:k/0", text="new")
    await house.desk.service.conversations.act(by=SYSTEM, conversation=number, action=edit)
    await house.send()
    assert house.provider.taken == ["k/0", "e/0"]


async def test_marks_bypass_the_outbox(house: House) -> None:
    number = await started(house)
    await house.desk.service.conversations.signal(
        by=SYSTEM, conversation=number, action=MarkRead(key="r", target=Target(to=EVE), external_id="eve:hello")
    )
    assert house.provider.taken == ["r/0"]
    assert await house.rows("SELECT count(*) FROM calls") == [(0,)]


async def test_a_status_before_its_receipt_counts_when_the_receipt_comes(house: House) -> None:
    number = await started(house)
    await house.deliver(status("id:k/0", Status.READ), status("id:k/0", Status.DELIVERED))
    await reply(house, number)
    await house.send()
    assert (await delivery(house, number)).status == "read"


async def test_what_was_read_up_to_a_moment_is_read(house: House) -> None:
    number = await started(house)
    await reply(house, number)
    await house.send()
    until = START + timedelta(seconds=5)
    await house.deliver(DeliveredUpTo(key="d", occurred_at=until, sender=EVE, until=until))
    assert (await delivery(house, number)).status == "delivered"
    await house.deliver(ReadUpTo(key="r", occurred_at=until, sender=EVE, external_id="id:k/0"))
    assert (await delivery(house, number)).status == "read"


async def test_what_was_read_in_the_millisecond_that_it_was_sent_in_is_read(house: House) -> None:
    """Providers tell the moment in milliseconds, of which the rest is lost: it seems to be before we sent."""
    number = await started(house)
    await house.clock.advance(0.000_9)
    await reply(house, number)
    await house.send()
    await house.deliver(ReadUpTo(key="r", occurred_at=START, sender=EVE, until=START))
    assert (await delivery(house, number)).status == "read"


@pytest.mark.parametrize("read_first", [False, True])
async def test_what_was_read_is_told_by_the_clock_that_tells_when_it_was_sent(house: House, read_first: bool) -> None:
    """The provider's, which may be behind ours."""
    number = await started(house)
    await house.clock.advance(60)
    await reply(house, number)
    await house.send()
    sent = status("id:k/0", Status.SENT)
    for event in [ReadUpTo(key="r", occurred_at=START, sender=EVE, until=START), sent][:: 1 if read_first else -1]:
        assert (await delivery(house, number)).status != "read"
        await house.deliver(event)
    assert (await delivery(house, number)).status == "read"


async def test_a_lost_answer_that_is_found_has_what_was_read_meanwhile(house: House) -> None:
    house.provider.script.append("lost")
    number = await started(house)
    await reply(house, number)
    await house.send()
    until = START + timedelta(seconds=5)
    await house.deliver(ReadUpTo(key="r", occurred_at=until, sender=EVE, until=until))
    assert (await delivery(house, number)).state != "accepted"
    await house.deliver(status("id:k/0", Status.SENT, reference="k/0"))
    assert (await delivery(house, number)).status == "read"


async def test_a_receipt_that_names_another_address_moves_the_profile(house: House) -> None:
    house.provider.address = Address("post", "eve-new")
    number = await started(house)
    await reply(house, number)
    await house.send()
    assert (await house.read(number)).address == Address("post", "eve-new")


async def test_who_lost_the_lease_cannot_settle(house: House) -> None:
    """The fencing token: a worker that comes back late changes nothing any more."""
    house.provider.resend = Resend.SAFE
    house.provider.script.append("hang")
    number = await started(house)
    await reply(house, number)
    (late,) = await house.desk.store.read(lambda db: calls.due(db, "post", 2**62, 10))
    await house.desk.worker.outbox.step()
    await house.desk.worker.outbox.close(0)
    await house.clock.advance(121)
    await house.send()
    await house.clock.advance(60)
    await house.send()
    assert (await delivery(house, number)).state == "accepted"
    refused = await house.desk.store.write(
        lambda db: calls.refuse(db, late, late.token + 1, CallState.FAILED, "late", "late", 1)
    )
    assert not refused
    assert (await delivery(house, number)).state == "accepted"


async def test_an_answer_after_the_lease_counts_unless_the_call_was_sent_again(house: House) -> None:
    house.provider.script.append("hang")
    number = await started(house)
    await reply(house, number)
    (late,) = await house.desk.store.read(lambda db: calls.due(db, "post", 2**62, 10))
    await house.desk.worker.outbox.step()
    await house.desk.worker.outbox.close(0)
    await house.clock.advance(121)
    await house.send()
    assert (await delivery(house, number)).state == "uncertain"
    assert await house.desk.store.write(lambda db: calls.accept(db, late, late.token + 1, "post", Receipt(("x",)), 1))
    assert (await delivery(house, number)).state == "accepted"


async def test_a_call_is_claimed_once(house: House) -> None:
    number = await started(house)
    await reply(house, number)
    (one,) = await house.desk.store.read(lambda db: calls.due(db, "post", 2**62, 10))
    claims = [await house.desk.store.write(lambda db: calls.claim(db, [one], 2**62, 1)) for _ in range(2)]
    assert claims == [{one.id}, set()]


async def test_sending_is_durable_before_the_socket_opens(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    states = []
    send = type(house.hub).send

    async def spy(self: Any, connection: str, call: Any) -> Receipt:
        states.extend(await house.rows("SELECT state, attempt, token FROM calls"))
        return await send(self, connection, call)

    monkeypatch.setattr(type(house.hub), "send", spy)
    await reply(house, await started(house))
    await house.send()
    assert states == [("sending", 1, 1)]


async def test_what_is_queued_survives_a_restart(opening: Opening) -> None:
    async with opening() as house:
        number = await started(house)
        await reply(house, number)
    async with opening() as house:
        await house.send()
        assert house.provider.taken == ["k/0"]


def test_back_off_is_jittered_grows_and_obeys_the_provider() -> None:
    random = Random(1)
    assert all(0 <= back_off(attempt, random) <= min(3600, 2.0**attempt) for attempt in range(200))
    assert back_off(1, random, 7200.0) == 7200.0


FAULTS = ["ok", "retry", "retry 30", "lost", "untaken", "permanent", "hang", "taken-hang"]


@settings(max_examples=15, deadline=None)
@given(
    resend=st.sampled_from(list(Resend)),
    faults=st.lists(st.sampled_from(FAULTS), max_size=10),
    crashes=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_no_fault_and_no_crash_makes_a_call_twice_or_out_of_order(
    resend: Resend, faults: list[str], crashes: list[bool]
) -> None:
    """Whatever is lost and whenever the process dies: only `safe` repeats, with its key; the order holds; all ends."""

    async def play(folder: Path) -> None:
        clock, provider = FakeClock(), Provider(resend=resend)
        async with opened(folder, clock, provider) as house:
            numbers = [await started(house, who) for who in ("eve", "bob")]
            for number in numbers:
                for n in range(3):
                    await reply(house, number, str(n), f"{number}-{n}")
        provider.script.extend(faults)
        for crash in crashes:
            async with opened(folder, clock, provider) as house:
                await house.desk.worker.outbox.step()
                if not crash:  # a process that lives on, apart from what hangs
                    await asyncio.wait({asyncio.ensure_future(house.desk.worker.outbox.settle())}, timeout=0.01)
            await clock.advance(200)
        provider.script.clear()
        for _ in range(6):
            async with opened(folder, clock, provider) as house:
                await house.send()
                await clock.advance(4000)
                unsettled = await house.rows("SELECT id FROM calls WHERE head IS NOT NULL")
        assert unsettled == []
        if resend is not Resend.SAFE:
            assert len(set(provider.taken)) == len(provider.taken)
        for number in numbers:
            own = [key for key in dict.fromkeys(provider.taken) if key.startswith(f"{number}-")]
            assert own == sorted(own)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder)))
