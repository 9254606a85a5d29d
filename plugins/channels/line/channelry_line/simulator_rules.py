"""What the simulated Messaging API takes: its requests and message objects, as shapes.

A shape is a number (a text of 1 to so many UTF-16 units), `int`, `float` or `bool`, the pattern of a text, an
`Array` of so many, or an object as a dict, in which a name that ends in `?` may be missing.
Source: https://developers.line.biz/en/reference/messaging-api/#message-objects
"""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from attrs import frozen

Shape: TypeAlias = Any

MESSAGES, QUICK_REPLIES = 5, 13
_HTTPS = re.compile(r"https://.{1,1992}", re.DOTALL)
_DIGITS = re.compile(r"\d{1,20}", re.ASCII)


@frozen
class Array:
    """An array of 1 to `most` of one shape."""

    of: Shape
    most: int


@frozen
class Choice:
    """An object whose field `type` names its further fields."""

    shapes: dict[str, dict[str, Shape]]


_ACTION = Choice(
    {
        "postback": {"label": 20, "data": 300, "displayText?": 300},
        "message": {"label": 20, "text": 300},
        "uri": {"label": 20, "uri": 1000},
    }
)
_QUICK_REPLY = {
    "quickReply?": {"items": Array({"type": "action", "action": _ACTION, "imageUrl?": _HTTPS}, QUICK_REPLIES)}
}
_FILE = {"originalContentUrl": _HTTPS, **_QUICK_REPLY}
MESSAGE = Choice(
    {
        "text": {"text": 5000, "quoteToken?": 200, **_QUICK_REPLY},
        "image": {"previewImageUrl": _HTTPS, **_FILE},
        "video": {"previewImageUrl": _HTTPS, **_FILE},
        "audio": {"duration": int, **_FILE},
        "location": {"title": 100, "address": 100, "latitude": float, "longitude": float, **_QUICK_REPLY},
        "sticker": {"packageId": _DIGITS, "stickerId": _DIGITS, "quoteToken?": 200, **_QUICK_REPLY},
    }
)
_MESSAGES = {"messages": Array(MESSAGE, MESSAGES), "notificationDisabled?": bool}
REQUESTS: dict[str, Shape] = {
    "reply": {"replyToken": 200, **_MESSAGES},
    "push": {"to": 50, **_MESSAGES},
    "loading": {"chatId": 50, "loadingSeconds": int},
    "read": {"markAsReadToken": 200},
    "endpoint": {"endpoint": _HTTPS},
}


def faults(value: Any, shape: Shape, path: str = "") -> Iterator[tuple[str, str]]:
    """Give the place and the reason of everything in a request that does not fit."""
    match shape:
        case Choice(shapes=shapes):
            kind = value.get("type") if isinstance(value, dict) else None
            if kind not in shapes:
                yield f"{path}/type", "must be one of the known types"
            else:
                yield from faults(value, {"type": kind, **shapes[kind]}, path)
        case Array(of=of, most=most):
            if not isinstance(value, list) or not 1 <= len(value) <= most:
                yield path, f"size must be between 1 and {most}"
            else:
                for index, item in enumerate(value):
                    yield from faults(item, of, f"{path}[{index}]")
        case dict():
            yield from _object(value, shape, path)
        case _ if not _fits(value, shape):
            yield path, "is not valid"


def _object(value: Any, shape: dict[str, Shape], path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield path, "must be an object"
        return
    for name in value:
        if name not in shape and f"{name}?" not in shape:
            yield f"{path}/{name}", "is unknown"
    for name, inner in shape.items():
        field = name.removesuffix("?")
        if field in value:
            yield from faults(value[field], inner, f"{path}/{field}".lstrip("/"))
        elif field == name:
            yield f"{path}/{field}".lstrip("/"), "must be specified"


def _fits(value: Any, shape: Shape) -> bool:
    if shape is float:
        return type(value) in (int, float)
    if isinstance(shape, type):
        return type(value) is shape
    if isinstance(shape, int):
        return isinstance(value, str) and 1 <= len(value.encode("utf-16-le")) // 2 <= shape
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    return bool(value == shape)
