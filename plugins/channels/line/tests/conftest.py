"""A channel, the LINE that it talks to, and the services between them."""

import pytest

from channelry.secrets import Secret
from channelry.services import Services
from channelry_line.connection import DATA_ORIGIN, ORIGIN
from channelry_line.plugin import Line
from channelry_line.simulator import LineSimulator
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services

URL = "https://care.example.com/hooks/line"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(clock: FakeClock) -> LineSimulator:
    return LineSimulator(now=clock.now)


@pytest.fixture
def line(simulator: LineSimulator) -> Line:
    secret, token = Secret(simulator.channel_secret), Secret(simulator.channel_access_token)
    return Line(Line.Config(channel_secret=(secret,), channel_access_token=token, preview_url=simulator.preview_url))


@pytest.fixture
def desk(simulator: LineSimulator, clock: FakeClock) -> Services:
    http = AsgiHttp({ORIGIN: simulator.app, DATA_ORIGIN: simulator.app})
    return services(http=http, clock=clock, files=MemoryFiles({"bill": b"%PDF", "photo": b"\xff\xd8"}), public_url=URL)
