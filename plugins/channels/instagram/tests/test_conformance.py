"""Instagram keeps the rules of a channel."""

from pathlib import Path
from typing import ClassVar

import pytest
from attrs import evolve

from channelry.model import (
    Audience,
    Capabilities,
    Hide,
    Kind,
    Media,
    MessageReceived,
    Outbound,
    Request,
    SendMessage,
    Sticker,
    Target,
)
from channelry_instagram.plugin import Instagram
from channelry_instagram.simulator import InstagramSimulator
from channelry_testing import FILE, ChannelConformance, connected
from channelry_testing.bench import Bench

ORIGIN = "https://simulated.example"
MANY = 10_000
"""Private replies to one comment, for the kit tries everything on one; Meta's own limit has tests of its own."""


class TestInstagram(ChannelConformance):
    rows = (
        "another field", "another object", "another row", "attachments: audio", "attachments: file",
        "attachments: ig_post", "attachments: ig_reel", "attachments: image", "attachments: like_heart",
        "attachments: reel", "attachments: several", "attachments: share", "attachments: story_mention",
        "attachments: unknown", "attachments: video", "comments", "comments, nested", "comments, of an ad",
        "comments, our own", "comments, without changes", "handshake", "live_comments", "mentions", "message",
        "message.is_deleted", "message.is_echo", "message.is_unsupported", "message.quick_reply",
        "message.reply_to.mid", "message.reply_to.story", "message_edit", "messages as a change", "no entries",
        "pass_thread_control", "postback", "reaction", "read", "referral", "several entries", "standby",
        "timestamp in seconds",
    )  # fmt: skip
    exempt: ClassVar = {"setup": "Meta takes the webhook of an Instagram app in its dashboard only"}

    @pytest.fixture
    def simulator(self) -> InstagramSimulator:
        return InstagramSimulator(private_replies=MANY)

    @pytest.fixture
    def second(self) -> InstagramSimulator:
        return InstagramSimulator(
            account="1785",
            access_token="another-token",
            app_secret="another-secret",
            verify_token="another-verify-token",
            private_replies=MANY,
        )

    @pytest.fixture
    def plugin(self, simulator: InstagramSimulator) -> Instagram:
        return connected(Instagram, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def target(self, place: str, bench: Bench, simulator: InstagramSimulator) -> Target:
        if place == "private":
            return super().target(place, bench, simulator)
        (event,) = bench.parse(simulator.comment(self.customer, "hello")).events
        assert isinstance(event, MessageReceived)
        audience = Audience.PUBLIC if place == "public" else Audience.PRIVATE
        return evolve(Target.answering(event), audience=audience)

    def writings(self, simulator: InstagramSimulator) -> list[Request]:
        return [simulator.comment(self.customer, "hello"), simulator.mention("491700000002", "hello @shop")]

    def sample(self, kind: Kind, target: Target, ours: str, capabilities: Capabilities) -> Outbound:
        if kind is Kind.STICKER:  # the heart, the only one that Instagram takes
            return SendMessage(key="kit-1", target=target, parts=(Sticker(id="like_heart"),))
        if kind is Kind.HIDE:  # ours, for what is hidden cannot be answered, and the kit goes on answering theirs
            return Hide(key="kit-1", target=target, external_id=ours)
        return super().sample(kind, target, ours, capabilities)

    def held(self, simulator: InstagramSimulator) -> Media:
        return Media(kind=Kind.IMAGE, url=f"{ORIGIN}/files/{simulator.hold(FILE, 'image/png')}")
