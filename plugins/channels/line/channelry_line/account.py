"""The channel's own affairs: its webhook, its credentials and quota, its customers' names and files."""

from typing import Any
from urllib.parse import quote

from channelry import hookimpl
from channelry.errors import PermanentError, RetryableError
from channelry.model import Address, Kind, Media, Profile
from channelry.parsing import size, string
from channelry.services import Save, Services
from channelry_webapi import download
from channelry_webapi.webhooks import require_here

from .connection import BOT, Account, result

WEBHOOK = "/channel/webhook"
"""Source: https://developers.line.biz/en/reference/messaging-api/#webhook-settings"""
GROUP, ROOM = "C", "R"
"""What the id of a group begins with, and that of a group without a name; a person's begins with U."""
TRANSCODING_SECONDS = 5.0
_TRANSCODED = frozenset({Kind.AUDIO, Kind.VIDEO})


@hookimpl
async def setup(account: Account, url: str, services: Services) -> None:
    """Have LINE post webhooks to `url`, and make sure that it gets there."""
    await account.call(services, "PUT", f"{WEBHOOK}/endpoint", {"endpoint": url})
    tried = await account.call(services, "POST", f"{WEBHOOK}/test", {"endpoint": url})
    if tried.get("success") is not True:
        told = f"{tried.get('reason', '')} {tried.get('detail', '')}".strip()
        raise PermanentError(f"LINE does not reach {url}: {told}", code="webhook")


@hookimpl
async def check(account: Account, services: Services) -> None:
    """Make sure that the token is this account's, that webhooks come here, and that messages are left this month."""
    found = string((await account.call(services, "GET", "/info")).get("userId"))
    if account.account and found != account.account:
        raise PermanentError(f"the token is of {found}, but bot_user_id is {account.account}", code="bot_user_id")
    answer = await account.ask(services, "GET", f"{WEBHOOK}/endpoint")
    webhook = {} if answer.status == 404 else result(answer, services)
    require_here(string(webhook.get("endpoint")), services)
    if webhook.get("active") is not True:
        raise PermanentError("turn on 'Use webhook' in the LINE Developers Console", code="webhook")
    most = size((await account.call(services, "GET", "/message/quota")).get("value"))  # none where it is unlimited
    used = size((await account.call(services, "GET", "/message/quota/consumption")).get("totalUsage"))
    if most is not None and used is not None and used >= most:
        raise PermanentError(f"all {most} messages of this month are used", code="monthly_limit")


@hookimpl
async def profile(account: Account, address: Address, services: Services) -> Profile | None:
    """Ask for the name and picture of a person, who has us as a friend, or of a group; None where LINE tells none."""
    kind, value = address.value[:1], quote(address.value, safe="")
    if kind == ROOM:
        return None
    answer = await account.ask(services, "GET", f"/group/{value}/summary" if kind == GROUP else f"/profile/{value}")
    if answer.status == 404:
        return None
    found = result(answer, services)
    name, picture = found.get("displayName") or found.get("groupName"), string(found.get("pictureUrl"))
    return Profile(address=address, name=string(name), picture=picture, locale=string(found.get("language")))


@hookimpl
async def fetch(account: Account, media: Media, save: Save, services: Services) -> Media:
    """Download a customer's file; LINE makes audio and video ready first, and keeps all for a while only."""
    url = media.url
    if media.id and not url:
        url = f"{account.data_url}{BOT}/message/{quote(media.id, safe='')}/content"
        if media.kind in _TRANSCODED:
            answer = await account.client.ask(services, "GET", f"{url}/transcoding")
            _require_ready(result(answer, services).get("status"))
    return await download(account, media, save, services, url)


def _require_ready(status: Any) -> None:
    if status == "failed":
        raise PermanentError("LINE could not make the file ready", code="transcoding")
    if status != "succeeded":
        raise RetryableError("LINE is still making the file ready", code="transcoding", retry_after=TRANSCODING_SECONDS)
