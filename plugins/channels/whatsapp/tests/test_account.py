"""The account at Meta: files, registration, credentials, against the simulated platform."""

from typing import Any

import pytest

from channelry.errors import AuthError, PermanentError, RejectedError
from channelry.model import Kind, Media, Request
from channelry.secrets import Secret
from channelry_testing import AsgiHttp, services
from channelry_whatsapp.plugin import WhatsApp
from channelry_whatsapp.simulator import WhatsAppSimulator

pytestmark = pytest.mark.anyio

ORIGIN = "https://graph.example"
CALLBACK = "https://care.example.com/hooks/whatsapp"


def plugin(**other: Any) -> WhatsApp:
    simulator = WhatsAppSimulator()
    settings = {
        "phone_number_id": simulator.phone_number_id,
        "access_token": Secret(simulator.access_token),
        "app_secret": (Secret(simulator.app_secret),),
        "verify_token": Secret(simulator.verify_token),
        "waba_id": simulator.waba_id,
        "base_url": f"{ORIGIN}/",
    }
    return WhatsApp(WhatsApp.Config(**{**settings, **other}))


async def test_a_customers_file_is_downloaded_with_the_token() -> None:
    simulator = WhatsAppSimulator()
    media_id = simulator.receive_file(b"a picture", "image/jpeg")
    saved: list[bytes] = []

    async def save(piece: bytes) -> None:
        saved.append(piece)

    given = services(http=AsgiHttp({ORIGIN: simulator.app}))
    media = await plugin().fetch(Media(kind=Kind.IMAGE, id=media_id), save, given)
    assert b"".join(saved) == b"a picture"
    assert (media.media_type, media.size) == ("image/jpeg", 9)
    assert [entry.status for entry in simulator.ledger.entries] == [200, 200]


@pytest.mark.parametrize("id", ["gone", ""])
async def test_a_file_that_is_gone_is_a_permanent_error(id: str) -> None:
    async def save(piece: bytes) -> None:
        raise AssertionError(piece)

    given = services(http=AsgiHttp({ORIGIN: WhatsAppSimulator().app}))
    with pytest.raises(PermanentError):
        await plugin().fetch(Media(kind=Kind.IMAGE, id=id), save, given)


async def test_setup_registers_the_callback_and_check_finds_it() -> None:
    """Meta calls the new callback back at once, and takes it only if the verify token is answered."""
    simulator, channel = WhatsAppSimulator(), plugin()
    answers: list[bytes] = []

    async def post(webhook: Request) -> int:
        channel.verify(webhook)
        answers.append(channel.parse(webhook).answer.body)
        return 200

    simulator.post = post
    given = services(http=AsgiHttp({ORIGIN: simulator.app}))
    with pytest.raises(PermanentError, match="no app is subscribed"):
        await channel.check(given)
    await channel.setup(CALLBACK, given)
    assert (simulator.callback, answers) == (CALLBACK, [b"1158201444"])
    await channel.check(given)
    assert not simulator.ledger.taken


async def test_a_callback_that_does_not_answer_is_not_taken() -> None:
    simulator = WhatsAppSimulator()

    async def post(webhook: Request) -> int:
        return 401

    simulator.post = post
    with pytest.raises(PermanentError) as raised:
        await plugin().setup(CALLBACK, services(http=AsgiHttp({ORIGIN: simulator.app})))
    assert raised.value.code == "2200"
    assert simulator.callback == ""


async def test_setup_names_the_setting_that_is_missing() -> None:
    with pytest.raises(PermanentError, match="waba_id"):
        await plugin(waba_id="").setup(CALLBACK, services())


async def test_check_without_a_business_account_asks_for_the_number_only() -> None:
    simulator = WhatsAppSimulator()
    await plugin(waba_id="").check(services(http=AsgiHttp({ORIGIN: simulator.app})))
    assert [entry.path.partition("?")[0] for entry in simulator.ledger.entries] == ["/v26.0/2002"]


async def test_check_tells_a_bad_token_and_an_unknown_number() -> None:
    given = services(http=AsgiHttp({ORIGIN: WhatsAppSimulator().app}))
    with pytest.raises(AuthError) as raised:
        await plugin(access_token=Secret("another-token")).check(given)
    assert raised.value.code == "190"
    with pytest.raises(PermanentError):
        await plugin(phone_number_id="4004").check(given)


@pytest.mark.row("F10")
def test_no_secret_shows() -> None:
    canary = "canary-7f3a"
    shown = repr(plugin(access_token=Secret(canary), app_secret=(Secret(canary),), verify_token=Secret(canary)))
    assert canary not in shown


@pytest.mark.parametrize("secrets", [(), ("other",), ("other", "another")])
def test_webhooks_of_another_app_are_rejected(secrets: tuple[str, ...]) -> None:
    channel = plugin(app_secret=tuple(map(Secret, secrets)))
    with pytest.raises(RejectedError):
        channel.verify(WhatsAppSimulator().message("491700000001", "hi"))


def test_both_secrets_are_good_while_one_replaces_the_other() -> None:
    simulator = WhatsAppSimulator()
    for secrets in (("new", simulator.app_secret), (simulator.app_secret, "new")):
        plugin(app_secret=tuple(map(Secret, secrets))).verify(simulator.message("491700000001", "hi"))


@pytest.mark.parametrize("menu", ["", "x" * 21])
def test_the_menu_is_a_button_with_its_limits(menu: str) -> None:
    with pytest.raises(ValueError, match="menu"):
        plugin(menu=menu)
    assert plugin(menu="x" * 20).config.menu
