"""Sending: from an action to messages, the messages themselves, and what became of one whose answer was lost.

Source: https://www.twilio.com/docs/messaging/api/message-resource
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from channelry import hookimpl, model
from channelry.errors import PermanentError
from channelry.parsing import identifier
from channelry.services import Services
from channelry.text import split
from channelry_webapi import Body, Draft, Listed, Piece, batches, calls, change, doubt, named, require_link

from . import capabilities as limits
from .capabilities import MESSAGE, PHONE, TYPING, WHATSAPP, is_service, is_whatsapp, segments
from .connection import Sender
from .receive import ACCOUNT, REFERENCE

LINK_SECONDS = 3600.0
"""How long a file must stay where Twilio fetches it from, which it may do only when the message leaves its queue."""
PAGE = 200
"""Messages to one person that are looked through for a lost one."""


@hookimpl
def compose(sender: Sender, outbound: model.Outbound) -> Sequence[model.Call]:
    """Turn an action into calls; to stop typing takes none, for it ends by itself."""
    sender.capabilities.admit(outbound)
    to, answered = outbound.target.to, outbound.target.reply_to
    if to.scheme not in sender.capabilities.schemes:
        raise PermanentError(f"{sender.account} does not reach {to.scheme} addresses", code="address")
    if isinstance(outbound, model.SendMessage):
        name = "MessagingServiceSid" if is_service(sender.account) else "From"
        ours = {"To": _spelled(to, sender.account), name: sender.account}
        return calls(outbound, (Draft(MESSAGE, ours | body, files) for body, files in _pieces(sender, outbound)))
    if not (isinstance(outbound, model.ShowTyping) and outbound.on):
        return []
    if not answered:
        raise PermanentError("typing is shown as an answer: name the message in reply_to", code="no_message")
    return change(outbound, TYPING, {"channel": "WHATSAPP", "messageId": answered})


def _spelled(to: model.Address, sender: str) -> str:
    """Write an address as `sender` reaches it: a WhatsApp sender reaches a phone number on WhatsApp."""
    if to.scheme == PHONE and not is_whatsapp(sender):
        return to.value
    return f"{WHATSAPP}:{'+' if to.value.isdecimal() else ''}{to.value}"


def _pieces(sender: Sender, message: model.SendMessage) -> Iterator[Piece]:
    """Give each message's body, and the files that `send` makes links for: text with the first files, if it fits.

    On WhatsApp, which a Messaging Service reaches too, it fits under a picture or a video only. A text is cut at
    Twilio's limit, and where so configured before it takes more segments.
    """
    files = [part for part in message.parts if isinstance(part, model.Media)]
    whatsapp = is_whatsapp(_spelled(message.target.to, sender.account))
    said, most = message.text.strip(), limits.WHATSAPP_CAPTION if whatsapp else limits.TEXT
    bearer = files and (not whatsapp or files[0].kind in limits.CAPTIONED)
    caption = {"Body": said} if bearer and 0 < len(said) <= most else {}
    longest = None if whatsapp else sender.config.max_segments

    def measure(piece: str) -> int:
        return len(piece) if longest is None or segments(piece) <= longest else limits.TEXT + 1

    if message.template:
        if message.text or message.parts:
            raise PermanentError("a template stands alone at Twilio", code="unsupported")
        yield _template(message.template), ()
    if not caption:
        yield from (({"Body": piece}, ()) for piece in split(said, limits.TEXT, measure))
    for file in files:
        require_link(file, "https://", "http://")
    for run in batches(files, 1 if whatsapp else limits.MMS_FILES):
        if len(run) > 1 and sum(file.size or 0 for file in run) > limits.MMS_BYTES:
            raise PermanentError(f"the files of one MMS are larger than {limits.MMS_BYTES} bytes", code="too_large")
        links = ["" if file.ref else file.url for file in run]
        yield {**caption, "MediaUrl": links}, tuple(file for file in run if file.ref)
        caption = {}
    yield from ((_place(part), ()) for part in message.parts if isinstance(part, model.Location))


def _template(template: model.Template) -> Body:
    """Name a content template by its ContentSid; values fill {{1}}, {{2}}, …, options the variables with names."""
    variables = {str(number): value for number, value in enumerate(template.values, 1)} | dict(template.options)
    filled = {"ContentVariables": orjson.dumps(variables).decode()} if variables else {}
    return {"ContentSid": template.name, **filled}


def _place(place: model.Location) -> Body:
    label = place.address or place.name
    latitude, longitude = (f"{Decimal(repr(degrees)):f}" for degrees in (place.latitude, place.longitude))
    point = f"geo:{latitude},{longitude}" + (f"|{label}" if label else "")
    return {"Body": place.name or place.address or "📍", "PersistentAction": [point]}


@hookimpl
async def send(sender: Sender, call: model.Call, services: Services) -> model.Receipt:
    """Make one call; statuses come to our webhook and bear the call's key. Only a message can be ambiguous."""
    body = dict(call.body)
    if call.action == TYPING:
        await sender.client.call(services, "POST", f"{sender.messaging_url}/v3/Indicators/Typing.json", json=body)
        return model.Receipt()
    if call.uploads:
        made = iter([await services.files.link(file.ref, LINK_SECONDS) for file in call.uploads])
        body["MediaUrl"] = [url or next(made) for url in body["MediaUrl"]]
    if webhook := sender.config.webhook_url or services.public_url:
        ours = {REFERENCE: call.key, ACCOUNT: body.get("From") or body["MessagingServiceSid"]}
        body["StatusCallback"] = f"{webhook}?{urlencode(ours)}"
    form = [(name, one) for name, value in body.items() for one in (value if isinstance(value, list) else [value])]
    async with doubt.noted(call, services):
        answer = await sender.client.call(services, "POST", "/Messages.json", form=form, repeatable=False)
        return model.Receipt((named(answer.get("sid"), repeatable=False),))


@hookimpl
async def reconcile(sender: Sender, call: model.Call, services: Services) -> model.Reconciled:
    """Look for a message whose answer was lost among those that went to this person."""
    sent = None if "ContentSid" in call.body else call.body.get("Body", "")  # who knows what a template says

    async def listed() -> Any:
        query = {"To": call.body["To"], "PageSize": str(PAGE)}
        return (await sender.client.call(services, "GET", "/Messages.json", query=query)).get("messages")

    return await doubt.settle(call, sent, listed, _message, PAGE, services)


def _message(row: Mapping[str, Any]) -> Listed:
    """Read a message; its `date_sent` is empty while it waits in the queue."""
    made, ours = parsedate_to_datetime(row["date_created"]), str(row.get("direction")).startswith("outbound")
    return Listed(identifier(row["sid"]), row.get("body") or "", made, ours)
