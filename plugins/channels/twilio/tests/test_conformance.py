"""Twilio keeps the rules of a channel: with a number, with a WhatsApp sender and with a Messaging Service."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import evolve

from channelry.model import Capabilities, Kind, Media, Outbound, SendMessage, Target, Template
from channelry_testing import FILE, ChannelConformance, connected
from channelry_twilio.plugin import Twilio
from channelry_twilio.simulator import TwilioSimulator

CONTENT = Template(name="HX0123456789abcdef0123456789abcdef", language="en")


class TestNumber(ChannelConformance):
    rows = ("text", "media", "opt-out", "whatsapp", "other channels", "status", "not a message")
    customer = "15005550006"
    exempt: ClassVar = {
        "limits": "a text is cut at ten segments before it is cut at 1,600 characters",
        "receives": "the recorded forms are those of all kinds of senders; a number never gets what WhatsApp has",
    }
    sender = "+15005550001"
    other_sender = "+15005550002"

    @pytest.fixture
    def simulator(self) -> TwilioSimulator:
        return TwilioSimulator(sender=self.sender)

    @pytest.fixture
    def second(self) -> TwilioSimulator:
        return TwilioSimulator(
            account_sid="AC00000000000000000000000000000002", auth_token="another token", sender=self.other_sender
        )

    @pytest.fixture
    def plugin(self, simulator: TwilioSimulator) -> Twilio:
        return connected(Twilio, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def sample(self, kind: Kind, target: Target, ours: str, capabilities: Capabilities, **more: Any) -> Outbound:
        made = super().sample(kind, target, ours, capabilities, **more)
        return evolve(made, template=CONTENT) if isinstance(made, SendMessage) and made.template else made

    def held(self, simulator: TwilioSimulator) -> Media:
        return Media(kind=Kind.IMAGE, url=simulator.hold(FILE, "image/png"))


class TestWhatsApp(TestNumber):
    exempt: ClassVar = {"payloads": "the events are written for a number's connection; these are of another account"}
    sender = "whatsapp:+15005550001"
    other_sender = "whatsapp:+15005550002"


class TestService(TestNumber):
    exempt: ClassVar = TestNumber.exempt | TestWhatsApp.exempt
    sender = "MG00000000000000000000000000000001"
    other_sender = "MG00000000000000000000000000000002"
