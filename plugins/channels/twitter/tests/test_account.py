"""Set-up, check and files: what an account asks of X for itself."""

from typing import Any

import pytest
from attrs import evolve

from channelry.errors import AuthError, PermanentError
from channelry.model import Kind, Media, Request
from channelry.secrets import Secret
from channelry.services import Services
from channelry_twitter.account import EVENTS
from channelry_twitter.connection import MEDIA_ORIGIN
from channelry_twitter.plugin import Twitter
from channelry_twitter.simulator import TwitterSimulator

pytestmark = pytest.mark.anyio


async def test_set_up_answers_the_challenge_and_subscribes_to_what_customers_do(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    challenged: list[bytes] = []

    async def post(request: Request) -> int:
        twitter.verify(request)
        challenged.append(twitter.parse(request).answer.body)
        return 200

    simulator.post = post
    await twitter.setup(desk.public_url, desk)
    assert [one["url"] for one in simulator.callbacks] == [desk.public_url]
    assert {one["event_type"] for one in simulator.subscriptions} == set(EVENTS)
    assert {"dm.received", "post.mention.create", "post.reply.create", "post.quote.create"} <= set(EVENTS)
    assert {one["filter"]["user_id"] for one in simulator.subscriptions} == {"111"}
    assert len(challenged) == 1
    await twitter.check(desk)


async def test_a_second_set_up_mends_what_is_broken_and_doubles_nothing(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    await twitter.setup(desk.public_url, desk)
    simulator.callbacks[0]["valid"] = False
    simulator.subscriptions.pop()
    with pytest.raises(PermanentError, match="holds the webhook for broken"):
        await twitter.check(desk)
    await twitter.setup(desk.public_url, desk)
    assert (len(simulator.callbacks), len(simulator.subscriptions)) == (1, len(EVENTS))
    await twitter.check(desk)


async def test_subscriptions_follow_the_webhook_to_another_url(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    await twitter.setup("https://earlier.example.com/", desk)
    simulator.callbacks.append({"id": "w2", "url": desk.public_url, "valid": True})
    with pytest.raises(PermanentError, match=r"not subscribed to chat\.received, .* post\.reply\.create"):
        await twitter.check(desk)
    await twitter.setup(desk.public_url, desk)
    assert [one["webhook_id"] for one in simulator.subscriptions] == ["w2"] * len(EVENTS)
    await twitter.check(desk)


async def test_a_webhook_that_fails_the_challenge_is_not_registered(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    async def post(request: Request) -> int:
        return 401

    simulator.post = post
    with pytest.raises(PermanentError, match="CrcValidationFailed"):
        await twitter.setup(desk.public_url, desk)
    assert simulator.callbacks == []


async def test_check_names_what_is_missing_and_changes_nothing(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError, match="is not registered"):
        await twitter.check(desk)
    await twitter.setup("https://elsewhere.example.com/", desk)
    with pytest.raises(PermanentError, match="is not registered"):
        await twitter.check(desk)
    await twitter.setup(desk.public_url, desk)
    simulator.subscriptions[:] = [one for one in simulator.subscriptions if one["event_type"] != "dm.received"]
    before = len(simulator.ledger.entries)
    with pytest.raises(PermanentError, match=r"not subscribed to dm\.received"):
        await twitter.check(desk)
    assert {entry.method for entry in simulator.ledger.entries[before:]} == {"GET"}


async def test_the_credentials_of_another_account_are_named(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    with pytest.raises(AuthError, match="those of account 111, not of 112"):
        await Twitter(evolve(twitter.config, user_id="112")).check(desk)


async def test_without_the_apps_own_token_nothing_is_registered(twitter: Twitter, desk: Services) -> None:
    with pytest.raises(AuthError, match="bearer_token"):
        await Twitter(evolve(twitter.config, bearer_token=None)).setup(desk.public_url, desk)
    with pytest.raises(AuthError):
        await Twitter(evolve(twitter.config, bearer_token=Secret("wrong"))).setup(desk.public_url, desk)


async def test_a_file_is_fetched_and_what_became_known_is_told(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    pieces: list[bytes] = []

    async def save(piece: bytes) -> None:
        pieces.append(piece)

    url = MEDIA_ORIGIN + simulator.hold(b"\xff\xd8 photo", "image/jpeg", private=True)
    fetched = await twitter.fetch(Media(kind=Kind.IMAGE, id="77", url=url), save, desk)
    assert b"".join(pieces) == b"\xff\xd8 photo"
    assert fetched == Media(kind=Kind.IMAGE, id="77", url=url, media_type="image/jpeg", size=8)


async def save_nothing(piece: bytes) -> None:
    raise AssertionError


@pytest.mark.parametrize("what", ["", "gone", "huge"])
async def test_a_file_that_is_gone_or_too_large_is_gone_for_good(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services, what: str
) -> None:
    path = simulator.hold(bytes(15_000_001), "image/png") if what == "huge" else f"/public/{what}"
    with pytest.raises(PermanentError):
        await twitter.fetch(Media(kind=Kind.IMAGE, url=what and f"{MEDIA_ORIGIN}{path}"), save_nothing, desk)


async def test_the_account_s_right_is_shown_to_x_only(twitter: Twitter, desk: Services) -> None:
    shown: list[dict[str, str]] = []

    class Noting:
        async def download(self, url: str, save: Any, *, headers: dict[str, str], limit: int) -> Any:
            shown.append(headers)
            raise PermanentError("not here")

    http: Any = Noting()
    for url in (f"{MEDIA_ORIGIN}/a", "https://ton.twitter.com.evil.example/a", "https://pbs.twimg.com/a"):
        with pytest.raises(PermanentError):
            await twitter.fetch(Media(kind=Kind.IMAGE, url=url), save_nothing, evolve(desk, http=http))
    assert ["authorization" in one for one in shown] == [True, False, False]
