"""What Messenger sends: stickers are its own, the rest is Meta's common way.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages
"""

from typing import Any

from channelry.errors import PermanentError
from channelry.model import Sticker
from channelry_meta.messages import Dialect

from .capabilities import SCHEME


def _sticker(sticker: Sticker) -> dict[str, Any]:
    """Send one of Messenger's stickers, whose ids are whole numbers."""
    if not sticker.id.isdecimal():
        raise PermanentError("Messenger sends its own stickers only, by their numbers", code="unsupported")
    return {"sticker_id": int(sticker.id)}


DIALECT = Dialect(SCHEME, _sticker)
