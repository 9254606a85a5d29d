"""Set-up, check and files: what an account asks of Twilio for itself."""

import traceback
from typing import Any

import pytest
from attrs import evolve

from channelry.errors import AuthError, PermanentError
from channelry.model import Kind, Media
from channelry.secrets import Secret
from channelry.services import Services
from channelry_twilio.plugin import Twilio
from channelry_twilio.simulator import TwilioSimulator

pytestmark = pytest.mark.anyio

SERVICE = "MG0123456789abcdef0123456789abcdef"
SHORT_CODE = "12345"
WHATSAPP = "whatsapp:+15005550001"
each_sender = pytest.mark.parametrize("sender", ["+15005550001", SHORT_CODE, WHATSAPP, SERVICE])


@each_sender
async def test_set_up_has_webhooks_come_and_check_finds_it_so(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError, match="set it up"):
        await twilio.check(desk)
    await twilio.setup(desk.public_url, desk)
    await twilio.check(desk)
    methods = [entry.method for entry in simulator.ledger.entries]
    assert methods.count("POST") == 1, "check changes nothing"


@each_sender
async def test_check_names_a_webhook_that_is_elsewhere(twilio: Twilio, desk: Services) -> None:
    await twilio.setup("https://elsewhere.example.com/", desk)
    with pytest.raises(PermanentError, match="it is https://elsewhere"):
        await twilio.check(desk)


@each_sender
async def test_behind_a_proxy_the_configured_address_is_registered(twilio: Twilio, desk: Services) -> None:
    proxied = Twilio(evolve(twilio.config, webhook_url="https://outer.example.com/sms"))
    await proxied.setup(desk.public_url, desk)
    await proxied.check(desk)
    with pytest.raises(PermanentError, match=r"it is https://outer\.example\.com/sms"):
        await twilio.check(desk)


@pytest.mark.parametrize("sender", ["+15005550001", "120001", WHATSAPP])
async def test_a_sender_that_the_account_does_not_have_is_named(twilio: Twilio, desk: Services, sender: str) -> None:
    other = Twilio(evolve(twilio.config, sender=sender.replace("0001", "0002")))
    with pytest.raises(PermanentError, match="the account has no"):
        await other.setup(desk.public_url, desk)


async def test_a_service_of_another_account_is_refused(twilio: Twilio, desk: Services) -> None:
    with pytest.raises(AuthError):
        await Twilio(evolve(twilio.config, sender=SERVICE)).check(desk)


async def test_a_suspended_account_is_an_error_of_the_credentials(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    simulator.active = False
    with pytest.raises(AuthError, match="suspended"):
        await twilio.check(desk)


async def save_nothing(piece: bytes) -> None:
    raise AssertionError


@pytest.mark.row("F10")
async def test_a_wrong_token_is_an_error_that_does_not_show_it(twilio: Twilio, desk: Services) -> None:
    other = Twilio(evolve(twilio.config, auth_token=(Secret("CANARY-0123"),)))
    for attempt in (other.check(desk), other.setup(desk.public_url, desk)):
        with pytest.raises(AuthError) as raised:
            await attempt
        assert "CANARY" not in "".join(traceback.format_exception(raised.value)) + repr(raised.value)


async def test_an_api_key_takes_the_place_of_the_token(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    keyed = Twilio(evolve(twilio.config, api_key="SK1", api_secret=Secret("key secret")))
    with pytest.raises(AuthError):
        await keyed.check(desk)
    right = {"api_key": simulator.account_sid, "api_secret": Secret(simulator.auth_token)}
    wrong_token: Any = (Secret("only for webhooks"),)
    await Twilio(evolve(twilio.config, auth_token=wrong_token, **right)).setup(desk.public_url, desk)


async def test_a_file_is_fetched_and_what_became_known_is_told(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    url = simulator.hold(b"\xff\xd8 photo", "image/jpeg")
    pieces: list[bytes] = []

    async def save(piece: bytes) -> None:
        pieces.append(piece)

    fetched = await twilio.fetch(Media(kind=Kind.IMAGE, url=url), save, desk)
    assert b"".join(pieces) == b"\xff\xd8 photo"
    assert fetched == Media(kind=Kind.IMAGE, url=url, media_type="image/jpeg", size=8)


@pytest.mark.parametrize("what", ["", "gone", "huge"])
async def test_a_file_that_is_gone_or_too_large_is_gone_for_good(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services, what: str
) -> None:
    url = simulator.hold(bytes(16 * 1024 * 1024 + 1), "video/mp4") if what == "huge" else what and f"{TWILIO}/{what}"
    with pytest.raises(PermanentError):
        await twilio.fetch(Media(kind=Kind.VIDEO, url=url), save_nothing, desk)


TWILIO = "https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages/MM1/Media"


async def test_the_credentials_are_shown_to_twilio_only(twilio: Twilio, desk: Services) -> None:
    shown: list[dict[str, str]] = []

    class Noting:
        async def download(self, url: str, save: Any, *, headers: dict[str, str], limit: int) -> Any:
            shown.append(headers)
            raise PermanentError("not here")

    for url in (f"{TWILIO}/ME1", "https://api.twilio.com.evil.example/ME1", "https://elsewhere.example/ME1"):
        with pytest.raises(PermanentError):
            await twilio.fetch(Media(kind=Kind.IMAGE, url=url), save_nothing, evolve(desk, http=Noting()))
    assert ["authorization" in one for one in shown] == [True, False, False]
