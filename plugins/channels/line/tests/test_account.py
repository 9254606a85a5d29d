"""The channel's own affairs against the simulated LINE: registration, credentials, quota, names, files."""

from typing import Any

import pytest
from attrs import evolve

from channelry.errors import AuthError, PermanentError, RetryableError
from channelry.model import Address, Kind, Media, Profile, Request
from channelry.secrets import Secret
from channelry.services import Services
from channelry_line.plugin import Line
from channelry_line.simulator import LineSimulator
from channelry_testing import AsgiHttp

from .conftest import URL

pytestmark = pytest.mark.anyio


async def nothing(piece: bytes) -> None:
    raise AssertionError(piece)


async def test_setup_registers_the_webhook_and_check_finds_it(
    line: Line, simulator: LineSimulator, desk: Services
) -> None:
    """LINE tries the address at once, with a signed webhook that has no events."""
    tried: list[tuple[Any, ...]] = []

    async def post(webhook: Request) -> int:
        line.verify(webhook)
        tried.append(line.parse(webhook).events)
        return 200

    simulator.post = post
    with pytest.raises(PermanentError, match="there is none"):
        await line.check(desk)
    await line.setup(URL, desk)
    assert (simulator.endpoint, tried) == (URL, [()])
    await line.check(desk)
    assert not simulator.ledger.taken


async def test_setup_tells_that_line_does_not_get_through(line: Line, simulator: LineSimulator, desk: Services) -> None:
    async def post(webhook: Request) -> int:
        return 401

    simulator.post = post
    with pytest.raises(PermanentError, match="ERROR_STATUS_CODE 401"):
        await line.setup(URL, desk)


async def test_check_tells_what_is_wrong(line: Line, simulator: LineSimulator, desk: Services) -> None:
    simulator.endpoint = "https://else.example.com"
    with pytest.raises(PermanentError, match="it is https://else"):
        await line.check(desk)
    simulator.endpoint, simulator.active = URL, False
    with pytest.raises(PermanentError, match="Use webhook"):
        await line.check(desk)
    simulator.active, simulator.quota, simulator.pushed = True, 200, 199
    await line.check(desk)
    simulator.pushed = 200
    with pytest.raises(PermanentError, match="all 200 messages"):
        await line.check(desk)


async def test_check_tells_a_token_of_another_account(simulator: LineSimulator, desk: Services) -> None:
    token = Secret(simulator.channel_access_token)
    config = Line.Config(channel_secret=(Secret("s"),), channel_access_token=token, bot_user_id="Uelse")
    with pytest.raises(PermanentError, match="bot_user_id is Uelse"):
        await Line(config).check(desk)
    with pytest.raises(AuthError):
        await Line(evolve(config, channel_access_token=Secret("another"))).check(desk)


async def test_a_person_and_a_group_have_a_name(line: Line, desk: Services) -> None:
    person, group = Address("line", "Udi"), Address("line", "C1")
    assert await line.profile(person, desk) == Profile(
        address=person, name="Customer Udi", picture="https://profile.example/Udi", locale="en"
    )
    assert await line.profile(group, desk) == Profile(address=group, name="A group")


@pytest.mark.parametrize("value", ["Ublocked", "R1"])
async def test_who_is_no_friend_has_none(line: Line, simulator: LineSimulator, desk: Services, value: str) -> None:
    simulator.blocked.add("Ublocked")
    assert await line.profile(Address("line", value), desk) is None


async def test_a_person_cannot_lead_to_another_path(line: Line, simulator: LineSimulator, desk: Services) -> None:
    await line.profile(Address("line", "U/../../info?x"), desk)
    assert all("/profile/" in entry.path for entry in simulator.ledger.entries)


@pytest.mark.parametrize(("kind", "requests"), [(Kind.IMAGE, 1), (Kind.DOCUMENT, 1), (Kind.VIDEO, 2), (Kind.AUDIO, 2)])
async def test_a_customers_file_is_downloaded_with_the_token(
    line: Line, simulator: LineSimulator, desk: Services, kind: Kind, requests: int
) -> None:
    """Of audio and video it is asked first whether they are ready."""
    saved: list[bytes] = []

    async def save(piece: bytes) -> None:
        saved.append(piece)

    media = await line.fetch(Media(kind=kind, id=simulator.hold(b"a file", "x/y")), save, desk)
    assert b"".join(saved) == b"a file"
    assert (media.media_type, media.size) == ("x/y", 6)
    assert [entry.status for entry in simulator.ledger.entries] == [200] * requests


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.DOCUMENT])
async def test_a_picture_that_is_not_ready_is_no_picture_that_is_gone(
    line: Line, simulator: LineSimulator, desk: Services, kind: Kind
) -> None:
    media = Media(kind=kind, id=simulator.hold(b"a file", "image/png", "processing"))
    with pytest.raises(RetryableError, match="ready") as raised:
        await line.fetch(media, nothing, desk)
    assert raised.value.retry_after == 5


@pytest.mark.parametrize(("ready", "error"), [("processing", RetryableError), ("failed", PermanentError)])
async def test_a_file_that_is_not_ready_is_asked_for_later(
    line: Line, simulator: LineSimulator, desk: Services, ready: str, error: type[Exception]
) -> None:
    media = Media(kind=Kind.VIDEO, id=simulator.hold(b"a file", "video/mp4", ready))
    with pytest.raises(error, match="ready"):
        await line.fetch(media, nothing, desk)


@pytest.mark.parametrize(
    "media", [Media(kind=Kind.IMAGE, id="gone"), Media(kind=Kind.VIDEO, id="gone"), Media(kind=Kind.IMAGE)]
)
async def test_a_file_that_is_gone_is_a_permanent_error(line: Line, desk: Services, media: Media) -> None:
    with pytest.raises(PermanentError):
        await line.fetch(media, nothing, desk)


async def test_a_file_of_somebody_elses_server_is_fetched_without_the_token(line: Line, desk: Services) -> None:
    shown: list[list[bytes]] = []

    async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
        shown.append([name for name, _ in scope["headers"]])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a picture"})

    async def save(piece: bytes) -> None:
        assert piece == b"a picture"

    given = evolve(desk, http=AsgiHttp({"https://cdn.example": elsewhere}))
    media = await line.fetch(Media(kind=Kind.IMAGE, id="2", url="https://cdn.example/1.jpg"), save, given)
    assert media.size == 9
    assert b"authorization" not in shown[0]


def test_it_may_call_the_server_of_files_too(line: Line) -> None:
    assert line.origins == ("https://api-data.line.me",)


@pytest.mark.row("F10")
def test_no_secret_shows() -> None:
    canary = "canary-7f3a"
    line = Line(Line.Config(channel_secret=(Secret(canary),), channel_access_token=Secret(canary)))
    assert canary not in repr(line)
