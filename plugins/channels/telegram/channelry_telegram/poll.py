"""Polling: updates fetched from Telegram instead of posted by it.

Source: https://core.telegram.org/bots/api#getupdates
"""

from typing import Any

import orjson

from channelry.errors import AuthError, SendError
from channelry.hookspecs import Deliver
from channelry.model import Received, Request
from channelry.services import Services

from .api import Api
from .receive import HANDLED, parse

CURSOR = "offset"
"""The key in the connection's state: the id of the first update that was not delivered yet."""
WAIT = 50
"""Seconds that Telegram holds a poll open while there is nothing to tell."""
_GRACE = 10


async def listen(api: Api, deliver: Deliver, services: Services) -> None:
    """Deliver each update, then move the cursor: after a crash in between the update comes again.

    Asking from the cursor on is what confirms the updates before it, so Telegram forgets none too early.
    """
    cursor = await services.state.get(CURSOR)
    while True:
        asked: dict[str, Any] = {"timeout": WAIT, "allowed_updates": HANDLED}
        if cursor is not None:
            asked["offset"] = int(cursor)
        for update in await api.call(services, "getUpdates", asked, timeout=WAIT + _GRACE):
            request = Request("POST", "/", (), orjson.dumps(update), services.clock.now())
            received = parse(request)
            await deliver(received)
            after = str(update["update_id"] + 1)
            if not await services.state.compare_and_set(CURSOR, cursor, after):
                raise AuthError("another poller of this connection moved its cursor", code="poller")
            cursor = after
            await _answer(api, received, services)


async def _answer(api: Api, received: Received, services: Services) -> None:
    """Make the call that would have ridden on a webhook's answer; if it fails, the button's wait runs out."""
    if not received.answer.body:
        return
    call = orjson.loads(received.answer.body)
    try:
        await api.call(services, call.pop("method"), call)
    except SendError as error:
        services.log.warning("%s: a pressed button was not answered: %s", services.name, error)
