"""X as a channel: its configuration, what it carries, and its hooks."""

import re
from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen, validators

from channelry import hookimpl, model, plugin
from channelry.secrets import Secret, Secrets
from channelry.services import Save, Services
from channelry_webapi import Client, Credentials, Missing, Shown, Tokens, fetch

from . import account, receive, send
from .api import ORIGIN, Api
from .capabilities import DMS_A_QUARTER, of
from .oauth import TOKEN_PATH, App, Keys

NO_BEARER = "bearer_token is not set; only the app's own token may register webhooks"
_ID = re.compile(r"[0-9]{1,20}")


@plugin
class Twitter:
    """One account on X: its direct messages, what mentions it, and what answers its posts."""

    @frozen(kw_only=True)
    class Config:
        """One account's configuration.

        - `user_id`: of the account, digits; not its name.
        - `consumer_secret`: of the app, which signs webhooks; two while it is replaced, the newer one first.
        - `consumer_key`, `access_token`, `access_token_secret`: OAuth 1.0a keys; or
        - `client_id`, `client_secret`, `refresh_token`: OAuth 2.0, the secret for confidential apps only.
        - `bearer_token`: the app's own; `setup` and `check` need it.
        - `post_length`: 280, or 25,000 with Premium.
        - `direct_messages`: how many the account may send in 15 minutes.
        - `base_url`: of the API.
        """

        user_id: str = field(validator=validators.matches_re(_ID))
        consumer_secret: Secrets
        consumer_key: str = ""
        access_token: Secret | None = None
        access_token_secret: Secret | None = None
        client_id: str = ""
        client_secret: Secret | None = None
        refresh_token: Secret | None = None
        bearer_token: Secret | None = None
        post_length: int = field(default=280, validator=validators.ge(280))
        direct_messages: int = field(default=DMS_A_QUARTER, validator=validators.ge(1))
        base_url: str = ORIGIN

    origins: ClassVar[tuple[str, ...]] = (account.MEDIA_ORIGIN,)

    config: Config
    account: str = field(init=False)
    capabilities: model.Capabilities = field(init=False)
    _api: Api = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        config = self.config
        self.account = config.user_id
        self.capabilities = of(config.post_length, config.direct_messages)
        base_url = config.base_url.rstrip("/")
        app = Shown(config.bearer_token) if config.bearer_token else Missing(NO_BEARER)
        self._api = Api(Client(base_url, self._credentials(base_url)), Client(base_url, app))

    def _credentials(self, base_url: str) -> Credentials:
        config = self.config
        if config.access_token and config.access_token_secret and config.consumer_secret:
            keys = config.consumer_key, config.consumer_secret[0], config.access_token, config.access_token_secret
            return Keys(*keys)
        if config.refresh_token:
            app = App(base_url + TOKEN_PATH, config.client_id, config.client_secret)
            return Tokens(config.refresh_token, app.renew)
        return Missing("neither access_token and its secret nor client_id and refresh_token are set")

    @hookimpl
    def verify(self, request: model.Request) -> None:
        receive.verify(request, self.config.consumer_secret)

    @hookimpl
    def parse(self, request: model.Request) -> model.Received:
        return receive.parse(request, self.config.consumer_secret)

    @hookimpl
    def compose(self, outbound: model.Outbound) -> Sequence[model.Call]:
        self.capabilities.admit(outbound)
        return send.compose(outbound, self.capabilities, self.account)

    @hookimpl
    async def send(self, call: model.Call, services: Services) -> model.Receipt:
        return await send.send(call, self._api, services)

    @hookimpl
    async def reconcile(self, call: model.Call, services: Services) -> model.Reconciled:
        return await send.reconcile(call, self._api, self.account, services)

    @hookimpl
    async def profile(self, address: model.Address, services: Services) -> model.Profile | None:
        return await account.profile(self._api, address, services)

    @hookimpl
    async def fetch(self, media: model.Media, save: Save, services: Services) -> model.Media:
        headers = await self._api.account.shown(services, media.url, account.MEDIA_ORIGIN)
        return await fetch(services, media, save, self.capabilities, headers=headers)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        await account.setup(self._api, url, self.account, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.check(self._api, self.account, services)
