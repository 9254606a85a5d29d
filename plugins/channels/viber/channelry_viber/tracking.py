"""Which buttons a customer was offered: written into `tracking_data`, which Viber returns with the customer's answer.

A tap arrives as an ordinary text, the one that stands on the button; what was offered tells the payload behind it.
Source: https://creators.viber.com/docs/bots-api/resources/messaging/send-message
"""

from collections.abc import Mapping, Sequence

import orjson

from channelry.errors import PermanentError
from channelry.model import Button

from .capabilities import TRACKING

_BEGIN = '{"buttons":'


def note(buttons: Sequence[Button]) -> str:
    """Write down the payload behind each title; links need none, for they open by themselves."""
    titles = [button.title for button in buttons]
    if len(set(titles)) < len(titles):
        raise PermanentError("two buttons of one title cannot be told apart on Viber", code="button_title")
    payloads = {button.title: button.payload for button in buttons if not button.url}
    written = orjson.dumps({"buttons": payloads}).decode()
    if len(written) > TRACKING:
        raise PermanentError(f"all titles and payloads have at most {TRACKING} characters", code="button_payload")
    return written


def offered(tracking: object) -> Mapping[str, str]:
    """Give the payload by title of the buttons that were offered, none where somebody else wrote `tracking_data`."""
    if not isinstance(tracking, str) or not tracking.startswith(_BEGIN):
        return {}
    try:
        buttons = orjson.loads(tracking)["buttons"].items()
    except (ValueError, AttributeError):
        return {}
    return {title: payload for title, payload in buttons if isinstance(payload, str)}
