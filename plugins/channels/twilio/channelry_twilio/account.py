"""The account's own affairs: where its webhooks go, its credentials."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from channelry.errors import AuthError, PermanentError
from channelry.parsing import mapping
from channelry.services import Services
from channelry_webapi import Options
from channelry_webapi.webhooks import require_here

from .addresses import is_whatsapp
from .api import Api
from .capabilities import is_service


async def setup(api: Api, sender: str, url: str, services: Services) -> None:
    """Have Twilio post what customers write to `url`."""
    path, _, change = await _inbound(api, sender, url, services)
    await api.call(services, "POST", path, **change)


async def check(api: Api, sender: str, url: str, services: Services) -> None:
    """Make sure that the credentials are good, that the account is active, and that its webhooks come to `url`."""
    account = await api.call(services, "GET", ".json")
    if account.get("status") != "active":
        raise AuthError(f"the account {api.account_sid} is {account.get('status')}", code="account")
    _, found, _ = await _inbound(api, sender, url, services)
    require_here(found or "", evolve(services, public_url=url))


async def _inbound(api: Api, sender: str, url: str, services: Services) -> tuple[str, Any, Options]:
    """Tell where a sender's webhook is kept, what it is, and what makes it `url`."""
    if is_service(sender):
        path = f"{api.messaging_url}/v1/Services/{sender}"
        known = await api.call(services, "GET", path)
        found = known.get("inbound_request_url")
        if known.get("use_inbound_webhook_on_number"):
            found = "that of each of its numbers"
        form = [("InboundRequestUrl", url), ("InboundMethod", "POST"), ("UseInboundWebhookOnNumber", "false")]
        return path, found, {"form": form}
    if is_whatsapp(sender):  # https://www.twilio.com/docs/whatsapp/api/senders, a public beta
        path = f"{api.messaging_url}/v2/Channels/Senders"
        rows = (await api.call(services, "GET", path, query={"Channel": "whatsapp"})).get("senders")
        known = _only(rows, "sender_id", sender)
        webhook = {"callback_url": url, "callback_method": "POST"}
        found = mapping(known.get("webhook")).get("callback_url")
        return f"{path}/{known['sid']}", found, {"json": {"webhook": webhook}}
    answer = await api.call(services, "GET", "/IncomingPhoneNumbers.json", query={"PhoneNumber": sender})
    known = _only(answer.get("incoming_phone_numbers"), "phone_number", sender)
    form = [("SmsUrl", url), ("SmsMethod", "POST")]
    return f"/IncomingPhoneNumbers/{known['sid']}.json", known.get("sms_url"), {"form": form}


def _only(rows: Any, name: str, sender: str) -> Mapping[str, Any]:
    for row in rows if isinstance(rows, list) else ():
        if row.get(name) == sender and row.get("sid"):
            return dict(row)
    raise PermanentError(f"the account has no {sender}", code="no_sender")
