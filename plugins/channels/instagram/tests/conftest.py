"""An account, the Instagram that it is on, and the services between them."""

import pytest

from channelry.secrets import Secret
from channelry.services import Services
from channelry_instagram.plugin import Instagram
from channelry_instagram.simulator import InstagramSimulator
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services

ORIGIN = "https://graph.example"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(clock: FakeClock) -> InstagramSimulator:
    simulator = InstagramSimulator(now=clock.now)
    simulator.know("IGSID2")
    return simulator


@pytest.fixture
def instagram(simulator: InstagramSimulator) -> Instagram:
    return plugin_of(simulator)


@pytest.fixture
def desk(simulator: InstagramSimulator, clock: FakeClock) -> Services:
    files = MemoryFiles({"photo": b"\xff\xd8 photo", "huge": bytes(8 * 1024 * 1024 + 1)})
    return services(http=AsgiHttp({ORIGIN: simulator.app}), clock=clock, files=files)


def plugin_of(simulator: InstagramSimulator) -> Instagram:
    """Make the plugin that the simulator's settings describe."""
    settings = {name: value for name, value in simulator.settings(f"{ORIGIN}/").items() if name != "plugin"}
    for name in ("access_token", "verify_token"):
        settings[name] = Secret(settings[name])
    settings["app_secret"] = (Secret(settings["app_secret"]),)
    return Instagram(Instagram.Config(**settings))
