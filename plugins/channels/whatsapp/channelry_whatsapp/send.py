"""What we send: actions into calls, calls into requests.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from channelry import hookimpl, model
from channelry.errors import AmbiguousError, PermanentError
from channelry.model.outbound import SendablePart
from channelry.services import Services
from channelry.text import split
from channelry_meta.graph import named

from .capabilities import MARK, MESSAGE, REPLIES, SCHEME, TITLE
from .connection import Number

Body: TypeAlias = dict[str, Any]
_Piece: TypeAlias = tuple[Body, *tuple[model.Media, ...]]
"""One message's body, and the file to upload for it where it has one."""

_WHATSAPP: Mapping[str, str] = {"messaging_product": "whatsapp"}
_CAPTIONED = frozenset({model.Kind.IMAGE, model.Kind.VIDEO, model.Kind.DOCUMENT})
_WRITTEN = str.maketrans("", "", "+ -().")
"""What people write between the digits of a phone number."""

ASK_LOCATION = "geo:"
"""The link (RFC 5870, without a place) of a button that asks the customer where they are."""

_FILLS = {"reply": ("quick_reply", "payload"), "url": ("url", "text"), "code": ("copy_code", "coupon_code")}
"""What fills a template's button, by the option's name: its sub_type, and its parameter's."""


@hookimpl
def compose(number: Number, outbound: model.Outbound) -> Sequence[model.Call]:
    """Turn an action into calls; to stop typing takes none, for it ends by itself."""
    number.capabilities.admit(outbound)
    match outbound:
        case model.SendMessage():
            return list(_messages(outbound, _pieces(outbound, number)))
        case model.React(external_id=message, emoji=emoji, on=on):
            reaction = {"message_id": message, "emoji": emoji if on else ""}
            return list(_messages(outbound, [({"type": "reaction", "reaction": reaction},)]))
        case model.MarkRead(external_id=message):
            return [_mark(outbound, message)]
    assert isinstance(outbound, model.ShowTyping)  # nothing else is admitted
    return [_mark(outbound, outbound.target.reply_to, typing_indicator={"type": "text"})] if outbound.on else []


def _mark(outbound: model.Outbound, message: str, **more: Any) -> model.Call:
    """Set what is so after it, so that twice is the same as once."""
    if not message:
        raise PermanentError("WhatsApp shows typing as an answer: name the message in reply_to", code="no_message")
    body, key = {**_WHATSAPP, "status": "read", "message_id": message, **more}, f"{outbound.key}:0"
    return model.Call(key=key, to=outbound.target.to, action=MARK, body=body, resend=model.Resend.SAFE)


def _messages(outbound: model.SendMessage | model.React, pieces: Iterable[_Piece]) -> Iterator[model.Call]:
    """Write to a phone number in digits or a group by `to`, to a person's business-scoped user id by `recipient`."""
    target, group, value = outbound.target, outbound.target.thread is not None, outbound.target.to.value
    digits = value.translate(_WRITTEN)
    recipient = {"to": value if group else digits} if group or digits.isdigit() else {"recipient": value}
    common = {**_WHATSAPP, "recipient_type": "group" if group else "individual", **recipient}
    quotes = isinstance(outbound, model.SendMessage) and outbound.quote and target.reply_to
    for index, (body, *uploads) in enumerate(pieces):
        key, to, files = f"{outbound.key}:{index}", target.to, tuple(uploads)
        quoted = {"context": {"message_id": target.reply_to}} if quotes and not index else {}
        body = common | {"biz_opaque_callback_data": key} | body | quoted
        yield model.Call(key=key, to=to, action=MESSAGE, body=body, uploads=files, group=group)


def _pieces(message: model.SendMessage, number: Number) -> Iterator[_Piece]:
    """Cut a message into what WhatsApp can show: text before its files, but buttons and their text last."""
    if message.template is not None:
        yield _template(message, message.template)
        return
    limits, parts, text = number.capabilities, message.parts, message.text.strip()
    measure, first = limits.unit.measure, parts[0] if parts else None
    if message.buttons and limits.buttons:
        yield from map(_part, parts)
        *before, last = split(text, limits.buttons.text, measure) or [""]
        yield from map(_text, before)
        yield (_interactive(last, message.buttons, number.config.menu),)
        return
    if isinstance(first, model.Media) and first.kind in _CAPTIONED and measure(text) <= limits.caption:
        yield _file(first, text)
        parts, text = parts[1:], ""
    yield from map(_text, split(text, limits.text, measure))
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
    voice = media.kind is model.Kind.VOICE
    wire = "audio" if voice else media.kind.value
    piece: Body = {"type": wire, wire: source | _present({"caption": caption, "filename": name, "voice": voice or ""})}
    return (piece, media) if media.ref else (piece,)


def _contact(contact: model.Contact) -> Body:
    name = {"formatted_name": contact.name, "first_name": contact.name}
    phones = [{"phone": phone, "type": "CELL"} for phone in contact.phones]
    emails = [{"email": email, "type": "WORK"} for email in contact.emails]
    organisation = _present({"company": contact.organisation})
    return _present({"name": name, "phones": phones, "emails": emails, "org": organisation})


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
    elif len(buttons) > REPLIES:
        kind, action = "list", {"button": menu, "sections": [{"rows": replies}]}
    elif any(len(button.title) > TITLE for button in buttons):
        raise PermanentError(f"outside a list a title has at most {TITLE} characters", code="button_title")
    elif links:
        kind = "cta_url"
        action = {"name": kind, "parameters": {"display_text": links[0].title, "url": links[0].url}}
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
    body = _present({"name": template.name, "language": language, "components": components})
    return {"type": "template", "template": body}, *uploads


def _filled(option: str, value: str) -> Body:
    what, _, place = option.partition(":")
    if what not in _FILLS or not place.isdecimal():
        expected = ", ".join(("header", *(f"{name}:N" for name in _FILLS)))
        raise PermanentError(f"unknown template option {option}: expected {expected}", code="unsupported")
    sub_type, kind = _FILLS[what]
    return {"type": "button", "sub_type": sub_type, "index": place, "parameters": [{"type": kind, kind: value}]}


def _present(values: Mapping[str, Any]) -> Body:
    return {name: value for name, value in values.items() if value not in ("", [], {})}


@hookimpl
async def send(number: Number, call: model.Call, services: Services) -> model.Receipt:
    """Make one call, after uploading its file; only the message can be ambiguous, not upload or mark."""
    body, graph, account = dict(call.body), number.graph, number.account
    for file in call.uploads:
        form = [*_WHATSAPP.items(), ("type", file.media_type)]
        body = _with_file(body, await graph.upload(services, f"{account}/media", "file", file, form, "id"))
    answer = await graph.call(services, "POST", f"{account}/messages", json=body, repeatable=call.action == MARK)
    if call.action == MARK:
        return model.Receipt()
    message = named(_first(answer, "messages").get("id"), AmbiguousError)
    contact, to = _first(answer, "contacts"), call.to
    known = contact.get("user_id") or ("to" in body and contact.get("wa_id"))  # not always the number that was called
    address = model.Address(SCHEME, known, "", to.display or to.value) if isinstance(known, str) and known else None
    return model.Receipt((message,), None if call.group or address == to else address)


def _first(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Give the first of the rows that an answer has under a name; a message goes to one person."""
    rows = answer.get(name)
    return rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}


def _with_file(body: Body, file_id: str) -> Body:
    """Put in the file's id: of the message, or of the header of its template."""
    kind = body["type"]
    if kind != "template":
        return {**body, kind: {**body[kind], "id": file_id}}
    header, *others = body[kind]["components"]
    header = {**header, "parameters": [_with_file(header["parameters"][0], file_id)]}
    return {**body, kind: {**body[kind], "components": [header, *others]}}
