"""What the simulated Messenger takes: shapes of messages, with their limits.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages
"""

from collections.abc import Mapping
from typing import Any

from channelry_meta.simulator import QUICK_REPLIES, names_a_file

_TYPES = frozenset({"image", "audio", "video", "file"})


def _button(value: Any) -> bool:
    """Tell whether a button has a title, and either a payload or a link."""
    rest = {"postback": "payload", "web_url": "url"}
    return (
        isinstance(value, dict)
        and set(value) == {"type", "title", rest.get(value.get("type", ""))}
        and all(isinstance(text, str) and text for text in value.values())
        and len(value["title"]) <= 20
    )


def _template(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"template_type", "text", "buttons"}
        and value["template_type"] == "button"
        and isinstance(value["text"], str)
        and 1 <= len(value["text"]) <= 640
        and isinstance(value["buttons"], list)
        and 1 <= len(value["buttons"]) <= 3
        and all(map(_button, value["buttons"]))
    )


def _attachment(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"type", "payload"}:
        return False
    return (
        _template(value["payload"])
        if value["type"] == "template"
        else (value["type"] in _TYPES and names_a_file(value["payload"]))
    )


CONTENTS: Mapping[str, dict[str, Any]] = {
    "text": {"text": 2000, "quick_replies?": QUICK_REPLIES},
    "attachment": {"attachment": _attachment},
    "sticker_id": {"sticker_id": int},
}
MARKS: dict[str, Any] = {"metadata?": 1000}
