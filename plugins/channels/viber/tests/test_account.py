"""The bot's own affairs against the simulated Viber: registration, credentials, files, configuration."""

from typing import Any

import pytest

from channelry.errors import AuthError, PermanentError
from channelry.model import Kind, Media, Request
from channelry.secrets import Secret
from channelry.services import Services
from channelry_testing import AsgiHttp, services
from channelry_viber.account import EVENTS
from channelry_viber.connection import ORIGIN
from channelry_viber.plugin import Viber
from channelry_viber.simulator import ViberSimulator

from .conftest import URL

pytestmark = pytest.mark.anyio


async def test_setup_registers_the_webhook_and_check_finds_it(
    viber: Viber, simulator: ViberSimulator, desk: Services
) -> None:
    """Viber calls the new webhook back at once, and takes it only once that was answered."""
    called: list[tuple[str, ...]] = []

    async def post(webhook: Request) -> int:
        viber.verify(webhook)
        called.append(viber.parse(webhook).ignored)
        return 200

    simulator.post = post
    with pytest.raises(PermanentError, match="there is none"):
        await viber.check(desk)
    await viber.setup(URL, desk)
    assert called == [("event webhook",)]
    assert (simulator.webhook["url"], simulator.webhook["event_types"]) == (URL, list(EVENTS))
    await viber.check(desk)
    assert not simulator.ledger.taken


async def test_a_webhook_that_does_not_answer_is_not_taken(
    viber: Viber, simulator: ViberSimulator, desk: Services
) -> None:
    async def post(webhook: Request) -> int:
        return 401

    simulator.post = post
    with pytest.raises(PermanentError) as raised:
        await viber.setup(URL, desk)
    assert raised.value.code == "1"
    assert not simulator.webhook


@pytest.mark.parametrize(
    ("webhook", "told"),
    [
        ({"url": "https://else.example.com", "event_types": list(EVENTS)}, "it is https://else.example.com"),
        ({"url": URL, "event_types": ["delivered", "seen"]}, "brings no conversation_started, failed"),
        ({"url": URL}, "brings no"),
    ],
)
async def test_check_tells_what_is_wrong_with_the_webhook(
    viber: Viber, simulator: ViberSimulator, desk: Services, webhook: dict[str, Any], told: str
) -> None:
    simulator.webhook = webhook
    with pytest.raises(PermanentError, match=told):
        await viber.check(desk)


@pytest.mark.parametrize(("tokens", "code"), [((), "token"), ((Secret("another-auth-token"),), "2")])
async def test_check_tells_a_bad_token(desk: Services, tokens: tuple[Secret, ...], code: str) -> None:
    with pytest.raises(AuthError) as raised:
        await Viber(Viber.Config(auth_token=tokens, sender_name="Care")).check(desk)
    assert raised.value.code == code


async def test_a_customers_file_is_downloaded_from_its_link(
    viber: Viber, simulator: ViberSimulator, desk: Services
) -> None:
    path = simulator.hold("p.jpg", b"a picture")
    saved: list[bytes] = []

    async def save(piece: bytes) -> None:
        saved.append(piece)

    media = await viber.fetch(Media(kind=Kind.IMAGE, url=f"{ORIGIN}{path}"), save, desk)
    assert b"".join(saved) == b"a picture"
    assert (media.media_type, media.size) == ("image/jpeg", 9)


@pytest.mark.parametrize("url", [f"{ORIGIN}/files/gone.jpg", ""])
async def test_a_file_that_is_gone_is_a_permanent_error(viber: Viber, desk: Services, url: str) -> None:
    async def save(piece: bytes) -> None:
        raise AssertionError(piece)

    with pytest.raises(PermanentError):
        await viber.fetch(Media(kind=Kind.IMAGE, url=url), save, desk)


async def test_another_server_of_the_api_can_be_configured(simulator: ViberSimulator) -> None:
    config = Viber.Config(auth_token=(Secret(simulator.auth_token),), sender_name="Care", base_url="http://viber.test/")
    simulator.webhook = {"url": URL, "event_types": list(EVENTS)}
    await Viber(config).check(services(http=AsgiHttp({"http://viber.test": simulator.app}), public_url=URL))


@pytest.mark.parametrize("wrong", [{"sender_name": ""}, {"sender_name": "x" * 29}, {"welcome": "x" * 7001}])
def test_a_configuration_over_vibers_limits_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Viber.Config(**{"auth_token": (Secret("t"),), "sender_name": "Care", **wrong})


@pytest.mark.row("F10")
def test_no_secret_shows() -> None:
    canary = "canary-7f3a"
    viber = Viber(Viber.Config(auth_token=(Secret(canary),), sender_name="Care"))
    assert canary not in repr(viber)
