"""The plugin fits the contract, is found by its entry points, and is configured as its README says."""

from importlib.metadata import entry_points
from typing import Any

import pytest

from channelry.model import Kind, Rate, RateScope, Resend, Status
from channelry.registry import examine, marked
from channelry.secrets import Secret
from channelry_twilio.plugin import Twilio
from channelry_twilio.simulator import TwilioSimulator

SERVICE = "MG0123456789abcdef0123456789abcdef"


def twilio(sender: str = "+15005550001", **more: Any) -> Twilio:
    return Twilio(Twilio.Config(account_sid="AC1", auth_token=(Secret("CANARY-1"),), sender=sender, **more))


def test_its_hooks_are_those_of_the_contract() -> None:
    examine("twilio", Twilio)
    assert set(marked(Twilio)) == {"verify", "parse", "compose", "send", "reconcile", "fetch", "setup", "check"}


def test_plugin_and_simulator_are_found_by_entry_point() -> None:
    (plugin,) = entry_points(group="channelry.plugins", name="twilio")
    (simulator,) = entry_points(group="channelry.simulators", name="twilio")
    assert plugin.load() is Twilio
    assert simulator.load() is TwilioSimulator


@pytest.mark.row("F9")
def test_two_connections_with_equal_configurations_are_two() -> None:
    config = twilio().config
    assert Twilio(config) != Twilio(config)


@pytest.mark.row("F10")
def test_a_configuration_does_not_show_its_secrets() -> None:
    one = twilio(api_key="SK1", api_secret=Secret("CANARY-2"), shared_key=(Secret("CANARY-3"),))
    assert "CANARY" not in f"{one.config!r} {one.config} {one!r}"


@pytest.mark.parametrize("sender", ["+15005550001", "123", "12345678", "whatsapp:+15005550001", SERVICE])
def test_a_sender_is_a_number_a_whatsapp_sender_or_a_service(sender: str) -> None:
    assert twilio(sender).account == sender


@pytest.mark.parametrize("sender", ["", "care", "12", "15005550001", "whatsapp:15005550001", "MG1", "+1 500 555 0001"])
def test_another_sender_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match=r'sender must be a number with its "\+", a short code'):
        twilio(sender)


def test_what_is_carried_depends_on_the_sender() -> None:
    sms, service, whatsapp = (twilio(one).capabilities for one in ("+15005550001", SERVICE, "whatsapp:+15005550001"))
    assert sms.sends == service.sends == whatsapp.sends - {Kind.LOCATION, Kind.TYPING}
    assert (sms.window, sms.schemes, sms.initiates) == (None, ("phone",), True)
    assert service.schemes == ("phone", "whatsapp")
    assert whatsapp.window is not None
    assert Status.READ in whatsapp.statuses - sms.statuses
    assert {Kind.VOICE} == sms.sends - sms.receives - {Kind.TEMPLATE}
    assert [one.media[Kind.IMAGE].link for one in (sms, whatsapp)] == [5 * 1024 * 1024] * 2
    assert whatsapp.media[Kind.VIDEO].link == 16 * 1024 * 1024
    assert {one.resend for one in (sms, service, whatsapp)} == {Resend.LOOKUP}


def test_a_rate_that_twilio_granted_takes_the_place_of_the_usual_one() -> None:
    assert twilio().capabilities.rates == (Rate(RateScope.CONNECTION, 1, 1),)
    assert twilio("whatsapp:+15005550001").capabilities.rates == (Rate(RateScope.CONNECTION, 80, 1),)
    assert twilio(messages_per_second=100).capabilities.rates == (Rate(RateScope.CONNECTION, 100, 1),)


def test_the_apis_of_another_region_may_be_called_and_no_others() -> None:
    assert twilio(messaging_url="https://messaging.dublin.ie1.twilio.com/").origins == (
        "https://messaging.dublin.ie1.twilio.com",
    )
