"""An account, the X that it lives on, and the services between them."""

import pytest

from channelry.secrets import Secret
from channelry.services import Services
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services
from channelry_twitter.connection import MEDIA_ORIGIN, ORIGIN
from channelry_twitter.plugin import Twitter
from channelry_twitter.simulator import TwitterSimulator

URL = "https://care.example.com/hooks/twitter"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(clock: FakeClock) -> TwitterSimulator:
    return TwitterSimulator(now=clock.now)


@pytest.fixture
def twitter(simulator: TwitterSimulator) -> Twitter:
    """The account by OAuth 1.0a."""
    return Twitter(
        Twitter.Config(
            user_id=simulator.user_id,
            consumer_key=simulator.consumer_key,
            consumer_secret=(Secret(simulator.consumer_secret),),
            access_token=Secret(simulator.access_token),
            access_token_secret=Secret(simulator.access_token_secret),
            bearer_token=Secret(simulator.bearer_token),
        )
    )


@pytest.fixture
def rotating(simulator: TwitterSimulator) -> Twitter:
    """The account by OAuth 2.0."""
    simulator.oauth2 = True
    return Twitter(
        Twitter.Config(
            user_id=simulator.user_id,
            consumer_secret=(Secret(simulator.consumer_secret),),
            client_id=simulator.client_id,
            client_secret=Secret(simulator.client_secret),
            refresh_token=Secret(simulator.refresh_token),
        )
    )


@pytest.fixture
def desk(simulator: TwitterSimulator, clock: FakeClock) -> Services:
    files = MemoryFiles({"photo": b"\xff\xd8 photo", "film": bytes(9 * 1024 * 1024)})
    http = AsgiHttp({ORIGIN: simulator.app, MEDIA_ORIGIN: simulator.app})
    return services(http=http, clock=clock, files=files, public_url=URL)
