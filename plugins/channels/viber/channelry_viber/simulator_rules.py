"""What the simulated Viber takes: its requests, the fields of each type of message, their limits.

Sources: https://developers.viber.com/docs/api/rest-bot-api/#send-message and …/docs/tools/keyboards/
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

BAD_DATA, MISSING_DATA = 3, 4
MAX_REQUEST = 30_000
COLUMNS, KEYBOARD_ROWS, CARD_ROWS = 6, 12, 7

_LONGEST = {
    "receiver": 200,
    "tracking_data": 4000,
    "alt_text": 7000,
    "media": 2000,
    "file_name": 256,
    "thumbnail": 2000,
}
TEXT = {"text": 7000, "picture": 512}
LARGEST = {"video": 26_000_000, "file": 50_000_000}
_COMMON = frozenset({"receiver", "type", "sender", "tracking_data", "min_api_version", "keyboard"})
_REQUIRED = {
    "text": {"text"},
    "picture": {"text", "media"},
    "video": {"media", "size"},
    "file": {"media", "size", "file_name"},
    "location": {"location"},
    "contact": {"contact"},
    "sticker": {"sticker_id"},
    "url": {"media"},
    "rich_media": {"rich_media"},
}
_OPTIONAL = {"picture": {"thumbnail"}, "video": {"thumbnail", "duration"}, "rich_media": {"alt_text"}}
_PARTS: Mapping[str, Mapping[str, Any]] = {
    "sender": {"name": 28, "avatar?": 2000},
    "location": {"lat": float, "lon": float},
    "contact": {"name": 28, "phone_number": 18, "avatar?": 2000},
}
_ACTIONS = ("reply", "open-url", "location-picker", "share-phone", "none")
_BUTTON = frozenset({"Columns", "Rows", "ActionType", "ActionBody", "Text", "TextSize", "Image", "BgColor", "Silent"})


@frozen
class RefusedError(Exception):
    """The status that Viber answers with, and its words."""

    status: int
    message: str


def admit(body: Any) -> None:
    """Refuse a message with unknown fields, without needed ones, or with what is too long, too large or no link."""
    if not isinstance(body, dict) or body.get("type") not in _REQUIRED:
        raise RefusedError(BAD_DATA, "badData")
    kind = body["type"]
    if unknown := body.keys() - _COMMON - _REQUIRED[kind] - _OPTIONAL.get(kind, set()):
        raise RefusedError(BAD_DATA, f"unknown field {min(unknown)}")
    if missing := ({"receiver", "sender"} | _REQUIRED[kind]) - body.keys():
        raise RefusedError(MISSING_DATA, f"missing {min(missing)}")
    if kind == "rich_media" and body.get("min_api_version", 1) < 7:
        raise RefusedError(BAD_DATA, "rich media needs min_api_version 7")
    for name, value in body.items():
        _admit_field(kind, name, value)


def _admit_field(kind: str, name: str, value: Any) -> None:
    if name == "text":
        good = isinstance(value, str) and (kind != "text" or value.strip()) and len(value) <= TEXT[kind]
    elif name in _LONGEST:
        good = _is_text(value, _LONGEST[name]) and (name != "media" or value.startswith(("https://", "http://")))
    elif name in ("size", "duration", "sticker_id"):
        most = {"size": LARGEST.get(kind, 0), "duration": 180}.get(name, 2**31)
        good = type(value) is int and 0 <= value <= most
    elif name in _PARTS:
        good = _fits(value, _PARTS[name])
    elif name in ("keyboard", "rich_media"):
        good = _is_grid(value, name)
    else:
        good = True
    if not good:
        raise RefusedError(BAD_DATA, f"{name} is not valid")


def _fits(value: Any, fields: Mapping[str, Any]) -> bool:
    known = {name.removesuffix("?"): limit for name, limit in fields.items()}
    if not isinstance(value, dict) or value.keys() - known.keys():
        return False
    return all(_is(value[name], limit) if name in value else f"{name}?" in fields for name, limit in known.items())


def _is(value: Any, limit: Any) -> bool:
    return isinstance(value, int | float) if limit is float else _is_text(value, limit)


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most


def _is_grid(value: Any, name: str) -> bool:
    """Tell whether it is a keyboard or a card: rows of buttons, six columns wide, not too high."""
    card = name == "rich_media"
    head = {"ButtonsGroupColumns", "ButtonsGroupRows"} if card else {"DefaultHeight"}
    if not isinstance(value, dict) or value.get("Type") != name or value.keys() - {"Type", "Buttons", *head}:
        return False
    buttons, rows = value.get("Buttons"), 0
    for button in buttons or ():
        if button.keys() - _BUTTON or not 1 <= button.get("Columns", COLUMNS) <= COLUMNS:
            return False
        if button.get("ActionType") not in _ACTIONS or not _is_text(button.get("ActionBody"), 2000):
            return False
        if not _is_text(button.get("Text"), 250):
            return False
        rows += button.get("Rows", 1)
    return 0 < rows <= (min(value["ButtonsGroupRows"], CARD_ROWS) if card else KEYBOARD_ROWS)
