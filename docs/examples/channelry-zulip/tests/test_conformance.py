"""Zulip keeps the rules of a channel: `pytest --channelry-report` names each, and the grade."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from channelry.errors import RejectedError
from channelry.model import Kind, Media, Request
from channelry_testing import FILE, ChannelConformance, connected, overrides
from channelry_zulip.plugin import Zulip
from channelry_zulip.simulator import ZulipSimulator


class TestZulip(ChannelConformance):
    rows = ("stream", "direct", "group", "files", "unknown")

    @pytest.fixture
    def simulator(self) -> ZulipSimulator:
        return ZulipSimulator()

    @pytest.fixture
    def second(self) -> ZulipSimulator:
        return ZulipSimulator(
            bot_email="other-bot@zulip.example.com", api_key="another-api-key", webhook_token="another-webhook-token"
        )

    @pytest.fixture
    def plugin(self, simulator: ZulipSimulator) -> Zulip:
        return connected(Zulip, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def writings(self, simulator: ZulipSimulator) -> list[Request]:
        group = {"type": "private", "display_recipient": simulator.people(self.customer, "9")}
        stream = {"type": "stream", "stream_id": 5, "display_recipient": "shop", "subject": "Parcels/May"}
        return [simulator.written(self.customer, "hello", **where) for where in (group, stream)]

    def held(self, simulator: ZulipSimulator) -> Media:
        return Media(kind=Kind.IMAGE, id=simulator.hold(FILE, "image/png"))

    @overrides("Zulip signs nothing: its token stands in the body, and that is all there is to verify")
    @pytest.mark.parametrize("token", ['"wrong"', '""', "null", "7", '"\u00e9"', "[]"])
    def test_only_the_providers_own_requests_are_verified(self, plugin: Zulip, token: str) -> None:
        body = f'{{"token": {token}, "message": {{}}}}'.encode()
        for forged in (body, body[:-1], b"", b"[]", b"{}"):
            with pytest.raises(RejectedError):
                plugin.verify(Request("POST", "/", (), forged, datetime(2026, 11, 22, tzinfo=UTC)))
