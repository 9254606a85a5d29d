"""The account's own affairs: its webhook, its subscriptions, its credentials, and who people are."""

from typing import Any

from channelry import hookimpl
from channelry.errors import AuthError, PermanentError
from channelry.model import Address, Profile
from channelry.services import Services

from . import content
from .capabilities import EVENTS
from .connection import Account

WEBHOOKS, SUBSCRIPTIONS = "/2/webhooks", "/2/activity/subscriptions"


@hookimpl
async def profile(account: Account, address: Address, services: Services) -> Profile | None:
    """Look up somebody's name and picture."""
    query = {"user.fields": "name,username,profile_image_url"}
    found = await account.call(services, "GET", f"/2/users/{address.value}", query=query)
    return content.profile(address.value, found) if found else None


@hookimpl
async def setup(account: Account, url: str, services: Services) -> None:
    """Register `url`, which X challenges at once, and subscribe the account to what customers do.

    A subscription that has another webhook, of an earlier `url`, is given this one.
    """
    try:
        webhook = (await account.call(services, "POST", WEBHOOKS, json={"url": url}, app=True)).get("id")
    except PermanentError:
        known = await _webhook(account, url, services)
        if known is None:
            raise
        webhook = known["id"]
        await account.call(services, "PUT", f"{WEBHOOKS}/{webhook}", app=True)
    for kind, elsewhere in (await _missing(account, webhook, services)).items():
        if elsewhere:
            path = f"{SUBSCRIPTIONS}/{elsewhere}"
            await account.call(services, "PUT", path, json={"webhook_id": webhook}, app=True)
        else:
            wanted = {"event_type": kind, "filter": {"user_id": account.account}, "webhook_id": webhook}
            await account.call(services, "POST", SUBSCRIPTIONS, json=wanted)


@hookimpl
async def check(account: Account, services: Services) -> None:
    """Make sure that the credentials are this account's, and that its events come to our URL."""
    me, ours = (await account.call(services, "GET", "/2/users/me")).get("id"), account.account
    if me != ours:
        raise AuthError(f"the credentials are those of account {me}, not of {ours}", code="account")
    known = await _webhook(account, services.public_url, services)
    if known is None:
        raise PermanentError(f"{services.public_url} is not registered; run the set-up", code="webhook")
    if known.get("valid") is not True:
        raise PermanentError("X holds the webhook for broken; run the set-up again", code="webhook")
    if missing := await _missing(account, known.get("id"), services):
        raise PermanentError(f"not subscribed to {', '.join(missing)}; run the set-up", code="webhook")


async def _webhook(account: Account, url: str, services: Services) -> Any:
    """Give what X knows of the webhook at `url`, None where there is none."""
    rows = (await account.call(services, "GET", WEBHOOKS, app=True)).get("", ())
    return next((row for row in rows if row.get("url") == url), None)


async def _missing(account: Account, webhook: Any, services: Services) -> dict[str, Any]:
    """Name what the webhook does not bring of the account, with the id of a subscription that brings it elsewhere.

    Source: https://docs.x.com/x-api/activity/quickstart
    """
    rows = (await account.call(services, "GET", SUBSCRIPTIONS, app=True)).get("", ())
    ours = [row for row in rows if row.get("filter", {}).get("user_id") == account.account]
    here = {row.get("event_type") for row in ours if row.get("webhook_id") == webhook}
    elsewhere = {row.get("event_type"): row.get("subscription_id") for row in ours}
    return {kind: elsewhere.get(kind) for kind in sorted(EVENTS) if kind not in here}
