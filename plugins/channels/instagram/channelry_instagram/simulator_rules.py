"""What the simulated Instagram takes: shapes of messages, with their limits.

https://developers.facebook.com/documentation/business-messaging/instagram-messaging/features/send-message
"""

from collections.abc import Mapping
from typing import Any

from channelry_meta.simulator import QUICK_REPLIES, names_a_file

_TYPES = frozenset({"image", "audio", "video", "file"})


def _text(value: Any) -> bool:
    """Tell whether a text has 1 to 1000 bytes."""
    return isinstance(value, str) and 1 <= len(value.encode()) <= 1000


def _attachment(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if set(value) == {"type"}:
        return bool(value["type"] == "like_heart")
    return set(value) == {"type", "payload"} and value["type"] in _TYPES and names_a_file(value["payload"])


CONTENTS: Mapping[str, dict[str, Any]] = {
    "text": {"text": _text, "quick_replies?": QUICK_REPLIES},
    "attachment": {"attachment": _attachment},
}
COMMENT: dict[str, Any] = {"message": 2200}
MENTION: dict[str, Any] = {"media_id": 512, "comment_id?": 512, "message": 2200}
