"""The channel's own affairs: its webhook, its credentials and quota, its customers' names and files."""

from urllib.parse import quote

from channelry import hookimpl
from channelry.errors import PermanentError, RetryableError
from channelry.model import Address, Kind, Media, Profile
from channelry.parsing import size, string
from channelry.services import Save, Services
from channelry_webapi import download, require_here

from .capabilities import GROUP, NOT_READY, READY_AFTER, ROOM
from .connection import BOT, Account

WEBHOOK = "/channel/webhook"
"""Source: https://developers.line.biz/en/reference/messaging-api/#webhook-settings"""


@hookimpl
async def setup(account: Account, url: str, services: Services) -> None:
    """Have LINE post webhooks to `url`, and make sure that it gets there."""
    await account.client.call(services, "PUT", f"{WEBHOOK}/endpoint", json={"endpoint": url})
    tried = await account.client.call(services, "POST", f"{WEBHOOK}/test", json={"endpoint": url})
    if tried.get("success") is not True:
        told = f"{tried.get('reason', '')} {tried.get('detail', '')}".strip()
        raise PermanentError(f"LINE does not reach {url}: {told}", code="webhook")


@hookimpl
async def check(account: Account, services: Services) -> None:
    """Make sure that the token is this account's, that webhooks come here, and that messages are left this month."""
    found = string((await account.client.call(services, "GET", "/info")).get("userId"))
    if account.account and found != account.account:
        raise PermanentError(f"the token is of {found}, but bot_user_id is {account.account}", code="bot_user_id")
    webhook = await account.client.look_up(services, f"{WEBHOOK}/endpoint")
    require_here(string(webhook.get("endpoint")), services.public_url)
    if webhook.get("active") is not True:
        raise PermanentError("turn on 'Use webhook' in the LINE Developers Console", code="webhook")
    quota = await account.client.call(services, "GET", "/message/quota")  # without a value where it is unlimited
    most = size(quota.get("value"))
    used = size((await account.client.call(services, "GET", "/message/quota/consumption")).get("totalUsage"))
    if most is not None and used is not None and used >= most:
        raise PermanentError(f"all {most} messages of this month are used", code="monthly_limit")


@hookimpl
async def profile(account: Account, address: Address, services: Services) -> Profile | None:
    """Ask for the name and picture of a person, who has us as a friend, or of a group; None where LINE tells none."""
    kind, value = address.value[:1], quote(address.value, safe="")
    if kind == ROOM:
        return None
    found = await account.client.look_up(services, f"/group/{value}/summary" if kind == GROUP else f"/profile/{value}")
    if not found:
        return None
    name, picture = found.get("displayName") or found.get("groupName"), string(found.get("pictureUrl"))
    return Profile(address=address, name=string(name), picture=picture, locale=string(found.get("language")))


@hookimpl
async def fetch(account: Account, media: Media, save: Save, services: Services) -> Media:
    """Download a customer's file; LINE makes it ready first, tells of audio and video whether they are, and keeps all
    for a while only.
    """
    url = media.url
    if media.id and not url:
        url = f"{account.config.data_url.rstrip('/')}{BOT}/message/{quote(media.id, safe='')}/content"
    unready = RetryableError("LINE is still making the file ready", code="transcoding", retry_after=READY_AFTER)
    if url != media.url and media.kind in (Kind.AUDIO, Kind.VIDEO):
        state = (await account.client.call(services, "GET", f"{url}/transcoding")).get("status")
        if state == "failed":
            raise PermanentError("LINE could not make the file ready", code="transcoding")
        if state != "succeeded":
            raise unready
    try:
        return await download(account, media, save, services, url)
    except PermanentError as error:
        raise (unready if error.code == NOT_READY else error) from None
