"""What we send: actions into calls, calls into requests.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from channelry import model
from channelry.errors import AmbiguousError, PermanentError
from channelry.model.outbound import SendablePart
from channelry.parsing import identifier
from channelry.services import Services
from channelry.text import split
from channelry_meta import Graph

MESSAGE, MARK = "message", "mark"
"""The actions: what a customer gets to see, and the marks that may be repeated."""

Body: TypeAlias = dict[str, Any]
_Piece: TypeAlias = tuple[Body, *tuple[model.Media, ...]]
"""One message's body, and the file to upload for it where it has one."""

_CAPTIONED = frozenset({model.Kind.IMAGE, model.Kind.VIDEO, model.Kind.DOCUMENT})

REPLIES = 3
"""Most buttons that stand under a message; more of them become the rows of a list, which a button opens."""
ASK_LOCATION = "geo:"
"""The link (RFC 5870, without a place) of a button that asks the customer where they are."""

_FILLS = {"reply": ("quick_reply", "payload"), "url": ("url", "text"), "code": ("copy_code", "coupon_code")}
"""What fills a template's button, by the option's name: its sub_type, and its parameter's."""


def compose(outbound: model.Outbound, capabilities: model.Capabilities, menu: str) -> Sequence[model.Call]:
    """Turn an admitted action into calls; to stop typing takes none, for it ends by itself.

    `menu` names the button that opens a list.
    """
    target = outbound.target
    if isinstance(outbound, model.SendMessage):
        quoted = {"context": {"message_id": target.reply_to}} if outbound.quote and target.reply_to else {}
        pieces = list(_pieces(outbound, capabilities, menu))
        return [
            _call(f"{outbound.key}:{index}", target, body | ({} if index else quoted), *uploads)
            for index, (body, *uploads) in enumerate(pieces)
        ]
    if isinstance(outbound, model.React):
        reaction = {"message_id": outbound.external_id, "emoji": outbound.emoji if outbound.on else ""}
        return [_call(f"{outbound.key}:0", target, {"type": "reaction", "reaction": reaction})]
    if isinstance(outbound, model.MarkRead):
        return [_mark(outbound.key, target, outbound.external_id)]
    if isinstance(outbound, model.ShowTyping):
        return [_mark(outbound.key, target, target.reply_to, typing=True)] if outbound.on else []
    raise PermanentError(f"WhatsApp does not send {outbound.kind}", code="unsupported")


def _call(key: str, target: model.Target, body: Body, *uploads: model.Media) -> model.Call:
    to, group = target.to, target.thread is not None
    common = {
        "messaging_product": "whatsapp",
        "recipient_type": "group" if group else "individual",
        **_recipient(to, group),
        "biz_opaque_callback_data": key,
    }
    return model.Call(key=key, to=to, action=MESSAGE, body=common | body, uploads=uploads, group=group)


def _recipient(to: model.Address, group: bool) -> Body:
    """Name a phone number in digits or a group by `to`, a person's business-scoped user id by `recipient`."""
    digits = to.value.removeprefix("+")
    return {"to": digits} if group or digits.isdigit() else {"recipient": to.value}


def _mark(key: str, target: model.Target, message: str, *, typing: bool = False) -> model.Call:
    if not message:
        raise PermanentError("WhatsApp shows typing as an answer: name the message in reply_to", code="no_message")
    body: Body = {"messaging_product": "whatsapp", "status": "read", "message_id": message}
    if typing:
        body["typing_indicator"] = {"type": "text"}
    return model.Call(key=f"{key}:0", to=target.to, action=MARK, body=body)


def _pieces(message: model.SendMessage, capabilities: model.Capabilities, menu: str) -> Iterator[_Piece]:
    """Cut a message into what WhatsApp can show: text before its files, but buttons and their text last."""
    if message.template is not None:
        yield _template(message, message.template)
        return
    parts = list(message.parts)
    text = message.text.strip()
    first = parts[0] if parts else None
    if (
        isinstance(first, model.Media)
        and first.kind in _CAPTIONED
        and not message.buttons
        and capabilities.unit.measure(text) <= capabilities.caption
    ):
        yield _file(first, text)
        parts, text = parts[1:], ""
    if message.buttons and capabilities.buttons:
        yield from map(_part, parts)
        *before, last = split(text, capabilities.buttons.text, capabilities.unit.measure) or [""]
        yield from map(_text, before)
        yield (_interactive(last, message.buttons, menu),)
        return
    yield from map(_text, split(text, capabilities.text, capabilities.unit.measure))
    yield from map(_part, parts)


def _text(text: str) -> _Piece:
    return ({"type": "text", "text": {"body": text}},)


def _part(part: SendablePart) -> _Piece:
    if isinstance(part, model.Media):
        return _file(part)
    if isinstance(part, model.Sticker):
        return _file(part.media or model.Media(kind=model.Kind.STICKER, id=part.id))
    if isinstance(part, model.Location):
        place = {"latitude": part.latitude, "longitude": part.longitude, "name": part.name, "address": part.address}
        return ({"type": "location", "location": _present(place)},)
    return ({"type": "contacts", "contacts": [_contact(part)]},)


def _file(media: model.Media, caption: str = "") -> _Piece:
    """Name a file by the application's own copy, else by its link, else by WhatsApp's id."""
    if media.ref and not media.media_type:
        raise PermanentError("a file to upload needs its media_type", code="no_media_type")
    source = {} if media.ref else {"link": media.url} if media.url else {"id": media.id}
    name = media.name if media.kind is model.Kind.DOCUMENT else ""
    body: Body = source | _present({"caption": caption, "filename": name})
    if media.kind is model.Kind.VOICE:
        body["voice"] = True
    wire = "audio" if media.kind is model.Kind.VOICE else media.kind.value
    piece: Body = {"type": wire, wire: body}
    return (piece, media) if media.ref else (piece,)


def _contact(contact: model.Contact) -> Body:
    card: Body = {"name": {"formatted_name": contact.name, "first_name": contact.name}}
    if contact.phones:
        card["phones"] = [{"phone": phone, "type": "CELL"} for phone in contact.phones]
    if contact.emails:
        card["emails"] = [{"email": email, "type": "WORK"} for email in contact.emails]
    if contact.organisation:
        card["org"] = {"company": contact.organisation}
    return card


def _interactive(text: str, buttons: Sequence[model.Button], menu: str) -> Body:
    """Offer reply buttons, or a list of more of them, or one button that opens a link; WhatsApp does not mix them."""
    if not text:
        raise PermanentError("buttons need a text on WhatsApp", code="empty")
    links = [button for button in buttons if button.url]
    if links and len(buttons) > 1:
        raise PermanentError("a button that opens a link stands alone on WhatsApp", code="unsupported")
    replies = [{"id": one.payload, "title": one.title} for one in buttons]
    action: Body
    if links and links[0].url == ASK_LOCATION:  # WhatsApp writes its title itself
        kind, action = "location_request_message", {"name": "send_location"}
    elif links:
        kind = "cta_url"
        action = {"name": kind, "parameters": {"display_text": links[0].title, "url": links[0].url}}
    elif len(buttons) > REPLIES:
        kind, action = "list", {"button": menu, "sections": [{"rows": replies}]}
    else:
        kind, action = "button", {"buttons": [{"type": "reply", "reply": reply} for reply in replies]}
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": text}, "action": action}}


def _template(message: model.SendMessage, template: model.Template) -> _Piece:
    """Fill a template: its header by a part or the option `header`, its body by values, its buttons by buttons or by
    the options `reply:N`, `url:N` (the link's end) and `code:N`, N being the button's place from 0."""
    fills = {f"url:{n}" if one.url else f"reply:{n}": one.url or one.payload for n, one in enumerate(message.buttons)}
    fills |= template.options
    components, uploads = list[Body](), list[model.Media]()
    words = fills.pop("header", "")
    if message.text or len(message.parts) + bool(words) > 1:
        raise PermanentError("beside a template stands at most what fills its header", code="unsupported")
    if message.parts:
        part, *uploads = _part(message.parts[0])
        if part["type"] not in ("image", "video", "document", "location"):
            raise PermanentError(f"a template's header is no {part['type']}", code="unsupported")
        components.append({"type": "header", "parameters": [part]})
    elif words:
        components.append({"type": "header", "parameters": [{"type": "text", "text": words}]})
    if template.values:
        values = [{"type": "text", "text": value} for value in template.values]
        components.append({"type": "body", "parameters": values})
    components += [_filled(name, value) for name, value in sorted(fills.items())]
    language = {"code": template.language, "policy": "deterministic"}
    body: Body = {"name": template.name, "language": language, **({"components": components} if components else {})}
    return {"type": "template", "template": body}, *uploads


def _filled(option: str, value: str) -> Body:
    what, _, place = option.partition(":")
    if what not in _FILLS or not place.isdecimal():
        raise PermanentError(
            f"unknown template option {option}: expected header, {', '.join(f'{name}:N' for name in _FILLS)}",
            code="unsupported",
        )
    sub_type, kind = _FILLS[what]
    return {"type": "button", "sub_type": sub_type, "index": place, "parameters": [{"type": kind, kind: value}]}


def _present(values: Mapping[str, Any]) -> Body:
    return {name: value for name, value in values.items() if value != ""}


async def send(call: model.Call, graph: Graph, account: str, services: Services) -> model.Receipt:
    """Make one call, after uploading its file; only the message can be ambiguous, not upload or mark."""
    body = dict(call.body)
    for file in call.uploads:
        form = [("messaging_product", "whatsapp"), ("type", file.media_type)]
        body = _with_file(body, await graph.upload(services, f"{account}/media", "file", file, form, "id"))
    answer = await graph.call(services, "POST", f"{account}/messages", json=body, repeatable=call.action == MARK)
    if call.action == MARK:
        return model.Receipt()
    try:
        ids = tuple(identifier(message["id"]) for message in answer["messages"])
        address = _known_as(answer)
    except (LookupError, TypeError, ValueError, AttributeError):
        ids, address = (), None
    if not ids:
        raise AmbiguousError("WhatsApp answered without the id of a message", code="unreadable")
    return model.Receipt(ids, None if address == call.to else address)


def _with_file(body: Body, file_id: str) -> Body:
    """Put in the file's id: of the message, or of the header of its template."""
    kind = body["type"]
    if kind != "template":
        return {**body, kind: {**body[kind], "id": file_id}}
    header, *others = body[kind]["components"]
    header = {**header, "parameters": [_with_file(header["parameters"][0], file_id)]}
    return {**body, kind: {**body[kind], "components": [header, *others]}}


def _known_as(answer: Mapping[str, Any]) -> model.Address | None:
    """Give the recipient's business-scoped user id, where the answer tells it."""
    for contact in answer.get("contacts") or ():
        if contact.get("user_id"):
            return model.Address("whatsapp", identifier(contact["user_id"]))
    return None
