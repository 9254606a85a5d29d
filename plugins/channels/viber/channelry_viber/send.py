"""Sending: from a message to requests of the REST bot API, and the requests themselves.

Sources: https://developers.viber.com/docs/api/rest-bot-api/#send-message and …/docs/tools/keyboards/
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from channelry import hookimpl, model
from channelry.errors import PermanentError
from channelry.services import Services
from channelry.text import split
from channelry_webapi import Body, Draft, Piece, calls, named, require_link

from . import capabilities as limits
from .connection import Bot
from .tracking import note

LINK_SECONDS = 7 * 86_400
"""How long a link to a file of ours holds: a customer's app loads it when the chat is opened."""


@hookimpl
def compose(bot: Bot, outbound: model.Outbound) -> Sequence[model.Call]:
    """Turn a message into calls: text is split, a first picture bears it as its caption, buttons come last."""
    bot.capabilities.admit(outbound)
    assert isinstance(outbound, model.SendMessage)  # nothing else is admitted
    common = {"receiver": outbound.target.to.value, "sender": bot.sender}
    made = calls(outbound, (Draft(limits.SEND, common | body, uploads) for body, uploads in _pieces(bot, outbound)))
    if any(len(orjson.dumps(one.body)) > limits.REQUEST for one in made):
        raise PermanentError(f"the message is larger than {limits.REQUEST} bytes", code="too_large")
    return made


def _pieces(bot: Bot, message: model.SendMessage) -> list[Piece]:
    text, capabilities = message.text.strip(), bot.capabilities
    measure = capabilities.unit.measure
    files = [piece for part in message.parts for piece in _part(part)]
    if message.buttons and bot.config.buttons == "card":
        *before, last = split(text, limits.CARD_TEXT, measure) or [""]
        return [*map(_text, before), *files, _card(last, message.buttons)]
    if files and files[0][0]["type"] == "picture" and measure(text) <= capabilities.caption:
        files[0][0]["text"] = text
        pieces = files
    else:
        pieces = [*map(_text, split(text, capabilities.text, measure)), *files]
    return _offer(pieces, message.buttons) if message.buttons else pieces


def _text(text: str) -> Piece:
    return {"type": "text", "text": text}, ()


def _part(part: Any) -> Iterator[Piece]:
    match part:
        case model.Media() if part.kind is not model.Kind.STICKER:
            yield _file(part)
        case model.Media() | model.Sticker():
            if not part.id.isascii() or not part.id.isdigit():
                raise PermanentError("Viber sends stickers of its own only, by their number", code="unsupported")
            yield {"type": "sticker", "sticker_id": int(part.id)}, ()
        case model.Location():
            if words := "\n".join(filter(None, (part.name, part.address))):  # a place of Viber's has no name
                yield _text(words)
            yield {"type": "location", "location": {"lat": part.latitude, "lon": part.longitude}}, ()
        case model.Contact(name=name, phones=phones):
            if not (0 < len(name) <= limits.CONTACT_NAME and phones and len(phones[0]) <= limits.CONTACT_PHONE):
                most = f"{limits.CONTACT_NAME} and a phone number of {limits.CONTACT_PHONE} characters at most"
                raise PermanentError(f"a contact needs a name of {most}", code="contact")
            yield {"type": "contact", "contact": {"name": name, "phone_number": phones[0]}}, ()


def _file(media: model.Media) -> Piece:
    """Name a file by its link, or leave that to `send`; all but pictures need their size."""
    require_link(media, "https://", "http://")
    body: Body = {"type": "picture", "text": ""}
    if media.kind is not model.Kind.IMAGE:
        if media.size is None:
            raise PermanentError(f"Viber needs the size of a {media.kind}", code="no_size")
        body = {"type": "video" if media.kind is model.Kind.VIDEO else "file", "size": media.size}
    if body["type"] == "file":
        body["file_name"] = _name(media)
    if media.kind is model.Kind.VIDEO and media.seconds is not None and media.seconds <= limits.VIDEO_SECONDS:
        body["duration"] = round(media.seconds)
    return body | ({"media": media.url} if media.url else {}), () if media.url else (media,)


def _name(media: model.Media) -> str:
    name = media.name or unquote(PurePosixPath(urlsplit(media.url).path).name)
    if not PurePosixPath(name).suffix or len(name) > limits.FILE_NAME:
        reason = f"a file needs a name of at most {limits.FILE_NAME} characters with an ending (bill.pdf)"
        raise PermanentError(reason, code="file_name")
    return name


def _offer(pieces: Sequence[Piece], buttons: Sequence[model.Button]) -> list[Piece]:
    """Put the buttons below the chat, in place of the customer's own keyboard, with the last piece."""
    if not pieces:
        raise PermanentError("buttons need a text or a file on Viber", code="empty")
    *before, (body, uploads) = pieces
    keyboard = {"Type": "keyboard", "DefaultHeight": False, "Buttons": [*map(_button, buttons)]}
    return [*before, (body | {"keyboard": keyboard, "tracking_data": note(buttons)}, uploads)]


def _card(text: str, buttons: Sequence[model.Button]) -> Piece:
    """Put a text and the buttons below it on a card; an app that is too old shows the text."""
    if not text:
        raise PermanentError("a card of buttons needs a text on Viber", code="empty")
    card = {
        "Type": "rich_media",
        "ButtonsGroupColumns": limits.COLUMNS,
        "ButtonsGroupRows": limits.TEXT_ROWS + len(buttons),
        "Buttons": [_rows(text, "none", "none", limits.TEXT_ROWS), *map(_button, buttons)],
    }
    body = {"type": "rich_media", "min_api_version": limits.RICH_MEDIA_API, "alt_text": text, "rich_media": card}
    return body | {"tracking_data": note(buttons)}, ()


def _button(button: model.Button) -> Body:
    """Make a button of a whole row. What it sends is its title: the customer's own chat shows that."""
    action, body = ("open-url", button.url) if button.url else ("reply", button.title)
    return _rows(button.title, action, body)


def _rows(text: str, action: str, body: str, rows: int = 1) -> Body:
    return {"Columns": limits.COLUMNS, "Rows": rows, "ActionType": action, "ActionBody": body, "Text": text}


@hookimpl
async def send(bot: Bot, call: model.Call, services: Services) -> model.Receipt:
    """Make one call, after asking the application for a link to its file."""
    body = dict(call.body)
    for file in call.uploads:
        body["media"] = await services.files.link(file.ref, LINK_SECONDS)
    answer = await bot.call(services, call.action, body, repeatable=False)
    return model.Receipt((named(answer.get("message_token"), repeatable=False),))
