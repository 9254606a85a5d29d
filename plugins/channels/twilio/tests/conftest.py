"""A sender, the Twilio that it talks to, and the services between them."""

import pytest

from channelry.secrets import Secret
from channelry.services import Services
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services
from channelry_twilio.connection import MESSAGING, ORIGIN
from channelry_twilio.plugin import Twilio
from channelry_twilio.simulator import TwilioSimulator

URL = "https://care.example.com/hooks/twilio"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sender() -> str:
    """A number; a test that wants another kind of sender parametrizes it."""
    return "+15005550001"


@pytest.fixture
def simulator(clock: FakeClock, sender: str) -> TwilioSimulator:
    return TwilioSimulator(now=clock.now, webhook_url=URL, sender=sender)


@pytest.fixture
def twilio(simulator: TwilioSimulator) -> Twilio:
    token = Secret(simulator.auth_token)
    return Twilio(Twilio.Config(account_sid=simulator.account_sid, auth_token=(token,), sender=simulator.sender))


@pytest.fixture
def desk(simulator: TwilioSimulator, clock: FakeClock) -> Services:
    files = MemoryFiles({"bill": b"%PDF bill", "photo": b"\xff\xd8 photo"})
    http = AsgiHttp({ORIGIN: simulator.app, MESSAGING: simulator.app})
    return services(http=http, clock=clock, files=files, public_url=URL)
