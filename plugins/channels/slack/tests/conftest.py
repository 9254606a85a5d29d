"""A channel, the Slack that it talks to, and the services between them."""

import pytest

from channelry.secrets import Secret
from channelry.services import Services
from channelry_slack.connection import FILES_ORIGIN
from channelry_slack.plugin import Slack
from channelry_slack.simulator import SlackSimulator
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services

ORIGIN = "https://slack.com"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(clock: FakeClock) -> SlackSimulator:
    return SlackSimulator(now=clock.now)


@pytest.fixture
def slack(simulator: SlackSimulator) -> Slack:
    secret, token = Secret(simulator.signing_secret), Secret(simulator.bot_token)
    return Slack(Slack.Config(signing_secret=(secret,), bot_token=token, team_id=simulator.team_id))


@pytest.fixture
def desk(simulator: SlackSimulator, clock: FakeClock) -> Services:
    http = AsgiHttp({ORIGIN: simulator.app, FILES_ORIGIN: simulator.app})
    return services(http=http, clock=clock, files=MemoryFiles({"bill": b"%PDF", "photo": b"\xff\xd8"}))
