"""Viber keeps the rules of a channel."""

from pathlib import Path

import pytest

from channelry.model import Capabilities, Kind, Media, Outbound, SendMessage, Sticker, Target
from channelry_testing import FILE, ChannelConformance, connected
from channelry_viber.connection import ORIGIN
from channelry_viber.plugin import Viber
from channelry_viber.simulator import ViberSimulator


class TestViber(ChannelConformance):
    rows = (
        "text", "picture", "video", "file", "sticker", "location", "contact", "url", "unknown message", "delivered",
        "seen", "failed", "subscribed", "unsubscribed", "conversation_started", "webhook", "unknown event",
    )  # fmt: skip

    @pytest.fixture
    def simulator(self) -> ViberSimulator:
        return ViberSimulator()

    @pytest.fixture
    def second(self) -> ViberSimulator:
        return ViberSimulator(auth_token="another-viber-token")

    @pytest.fixture
    def plugin(self, simulator: ViberSimulator) -> Viber:
        return connected(Viber, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def sample(self, kind: Kind, target: Target, ours: str, capabilities: Capabilities) -> Outbound:
        if kind is Kind.STICKER:  # Viber's own, by its number
            return SendMessage(key="kit-1", target=target, parts=(Sticker(id="40133"),))
        return super().sample(kind, target, ours, capabilities)

    def held(self, simulator: ViberSimulator) -> Media:
        return Media(kind=Kind.IMAGE, url=ORIGIN + simulator.hold("kit-file.png", FILE))
