"""The account's own affairs: where its webhooks go, its credentials, its files."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from channelry.errors import AuthError, PermanentError
from channelry.model import Media
from channelry.services import Save, Services

from .addresses import is_whatsapp
from .api import Api
from .capabilities import is_service


async def fetch(api: Api, media: Media, limit: int, save: Save, services: Services) -> Media:
    """Download a customer's file; Twilio answers with a redirect, which gets no credentials.

    https://www.twilio.com/docs/messaging/api/media-resource
    """
    if not media.url:
        raise PermanentError("the file has no link to fetch it by", code="no_file")
    own = media.url.startswith(f"{api.base_url}/")
    headers = api.authorization() if own else {}
    file = await services.http.download(media.url, save, headers=headers, limit=limit)
    return evolve(media, media_type=media.media_type or file.media_type, size=file.size)


async def setup(api: Api, sender: str, url: str, services: Services) -> None:
    """Have Twilio post what customers write to `url`."""
    if is_service(sender):
        service = [("InboundRequestUrl", url), ("InboundMethod", "POST"), ("UseInboundWebhookOnNumber", "false")]
        await api.call(services, "POST", _service(api, sender), form=service)
    elif is_whatsapp(sender):
        found = await _whatsapp(api, sender, services)
        webhook = {"webhook": {"callback_url": url, "callback_method": "POST"}}
        await api.call(services, "POST", f"{_senders(api)}/{found['sid']}", json=webhook)
    else:
        found = await _number(api, sender, services)
        number = [("SmsUrl", url), ("SmsMethod", "POST")]
        await api.call(services, "POST", api.url(f"/IncomingPhoneNumbers/{found['sid']}.json"), form=number)


async def check(api: Api, sender: str, url: str, services: Services) -> None:
    """Make sure that the credentials are good, that the account is active, and that its webhooks come to `url`."""
    account = await api.call(services, "GET", api.url(".json"))
    if account.get("status") != "active":
        raise AuthError(f"the account {api.account_sid} is {account.get('status')}", code="account")
    if is_service(sender):
        service = await api.call(services, "GET", _service(api, sender))
        found, apart = service.get("inbound_request_url"), service.get("use_inbound_webhook_on_number")
        if apart:
            raise PermanentError(f"{sender} leaves webhooks to its numbers; run the set-up again", code="webhook")
    elif is_whatsapp(sender):
        found = ((await _whatsapp(api, sender, services)).get("webhook") or {}).get("callback_url")
    else:
        found = (await _number(api, sender, services)).get("sms_url")
    if found != url:
        told = f"it is {found}" if found else "there is none"
        raise PermanentError(f"the webhook should be {url}, but {told}; run the set-up again", code="webhook")


def _service(api: Api, sender: str) -> str:
    return f"{api.messaging_url}/v1/Services/{sender}"


def _senders(api: Api) -> str:
    """Source: https://www.twilio.com/docs/whatsapp/api/senders (a public beta)"""
    return f"{api.messaging_url}/v2/Channels/Senders"


async def _number(api: Api, sender: str, services: Services) -> Mapping[str, Any]:
    query = {"PhoneNumber": sender}
    answer = await api.call(services, "GET", api.url("/IncomingPhoneNumbers.json"), query=query)
    return _only(answer.get("incoming_phone_numbers"), "phone_number", sender)


async def _whatsapp(api: Api, sender: str, services: Services) -> Mapping[str, Any]:
    answer = await api.call(services, "GET", _senders(api), query={"Channel": "whatsapp"})
    return _only(answer.get("senders"), "sender_id", sender)


def _only(rows: Any, name: str, sender: str) -> Mapping[str, Any]:
    for row in rows if isinstance(rows, list) else ():
        if row.get(name) == sender and row.get("sid"):
            return dict(row)
    raise PermanentError(f"the account has no {sender}", code="no_sender")
