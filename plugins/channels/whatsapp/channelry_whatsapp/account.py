"""The account at Meta: its files, its webhook, its credentials."""

from attrs import evolve

from channelry.errors import PermanentError, RetryableError
from channelry.model import Media
from channelry.services import Save, Services
from channelry_meta import Graph
from channelry_meta.limits import LARGEST


async def fetch(media: Media, graph: Graph, save: Save, services: Services) -> Media:
    """Download a customer's file: ask where it is (for 5 minutes), then get it.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
    """
    if not media.id:
        raise PermanentError("the file has no id to fetch it by", code="no_file")
    found = await graph.call(services, "GET", media.id)
    url = found.get("url")
    if not isinstance(url, str):
        raise RetryableError("Meta does not say where the file is", code="unreadable")
    file = await services.http.download(url, save, headers=graph.authorization(), limit=LARGEST)
    return evolve(media, media_type=media.media_type or file.media_type, size=file.size)


async def register(url: str, verify_token: str, waba_id: str, graph: Graph, services: Services) -> None:
    """Have the account's webhooks sent to `url`; Meta calls it back at once, with the verify token."""
    if not waba_id:
        raise PermanentError("setup needs the id of the business account: set waba_id", code="no_waba_id")
    override = {"override_callback_uri": url, "verify_token": verify_token}
    await graph.call(services, "POST", f"{waba_id}/subscribed_apps", json=override, repeatable=True)


async def examine(phone_number_id: str, waba_id: str, graph: Graph, services: Services) -> None:
    """Make sure that the token reaches the number and, where `waba_id` is known, that webhooks come."""
    await graph.call(services, "GET", phone_number_id, query={"fields": "display_phone_number,verified_name"})
    if waba_id and not (await graph.call(services, "GET", f"{waba_id}/subscribed_apps")).get("data"):
        raise PermanentError(
            f"no app is subscribed to the business account {waba_id}; register the webhook", code="not_subscribed"
        )
