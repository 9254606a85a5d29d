"""The Page at Meta: names, files, registration, credentials, against the simulated Messenger."""

import pytest
from attrs import evolve

from channelry.errors import AuthError, PermanentError
from channelry.model import Address, Kind, Media, Profile, Request
from channelry.secrets import Secret
from channelry.services import Services
from channelry_messenger.capabilities import FIELDS
from channelry_messenger.plugin import Messenger
from channelry_messenger.simulator import MessengerSimulator

from .conftest import ORIGIN, plugin_of

pytestmark = pytest.mark.anyio

CALLBACK = "https://care.example.com/hooks/messenger"


async def test_a_customers_name_and_picture_are_looked_up(messenger: Messenger, desk: Services) -> None:
    address = Address("messenger", "PSID1", "55")
    assert await messenger.profile(address, desk) == Profile(
        address=address,
        name="Customer PSID1",
        first_name="Customer",
        last_name="PSID1",
        picture="https://cdn.example/PSID1.jpg",
    )


async def test_where_people_may_not_be_looked_up_the_conversation_names_them(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    simulator.profiles = False
    address = Address("messenger", "PSID1", "55")
    assert await messenger.profile(address, desk) == Profile(address=address, name="Customer PSID1")
    simulator.profiles = True
    simulator.people["PSID1"] = {"first_name": "", "last_name": "", "profile_pic": "https://cdn.example/1.jpg"}
    nameless = await messenger.profile(address, desk)
    assert nameless == Profile(address=address, picture="https://cdn.example/1.jpg")


async def test_who_is_known_by_a_reference_is_not_looked_up(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    assert await messenger.profile(Address("messenger_ref", "UR1", "55"), desk) is None
    assert not simulator.ledger.entries


async def test_who_cannot_be_looked_up_has_no_profile_and_with_a_token_that_ended_is_asked_for_again(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    assert await messenger.profile(Address("messenger", "nobody", "55"), desk) is None
    simulator.access_token = "replaced"
    with pytest.raises(AuthError):
        await messenger.profile(Address("messenger", "PSID1", "55"), desk)


async def test_a_customers_file_is_downloaded_by_its_link(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    url = f"{ORIGIN}/files/{simulator.hold(b'a picture', 'image/jpeg')}"
    saved: list[bytes] = []

    async def save(piece: bytes) -> None:
        saved.append(piece)

    media = await messenger.fetch(Media(kind=Kind.IMAGE, url=url), save, desk)
    assert (b"".join(saved), media.media_type, media.size) == (b"a picture", "image/jpeg", 9)
    for gone in (f"{ORIGIN}/files/gone", ""):
        with pytest.raises(PermanentError):
            await messenger.fetch(Media(kind=Kind.IMAGE, url=gone), save, desk)


async def test_setup_registers_the_callback_and_check_finds_it(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    """Meta calls the new callback back at once; fields that another channel wants stay."""
    answers: list[bytes] = []

    async def post(webhook: Request) -> int:
        messenger.verify(webhook)
        answers.append(messenger.parse(webhook).answer.body)
        return 200

    simulator.post, simulator.fields = post, "feed"
    with pytest.raises(PermanentError, match="is not told of") as raised:
        await messenger.check(desk)
    assert raised.value.code == "not_subscribed"
    await messenger.setup(CALLBACK, desk)
    assert (simulator.callback, answers) == (CALLBACK, [b"1158201444"])
    assert set(simulator.fields.split(",")) == {"feed", *FIELDS}
    await messenger.check(desk)
    await messenger.setup(CALLBACK, desk)
    assert not simulator.ledger.taken


async def test_a_callback_that_does_not_answer_is_not_taken(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    async def post(webhook: Request) -> int:
        return 401

    simulator.post = post
    with pytest.raises(PermanentError) as raised:
        await messenger.setup(CALLBACK, desk)
    assert (raised.value.code, simulator.callback) == ("2200", "")


async def test_check_tells_a_bad_token_and_an_unknown_page(simulator: MessengerSimulator, desk: Services) -> None:
    config = plugin_of(simulator).config
    with pytest.raises(AuthError) as raised:
        await Messenger(evolve(config, access_token=Secret("another-token"))).check(desk)
    assert raised.value.code == "190"
    with pytest.raises(PermanentError):
        await Messenger(evolve(config, page_id="56")).check(desk)


def test_no_secret_shows(simulator: MessengerSimulator) -> None:
    config = plugin_of(simulator).config
    canary = Secret("canary-7f3a")
    shown = Messenger(evolve(config, access_token=canary, app_secret=(canary,), verify_token=canary))
    assert "canary" not in repr(shown)
    assert "canary" not in repr(shown.config.app())
