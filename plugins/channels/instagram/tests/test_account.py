"""The account at Meta: names, mentions, registration, and a token that is renewed, against the simulated Instagram."""

from typing import Any

import orjson
import pytest
from attrs import asdict, evolve

from channelry.errors import AuthError, PermanentError, RetryableError
from channelry.model import (
    Address,
    Announced,
    Kind,
    Media,
    MessageReceived,
    Profile,
    SendMessage,
    Surface,
    Target,
    Thread,
    Unsupported,
)
from channelry.secrets import Secret
from channelry.services import Services
from channelry_instagram.capabilities import FIELDS
from channelry_instagram.plugin import Instagram
from channelry_instagram.simulator import InstagramSimulator
from channelry_testing import AsgiHttp, FakeClock, services

from .conftest import ORIGIN, plugin_of

pytestmark = pytest.mark.anyio

CY = Target(to=Address("instagram", "IGSID2", "1784"))
DAY = 86400.0


async def say(instagram: Instagram, desk: Services) -> None:
    (call,) = instagram.compose(SendMessage(key="k", target=CY, text="hi"))
    await instagram.send(call, desk)


def announced(instagram: Instagram, simulator: InstagramSimulator, **more: Any) -> Announced:
    (event,) = instagram.parse(simulator.mention("IGSID7", "@shop is fine", **more)).events
    assert isinstance(event, Announced)
    return event


async def test_a_customers_name_and_picture_are_looked_up(instagram: Instagram, desk: Services) -> None:
    address = Address("instagram", "IGSID2", "1784")
    found = await instagram.profile(address, desk)
    assert found == Profile(address=address, name="Customer IGSID2", picture="https://cdn.example/IGSID2.jpg")
    assert found.address.display == "@user_IGSID2"


@pytest.mark.parametrize("scheme", ["instagram", "instagram_username"])
async def test_who_only_commented_has_no_profile(scheme: str, instagram: Instagram, desk: Services) -> None:
    assert await instagram.profile(Address(scheme, "IGSID9", "1784"), desk) is None


@pytest.mark.row("A3")
@pytest.mark.parametrize("caption", [False, True])
async def test_a_mention_is_read_where_it_was_written(
    caption: bool, instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    event = announced(instagram, simulator, caption=caption)
    (message,) = await instagram.expand(event, desk)
    assert isinstance(message, MessageReceived)
    assert (message.text, message.surface, message.sender.name) == ("@shop is fine", Surface.MENTION, "user_IGSID7")
    assert message.sender.address == Address("instagram_username", "user_IGSID7")
    media = event.ids["media"]
    assert message.thread == Thread(
        root=media,
        parent="" if caption else media,
        depth=0 if caption else 1,
        permalink=f"https://www.instagram.com/p/{media}/",
        private=False,
    )
    assert message.external_id == event.ids.get("comment", media)
    assert [message] == list(await instagram.expand(event, desk))


async def test_a_mention_that_cannot_be_read_is_kept_as_it_was_told(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    event = announced(instagram, simulator)
    simulator.comments.clear()
    (message,) = await instagram.expand(event, desk)
    assert isinstance(message, MessageReceived)
    (part,) = message.parts
    assert isinstance(part, Unsupported)
    assert orjson.loads(part.raw) == event.ids
    with pytest.raises(RetryableError):
        await instagram.expand(event, services())


async def test_a_customers_file_is_downloaded_by_its_link(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    saved: list[bytes] = []

    async def save(piece: bytes) -> None:
        saved.append(piece)

    url = f"{ORIGIN}/files/{simulator.hold(b'a story', 'video/mp4')}"
    media = await instagram.fetch(Media(kind=Kind.DOCUMENT, url=url), save, desk)
    assert (b"".join(saved), media.media_type, media.size) == (b"a story", "video/mp4", 7)


@pytest.mark.parametrize(("page", "fields"), [("", {*FIELDS}), ("55", {"messages"})])
async def test_setup_has_the_account_tell_the_app_and_check_finds_it(
    page: str, fields: set[str], simulator: InstagramSimulator, desk: Services
) -> None:
    """Where webhooks go is set by hand: Meta takes it for this object in the app's dashboard only."""
    simulator.page_id, simulator.fields = page, "feed"
    instagram = plugin_of(simulator)
    with pytest.raises(PermanentError, match="is not told of"):
        await instagram.check(desk)
    await instagram.setup("https://care.example.com/hooks/instagram", desk)
    assert set(simulator.fields.split(",")) == {"feed", *fields}
    await instagram.check(desk)


async def test_check_tells_a_bad_token_and_an_unknown_account(simulator: InstagramSimulator, desk: Services) -> None:
    config = plugin_of(simulator).config
    with pytest.raises(AuthError) as raised:
        await Instagram(evolve(config, access_token=Secret("another-token"))).check(desk)
    assert raised.value.code == "190"
    with pytest.raises(PermanentError):
        await Instagram(evolve(config, ig_id="1785")).check(services(http=desk.http, clock=desk.clock))


def test_each_login_has_its_own_origin(simulator: InstagramSimulator) -> None:
    given = asdict(plugin_of(simulator).config, recurse=False)
    del given["base_url"]
    assert Instagram.Config(**given).base_url == "https://graph.instagram.com"
    assert Instagram.Config(**given | {"page_id": "55"}).base_url == "https://graph.facebook.com"


# The token


async def test_a_token_is_renewed_before_it_expires(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services, clock: FakeClock
) -> None:
    """Half through its life, at the next call; three times as long as the first one lives."""
    first = simulator.access_token
    await instagram.open(desk)
    tokens = {simulator.access_token}
    for _ in range(36):
        await clock.advance(5 * DAY)
        simulator.know("IGSID2")
        await say(instagram, desk)
        tokens.add(simulator.access_token)
    assert first not in tokens
    assert len(tokens) == 7  # every 30 days
    assert len(simulator.ledger.taken) == 36


async def test_a_token_that_is_too_young_serves_until_it_can_be_renewed(
    clock: FakeClock, simulator: InstagramSimulator, desk: Services
) -> None:
    simulator.issued_at = clock.now()
    instagram, first = plugin_of(simulator), simulator.access_token
    for hours in range(25):
        await say(instagram, desk)
        assert (simulator.access_token == first) is (hours < 24)
        await clock.advance(3600)


@pytest.mark.parametrize(
    "answer",
    [
        {"access_token": None, "expires_in": 5184000},
        {"access_token": "", "expires_in": 5184000},
        {"access_token": "renewed"},
        {"access_token": "renewed", "expires_in": None},
        {"access_token": "renewed", "expires_in": 1e300},
    ],
)
async def test_a_renewal_that_is_answered_oddly_leaves_the_token_in_use(
    answer: Any, instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].endswith("/refresh_access_token"):
            await simulator.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps(answer)})

    await say(instagram, evolve(desk, http=AsgiHttp({ORIGIN: app})))
    assert len(simulator.ledger.taken) == 1


async def test_a_token_that_is_configured_anew_goes_before_the_kept_one(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services, clock: FakeClock
) -> None:
    await instagram.open(desk)
    simulator.access_token, simulator.issued_at = "given-by-hand", clock.now()
    with pytest.raises(AuthError):
        await say(instagram, desk)
    config = evolve(instagram.config, access_token=Secret("given-by-hand"))
    await say(Instagram(config), desk)
    assert len(simulator.ledger.taken) == 1


async def test_of_two_processes_that_renew_at_once_the_one_that_succeeded_is_kept(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    class Contended:
        """A memory to which another process, whose renewal was refused, writes between our reading and writing."""

        raced = False

        async def get(self, key: str) -> str | None:
            return await desk.state.get(key)

        async def compare_and_set(self, key: str, old: str | None, new: str | None) -> bool:
            if not self.raced:
                self.raced = True
                await instagram.open(desk)
            return await desk.state.compare_and_set(key, old, new)

    await plugin_of(simulator).open(evolve(desk, state=Contended()))
    await say(instagram, desk)
    assert len(simulator.ledger.taken) == 1


async def test_the_facebook_login_renews_nothing(simulator: InstagramSimulator, desk: Services) -> None:
    simulator.page_id = "55"
    await plugin_of(simulator).open(desk)
    assert not simulator.ledger.entries
