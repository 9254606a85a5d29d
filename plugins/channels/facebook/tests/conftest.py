"""A Page, the Facebook that it is on, and the services between them."""

import pytest

from channelry.secrets import Secret
from channelry.services import Services
from channelry_facebook.plugin import Facebook
from channelry_facebook.simulator import FacebookSimulator
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services

ORIGIN = "https://graph.example"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(clock: FakeClock) -> FacebookSimulator:
    return FacebookSimulator(now=clock.now)


@pytest.fixture
def facebook(simulator: FacebookSimulator) -> Facebook:
    return plugin_of(simulator)


@pytest.fixture
def desk(simulator: FacebookSimulator, clock: FakeClock) -> Services:
    files = MemoryFiles({"photo": b"\xff\xd8 photo", "huge": bytes(8 * 1024 * 1024 + 1)})
    return services(http=AsgiHttp({ORIGIN: simulator.app}), clock=clock, files=files)


def plugin_of(simulator: FacebookSimulator) -> Facebook:
    """Make the plugin that the simulator's settings describe."""
    settings = {name: value for name, value in simulator.settings(f"{ORIGIN}/").items() if name != "plugin"}
    for name in ("access_token", "verify_token"):
        settings[name] = Secret(settings[name])
    settings["app_secret"] = (Secret(settings["app_secret"]),)
    return Facebook(Facebook.Config(**settings))
