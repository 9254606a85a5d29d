"""The Telegram channel: its configuration, what it carries, and its hooks."""

from collections.abc import Sequence
from typing import Literal

import anyio
from attrs import field, frozen

from channelry import hookimpl, plugin
from channelry.hookspecs import Deliver
from channelry.model import Call, Media, Outbound, Receipt, Received, Request
from channelry.secrets import Secret, Secrets
from channelry.services import Save, Services

from . import account, poll, receive, send
from .api import Api
from .capabilities import CAPABILITIES

ORIGIN = "https://api.telegram.org"


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
    _tokens: tuple[bytes, ...] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._api = Api(self.config.base_url.rstrip("/"), self.config.token)
        self._tokens = tuple(secret.encode() for secret in self.config.secret_token)

    @hookimpl
    def verify(self, request: Request) -> None:
        receive.verify(request, self._tokens)

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
