"""The Slack channel: its configuration, and its hooks."""

from collections.abc import Sequence

from attrs import field, frozen

from channelry import hookimpl, plugin
from channelry.model import Address, Call, Media, Outbound, Profile, Receipt, Received, Reconciled, Request
from channelry.secrets import Secret, Secrets
from channelry.services import Save, Services
from channelry_webapi import Client, Credentials, Missing, Shown, Tokens

from . import account, receive, send
from .api import RENEWED_EARLY, App, expired
from .capabilities import CAPABILITIES

BASE_URL = "https://slack.com/api"


@plugin
class Slack:
    """Slack by its Events and Web API: one connection is one app in one workspace."""

    capabilities = CAPABILITIES
    origins = (account.FILES_ORIGIN,)

    @frozen(kw_only=True)
    class Config:
        """One workspace.

        - `signing_secret`: the app's, which signs requests; of several all are accepted.
        - `bot_token`: one that lasts (`xoxb-…`). Where tokens rotate, in its place `refresh_token` (`xoxe-1-…`), and
          the app's `client_id` and `client_secret`.
        - `team_id`: the workspace's id (`T…`), needed where workspaces share an endpoint.
        - `base_url`: where the API's methods are.
        """

        signing_secret: Secrets
        bot_token: Secret | None = None
        refresh_token: Secret | None = None
        client_id: str = ""
        client_secret: Secret | None = None
        team_id: str = ""
        base_url: str = BASE_URL

    config: Config
    account: str = field(init=False)
    _client: Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.account = self.config.team_id
        base_url = self.config.base_url.rstrip("/")
        self._client = Client(base_url, self._credentials(base_url), expired)

    def _credentials(self, base_url: str) -> Credentials:
        config = self.config
        if config.bot_token:
            return Shown(config.bot_token)
        if config.refresh_token and config.client_secret:
            app = App(base_url, config.client_id, config.client_secret)
            return Tokens(config.refresh_token, app.renew, RENEWED_EARLY)
        return Missing("set bot_token, or refresh_token, client_id and client_secret")

    @hookimpl
    async def open(self, services: Services) -> None:
        """Have a token before the first message needs it."""
        await self._client.credentials.headers(services, "", "")

    @hookimpl
    def verify(self, request: Request) -> None:
        receive.verify(request, self.config.signing_secret)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request)

    @hookimpl
    async def profile(self, address: Address, services: Services) -> Profile | None:
        return await account.profile(self._client, address, services)

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return await account.download(self._client, media, save, self.capabilities, services)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        return send.compose(self.capabilities, outbound)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(self._client, call, services)

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Reconciled:
        return await send.reconcile(self._client, call, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.check(self._client, self.account, self.config.signing_secret, services)
