"""LINE keeps the rules of a channel."""

from pathlib import Path

import pytest

from channelry.model import Capabilities, Kind, Media, Outbound, Request, SendMessage, Sticker, Target
from channelry_line.plugin import Line
from channelry_line.simulator import LineSimulator
from channelry_testing import FILE, ChannelConformance, connected


class TestLine(ChannelConformance):
    rows = (
        "text", "image", "video", "audio", "file", "location", "sticker", "unknown message", "group", "room",
        "standby", "redelivery", "batch", "verify", "messageEdited", "unsend", "follow", "unfollow", "join", "leave",
        "memberJoined", "memberLeft", "postback", "accountLink", "beacon", "videoPlayComplete", "membership",
        "activated", "deactivated", "botSuspended", "botResumed", "unknown event",
    )  # fmt: skip

    @pytest.fixture
    def simulator(self) -> LineSimulator:
        return LineSimulator()

    @pytest.fixture
    def second(self) -> LineSimulator:
        return LineSimulator(
            channel_secret="another-channel-secret", channel_access_token="another-token", bot_user_id="Uanother"
        )

    @pytest.fixture
    def plugin(self, simulator: LineSimulator) -> Line:
        return connected(Line, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def writings(self, simulator: LineSimulator) -> list[Request]:
        return [simulator.webhook(simulator.written(self.customer, "Cgroup", type="text", text="hello"))]

    def sample(self, kind: Kind, target: Target, ours: str, capabilities: Capabilities) -> Outbound:
        if kind is Kind.STICKER:  # LINE's own, by its numbers
            return SendMessage(key="kit-1", target=target, parts=(Sticker(id="446/1988"),))
        return super().sample(kind, target, ours, capabilities)

    def held(self, simulator: LineSimulator) -> Media:
        return Media(kind=Kind.IMAGE, id=simulator.hold(FILE, "image/png"))
