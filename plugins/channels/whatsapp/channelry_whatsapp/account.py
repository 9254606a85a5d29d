"""The account at Meta: its files, its webhook, its credentials."""

from channelry import hookimpl
from channelry.errors import PermanentError, RetryableError
from channelry.model import Media
from channelry.services import Save, Services
from channelry_meta.account import download

from .connection import Number


@hookimpl
async def fetch(number: Number, media: Media, save: Save, services: Services) -> Media:
    """Download a customer's file: ask where it is (for 5 minutes), then get it.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
    """
    if not media.id:
        raise PermanentError("the file has no id to fetch it by", code="no_file")
    url = (await number.graph.call(services, "GET", media.id)).get("url")
    if not isinstance(url, str):
        raise RetryableError("Meta does not say where the file is", code="unreadable")
    return await download(url, media, save, services, number.graph.authorization())


@hookimpl
async def setup(number: Number, url: str, services: Services) -> None:
    """Have the account's webhooks sent to `url`; Meta calls it back at once, with the verify token."""
    config = number.config
    if not config.waba_id:
        raise PermanentError("setup needs the id of the business account: set waba_id", code="no_waba_id")
    override = {"override_callback_uri": url, "verify_token": config.verify_token.reveal()}
    await number.graph.call(services, "POST", f"{config.waba_id}/subscribed_apps", json=override, repeatable=True)


@hookimpl
async def check(number: Number, services: Services) -> None:
    """Make sure that the token reaches the number and, where `waba_id` is known, that webhooks come."""
    graph, waba_id = number.graph, number.config.waba_id
    await graph.call(services, "GET", number.account, query={"fields": "display_phone_number,verified_name"})
    if waba_id and not (await graph.call(services, "GET", f"{waba_id}/subscribed_apps")).get("data"):
        told = f"no app is subscribed to the business account {waba_id}; register the webhook"
        raise PermanentError(told, code="not_subscribed")
