"""A bot, the Viber that it talks to, and the services between them."""

import pytest

from channelry.secrets import Secret
from channelry.services import Services
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services
from channelry_viber.connection import ORIGIN
from channelry_viber.plugin import Viber
from channelry_viber.simulator import ViberSimulator

URL = "https://care.example.com/hooks/viber"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(clock: FakeClock) -> ViberSimulator:
    simulator = ViberSimulator(now=clock.now)
    simulator.know("di==")
    return simulator


@pytest.fixture
def viber(simulator: ViberSimulator) -> Viber:
    return Viber(Viber.Config(auth_token=(Secret(simulator.auth_token),), sender_name="Care"))


@pytest.fixture
def cards(simulator: ViberSimulator) -> Viber:
    """The same bot, with its buttons on cards."""
    return Viber(Viber.Config(auth_token=(Secret(simulator.auth_token),), sender_name="Care", buttons="card"))


@pytest.fixture
def desk(simulator: ViberSimulator, clock: FakeClock) -> Services:
    files = MemoryFiles({"bill": b"%PDF bill"})
    return services(http=AsgiHttp({ORIGIN: simulator.app}), clock=clock, files=files, public_url=URL)
