"""The account's own affairs: where its webhooks go, its credentials."""

from collections.abc import Mapping
from typing import Any

from channelry import hookimpl
from channelry.errors import AuthError, PermanentError
from channelry.parsing import mapping
from channelry.services import Services
from channelry_webapi import Options, require_here

from .capabilities import NUMBER, SHORT_CODE, is_service, is_whatsapp
from .connection import Sender


@hookimpl
async def setup(sender: Sender, url: str, services: Services) -> None:
    """Have Twilio post what customers write to `url`, or to the address that is configured in its place."""
    path, _, change = await _inbound(sender, sender.config.webhook_url or url, services)
    await sender.client.call(services, "POST", path, **change)


@hookimpl
async def check(sender: Sender, services: Services) -> None:
    """Make sure that the credentials are good, that the account is active, and that its webhooks come here."""
    status = (await sender.client.call(services, "GET", f"{sender.client.base_url}.json")).get("status")
    if status != "active":
        raise AuthError(f"the account {sender.config.account_sid} is {status}", code="account")
    url = sender.config.webhook_url or services.public_url
    _, found, _ = await _inbound(sender, url, services)
    require_here(found or "", url)


async def _inbound(sender: Sender, url: str, services: Services) -> tuple[str, Any, Options]:
    """Tell where a sender's webhook is kept, what it is, and what makes it `url`."""
    if is_service(sender.account):
        path = f"{sender.messaging_url}/v1/Services/{sender.account}"
        known = await sender.client.call(services, "GET", path)
        found = known.get("inbound_request_url")
        if known.get("use_inbound_webhook_on_number"):
            found = "that of each of its numbers"
        form = [("InboundRequestUrl", url), ("InboundMethod", "POST"), ("UseInboundWebhookOnNumber", "false")]
        return path, found, {"form": form}
    if is_whatsapp(sender.account):  # https://www.twilio.com/docs/whatsapp/api/senders, a public beta
        path = f"{sender.messaging_url}/v2/Channels/Senders"
        answer = await sender.client.call(services, "GET", path, query={"Channel": "whatsapp"})
        known = _only(answer.get("senders"), "sender_id", sender.account)
        webhook = {"callback_url": url, "callback_method": "POST"}
        found = mapping(known.get("webhook"))
        return f"{path}/{known['sid']}", found.get("callback_url"), {"json": {"webhook": webhook}}
    path, asked, listed, name = NUMBER if sender.account.startswith("+") else SHORT_CODE
    answer = await sender.client.call(services, "GET", f"{path}.json", query={asked: sender.account})
    known = _only(answer.get(listed), name, sender.account)
    form = [("SmsUrl", url), ("SmsMethod", "POST")]
    return f"{path}/{known['sid']}.json", known.get("sms_url"), {"form": form}


def _only(rows: Any, name: str, sender: str) -> Mapping[str, Any]:
    for row in rows if isinstance(rows, list) else ():
        if row.get(name) == sender and row.get("sid"):
            return dict(row)
    raise PermanentError(f"the account has no {sender}", code="no_sender")
