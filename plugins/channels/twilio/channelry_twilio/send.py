"""Sending: from an action to messages, the messages themselves, and what became of one whose answer was lost.

Source: https://www.twilio.com/docs/messaging/api/message-resource
"""

from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from channelry import model, text
from channelry.errors import PermanentError
from channelry.parsing import identifier
from channelry.services import Services
from channelry_webapi import Listed, batches, doubt
from channelry_webapi.answers import named, unreadable
from channelry_webapi.drafts import Draft, calls
from channelry_webapi.files import require_link

from . import addresses, segments
from .api import Api
from .capabilities import MMS_BYTES, MMS_FILES, is_service
from .receive import ACCOUNT, REFERENCE

MESSAGE, TYPING = "message", "typing"

LINK_SECONDS = 3600.0
"""How long a file must stay where Twilio fetches it from, which it may do only when the message leaves its queue."""
PAGE = 200
"""Messages to one person that are looked through for a lost one."""

Body = dict[str, Any]


def compose(
    outbound: model.Outbound, sender: str, capabilities: model.Capabilities, max_segments: int
) -> Sequence[model.Call]:
    """Turn an admitted action into calls; to stop typing takes none, for it ends by itself."""
    to = outbound.target.to
    if to.scheme not in capabilities.schemes:
        raise PermanentError(f"{sender} does not reach {to.scheme} addresses", code="address")
    match outbound:
        case model.SendMessage(template=None):
            made = _pieces(outbound, addresses.is_whatsapp(sender), capabilities, max_segments)
        case model.SendMessage(template=model.Template() as template, text="", parts=()):
            made = iter([(_template(template), ())])
        case model.SendMessage():
            raise PermanentError("a template stands alone at Twilio", code="unsupported")
        case model.ShowTyping(on=False):
            return []
        case model.ShowTyping():
            if not outbound.target.reply_to:
                raise PermanentError("typing is shown as an answer: name the message in reply_to", code="no_message")
            body = {"channel": "WHATSAPP", "messageId": outbound.target.reply_to}
            return calls(outbound, [Draft(TYPING, body, resend=model.Resend.SAFE)])
        case _:
            raise PermanentError(f"Twilio does not send {outbound.kind}", code="unsupported")
    ours = {"To": addresses.spell(to, sender), "MessagingServiceSid" if is_service(sender) else "From": sender}
    return calls(outbound, (Draft(MESSAGE, ours | body, files) for body, files in made))


def _pieces(
    message: model.SendMessage, whatsapp: bool, capabilities: model.Capabilities, max_segments: int
) -> Iterator[tuple[Body, tuple[model.Media, ...]]]:
    """Give each message's body, and the files that `send` makes links for: text with the first files, if it fits.

    A text is cut at Twilio's limit, and before it takes more segments than carriers put together again.
    """
    files = [part for part in message.parts if isinstance(part, model.Media)]
    said, limit = message.text.strip(), capabilities.text
    caption = {"Body": said} if said and len(said) <= capabilities.caption else {}

    def measure(piece: str) -> int:
        return len(piece) if whatsapp or segments.count(piece) <= max_segments else limit + 1

    if not (files and caption):
        yield from (({"Body": piece}, ()) for piece in text.split(said, limit, measure))
        caption = {}
    for file in files:
        require_link(file, "https://", "http://")
    for batch in batches(files, 1 if whatsapp else MMS_FILES):
        if len(batch) > 1 and sum(file.size or 0 for file in batch) > MMS_BYTES:
            raise PermanentError(f"the files of one MMS are larger than {MMS_BYTES} bytes", code="too_large")
        yield (
            {**caption, "MediaUrl": ["" if file.ref else file.url for file in batch]},
            tuple(file for file in batch if file.ref),
        )
        caption = {}
    yield from ((_place(part), ()) for part in message.parts if isinstance(part, model.Location))


def _template(template: model.Template) -> Body:
    """Name a content template by its ContentSid; values fill {{1}}, {{2}}, …, options the variables with names."""
    variables = {str(number): value for number, value in enumerate(template.values, 1)} | dict(template.options)
    filled = {"ContentVariables": orjson.dumps(variables).decode()} if variables else {}
    return {"ContentSid": template.name, **filled}


def _place(place: model.Location) -> Body:
    label = place.address or place.name
    point = f"geo:{place.latitude},{place.longitude}" + (f"|{label}" if label else "")
    return {"Body": place.name or place.address or "📍", "PersistentAction": [point]}


async def send(call: model.Call, api: Api, webhook: str, services: Services) -> model.Receipt:
    """Make one call; statuses come to `webhook` and bear the call's key. Only a message can be ambiguous."""
    body = dict(call.body)
    if call.action == TYPING:
        await api.call(services, "POST", f"{api.messaging_url}/v3/Indicators/Typing.json", json=body)
        return model.Receipt()
    if call.uploads:
        made = iter([await services.files.link(file.ref, LINK_SECONDS) for file in call.uploads])
        body["MediaUrl"] = [url or next(made) for url in body["MediaUrl"]]
    if webhook:
        ours = {REFERENCE: call.key, ACCOUNT: body.get("From") or body["MessagingServiceSid"]}
        body["StatusCallback"] = f"{webhook}?{urlencode(ours)}"
    form = [(name, one) for name, value in body.items() for one in (value if isinstance(value, list) else [value])]
    async with doubt.noted(call, services):
        answer = await api.call(services, "POST", "/Messages.json", form=form, repeatable=False)
        return model.Receipt((named(answer.get("sid"), repeatable=False),))


async def reconcile(call: model.Call, api: Api, services: Services) -> model.Reconciled:
    """Look for a message whose answer was lost among those that went to this person."""
    query = {"To": call.body["To"], "PageSize": str(PAGE)}

    async def listed() -> list[Listed]:
        rows = (await api.call(services, "GET", "/Messages.json", query=query)).get("messages")
        if not isinstance(rows, list):
            raise unreadable(repeatable=True)
        return [_listed(row) for row in rows]

    sent = None if "ContentSid" in call.body else call.body.get("Body", "")  # who knows what a template says
    return await doubt.settle(call, sent, listed, PAGE, services)


def _listed(row: Mapping[str, Any]) -> Listed:
    """Read a message; its `date_sent` is empty while it waits in the queue."""
    made, ours = parsedate_to_datetime(row["date_created"]), str(row.get("direction")).startswith("outbound")
    return Listed(identifier(row["sid"]), row.get("body") or "", made, ours)
