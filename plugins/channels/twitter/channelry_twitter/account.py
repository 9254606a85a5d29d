"""The account's own affairs: its webhook, its subscriptions, its credentials, and who people are."""

from channelry.errors import AuthError, PermanentError
from channelry.model import Address, Profile
from channelry.services import Services

from .api import Api
from .people import profile as read_profile

EVENTS = (
    "dm.received", "dm.sent", "dm.read", "dm.indicate_typing", "chat.received",
    "post.create", "post.mention.create", "post.reply.create", "like.create",
)  # fmt: skip
"""What is subscribed to. Source: https://docs.x.com/x-api/activity/introduction"""

MEDIA_ORIGIN = "https://ton.twitter.com"
"""Where the files of direct messages are, which only the account may see; not in X's present pages."""


async def profile(api: Api, address: Address, services: Services) -> Profile | None:
    """Look up somebody's name and picture."""
    query = {"user.fields": "name,username,profile_image_url"}
    found = await api.call(services, "GET", f"/2/users/{address.value}", query=query)
    return read_profile(address.value, {address.value: found}) if found else None


async def setup(api: Api, url: str, ours: str, services: Services) -> None:
    """Register `url`, which X challenges at once, and subscribe the account to what customers do."""
    try:
        webhook = (await api.call(services, "POST", "/2/webhooks", json={"url": url}, app=True)).get("id")
    except PermanentError:
        known = await _webhook(api, url, services)
        if known is None:
            raise
        webhook = known["id"]
        await api.call(services, "PUT", f"/2/webhooks/{webhook}", app=True)
    for kind in sorted(set(EVENTS) - await _subscribed(api, ours, services)):
        wanted = {"event_type": kind, "filter": {"user_id": ours}, "webhook_id": webhook}
        await api.call(services, "POST", "/2/activity/subscriptions", json=wanted)


async def check(api: Api, ours: str, services: Services) -> None:
    """Make sure that the credentials are this account's, and that its events come to our URL."""
    me = await api.call(services, "GET", "/2/users/me")
    if me.get("id") != ours:
        raise AuthError(f"the credentials are those of account {me.get('id')}, not of {ours}", code="account")
    known = await _webhook(api, services.public_url, services)
    if known is None:
        raise PermanentError(f"{services.public_url} is not registered; run the set-up", code="webhook")
    if known.get("valid") is not True:
        raise PermanentError("X holds the webhook for broken; run the set-up again", code="webhook")
    if missing := set(EVENTS) - await _subscribed(api, ours, services):
        raise PermanentError(f"not subscribed to {', '.join(sorted(missing))}; run the set-up", code="webhook")


async def _webhook(api: Api, url: str, services: Services) -> dict[str, object] | None:
    rows = (await api.call(services, "GET", "/2/webhooks", app=True)).get("", ())
    return next((dict(row) for row in rows if row.get("url") == url), None)


async def _subscribed(api: Api, ours: str, services: Services) -> set[str]:
    rows = (await api.call(services, "GET", "/2/activity/subscriptions", app=True)).get("", ())
    return {str(row.get("event_type")) for row in rows if row.get("filter", {}).get("user_id") == ours}
