"""The bot's own affairs: its webhook, its credentials, its customers' files."""

from pathlib import PurePosixPath
from urllib.parse import quote

from attrs import evolve

from channelry import hookimpl
from channelry.errors import AuthError, PermanentError
from channelry.model import Media
from channelry.parsing import mapping, string
from channelry.services import Save, Services
from channelry_webapi import require_here

from .capabilities import FETCH
from .connection import Bot
from .receive import HANDLED


@hookimpl
async def setup(bot: Bot, url: str, services: Services) -> None:
    """Have Telegram post updates to `url` with the first of the secret tokens; or keep them for getUpdates, also those
    that wait already.
    """
    secrets = bot.config.secret_token
    if bot.config.mode == "polling":
        await bot.call(services, "deleteWebhook")
    elif secrets:
        await bot.call(services, "setWebhook", url=url, secret_token=secrets[0].reveal(), allowed_updates=HANDLED)
    else:
        raise AuthError("secret_token is not configured, so every webhook would be refused", code="secret_token")


@hookimpl
async def check(bot: Bot, services: Services) -> None:
    """Make sure that the token is good, and that updates come the way that is configured."""
    await bot.call(services, "getMe")
    webhook = mapping(await bot.call(services, "getWebhookInfo"))
    url = string(webhook.get("url"))
    if bot.config.mode == "polling":
        if url:
            raise PermanentError("a webhook is set, so nothing can be polled; run the set-up again", code="webhook")
        return
    if not bot.config.secret_token:
        raise AuthError("secret_token is not configured, so every webhook is refused", code="secret_token")
    require_here(url, services.public_url)
    if missing := ", ".join(sorted(set(HANDLED).difference(webhook.get("allowed_updates") or ()))):
        raise PermanentError(f"the webhook does not bring {missing}; run the set-up again", code="webhook")


@hookimpl
async def fetch(bot: Bot, media: Media, save: Save, services: Services) -> Media:
    """Download a file by its id; its address holds for an hour, so it is asked for each time."""
    if not media.id:
        raise PermanentError("the file has no id to fetch it by", code="no_file")
    path = string(mapping(await bot.call(services, "getFile", file_id=media.id)).get("file_path"))
    if not path:
        raise PermanentError("Telegram gives no path to the file", code="no_file")
    file = await services.http.download(bot.url(quote(path), "/file"), save, limit=FETCH)
    name, media_type = media.name or PurePosixPath(path).name, media.media_type or file.media_type
    return evolve(media, name=name, media_type=media_type, size=file.size)
