"""Twilio's REST API: one request, and its answer.

Source: https://www.twilio.com/docs/usage/requests-to-twilio
"""

from collections.abc import Mapping
from typing import Any, Unpack

from attrs import frozen

from channelry.services import Services
from channelry_webapi import Client, Options
from channelry_webapi.answers import content, unreadable

from .refusals import refusal

ORIGIN = "https://api.twilio.com"
MESSAGING = "https://messaging.twilio.com"
"""Where Messaging Services, WhatsApp senders and typing indicators are."""


@frozen
class Api:
    """The API as one account reaches it: by its auth token, or by an API key."""

    client: Client
    account_sid: str
    messaging_url: str

    async def call(self, services: Services, method: str, path: str, **options: Unpack[Options]) -> Mapping[str, Any]:
        """Make a request and give its answer's object; `path` is of something of the account's, or a whole URL."""
        if "://" not in path:
            path = f"/2010-04-01/Accounts/{self.account_sid}{path}"
        answer = await self.client.ask(services, method, path, **options)
        if answer.status >= 300:
            raise refusal(answer, services)
        if found := content(answer):
            return found
        raise unreadable(repeatable=options.get("repeatable", True))
