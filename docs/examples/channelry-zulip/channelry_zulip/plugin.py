"""Zulip as a channel: its configuration, what it carries and within which limits, and its hooks."""

from collections.abc import Sequence

from attrs import field, frozen

from channelry import hookimpl, plugin
from channelry.model import (
    Call,
    Capabilities,
    Kind,
    Media,
    MediaLimit,
    Outbound,
    Rate,
    RateScope,
    Receipt,
    Received,
    Request,
    Resend,
)
from channelry.secrets import Secret, Secrets
from channelry.services import Save, Services

from . import files, receive, send
from .api import Bot

LARGEST_FILE = 25 * 1024 * 1024  # a server's default: https://zulip.com/api/upload-file
FILES = (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.DOCUMENT)

CAPABILITIES = Capabilities(
    receives=frozenset({Kind.TEXT, Kind.IMAGE, Kind.DOCUMENT}),
    sends=frozenset({Kind.TEXT, Kind.EDIT, *FILES}),
    text=10_000,  # code points: https://zulip.com/api/send-message#parameter-content
    media=dict.fromkeys(FILES, MediaLimit(upload=LARGEST_FILE, fetch=LARGEST_FILE)),
    resend=Resend.NEVER,  # Zulip takes no key of ours
    rates=(Rate(RateScope.CONNECTION, 200, 60),),  # a server's default: https://zulip.com/api/rest-error-handling
    schemes=(receive.USER, receive.GROUP, receive.STREAM),
    initiates=True,
)


@plugin
class Zulip:
    """One outgoing webhook bot of one Zulip organization."""

    capabilities = CAPABILITIES

    @frozen(kw_only=True)
    class Config:
        """One bot: its `zuliprc` file holds all of this but the topic.

        - `base_url`: the organization, without a slash at the end.
        - `bot_email`: the bot's address, by which it logs in.
        - `api_key`: the bot's API key.
        - `webhook_token`: what Zulip shows in its webhooks; two while one replaces the other.
        - `topic`: where in a stream a message goes that answers none; at most 60 characters.
        """

        base_url: str
        bot_email: str
        api_key: Secret
        webhook_token: Secrets
        topic: str = "customer care"

    config: Config
    bot: Bot = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.bot = Bot(self.config.base_url, self.config.bot_email, self.config.api_key)

    @hookimpl
    def verify(self, request: Request) -> None:
        receive.verify(request, self.config.webhook_token)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        return send.compose(self.capabilities, self.config.topic, outbound)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(self.bot, call, services)

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return await files.fetch(self.bot, media, LARGEST_FILE, save, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await send.check(self.bot, services)
