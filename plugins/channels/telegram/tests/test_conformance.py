"""Telegram keeps the rules of a channel."""

from pathlib import Path
from typing import ClassVar

import pytest
from attrs import evolve

from channelry.model import Capabilities, Kind, Media, Outbound, Request, Target
from channelry_telegram.plugin import Telegram
from channelry_telegram.simulator import TelegramSimulator
from channelry_testing import FILE, ChannelConformance, connected


class TestTelegram(ChannelConformance):
    rows = (
        "text", "image", "voice", "audio", "video / round video / gif", "file", "sticker", "location / venue",
        "contact", "album", "quote", "group", "group→supergroup", "unsupported", "service message",
        "unknown update", "edited_message", "channel_post", "edited_channel_post", "business_connection",
        "business_message", "edited_business_message", "deleted_business_messages", "message_reaction",
        "message_reaction_count", "callback_query", "my_chat_member", "chat_member", "inline_query", "poll",
        "poll_answer", "chat_join_request",
    )  # fmt: skip

    @pytest.fixture
    def simulator(self) -> TelegramSimulator:
        return TelegramSimulator()

    @pytest.fixture
    def second(self) -> TelegramSimulator:
        return TelegramSimulator(token="7000000002:another-bot-token", secret_token="another_secret")

    @pytest.fixture
    def plugin(self, simulator: TelegramSimulator) -> Telegram:
        return connected(Telegram, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def writings(self, simulator: TelegramSimulator) -> list[Request]:
        group = {"id": -1000000000001, "type": "supergroup", "title": "A group"}
        who = {"id": int(self.customer), "is_bot": False, "first_name": "Customer"}
        at = int(simulator.now().timestamp())
        return [simulator.update(message={"message_id": 1, "date": at, "chat": group, "from": who, "text": "hello"})]

    def sample(self, kind: Kind, target: Target, ours: str, capabilities: Capabilities) -> Outbound:
        if kind is Kind.READ:  # in business chats only
            target = evolve(target, context={"business_connection_id": "kit"})
        return super().sample(kind, target, ours, capabilities)

    def held(self, simulator: TelegramSimulator) -> Media:
        simulator.hold("kit-file", FILE)
        return Media(kind=Kind.IMAGE, id="kit-file")


class TestPolling(TestTelegram):
    """The same bot where Telegram cannot reach the server."""

    exempt: ClassVar = {"setup": "polling takes the webhook away and registers none"}

    @pytest.fixture
    def simulator(self) -> TelegramSimulator:
        return TelegramSimulator(polling=True)
