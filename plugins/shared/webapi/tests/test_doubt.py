"""What became of a message whose answer was lost."""

from datetime import timedelta
from typing import Any

import pytest

from channelry.errors import AmbiguousError, PermanentError, RetryableError
from channelry.model import Accepted, Address, Call, NotTaken, Receipt, Unknown
from channelry.services import Services
from channelry_testing import FakeClock, services
from channelry_webapi.doubt import Listed, conclude, noted, settle

pytestmark = pytest.mark.anyio
CALL = Call(key="k:0", to=Address("acme", "1"), action="send", body={"text": "hello"})
MOST = 3


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ours(clock: FakeClock) -> Services:
    return services(clock=clock)


async def lose(ours: Services) -> None:
    with pytest.raises(AmbiguousError):
        async with noted(CALL, ours):
            raise AmbiguousError("lost")


async def settled(ours: Services, rows: Any, text: str | None = "hello") -> object:
    async def listed() -> Any:
        return rows

    return await settle(CALL, text, listed, lambda row: row, MOST, ours)


async def test_nothing_is_noted_of_what_was_answered(ours: Services) -> None:
    async with noted(CALL, ours):
        pass
    with pytest.raises(PermanentError):
        async with noted(CALL, ours):
            raise PermanentError("no")
    assert isinstance(await settled(ours, []), Unknown)


@pytest.mark.parametrize(
    ("rows", "text", "kind"),
    [
        ([("hello", 0, True)], "hello", Accepted),
        ([("hello", 59, True), ("bye", 1, True)], "hello", Accepted),
        ([("hello", 0, True), ("hello", 1, True)], "hello", Unknown),
        ([("hello!", 0, True)], "hello", Unknown),
        ([("hello", 0, True)], None, Unknown),
        ([("hello", 0, False)], "hello", NotTaken),
        ([("hello", 61, True), ("hello", -61, True)], "hello", NotTaken),
        ([("x", 90, True)] * MOST, "hello", Unknown),
        ([("x", 90, True)] * (MOST - 1) + [("x", -90, False)], "hello", NotTaken),
        ([], "hello", NotTaken),
    ],
)
async def test_what_is_listed_decides(
    ours: Services, clock: FakeClock, rows: list[tuple[str, int, bool]], text: str | None, kind: type[object]
) -> None:
    """Rows: the text, how many seconds after the call it was made, and whether it can be ours."""
    sent = clock.now()
    await lose(ours)
    await clock.advance(120)
    found = [Listed(str(n), said, sent + timedelta(seconds=after), mine) for n, (said, after, mine) in enumerate(rows)]
    result = await settled(ours, found, text)
    assert isinstance(result, kind)
    if isinstance(result, Accepted):
        assert result == Accepted(Receipt(("0",)))
    # once it is settled its note is gone
    again = await settled(ours, found, text)
    assert isinstance(again, Unknown)
    assert (again == result) is isinstance(result, Unknown)


async def test_what_is_not_listed_yet_may_be_soon(ours: Services, clock: FakeClock) -> None:
    await lose(ours)
    await clock.advance(60)
    assert isinstance(await settled(ours, []), Unknown)
    await clock.advance(1)
    assert isinstance(await settled(ours, []), NotTaken)


@pytest.mark.parametrize("noted_", [True, False])
async def test_what_was_not_found_by_our_key_was_not_taken_a_while_later(
    ours: Services, clock: FakeClock, noted_: bool
) -> None:
    """A process that ended before it could note the moment leaves it to the first search."""
    if noted_:
        await lose(ours)
    assert isinstance(await conclude(CALL, NotTaken(), ours), Unknown)
    await clock.advance(60)
    assert isinstance(await conclude(CALL, NotTaken(), ours), Unknown)
    await clock.advance(1)
    assert await conclude(CALL, NotTaken(), ours) == NotTaken()
    assert isinstance(await conclude(CALL, NotTaken(), ours), Unknown)  # the next attempt has a time of its own


async def test_what_was_found_needs_no_note(ours: Services, clock: FakeClock) -> None:
    found, doubtful = Accepted(Receipt(("1",))), Unknown("it may be further back")
    await lose(ours)
    await clock.advance(61)
    assert await conclude(CALL, doubtful, ours) == doubtful
    assert await conclude(CALL, found, ours) == found
    assert await conclude(CALL, found, ours) == found
    assert isinstance(await conclude(CALL, NotTaken(), ours), Unknown)


async def test_a_repeated_attempt_counts_from_its_own_time(ours: Services, clock: FakeClock) -> None:
    earlier = Listed("1", "hello", clock.now())
    await lose(ours)
    await clock.advance(3600)
    await lose(ours)
    await clock.advance(120)
    assert isinstance(await settled(ours, [earlier]), NotTaken)


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, AttributeError])
async def test_a_row_that_cannot_be_read_is_asked_for_again(ours: Services, error: type[Exception]) -> None:
    await lose(ours)

    async def listed() -> list[int]:
        return [1]

    def read(row: Any) -> Listed:
        raise error

    with pytest.raises(RetryableError):
        await settle(CALL, "hello", listed, read, MOST, ours)


@pytest.mark.parametrize("rows", [None, {}, "", (), 0])
async def test_what_is_no_array_says_nothing_of_what_was_taken(ours: Services, clock: FakeClock, rows: Any) -> None:
    await lose(ours)
    await clock.advance(3600)
    with pytest.raises(RetryableError):
        await settled(ours, rows)


async def test_neither_is_a_time_without_its_zone_compared(ours: Services, clock: FakeClock) -> None:
    await lose(ours)
    with pytest.raises(RetryableError):
        await settled(ours, [Listed("1", "hello", clock.now().replace(tzinfo=None))])
