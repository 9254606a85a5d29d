"""Sending: from a message to requests of the REST bot API, and the requests themselves.

Sources: https://developers.viber.com/docs/api/rest-bot-api/#send-message and …/docs/tools/keyboards/
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import orjson

from channelry import model
from channelry.errors import PermanentError
from channelry.services import Services
from channelry.text import split
from channelry_webapi import Client
from channelry_webapi.answers import named
from channelry_webapi.drafts import Draft, calls
from channelry_webapi.files import require_link

from .api import call
from .capabilities import CARD_TEXT
from .tracking import note

LARGEST_REQUEST = 30_000
"""Most bytes of a request. Source: https://developers.viber.com/docs/faq/ (30kb)"""
CONTACT_NAME, CONTACT_PHONE, FILE_NAME, VIDEO_SECONDS = 28, 18, 256, 180
"""What Viber takes at most, in characters and seconds; the contact's and the video's are not confirmed."""
RICH_MEDIA_API = 7
"""The version of the API, and so of the customers' apps, that can show a card (rich media)."""
LINK_SECONDS = 7 * 86_400
"""How long a link to a file of ours holds: a customer's app loads it when the chat is opened."""

_COLUMNS, _TEXT_ROWS = 6, 2

Body: TypeAlias = dict[str, Any]
_Piece: TypeAlias = tuple[Body, tuple[model.Media, ...]]
"""One message's body, and the file that still needs a link."""


def compose(
    capabilities: model.Capabilities, outbound: model.Outbound, sender: Mapping[str, str], *, cards: bool
) -> list[model.Call]:
    """Turn a message into calls: text is split, a first picture bears it as its caption, buttons come last."""
    capabilities.admit(outbound)
    assert isinstance(outbound, model.SendMessage)  # nothing else is admitted
    common, pieces = {"receiver": outbound.target.to.value, "sender": sender}, _pieces(outbound, capabilities, cards)
    made = calls(outbound, (Draft("send_message", common | body, uploads) for body, uploads in pieces))
    if any(len(orjson.dumps(one.body)) > LARGEST_REQUEST for one in made):
        raise PermanentError(f"the message is larger than {LARGEST_REQUEST} bytes", code="too_large")
    return made


def _pieces(message: model.SendMessage, capabilities: model.Capabilities, cards: bool) -> list[_Piece]:
    text, measure = message.text.strip(), capabilities.unit.measure
    files = [piece for part in message.parts for piece in _part(part)]
    if message.buttons and cards:
        *before, last = split(text, CARD_TEXT, measure) or [""]
        return [*map(_text, before), *files, _card(last, message.buttons)]
    if files and files[0][0]["type"] == "picture" and measure(text) <= capabilities.caption:
        files[0][0]["text"] = text
        pieces = files
    else:
        pieces = [*map(_text, split(text, capabilities.text, measure)), *files]
    return _offer(pieces, message.buttons) if message.buttons else pieces


def _text(text: str) -> _Piece:
    return {"type": "text", "text": text}, ()


def _part(part: Any) -> Iterator[_Piece]:
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
            if not (0 < len(name) <= CONTACT_NAME and phones and len(phones[0]) <= CONTACT_PHONE):
                needs = f"a name of {CONTACT_NAME} and a phone number of {CONTACT_PHONE} characters at most"
                raise PermanentError(f"a contact needs {needs}", code="contact")
            yield {"type": "contact", "contact": {"name": name, "phone_number": phones[0]}}, ()


def _file(media: model.Media) -> _Piece:
    """Name a file by its link, or leave that to `send`; all but pictures need their size."""
    require_link(media, "https://", "http://")
    body: Body = {"type": "picture", "text": ""}
    if media.kind is not model.Kind.IMAGE:
        if media.size is None:
            raise PermanentError(f"Viber needs the size of a {media.kind}", code="no_size")
        body = {"type": "video" if media.kind is model.Kind.VIDEO else "file", "size": media.size}
    if body["type"] == "file":
        body["file_name"] = _name(media)
    if media.kind is model.Kind.VIDEO and media.seconds is not None and media.seconds <= VIDEO_SECONDS:
        body["duration"] = round(media.seconds)
    return body | ({"media": media.url} if media.url else {}), () if media.url else (media,)


def _name(media: model.Media) -> str:
    name = media.name or unquote(PurePosixPath(urlsplit(media.url).path).name)
    if not PurePosixPath(name).suffix or len(name) > FILE_NAME:
        raise PermanentError(
            f"a file needs a name of at most {FILE_NAME} characters with an ending (bill.pdf)", code="file_name"
        )
    return name


def _offer(pieces: Sequence[_Piece], buttons: Sequence[model.Button]) -> list[_Piece]:
    """Put the buttons below the chat, in place of the customer's own keyboard, with the last piece."""
    if not pieces:
        raise PermanentError("buttons need a text or a file on Viber", code="empty")
    *before, (body, uploads) = pieces
    keyboard = {"Type": "keyboard", "DefaultHeight": False, "Buttons": [_button(one) for one in buttons]}
    return [*before, (body | {"keyboard": keyboard, "tracking_data": note(buttons)}, uploads)]


def _card(text: str, buttons: Sequence[model.Button]) -> _Piece:
    """Put a text and the buttons below it on a card; an app that is too old shows the text."""
    if not text:
        raise PermanentError("a card of buttons needs a text on Viber", code="empty")
    said = {"Columns": _COLUMNS, "Rows": _TEXT_ROWS, "ActionType": "none", "ActionBody": "none", "Text": text}
    card = {
        "Type": "rich_media",
        "ButtonsGroupColumns": _COLUMNS,
        "ButtonsGroupRows": _TEXT_ROWS + len(buttons),
        "Buttons": [said, *(_button(one) for one in buttons)],
    }
    body = {"type": "rich_media", "min_api_version": RICH_MEDIA_API, "alt_text": text, "rich_media": card}
    return body | {"tracking_data": note(buttons)}, ()


def _button(button: model.Button) -> Body:
    """Make a button of a whole row. What it sends is its title: the customer's own chat shows that."""
    action, body = ("open-url", button.url) if button.url else ("reply", button.title)
    return {"Columns": _COLUMNS, "Rows": 1, "ActionType": action, "ActionBody": body, "Text": button.title}


async def send(client: Client, given: model.Call, services: Services) -> model.Receipt:
    """Make one call, after asking the application for a link to its file."""
    body = dict(given.body)
    for file in given.uploads:
        body["media"] = await services.files.link(file.ref, LINK_SECONDS)
    answer = await call(client, services, given.action, body, repeatable=False)
    return model.Receipt((named(answer.get("message_token"), repeatable=False),))
