"""The plugin fits the contract, and is found by its entry points."""

from importlib.metadata import entry_points

import pytest

from channelry.registry import examine, marked
from channelry.secrets import Secret
from channelry_telegram.plugin import Telegram
from channelry_telegram.simulator import TelegramSimulator


def test_its_hooks_are_those_of_the_contract() -> None:
    examine("telegram", Telegram)
    hooks = {"verify", "parse", "listen", "fetch", "compose", "send", "setup", "check"}
    assert set(marked(Telegram)) == hooks


def test_plugin_and_simulator_are_found_by_entry_point() -> None:
    (plugin,) = entry_points(group="channelry.plugins", name="telegram")
    (simulator,) = entry_points(group="channelry.simulators", name="telegram")
    assert plugin.load() is Telegram
    assert simulator.load() is TelegramSimulator


@pytest.mark.row("F9")
def test_two_connections_with_equal_configurations_are_two() -> None:
    config = Telegram.Config(token=Secret("7:token"))
    assert Telegram(config) != Telegram(config)


@pytest.mark.row("F10")
def test_a_configuration_does_not_show_its_secrets() -> None:
    config = Telegram.Config(token=Secret("CANARY-1"), secret_token=(Secret("CANARY-2"),))
    assert "CANARY" not in f"{config!r} {config} {Telegram(config)!r}"
