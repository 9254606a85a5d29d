"""Slack keeps the rules of a channel."""

from pathlib import Path

import pytest

from channelry.model import Kind, Media, Request
from channelry_slack.plugin import Slack
from channelry_slack.simulator import SlackSimulator
from channelry_testing import FILE, ChannelConformance, connected


class TestSlack(ChannelConformance):
    rows = (
        "url_verification", "message im", "message mpim", "message channel", "thread reply", "message / file_share",
        "message / message_changed", "message / message_deleted", "message / thread_broadcast", "message / me_message",
        "message / bot_message", "message / channel_join", "message of an unknown subtype", "app_mention",
        "reaction_added", "reaction_removed", "member_joined_channel", "member_left_channel", "app_home_opened",
        "channel_left", "group_left", "tokens_revoked", "app_uninstalled", "app_rate_limited", "unknown event",
        "unknown request", "block_actions", "other interaction", "slash command",
    )  # fmt: skip

    @pytest.fixture
    def simulator(self) -> SlackSimulator:
        return SlackSimulator()

    @pytest.fixture
    def second(self) -> SlackSimulator:
        return SlackSimulator(signing_secret="another-signing-secret", bot_token="xoxb-another", team_id="T0000000002")

    @pytest.fixture
    def plugin(self, simulator: SlackSimulator) -> Slack:
        return connected(Slack, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def writings(self, simulator: SlackSimulator) -> list[Request]:
        texts = ("hello", f"<@{simulator.bot_user}> hello")
        return [simulator.written(self.customer, text, "C0000000001", channel_type="channel") for text in texts]

    def held(self, simulator: SlackSimulator) -> Media:
        return Media(kind=Kind.IMAGE, id=simulator.hold(FILE, "image/png"))


class TestRotating(TestSlack):
    """The same app where tokens rotate."""

    @pytest.fixture
    def simulator(self) -> SlackSimulator:
        return SlackSimulator(rotating=True)
