"""The bot's own affairs: its webhook, its credentials, its files."""

from pathlib import PurePosixPath
from urllib.parse import quote

from attrs import evolve

from channelry.errors import AuthError, PermanentError
from channelry.model import Capabilities, Media
from channelry.parsing import mapping, string
from channelry.secrets import Secrets
from channelry.services import Save, Services
from channelry_webapi import files, webhooks

from .api import Api
from .receive import HANDLED


async def setup(api: Api, url: str, secrets: Secrets, services: Services) -> None:
    """Have Telegram post updates to `url` with the first of the secret tokens."""
    if not secrets:
        raise AuthError("secret_token is not configured, so every webhook would be refused", code="secret_token")
    asked = {"url": url, "secret_token": secrets[0].reveal(), "allowed_updates": HANDLED}
    await api.call(services, "setWebhook", asked)


async def forget_webhook(api: Api, services: Services) -> None:
    """Have Telegram keep updates for getUpdates; those that wait already are kept too."""
    await api.call(services, "deleteWebhook")


async def check(api: Api, secrets: Secrets, services: Services, *, polling: bool) -> None:
    """Make sure that the token is good, and that updates come the way that is configured."""
    await api.call(services, "getMe")
    webhook = mapping(await api.call(services, "getWebhookInfo"))
    url = string(webhook.get("url"))
    if polling:
        if url:
            raise PermanentError("a webhook is set, so nothing can be polled; run the set-up again", code="webhook")
        return
    if not secrets:
        raise AuthError("secret_token is not configured, so every webhook is refused", code="secret_token")
    webhooks.require_here(url, services)
    if missing := set(HANDLED).difference(webhook.get("allowed_updates") or ()):
        names = ", ".join(sorted(missing))
        raise PermanentError(f"the webhook does not bring {names}; run the set-up again", code="webhook")


async def fetch(api: Api, media: Media, save: Save, capabilities: Capabilities, services: Services) -> Media:
    """Download a file by its id; its address holds for an hour, so it is asked for each time."""
    if not media.id:
        raise PermanentError("the file has no id to fetch it by", code="no_file")
    path = string(mapping(await api.call(services, "getFile", {"file_id": media.id})).get("file_path"))
    if not path:
        raise PermanentError("Telegram gives no path to the file", code="no_file")
    file = await files.fetch(services, media, save, capabilities, url=api.file_url(quote(path)))
    return evolve(file, name=media.name or PurePosixPath(path).name)
