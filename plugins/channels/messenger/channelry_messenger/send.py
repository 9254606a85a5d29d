"""What Messenger sends: stickers are its own, the rest is Meta's common way.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages
"""

from collections.abc import Sequence
from typing import Any

from channelry import hookimpl
from channelry.errors import PermanentError
from channelry.model import Call, Outbound, Receipt, Sticker
from channelry.services import Services
from channelry_meta import messages

from .capabilities import SCHEME
from .connection import Page


def _sticker(sticker: Sticker) -> dict[str, Any]:
    """Send one of Messenger's stickers, whose ids are whole numbers."""
    if not sticker.id.isdecimal():
        raise PermanentError("Messenger sends its own stickers only, by their numbers", code="unsupported")
    return {"sticker_id": int(sticker.id)}


DIALECT = messages.Dialect(SCHEME, _sticker)


@hookimpl
def compose(page: Page, outbound: Outbound) -> Sequence[Call]:
    """Turn an action into calls."""
    page.capabilities.admit(outbound)
    limits = page.capabilities.of(outbound.target)
    return messages.compose(outbound, limits, DIALECT, tagged=page.config.human_agent)


@hookimpl
async def send(page: Page, call: Call, services: Services) -> Receipt:
    """Make one call."""
    return await messages.send(call, page.config.graph(), page.account, DIALECT, services)
