"""One connection: its configuration, and its requests to Twilio's REST API.

Source: https://www.twilio.com/docs/usage/requests-to-twilio
"""

import re
from typing import Any

from attrs import field, frozen, validators

from channelry import model, plugin
from channelry.secrets import Secret, Secrets
from channelry_webapi import Client, basic

from .capabilities import of
from .refusals import refusal

ORIGIN = "https://api.twilio.com"
MESSAGING = "https://messaging.twilio.com"
"""Where Messaging Services, WhatsApp senders and typing indicators are."""


def _sender(config: Any, attribute: Any, value: str) -> None:
    if not re.fullmatch(r"\+[0-9]{3,15}|[0-9]{3,8}|whatsapp:\+[0-9]{6,15}|MG[0-9a-f]{32}", value):
        raise ValueError('sender must be a number with its "+", a short code, "whatsapp:+…" or "MG" and 32 hex digits')


@plugin
class Sender:
    """One sender of a Twilio account: a number, a WhatsApp sender or a Messaging Service."""

    @frozen(kw_only=True)
    class Config:
        """One sender's configuration.

        - `account_sid`, `auth_token`: of the account; the token signs webhooks too, so two while it is replaced.
        - `sender`: a number with its + (`"+15005550001"`), a short code (3 to 8 digits), `"whatsapp:+15005550001"`,
          or a Messaging Service (`"MG…"`).
        - `api_key`, `api_secret`: what requests are made with in place of the auth token, where given.
        - `shared_key`: for webhooks that are signed with HMAC_SHA256 and a shared key.
        - `webhook_url`: where Twilio calls us, if that is not this server's public address; without a query.
        - `messages_per_second`: what Twilio grants this sender, if that is not the usual 1, or 80 on WhatsApp.
        - `max_segments`: longest text message, in segments; what is longer becomes several. None: only Twilio's
          limit of 1,600 characters counts.
        - `base_url`, `messaging_url`: of the APIs, for another region.
        """

        account_sid: str
        auth_token: Secrets
        sender: str = field(validator=_sender)
        api_key: str = ""
        api_secret: Secret | None = None
        shared_key: Secrets = ()
        webhook_url: str = field(default="", validator=validators.matches_re(r"[^?#]*"))
        messages_per_second: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
        max_segments: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
        base_url: str = ORIGIN
        messaging_url: str = MESSAGING

    config: Config
    account: str = field(init=False)
    capabilities: model.Capabilities = field(init=False)
    messaging_url: str = field(init=False)
    origins: tuple[str, ...] = field(init=False)
    client: Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        config = self.config
        self.account, self.capabilities = config.sender, of(config.sender, config.messages_per_second)
        self.messaging_url = config.messaging_url.rstrip("/")
        self.origins = (self.messaging_url,)
        token = next(iter(config.auth_token), Secret(""))
        key = basic(config.api_key, config.api_secret) if config.api_secret else basic(config.account_sid, token)
        base_url = f"{config.base_url.rstrip('/')}/2010-04-01/Accounts/{config.account_sid}"
        self.client = Client(base_url, key, refusal=refusal)
