"""Sending: from an action to messages, the messages themselves, and what became of one whose answer was lost.

Source: https://www.twilio.com/docs/messaging/api/message-resource
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from attrs import frozen

from channelry import text as texts
from channelry.errors import AmbiguousError, PermanentError
from channelry.model import (
    Accepted,
    Call,
    Capabilities,
    Location,
    Media,
    NotTaken,
    Outbound,
    Receipt,
    Reconciled,
    Resend,
    SendMessage,
    ShowTyping,
    Template,
    Unknown,
)
from channelry.parsing import identifier
from channelry.services import Services

from . import addresses, segments
from .api import Api, unreadable
from .capabilities import MMS_BYTES, MMS_FILES, is_service
from .receive import ACCOUNT, REFERENCE

MESSAGE, TYPING = "message", "typing"

LINK_SECONDS = 3600.0
"""How long a file must stay where Twilio fetches it from, which it may do only when the message leaves its queue."""

PAGE = 200
"""Messages to one person that are looked through for a lost one."""
LISTED_WITHIN = timedelta(seconds=60)
"""After this a message that Twilio took is in its list; and how far its clock may be from ours. Our own guess."""

Body = dict[str, Any]


@frozen
class Sender:
    """What we send as: a number, a WhatsApp sender or a Messaging Service, and how long its messages may be."""

    name: str
    capabilities: Capabilities
    max_segments: int

    def compose(self, outbound: Outbound) -> Sequence[Call]:
        """Turn an admitted action into calls; to stop typing takes none, for it ends by itself."""
        target = outbound.target
        if target.to.scheme not in self.capabilities.schemes:
            raise PermanentError(f"{self.name} does not reach {target.to.scheme} addresses", code="address")
        if isinstance(outbound, ShowTyping):
            if not outbound.on:
                return []
            if not target.reply_to:
                raise PermanentError("typing is shown as an answer: name the message in reply_to", code="no_message")
            body = {"channel": "WHATSAPP", "messageId": target.reply_to}
            return [Call(key=f"{outbound.key}:0", to=target.to, action=TYPING, body=body, resend=Resend.SAFE)]
        if not isinstance(outbound, SendMessage):
            raise PermanentError(f"Twilio does not send {outbound.kind}", code="unsupported")
        common = {"To": addresses.spell(target.to, self.name), self._own_field: self.name}
        return [
            Call(key=f"{outbound.key}:{place}", to=target.to, action=MESSAGE, body=common | body, uploads=files)
            for place, (body, files) in enumerate(self._pieces(outbound))
        ]

    @property
    def _own_field(self) -> str:
        return "MessagingServiceSid" if is_service(self.name) else "From"

    def _pieces(self, message: SendMessage) -> Iterator[tuple[Body, tuple[Media, ...]]]:
        """Give each message's body, and the files to make links for: text with the first file, if it fits."""
        if message.template is not None:
            if message.text or message.parts:
                raise PermanentError("a template stands alone at Twilio", code="unsupported")
            yield _template(message.template), ()
            return
        files = [part for part in message.parts if isinstance(part, Media)]
        text, whatsapp = message.text.strip(), addresses.is_whatsapp(self.name)
        together = bool(files) and len(text) <= self.capabilities.caption
        if not together:
            yield from (({"Body": piece}, ()) for piece in self._split(text))
        for place, batch in enumerate(_batches(files, 1 if whatsapp else MMS_FILES)):
            caption = {"Body": text} if together and text and not place else {}
            linked = [_link(file) for file in batch]
            yield {**caption, "MediaUrl": linked}, tuple(file for file in batch if file.ref)
        yield from ((_place(part), ()) for part in message.parts if isinstance(part, Location))

    def _split(self, text: str) -> list[str]:
        """Cut a text at Twilio's limit, and before it takes more segments than carriers put together again."""
        limit = self.capabilities.text
        if addresses.is_whatsapp(self.name):
            return texts.split(text, limit)
        return texts.split(
            text, limit, lambda piece: len(piece) if segments.count(piece).count <= self.max_segments else limit + 1
        )


def _batches(files: Sequence[Media], size: int) -> Iterator[Sequence[Media]]:
    for start in range(0, len(files), size):
        batch = files[start : start + size]
        if len(batch) > 1 and sum(file.size or 0 for file in batch) > MMS_BYTES:
            raise PermanentError(f"the files of one MMS are larger than {MMS_BYTES} bytes", code="too_large")
        yield batch


def _link(file: Media) -> str:
    """Give a file's link, or `""` where `send` makes one."""
    if file.ref:
        return ""
    if not file.url.startswith(("https://", "http://")):
        raise PermanentError("Twilio takes files by http or https links only", code="bad_url")
    return file.url


def _template(template: Template) -> Body:
    """Name a content template by its ContentSid; values fill {{1}}, {{2}}, …, options the variables with names."""
    variables = {str(number): value for number, value in enumerate(template.values, 1)} | dict(template.options)
    filled = {"ContentVariables": orjson.dumps(variables).decode()} if variables else {}
    return {"ContentSid": template.name, **filled}


def _place(place: Location) -> Body:
    label = place.address or place.name
    point = f"geo:{place.latitude},{place.longitude}" + (f"|{label}" if label else "")
    return {"Body": place.name or place.address or "📍", "PersistentAction": [point]}


async def send(call: Call, api: Api, webhook: str, services: Services) -> Receipt:
    """Make one call; statuses come to `webhook` and bear the call's key. Only a message can be ambiguous."""
    if call.action == TYPING:
        await api.call(services, "POST", f"{api.messaging_url}/v3/Indicators/Typing.json", json=dict(call.body))
        return Receipt()
    body = dict(call.body)
    if call.uploads:
        made = iter([await services.files.link(file.ref, LINK_SECONDS) for file in call.uploads])
        body["MediaUrl"] = [url or next(made) for url in body["MediaUrl"]]
    if webhook:
        ours = {REFERENCE: call.key, ACCOUNT: body.get("From") or body["MessagingServiceSid"]}
        body["StatusCallback"] = f"{webhook}?{urlencode(ours)}"
    began = services.clock.now()
    try:
        answer = await api.call(services, "POST", api.url("/Messages.json"), form=_form(body), repeatable=False)
        return _receipt(answer)
    except AmbiguousError:
        earlier = await services.state.get(_lost(call))  # of an attempt that somebody had repeated
        note = f"{began.isoformat()} {services.clock.now().isoformat()}"
        await services.state.compare_and_set(_lost(call), earlier, note)
        raise


def _receipt(message: Mapping[str, Any]) -> Receipt:
    try:
        return Receipt((identifier(message.get("sid")),))
    except ValueError:
        raise unreadable(repeatable=False) from None


def _form(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Write a body as a form, in which a list is the same field several times."""
    pairs = []
    for name, value in body.items():
        pairs += [(name, one) for one in value] if isinstance(value, list) else [(name, value)]
    return pairs


def _lost(call: Call) -> str:
    return f"lost:{call.key}"


async def reconcile(call: Call, api: Api, services: Services) -> Reconciled:
    """Look for a message whose answer was lost: one of ours to this person, with this text, made in that moment."""
    note = await services.state.get(_lost(call))
    if note is None:  # the process ended before it could note the moment
        return Unknown("when it was sent is not known")
    began, ended = map(datetime.fromisoformat, note.split())
    query = {"To": call.body["To"], "PageSize": str(PAGE)}
    rows = (await api.call(services, "GET", api.url("/Messages.json"), query=query)).get("messages")
    if not isinstance(rows, list):
        raise unreadable(repeatable=True)
    near = [row for row in rows if began - LISTED_WITHIN <= _made(row) <= ended + LISTED_WITHIN and _is_ours(row)]
    alike = [row for row in near if row.get("body", "") == call.body.get("Body", "")]
    found: Reconciled
    if len(alike) == 1 and "ContentSid" not in call.body:
        found = Accepted(_receipt(alike[0]))
    elif near or len(rows) >= PAGE:
        return Unknown(f"{len(near)} messages went to this person at that time")
    elif services.clock.now() <= ended + LISTED_WITHIN:
        return Unknown("it may not be listed yet")
    else:
        found = NotTaken()
    await services.state.compare_and_set(_lost(call), note, None)
    return found


def _is_ours(row: Mapping[str, Any]) -> bool:
    return str(row.get("direction")).startswith("outbound")


def _made(row: Mapping[str, Any]) -> datetime:
    """Give when a message was made; its `date_sent` is empty while it waits in the queue."""
    try:
        return parsedate_to_datetime(str(row.get("date_created")))
    except ValueError:
        raise unreadable(repeatable=True) from None
