"""The Slack channel: its configuration, and its hooks."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from attrs import field, frozen

from channelry import hookimpl, plugin
from channelry.model import Address, Call, Media, Outbound, Profile, Receipt, Received, Reconciled, Request
from channelry.secrets import Secret, Secrets
from channelry.services import Save, Services

from . import account, receive, send
from .api import Api
from .capabilities import CAPABILITIES
from .tokens import Tokens

BASE_URL = "https://slack.com/api"
FILES_ORIGIN = "https://files.slack.com"


@plugin
class Slack:
    """Slack by its Events and Web API: one connection is one app in one workspace."""

    capabilities = CAPABILITIES

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
    origins: tuple[str, ...] = field(init=False)
    _api: Api = field(init=False)

    def __attrs_post_init__(self) -> None:
        config = self.config
        self.account = config.team_id
        base = urlsplit(config.base_url)
        self.origins = (FILES_ORIGIN, f"{base.scheme}://{base.netloc}")
        tokens = Tokens(config.bot_token, config.refresh_token, config.client_id, config.client_secret)
        self._api = Api(config.base_url.rstrip("/"), tokens)

    @hookimpl
    async def open(self, services: Services) -> None:
        """Renew a token that ends soon before the first message needs it."""
        await self._api.authorization(services)

    @hookimpl
    def verify(self, request: Request) -> None:
        receive.verify(request, self.config.signing_secret)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request)

    @hookimpl
    async def profile(self, address: Address, services: Services) -> Profile | None:
        return await account.profile(self._api, address, services)

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return await account.fetch(self._api, media, save, self.capabilities, self.origins, services)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        return send.compose(self.capabilities, outbound)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(self._api, call, services)

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Reconciled:
        return await send.reconcile(self._api, call, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.check(self._api, self.account, self.config.signing_secret, services)
