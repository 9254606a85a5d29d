"""The LINE channel: its configuration, and its hooks."""

from collections.abc import Sequence

from attrs import field, frozen

from channelry import hookimpl, plugin
from channelry.model import Address, Call, Media, Outbound, Profile, Receipt, Received, Reconciled, Request
from channelry.secrets import Secret, Secrets
from channelry.services import Save, Services
from channelry_webapi import Client, Credentials, Missing, Shown, Tokens

from . import account, receive, send
from .api import Issuer
from .capabilities import CAPABILITIES

ORIGIN = "https://api.line.me"
DATA_ORIGIN = "https://api-data.line.me"


@plugin
class Line:
    """LINE by its Messaging API: one connection is one channel, which is one official account."""

    capabilities = CAPABILITIES

    @frozen(kw_only=True)
    class Config:
        """One channel.

        - `channel_secret`: what signs webhooks. Of several all are accepted, and the first is used for tokens.
        - `channel_access_token`: one that lasts; without it `channel_id` is needed, and short ones are issued.
        - `bot_user_id`: the account's own user id (`U…`); needed only where channels share an endpoint.
        - `preview_url`: an https picture of at most 1 MB, shown for videos and large pictures until they are opened;
          without it videos are sent as links.
        - `base_url`, `data_url`: other servers of the API and of customers' files.
        """

        channel_secret: Secrets
        channel_access_token: Secret | None = None
        channel_id: str = ""
        bot_user_id: str = ""
        preview_url: str = ""
        base_url: str = ORIGIN
        data_url: str = DATA_ORIGIN

    config: Config
    account: str = field(init=False)
    origins: tuple[str, ...] = field(init=False)
    _data_url: str = field(init=False)
    _client: Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        config = self.config
        self.account, self._data_url = config.bot_user_id, config.data_url.rstrip("/")
        self.origins = (self._data_url,)
        base_url = config.base_url.rstrip("/")
        self._client = Client(base_url, self._credentials(base_url))

    def _credentials(self, base_url: str) -> Credentials:
        config = self.config
        if config.channel_access_token:
            return Shown(config.channel_access_token)
        if config.channel_id and config.channel_secret:
            return Tokens(config.channel_secret[0], Issuer(base_url, config.channel_id).renew)
        return Missing("set channel_access_token, or channel_id and channel_secret")

    @hookimpl
    def verify(self, request: Request) -> None:
        receive.verify(request, self.config.channel_secret)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request)

    @hookimpl
    async def profile(self, address: Address, services: Services) -> Profile | None:
        return await account.profile(self._client, address, services)

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return await account.download(self._client, self._data_url, media, save, self.capabilities, services)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        return send.compose(self.capabilities, outbound, self.config.preview_url)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(self._client, call, services)

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Reconciled:
        return await send.reconcile(call, services)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        await account.setup(self._client, url, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.check(self._client, self.account, services)
