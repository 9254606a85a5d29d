"""The bot's own affairs: its webhook and its credentials."""

from channelry.errors import PermanentError
from channelry.parsing import sequence, string
from channelry.services import Services
from channelry_webapi import Client
from channelry_webapi.webhooks import require_here

from .api import call

EVENTS = ("delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started")
"""The callbacks that can be asked for; messages come in any case.
Source: https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook"""


async def setup(client: Client, url: str, services: Services) -> None:
    """Have Viber post callbacks to `url`, which it calls, and wants answered, before it answers us."""
    wanted = {"url": url, "event_types": EVENTS, "send_name": True, "send_photo": True}
    await call(client, services, "set_webhook", wanted)


async def check(client: Client, services: Services) -> None:
    """Make sure that the token is good, and that callbacks come to this connection."""
    account = await call(client, services, "get_account_info", {})
    require_here(string(account.get("webhook")), services)
    if missing := set(EVENTS).difference(sequence(account.get("event_types"))):
        raise PermanentError(f"the webhook brings no {', '.join(sorted(missing))}; set it up", code="webhook")
