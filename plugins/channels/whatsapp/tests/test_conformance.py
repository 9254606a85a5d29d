"""WhatsApp keeps the rules of a channel."""

from pathlib import Path

import pytest

from channelry.model import Kind, Media, Request
from channelry_testing import FILE, ChannelConformance, connected
from channelry_whatsapp.plugin import WhatsApp
from channelry_whatsapp.simulator import WhatsAppSimulator


class TestWhatsApp(ChannelConformance):
    """The rows are those of Meta's table of message types, each with what it may be, and of its statuses."""

    rows = (
        "text", "image", "video", "audio", "audio-voice", "voice", "document", "sticker", "location", "contacts",
        "reaction", "reaction-removed", "button", "interactive-button_reply", "interactive-list_reply",
        "interactive-nfm_reply", "interactive-call_permission_reply", "order", "system-user_changed_number",
        "system-user_changed_user_id", "system-other", "edit", "revoke", "unsupported", "unknown", "echo", "quote",
        "forwarded", "referral", "product", "group", "identity", "odd body", "batch", "account error", "not ours",
        "status-sent",
        "status-delivered", "status-read", "status-played", "status-failed", "status-deleted", "status-unknown",
        "call connect", "call terminate", "call statuses", "call unknown", "user_preferences",
    )  # fmt: skip

    @pytest.fixture
    def simulator(self) -> WhatsAppSimulator:
        return WhatsAppSimulator()

    @pytest.fixture
    def second(self) -> WhatsAppSimulator:
        return WhatsAppSimulator(
            phone_number_id="3003", waba_id="1002", access_token="token-2", app_secret="app-2", verify_token="verify-2"
        )

    @pytest.fixture
    def plugin(self, simulator: WhatsAppSimulator) -> WhatsApp:
        return connected(WhatsApp, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def writings(self, simulator: WhatsAppSimulator) -> list[Request]:
        return [simulator.webhook(simulator.row(self.customer, "text", {"body": "hello"}, group_id="a-group"))]

    def held(self, simulator: WhatsAppSimulator) -> Media:
        return Media(kind=Kind.IMAGE, id=simulator.receive_file(FILE, "image/png"))
