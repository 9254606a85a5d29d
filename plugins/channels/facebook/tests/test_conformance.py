"""Facebook keeps the rules of a channel."""

from pathlib import Path

import pytest
from attrs import evolve

from channelry.model import Audience, Kind, Media, Request, Target
from channelry_facebook.plugin import Facebook
from channelry_facebook.simulator import FacebookSimulator
from channelry_testing import FILE, ChannelConformance, connected
from channelry_testing.bench import Bench

ORIGIN = "https://simulated.example"
MANY = 10_000
"""Private replies to one comment, for the kit tries everything on one; Meta's own limit has tests of its own."""


class TestFacebook(ChannelConformance):
    rows = (
        "album", "another field", "another object", "another verb", "comment add", "comment add, author withheld",
        "comment add, by the Page", "comment add, link", "comment add, nested", "comment add, nothing known in it",
        "comment add, photo", "comment add, video", "comment edited", "comment hide", "comment remove",
        "comment unhide", "event", "handshake", "like", "mention", "messaging", "no entries", "photo", "post",
        "post edited", "post remove", "reaction", "reaction add", "reaction add, by the Page", "reaction edit",
        "reaction remove", "several entries", "share", "status", "time in milliseconds", "video",
    )  # fmt: skip

    @pytest.fixture
    def simulator(self) -> FacebookSimulator:
        return FacebookSimulator(private_replies=MANY)

    @pytest.fixture
    def second(self) -> FacebookSimulator:
        return FacebookSimulator(
            account="56",
            access_token="another-token",
            app_secret="another-secret",
            verify_token="another-verify-token",
            private_replies=MANY,
        )

    @pytest.fixture
    def plugin(self, simulator: FacebookSimulator) -> Facebook:
        return connected(Facebook, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def target(self, place: str, bench: Bench, simulator: FacebookSimulator) -> Target:
        found = Target.answering(self.message(bench, simulator, "hello"))
        return evolve(found, audience=Audience.PUBLIC if place == "public" else Audience.PRIVATE)

    def writings(self, simulator: FacebookSimulator) -> list[Request]:
        return [simulator.mention(self.customer, "hello @Shop")]

    def held(self, simulator: FacebookSimulator) -> Media:
        return Media(kind=Kind.IMAGE, url=f"{ORIGIN}/files/{simulator.hold(FILE, 'image/png')}")
