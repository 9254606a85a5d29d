"""The right to act: signatures by RFC 5849, and tokens that rotate without ever being used twice."""

import traceback

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve

from channelry.errors import AuthError
from channelry.model import Address, SendMessage, Target
from channelry.secrets import Secret, redact
from channelry.services import Services
from channelry_twitter.plugin import Twitter
from channelry_twitter.simulator import TwitterSimulator

pytestmark = pytest.mark.anyio

EVE = Target(to=Address("x", "222"))


async def say(twitter: Twitter, desk: Services, text: str = "hi") -> None:
    for call in twitter.compose(SendMessage(key="k", target=EVE, text=text)):
        await twitter.send(call, desk)


def asked_for_tokens(simulator: TwitterSimulator) -> int:
    return sum(entry.path == "/2/oauth2/token" for entry in simulator.ledger.entries)


async def test_requests_with_a_query_are_signed_too(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    found = await twitter.profile(Address("x", "222"), desk)
    assert found is not None
    assert (found.name, found.address.display) == ("Customer 222", "@user222")


async def test_wrong_keys_are_an_error_of_the_credentials(twitter: Twitter, desk: Services) -> None:
    for wrong in ("access_token", "access_token_secret"):
        other = Twitter(evolve(twitter.config, **{wrong: Secret("CANARY-0123")}))
        with pytest.raises(AuthError) as raised:
            await say(other, desk)
        assert "CANARY" not in "".join(traceback.format_exception(raised.value)) + repr(other)


async def test_an_account_without_any_right_sends_nothing(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    with pytest.raises(AuthError, match="refresh_token"):
        await say(Twitter(evolve(twitter.config, access_token=None)), desk)
    assert simulator.ledger.entries == []


async def test_an_access_token_is_asked_for_once_and_kept(
    rotating: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    await say(rotating, desk)
    again = Twitter(rotating.config)  # after a restart: the configured refresh token is spent
    await say(again, desk)
    assert (asked_for_tokens(simulator), len(simulator.ledger.taken)) == (1, 2)


async def test_a_token_that_x_refuses_early_is_replaced_once(
    rotating: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    await say(rotating, desk)
    simulator.access.clear()
    await say(rotating, desk)
    assert (asked_for_tokens(simulator), len(simulator.ledger.taken)) == (2, 2)


async def test_a_hundred_calls_at_once_ask_for_one_token(
    rotating: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(say, rotating, desk, f"number {number}")
    assert (asked_for_tokens(simulator), len(simulator.ledger.taken)) == (1, 100)
    simulator.access.clear()  # and so do those whose token X refuses
    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(say, rotating, desk, f"number {number}")
    assert (asked_for_tokens(simulator), len(simulator.ledger.taken)) == (2, 200)


async def test_a_spent_refresh_token_asks_for_a_person_and_a_new_one_begins_anew(
    rotating: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    await say(rotating, desk)
    simulator.refresh_token = "given by the console"
    simulator.access.clear()
    with pytest.raises(AuthError, match="authorize the app again"):
        await say(rotating, desk)
    renewed = Twitter(evolve(rotating.config, refresh_token=Secret("given by the console")))
    await say(renewed, desk)
    assert len(simulator.ledger.taken) == 2


@pytest.mark.row("F10")
async def test_tokens_are_masked_in_every_text(rotating: Twitter, simulator: TwitterSimulator, desk: Services) -> None:
    await say(rotating, desk)
    (access,) = simulator.access
    assert redact(f"{access} and {simulator.refresh_token}") == "*** and ***"
