"""Policies: the narrower one goes before the wider."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelry.errors import PermanentError
from channelry_desk.errors import IncompleteError, NotFoundError
from channelry_desk.grants import SYSTEM
from channelry_desk.moments import HOUR, MINUTE
from channelry_desk.policies import Policy, Terms, terms

from .conftest import House

HERE, QUEUE = "post", 3
SCOPES = ((HERE, QUEUE), (HERE, 0), ("", QUEUE), ("", 0))
"""The narrowest first."""


@given(said=st.lists(st.none() | st.integers(1, 60), min_size=4, max_size=4), order=st.permutations(range(4)))
def test_the_narrowest_that_says_something_holds(said: list[int | None], order: list[int]) -> None:
    given_ = [
        Policy(connection=SCOPES[n][0], queue=SCOPES[n][1], open_for=_minutes(said[n]), wrap_up=_minutes(said[n]))
        for n in order
    ]
    first = next((value for value in said if value is not None), None)
    held = terms(given_, 24 * HOUR)
    assert held.open_for == (24 * HOUR if first is None else first * MINUTE)
    assert held.wrap_up == (0 if first is None else first * MINUTE)


def _minutes(number: int | None) -> int | None:
    return None if number is None else number * MINUTE


def test_without_policies_the_configuration_holds() -> None:
    assert terms([], 24 * HOUR) == Terms(open_for=24 * HOUR, wrap_up=0, route_to=None)


def test_a_narrow_policy_takes_away_what_a_wide_one_gives() -> None:
    given_ = [Policy(wrap_up=5 * MINUTE, route_to=3), Policy(connection=HERE, wrap_up=0, route_to=0)]
    assert terms(given_, 1) == Terms(open_for=1, wrap_up=0, route_to=None)


@pytest.mark.row("D26")
@pytest.mark.parametrize("wrap_up", [MINUTE - 1, 60 * MINUTE + 1, -1])
def test_a_wrap_up_lasts_one_to_sixty_minutes(wrap_up: int) -> None:
    with pytest.raises(IncompleteError, match="1 to 60 minutes"):
        Policy(wrap_up=wrap_up)
    assert Policy(wrap_up=60 * MINUTE).wrap_up == 60 * MINUTE


def test_nothing_stays_open_for_no_time() -> None:
    with pytest.raises(IncompleteError):
        Policy(open_for=0)


@pytest.mark.anyio
async def test_a_policy_is_of_what_there_is_and_is_set_again(house: House) -> None:
    catalogue = house.desk.service.catalogue
    with pytest.raises(PermanentError, match="no connection"):
        await catalogue.set_policy(by=SYSTEM, policy=Policy(connection="nowhere"))
    for policy in (Policy(queue=9), Policy(route_to=9)):
        with pytest.raises(NotFoundError, match="no queue 9"):
            await catalogue.set_policy(by=SYSTEM, policy=policy)
    for minutes in (5, 10):
        await catalogue.set_policy(by=SYSTEM, policy=Policy(connection="post", wrap_up=minutes * MINUTE))
    assert await catalogue.policies(by=SYSTEM) == [Policy(connection="post", wrap_up=10 * MINUTE, version=2)]


@pytest.mark.anyio
async def test_a_queue_has_its_own_patience(house: House) -> None:
    service = house.desk.service
    slow = await service.catalogue.create_queue(by=SYSTEM, name="slow")
    await service.catalogue.set_policy(by=SYSTEM, policy=Policy(queue=slow.id, open_for=48 * HOUR))
    number = await house.written("eve")
    opened = await house.read(number)
    await house.clock.advance(3600)
    routed = await service.conversations.route(by=SYSTEM, conversation=number, queue=slow.id)
    assert (routed.expires_at - opened.expires_at).total_seconds() == 24 * 3600
    await house.written("eve", "two")
    assert ((await house.read(number)).expires_at - house.clock.now()).total_seconds() == 48 * 3600
