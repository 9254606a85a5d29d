"""The channel's own affairs: its webhook, its credentials and quota, its customers' names and files."""

from urllib.parse import quote

from attrs import evolve

from channelry.errors import PermanentError, RetryableError
from channelry.model import Address, Capabilities, Kind, Media, Profile
from channelry.parsing import size, string
from channelry.services import Save, Services

from .api import Api, result

WEBHOOK = "/v2/bot/channel/webhook"
"""Source: https://developers.line.biz/en/reference/messaging-api/#webhook-settings"""
GROUP, ROOM = "C", "R"
"""What the id of a group begins with, and that of a group without a name; a person's begins with U."""
TRANSCODING_SECONDS = 5.0
_TRANSCODED = frozenset({Kind.AUDIO, Kind.VIDEO})


async def setup(api: Api, url: str, services: Services) -> None:
    """Have LINE post webhooks to `url`, and make sure that it gets there."""
    await api.call(services, "PUT", f"{WEBHOOK}/endpoint", {"endpoint": url})
    tried = await api.call(services, "POST", f"{WEBHOOK}/test", {"endpoint": url})
    if tried.get("success") is not True:
        told = f"{tried.get('reason', '')} {tried.get('detail', '')}".strip()
        raise PermanentError(f"LINE does not reach {url}: {told}", code="webhook")


async def check(api: Api, account: str, services: Services) -> None:
    """Make sure that the token is this account's, that webhooks come here, and that messages are left this month."""
    found = string((await api.call(services, "GET", "/v2/bot/info")).get("userId"))
    if account and found != account:
        raise PermanentError(f"the token is of {found}, but bot_user_id is {account}", code="bot_user_id")
    answer = await api.ask(services, "GET", f"{WEBHOOK}/endpoint")
    webhook = {} if answer.status == 404 else result(answer, services)
    url = string(webhook.get("endpoint"))
    if url != services.public_url:
        told = f"it is {url}" if url else "there is none"
        raise PermanentError(f"the webhook should be {services.public_url}, but {told}; set it up", code="webhook")
    if webhook.get("active") is not True:
        raise PermanentError("turn on 'Use webhook' in the LINE Developers Console", code="webhook")
    quota = await api.call(services, "GET", "/v2/bot/message/quota")
    if quota.get("type") == "limited":
        most = size(quota.get("value"))
        used = size((await api.call(services, "GET", "/v2/bot/message/quota/consumption")).get("totalUsage"))
        if most is not None and used is not None and used >= most:
            raise PermanentError(f"all {most} messages of this month are used", code="monthly_limit")


async def profile(api: Api, address: Address, services: Services) -> Profile | None:
    """Ask for the name and picture of a person, who has us as a friend, or of a group; None where LINE tells none."""
    kind, value = address.value[:1], quote(address.value, safe="")
    if kind == ROOM:
        return None
    path = f"/v2/bot/group/{value}/summary" if kind == GROUP else f"/v2/bot/profile/{value}"
    answer = await api.ask(services, "GET", path)
    if answer.status == 404:
        return None
    found = result(answer, services)
    return Profile(
        address=address,
        name=string(found.get("displayName") or found.get("groupName")),
        picture=string(found.get("pictureUrl")),
        locale=string(found.get("language")),
    )


async def fetch(api: Api, media: Media, save: Save, capabilities: Capabilities, services: Services) -> Media:
    """Download a customer's file; LINE makes audio and video ready first, and keeps all for a while only."""
    limit = capabilities.media[media.kind].fetch
    if limit is None or not (media.id or media.url):
        raise PermanentError("the file has no id to fetch it by", code="no_file")
    if media.url:
        file = await services.http.download(media.url, save, limit=limit)
    else:
        content = f"{api.data_url}/v2/bot/message/{quote(media.id, safe='')}/content"
        headers = await api.authorization(services)
        if media.kind in _TRANSCODED:
            await _transcoded(f"{content}/transcoding", headers, services)
        file = await services.http.download(content, save, headers=headers, limit=limit)
    return evolve(media, media_type=media.media_type or file.media_type, size=file.size)


async def _transcoded(url: str, headers: dict[str, str], services: Services) -> None:
    status = result(await services.http.request("GET", url, headers=headers), services).get("status")
    if status == "failed":
        raise PermanentError("LINE could not make the file ready", code="transcoding")
    if status != "succeeded":
        raise RetryableError("LINE is still making the file ready", code="transcoding", retry_after=TRANSCODING_SECONDS)
