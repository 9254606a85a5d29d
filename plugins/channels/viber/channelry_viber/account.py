"""The bot's own affairs: its webhook and its credentials."""

from channelry import hookimpl
from channelry.errors import PermanentError
from channelry.parsing import sequence, string
from channelry.services import Services
from channelry_webapi import require_here

from .connection import Bot

EVENTS = ("delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started")
"""The callbacks that can be asked for; messages come in any case.
Source: https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook"""


@hookimpl
async def setup(bot: Bot, url: str, services: Services) -> None:
    """Have Viber post callbacks to `url`, which it calls, and wants answered, before it answers us."""
    wanted = {"url": url, "event_types": EVENTS, "send_name": True, "send_photo": True}
    await bot.call(services, "set_webhook", wanted)


@hookimpl
async def check(bot: Bot, services: Services) -> None:
    """Make sure that the token is good, and that callbacks come to this connection."""
    account = await bot.call(services, "get_account_info", {})
    require_here(string(account.get("webhook")), services.public_url)
    if missing := set(EVENTS).difference(sequence(account.get("event_types"))):
        raise PermanentError(f"the webhook brings no {', '.join(sorted(missing))}; set it up", code="webhook")
