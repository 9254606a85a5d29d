"""Set-up, check and files: what a bot asks of Telegram for itself."""

import traceback

import pytest
from attrs import evolve

from channelry.errors import AuthError, PermanentError
from channelry.model import Kind, Media
from channelry.secrets import Secret
from channelry.services import Services
from channelry_telegram.plugin import Telegram
from channelry_telegram.receive import HANDLED
from channelry_telegram.simulator import TelegramSimulator

pytestmark = pytest.mark.anyio


async def test_set_up_registers_the_url_the_first_secret_and_every_kind_of_update(
    simulator: TelegramSimulator, desk: Services
) -> None:
    secrets = (Secret("new_secret"), Secret("old_secret"))
    telegram = Telegram(Telegram.Config(token=Secret(simulator.token), secret_token=secrets))
    await telegram.setup(desk.public_url, desk)
    assert simulator.webhook == {"url": desk.public_url, "secret_token": "new_secret", "allowed_updates": list(HANDLED)}
    assert "message_reaction" in HANDLED
    await telegram.check(desk)


async def test_set_up_for_polling_takes_the_webhook_away(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.webhook = {"url": "https://elsewhere.example.com/"}
    with pytest.raises(PermanentError, match="a webhook is set"):
        await polling.check(desk)
    await polling.setup(desk.public_url, desk)
    assert simulator.webhook == {}
    await polling.check(desk)


async def test_check_names_a_webhook_that_is_missing_or_elsewhere_or_brings_too_little(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError, match="there is none"):
        await telegram.check(desk)
    simulator.webhook = {"url": "https://elsewhere.example.com/"}
    with pytest.raises(PermanentError, match="it is https://elsewhere"):
        await telegram.check(desk)
    simulator.webhook = {"url": desk.public_url, "allowed_updates": ["message"]}
    with pytest.raises(PermanentError, match=r"does not bring .*message_reaction"):
        await telegram.check(desk)


async def test_check_changes_nothing(telegram: Telegram, simulator: TelegramSimulator, desk: Services) -> None:
    await telegram.setup(desk.public_url, desk)
    await telegram.check(desk)
    methods = [entry.path.rpartition("/")[2] for entry in simulator.ledger.entries]
    assert methods == ["setWebhook", "getMe", "getWebhookInfo"]


async def test_a_webhook_without_a_secret_is_refused_by_set_up_and_check(
    simulator: TelegramSimulator, desk: Services
) -> None:
    telegram = Telegram(Telegram.Config(token=Secret(simulator.token)))
    with pytest.raises(AuthError, match="secret_token is not configured"):
        await telegram.setup(desk.public_url, desk)
    with pytest.raises(AuthError, match="secret_token is not configured"):
        await telegram.check(desk)
    assert simulator.webhook == {}


@pytest.mark.row("F10")
async def test_a_wrong_token_is_an_error_of_the_credentials_that_does_not_show_it(desk: Services) -> None:
    telegram = Telegram(Telegram.Config(token=Secret("7:CANARY-0123"), secret_token=(Secret("CANARY-4567"),)))

    async def save(piece: bytes) -> None:
        raise AssertionError

    for attempt in (
        telegram.check(desk),
        telegram.setup(desk.public_url, desk),
        telegram.fetch(Media(kind=Kind.IMAGE, id="AgB"), save, desk),
    ):
        with pytest.raises(AuthError) as raised:
            await attempt
        assert "CANARY" not in "".join(traceback.format_exception(raised.value)) + repr(raised.value)


async def test_a_file_is_fetched_and_what_became_known_is_told(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.hold("AgB", b"\xff\xd8 photo", "photos/file 1.jpg", "image/jpeg")
    pieces: list[bytes] = []

    async def save(piece: bytes) -> None:
        pieces.append(piece)

    fetched = await telegram.fetch(Media(kind=Kind.IMAGE, id="AgB"), save, desk)
    assert b"".join(pieces) == b"\xff\xd8 photo"
    assert fetched == Media(kind=Kind.IMAGE, id="AgB", media_type="image/jpeg", name="file 1.jpg", size=8)


async def test_what_was_known_of_a_file_stays(telegram: Telegram, simulator: TelegramSimulator, desk: Services) -> None:
    simulator.hold("F1", b"%PDF", "documents/file_1.pdf")

    async def save(piece: bytes) -> None:
        pass

    media = Media(kind=Kind.DOCUMENT, id="F1", media_type="application/pdf", name="bill.pdf", seconds=3.0)
    fetched = await telegram.fetch(media, save, desk)
    assert fetched == evolve(media, size=4)


@pytest.mark.parametrize("file_id", ["", "gone", "huge"])
async def test_a_file_that_is_gone_or_too_big_is_gone_for_good(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services, file_id: str
) -> None:
    simulator.hold("huge", bytes(20_000_001), "documents/huge.bin")

    async def save(piece: bytes) -> None:
        raise AssertionError

    with pytest.raises(PermanentError):
        await telegram.fetch(Media(kind=Kind.DOCUMENT, id=file_id), save, desk)


async def test_a_file_without_a_path_is_gone(telegram: Telegram, simulator: TelegramSimulator, desk: Services) -> None:
    simulator.hold("F1", b"%PDF", "")

    async def save(piece: bytes) -> None:
        raise AssertionError

    with pytest.raises(PermanentError, match="no path"):
        await telegram.fetch(Media(kind=Kind.DOCUMENT, id="F1"), save, desk)
