"""A bot, the Telegram that it talks to, and the services between them."""

import pytest

from channelry.secrets import Secret
from channelry.services import Services
from channelry_telegram.connection import ORIGIN
from channelry_telegram.plugin import Telegram
from channelry_telegram.simulator import TelegramSimulator
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services

URL = "https://care.example.com/hooks/telegram"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(clock: FakeClock) -> TelegramSimulator:
    simulator = TelegramSimulator(now=clock.now)
    simulator.know("42")
    simulator.know("-1007")
    return simulator


@pytest.fixture
def telegram(simulator: TelegramSimulator) -> Telegram:
    return Telegram(Telegram.Config(token=Secret(simulator.token), secret_token=(Secret(simulator.secret_token),)))


@pytest.fixture
def polling(simulator: TelegramSimulator) -> Telegram:
    simulator.polling = True
    return Telegram(Telegram.Config(token=Secret(simulator.token), mode="polling"))


@pytest.fixture
def desk(simulator: TelegramSimulator, clock: FakeClock) -> Services:
    files = MemoryFiles({"bill": b"%PDF bill", "photo": b"\xff\xd8 photo", "huge": b"x" * 10_000_001})
    return services(http=AsgiHttp({ORIGIN: simulator.app}), clock=clock, files=files, public_url=URL)
