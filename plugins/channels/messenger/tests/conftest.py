"""A Page, the Messenger that it talks to, and the services between them."""

import pytest

from channelry.secrets import Secret
from channelry.services import Services
from channelry_messenger.plugin import Messenger
from channelry_messenger.simulator import MessengerSimulator
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services

ORIGIN = "https://graph.example"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(clock: FakeClock) -> MessengerSimulator:
    simulator = MessengerSimulator(now=clock.now)
    simulator.know("PSID1")
    return simulator


@pytest.fixture
def messenger(simulator: MessengerSimulator) -> Messenger:
    return plugin_of(simulator)


@pytest.fixture
def desk(simulator: MessengerSimulator, clock: FakeClock) -> Services:
    files = MemoryFiles({"photo": b"\xff\xd8 photo", "huge": bytes(8 * 1024 * 1024 + 1)})
    return services(http=AsgiHttp({ORIGIN: simulator.app}), clock=clock, files=files)


def plugin_of(simulator: MessengerSimulator) -> Messenger:
    """Make the plugin that the simulator's settings describe."""
    settings = {name: value for name, value in simulator.settings(f"{ORIGIN}/").items() if name != "plugin"}
    for name in ("access_token", "verify_token"):
        settings[name] = Secret(settings[name])
    settings["app_secret"] = (Secret(settings["app_secret"]),)
    return Messenger(Messenger.Config(**settings))
