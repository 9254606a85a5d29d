"""The Telegram channel: its configuration, what it carries, and its hooks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import anyio
from attrs import field, frozen

from channelry import hookimpl, plugin
from channelry.hookspecs import Deliver
from channelry.model import (
    ButtonLimit,
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
    TextUnit,
)
from channelry.secrets import Secret, Secrets
from channelry.services import Save, Services

from . import account, poll, receive, send
from .api import Api

ORIGIN = "https://api.telegram.org"
_MB = 1_000_000
_FILE = MediaLimit(upload=50 * _MB, link=20 * _MB, fetch=20 * _MB)
_CARRIED = frozenset({
    Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VOICE, Kind.VIDEO, Kind.DOCUMENT, Kind.STICKER, Kind.LOCATION,
    Kind.CONTACT, Kind.BUTTONS, Kind.REACTION, Kind.EDIT, Kind.DELETE,
})  # fmt: skip

CAPABILITIES = Capabilities(
    receives=_CARRIED,  # deletions from business chats only
    sends=_CARRIED | {Kind.TYPING, Kind.ANSWER},
    text=4096,
    caption=1024,
    unit=TextUnit.UTF16,
    # https://core.telegram.org/bots/api#sending-files; what Telegram can play it says at each method
    media={
        Kind.IMAGE: MediaLimit(upload=10 * _MB, link=5 * _MB, fetch=20 * _MB),
        Kind.AUDIO: _FILE,
        Kind.VOICE: _FILE,
        Kind.VIDEO: _FILE,
        Kind.DOCUMENT: _FILE,
        Kind.STICKER: _FILE,
    },
    # https://core.telegram.org/bots/api#inlinekeyboardbutton; it names no longest title, the apps cut it off
    buttons=ButtonLimit(count=100, title=128, payload=64, text=4096, payload_unit=TextUnit.BYTES, urls=True),
    delete_within=timedelta(hours=48),  # https://core.telegram.org/bots/api#deletemessage
    resend=Resend.NEVER,  # it takes no key of ours, cannot be asked, and reports nothing later
    # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    rates=(
        Rate(RateScope.CONNECTION, 30, 1),
        Rate(RateScope.RECIPIENT, 1, 1),
        Rate(RateScope.GROUP, 20, 60),
    ),
    quotes=True,
)


@plugin
class Telegram:
    """Telegram by its Bot API: one connection is one bot."""

    capabilities = CAPABILITIES
    origins = (ORIGIN,)

    @frozen(kw_only=True)
    class Config:
        """One bot.

        - `token`: what BotFather gave; `secret_token`: what Telegram shows with each webhook, your own choice
          of 1 to 256 letters, digits, `_` and `-`. Of several all are accepted, and the first is registered.
        - `mode`: `"webhook"`, or `"polling"` where Telegram cannot reach this server.
        - `base_url`: another Bot API server.
        """

        token: Secret
        secret_token: Secrets = ()
        mode: Literal["webhook", "polling"] = "webhook"
        base_url: str = ORIGIN

    config: Config
    _api: Api = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._api = Api(self.config.base_url.rstrip("/"), self.config.token)

    @hookimpl
    def verify(self, request: Request) -> None:
        receive.verify(request, self.config.secret_token)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request)

    @hookimpl
    async def listen(self, deliver: Deliver, services: Services) -> None:
        if self.config.mode == "webhook":
            await anyio.sleep_forever()
        await poll.listen(self._api, deliver, services)

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return await account.fetch(self._api, media, save, self.capabilities, services)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        return send.compose(self.capabilities, outbound)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(self._api, call, services)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        if self.config.mode == "polling":
            await account.forget_webhook(self._api, services)
        else:
            await account.setup(self._api, url, self.config.secret_token, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        polling = self.config.mode == "polling"
        await account.check(self._api, self.config.secret_token, services, polling=polling)
