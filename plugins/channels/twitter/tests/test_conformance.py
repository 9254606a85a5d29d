"""X keeps the rules of a channel, by the keys of OAuth 1.0a and by the tokens of OAuth 2.0."""

from pathlib import Path

import pytest

from channelry.model import Kind, Media, Request
from channelry_testing import FILE, ChannelConformance, connected
from channelry_twitter.plugin import Twitter
from channelry_twitter.simulator import TwitterSimulator


class TestTwitter(ChannelConformance):
    rows = (
        "crc", "aaa direct message", "aaa read", "aaa typing", "aaa post", "aaa deletion", "aaa like", "aaa other",
        "aaa revoke", "xaa dm.received", "xaa dm.sent", "xaa dm.read", "xaa dm.indicate_typing", "xaa chat.*",
        "xaa post.mention.create", "xaa post.reply.create", "xaa post.quote.create", "xaa post.repost.create",
        "xaa post.create", "xaa like.create", "xaa post.delete", "xaa oauth.revoke", "xaa other",
    )  # fmt: skip
    customer = "222"
    oauth2 = False

    @pytest.fixture
    def simulator(self) -> TwitterSimulator:
        return TwitterSimulator(oauth2=self.oauth2)

    @pytest.fixture
    def second(self) -> TwitterSimulator:
        return TwitterSimulator(
            user_id="112",
            consumer_secret="another consumer secret",
            access_token="another access token",
            client_secret="another client secret",
            refresh_token="another refresh token",
            oauth2=self.oauth2,
        )

    @pytest.fixture
    def plugin(self, simulator: TwitterSimulator) -> Twitter:
        return connected(Twitter, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def writings(self, simulator: TwitterSimulator) -> list[Request]:
        mention = simulator.mention(self.customer, "hello")
        return [mention, simulator.mention(self.customer, "hello", answers="1000")]

    def held(self, simulator: TwitterSimulator) -> Media:
        return Media(kind=Kind.IMAGE, url=simulator.base_url + simulator.hold(FILE, "image/png"))


class TestRotating(TestTwitter):
    oauth2 = True
