"""The channel's own affairs: its webhook, its credentials and quota, its customers' names and files."""

from typing import Any
from urllib.parse import quote

from channelry.errors import PermanentError, RetryableError
from channelry.model import Address, Capabilities, Kind, Media, Profile
from channelry.parsing import size, string
from channelry.services import Save, Services
from channelry_webapi import Client, fetch
from channelry_webapi.webhooks import require_here

from .api import BOT, call, result

WEBHOOK = "/channel/webhook"
"""Source: https://developers.line.biz/en/reference/messaging-api/#webhook-settings"""
GROUP, ROOM = "C", "R"
"""What the id of a group begins with, and that of a group without a name; a person's begins with U."""
TRANSCODING_SECONDS = 5.0
_TRANSCODED = frozenset({Kind.AUDIO, Kind.VIDEO})


async def setup(client: Client, url: str, services: Services) -> None:
    """Have LINE post webhooks to `url`, and make sure that it gets there."""
    await call(client, services, "PUT", f"{WEBHOOK}/endpoint", {"endpoint": url})
    tried = await call(client, services, "POST", f"{WEBHOOK}/test", {"endpoint": url})
    if tried.get("success") is not True:
        told = f"{tried.get('reason', '')} {tried.get('detail', '')}".strip()
        raise PermanentError(f"LINE does not reach {url}: {told}", code="webhook")


async def check(client: Client, account: str, services: Services) -> None:
    """Make sure that the token is this account's, that webhooks come here, and that messages are left this month."""
    found = string((await call(client, services, "GET", "/info")).get("userId"))
    if account and found != account:
        raise PermanentError(f"the token is of {found}, but bot_user_id is {account}", code="bot_user_id")
    answer = await client.ask(services, "GET", f"{BOT}{WEBHOOK}/endpoint")
    webhook = {} if answer.status == 404 else result(answer, services)
    require_here(string(webhook.get("endpoint")), services)
    if webhook.get("active") is not True:
        raise PermanentError("turn on 'Use webhook' in the LINE Developers Console", code="webhook")
    most = size((await call(client, services, "GET", "/message/quota")).get("value"))  # none where it is unlimited
    used = size((await call(client, services, "GET", "/message/quota/consumption")).get("totalUsage"))
    if most is not None and used is not None and used >= most:
        raise PermanentError(f"all {most} messages of this month are used", code="monthly_limit")


async def profile(client: Client, address: Address, services: Services) -> Profile | None:
    """Ask for the name and picture of a person, who has us as a friend, or of a group; None where LINE tells none."""
    kind, value = address.value[:1], quote(address.value, safe="")
    if kind == ROOM:
        return None
    path = f"/group/{value}/summary" if kind == GROUP else f"/profile/{value}"
    answer = await client.ask(services, "GET", BOT + path)
    if answer.status == 404:
        return None
    found = result(answer, services)
    name, picture = found.get("displayName") or found.get("groupName"), string(found.get("pictureUrl"))
    return Profile(address=address, name=string(name), picture=picture, locale=string(found.get("language")))


async def download(
    client: Client, data_url: str, media: Media, save: Save, capabilities: Capabilities, services: Services
) -> Media:
    """Download a customer's file; LINE makes audio and video ready first, and keeps all for a while only."""
    url = media.url
    if media.id and not url:
        url = f"{data_url}{BOT}/message/{quote(media.id, safe='')}/content"
        if media.kind in _TRANSCODED:
            _require_ready(result(await client.ask(services, "GET", f"{url}/transcoding"), services).get("status"))
    headers = await client.shown(services, url, data_url)
    return await fetch(services, media, save, capabilities, url=url, headers=headers)


def _require_ready(status: Any) -> None:
    if status == "failed":
        raise PermanentError("LINE could not make the file ready", code="transcoding")
    if status != "succeeded":
        raise RetryableError("LINE is still making the file ready", code="transcoding", retry_after=TRANSCODING_SECONDS)
