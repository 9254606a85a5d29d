"""Twilio as a channel: its configuration, what it carries, and its hooks."""

import re
from collections.abc import Sequence
from typing import Any

from attrs import field, frozen, validators

from channelry import hookimpl, model, plugin
from channelry.secrets import Secret, Secrets
from channelry.services import Save, Services
from channelry_webapi import Client, fetch
from channelry_webapi.credentials import basic

from . import account, receive, send
from .api import MESSAGING, ORIGIN, Api
from .capabilities import of

_SENDER = re.compile(r"\+?[0-9]{3,15}|whatsapp:\+[0-9]{6,15}|MG[0-9a-f]{32}")


def _sender(config: Any, attribute: Any, value: str) -> None:
    if not _SENDER.fullmatch(value):
        raise ValueError('sender must be "+15005550001", "whatsapp:+15005550001" or "MG" and 32 hex digits')


@plugin
class Twilio:
    """One sender of a Twilio account: a number, a WhatsApp sender or a Messaging Service."""

    @frozen(kw_only=True)
    class Config:
        """One sender's configuration.

        - `account_sid`, `auth_token`: of the account; the token signs webhooks too, so two while it is replaced.
        - `sender`: a number (`"+15005550001"`, a short code), `"whatsapp:+15005550001"`, or a Messaging Service
          (`"MG…"`).
        - `api_key`, `api_secret`: what requests are made with in place of the auth token, where given.
        - `shared_key`: for webhooks that are signed with HMAC_SHA256 and a shared key.
        - `webhook_url`: where Twilio calls us, if that is not this server's public address.
        - `messages_per_second`: what Twilio grants this sender, if that is not the usual 1, or 80 on WhatsApp.
        - `max_segments`: longest text message, in segments; what is longer becomes several.
        - `base_url`, `messaging_url`: of the APIs, for another region.
        """

        account_sid: str
        auth_token: Secrets
        sender: str = field(validator=_sender)
        api_key: str = ""
        api_secret: Secret | None = None
        shared_key: Secrets = ()
        webhook_url: str = ""
        messages_per_second: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
        max_segments: int = field(default=10, validator=validators.ge(1))
        base_url: str = ORIGIN
        messaging_url: str = MESSAGING

    config: Config
    account: str = field(init=False)
    capabilities: model.Capabilities = field(init=False)
    origins: tuple[str, ...] = field(init=False)
    _api: Api = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        config = self.config
        self.account = config.sender
        self.capabilities = of(config.sender, config.messages_per_second)
        self.origins = (config.messaging_url.rstrip("/"),)
        secret = config.api_secret or (config.auth_token[0] if config.auth_token else Secret(""))
        user = config.api_key if config.api_secret else config.account_sid
        client = Client(config.base_url.rstrip("/"), basic(user, secret))
        self._api = Api(client, config.account_sid, *self.origins)

    @hookimpl
    def verify(self, request: model.Request) -> None:
        receive.verify(request, self._called(request), self.config.auth_token, self.config.shared_key)

    def _called(self, request: model.Request) -> str:
        """Give the URL that Twilio called; behind a proxy that maps paths it is the configured one, with the query."""
        query = request.path.partition("?")[2]
        if not self.config.webhook_url:
            return request.public_url
        return f"{self.config.webhook_url}?{query}" if query else self.config.webhook_url

    @hookimpl
    def parse(self, request: model.Request) -> model.Received:
        return receive.parse(request, self.account)

    @hookimpl
    def compose(self, outbound: model.Outbound) -> Sequence[model.Call]:
        self.capabilities.admit(outbound)
        return send.compose(outbound, self.account, self.capabilities, self.config.max_segments)

    @hookimpl
    async def send(self, call: model.Call, services: Services) -> model.Receipt:
        return await send.send(call, self._api, self._webhook(services.public_url), services)

    @hookimpl
    async def reconcile(self, call: model.Call, services: Services) -> model.Reconciled:
        return await send.reconcile(call, self._api, services)

    @hookimpl
    async def fetch(self, media: model.Media, save: Save, services: Services) -> model.Media:
        # Twilio answers with a redirect, which gets no credentials; https://www.twilio.com/docs/messaging/api/media-resource
        headers = await self._api.client.shown(services, media.url)
        return await fetch(services, media, save, self.capabilities, headers=headers)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        await account.setup(self._api, self.account, self._webhook(url), services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.check(self._api, self.account, self._webhook(services.public_url), services)

    def _webhook(self, url: str) -> str:
        return self.config.webhook_url or url
