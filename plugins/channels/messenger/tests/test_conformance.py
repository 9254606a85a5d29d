"""Messenger keeps the rules of a channel."""

from pathlib import Path

import pytest
from attrs import evolve

from channelry.model import Capabilities, Kind, Media, Outbound, Request, SendMessage, Sticker, Target
from channelry_messenger.plugin import Messenger
from channelry_messenger.simulator import MessengerSimulator
from channelry_testing import FILE, ChannelConformance, connected
from channelry_testing.bench import Bench

ORIGIN = "https://simulated.example"
MANY = 10_000
"""Private replies to one comment, for the kit tries everything on one; Meta's own limit has tests of its own."""


class TestMessenger(ChannelConformance):
    rows = (
        "another object", "another row", "attachments: appointment_booking", "attachments: audio",
        "attachments: fallback", "attachments: file", "attachments: ig_post", "attachments: ig_reel",
        "attachments: image", "attachments: location", "attachments: post", "attachments: reel",
        "attachments: several", "attachments: sticker", "attachments: template", "attachments: video", "changes",
        "delivery", "handshake", "message", "message.is_deleted", "message.is_echo", "message.quick_reply",
        "message.referral", "message.reply_to", "message: unknown", "message_edit", "no entries", "optin",
        "pass_thread_control", "policy_enforcement", "postback", "reaction", "read", "referral",
        "request_thread_control", "sender.user_ref", "several entries", "standby", "take_thread_control",
        "timestamp in seconds",
    )  # fmt: skip

    @pytest.fixture
    def simulator(self) -> MessengerSimulator:
        return MessengerSimulator(private_replies=MANY)

    @pytest.fixture
    def second(self) -> MessengerSimulator:
        return MessengerSimulator(
            account="56",
            access_token="another-token",
            app_secret="another-secret",
            verify_token="another-verify-token",
            private_replies=MANY,
        )

    @pytest.fixture
    def plugin(self, simulator: MessengerSimulator) -> Messenger:
        return connected(Messenger, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def writings(self, simulator: MessengerSimulator) -> list[Request]:
        simulator.references.add("UR1")
        return [simulator.message("UR1", "hello")]

    def target(self, place: str, bench: Bench, simulator: MessengerSimulator) -> Target:
        found = super().target(place, bench, simulator)
        if place == "aside":
            comment = simulator.new_id("900_")
            simulator.comments[comment] = self.customer
            found = evolve(found, reply_to=comment)
        return found

    def sample(self, kind: Kind, target: Target, ours: str, capabilities: Capabilities) -> Outbound:
        if kind is Kind.STICKER:  # the thumb, the one that a Page can send by its number
            return SendMessage(key="kit-1", target=target, parts=(Sticker(id="369239263222822"),))
        return super().sample(kind, target, ours, capabilities)

    def held(self, simulator: MessengerSimulator) -> Media:
        return Media(kind=Kind.IMAGE, url=f"{ORIGIN}/files/{simulator.hold(FILE, 'image/png')}")
