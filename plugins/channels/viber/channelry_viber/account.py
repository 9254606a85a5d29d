"""The bot's own affairs: its webhook, its credentials, its files."""

from attrs import evolve

from channelry.errors import PermanentError
from channelry.model import Capabilities, Media
from channelry.parsing import sequence, string
from channelry.services import Save, Services

from .api import Api

EVENTS = ("delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started")
"""The callbacks that can be asked for; messages come in any case.
Source: https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook"""


async def setup(api: Api, url: str, services: Services) -> None:
    """Have Viber post callbacks to `url`, which it calls, and wants answered, before it answers us."""
    wanted = {"url": url, "event_types": EVENTS, "send_name": True, "send_photo": True}
    await api.call(services, "set_webhook", wanted)


async def check(api: Api, services: Services) -> None:
    """Make sure that the token is good, and that callbacks come to this connection."""
    account = await api.call(services, "get_account_info", {})
    url = string(account.get("webhook"))
    if url != services.public_url:
        found = f"it is {url}" if url else "there is none"
        raise PermanentError(f"the webhook should be {services.public_url}, but {found}; set it up", code="webhook")
    if missing := set(EVENTS).difference(sequence(account.get("event_types"))):
        raise PermanentError(f"the webhook brings no {', '.join(sorted(missing))}; set it up", code="webhook")


async def fetch(media: Media, save: Save, capabilities: Capabilities, services: Services) -> Media:
    """Download a customer's file from its link, which lives for about an hour."""
    limit = capabilities.media[media.kind].fetch
    if not media.url or limit is None:
        raise PermanentError("the file has no link to fetch it by", code="no_file")
    file = await services.http.download(media.url, save, limit=limit)
    return evolve(media, media_type=media.media_type or file.media_type, size=file.size)
