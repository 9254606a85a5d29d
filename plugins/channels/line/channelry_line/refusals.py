"""What LINE's refusals mean.

Source: https://developers.line.biz/en/reference/messaging-api/#status-codes and …/#error-messages
"""

from typing import Any

from channelry.errors import RecipientError, SendError
from channelry.services import HttpResponse, Services
from channelry_webapi import content, refusal

MONTHLY_LIMIT = "you have reached your monthly limit"
"""How LINE words that the plan's messages are used up; the wording is not confirmed."""
MONTHLY_WAIT = 3600.0
"""Seconds between looks whether the month is over or a larger plan was bought."""
NOT_SENT = "failed to send messages"


def message_of(answer: HttpResponse) -> str:
    """Give LINE's words for an error."""
    return str(content(answer).get("message", ""))


def refused(answer: HttpResponse, services: Services, kind: type[SendError] | None = None) -> SendError:
    """Tell what an answer that is no success means, where it is not known to be of a `kind`."""
    said, details = message_of(answer), content(answer).get("details")
    if answer.status == 400:
        faults = [one.get("property") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
        kind = RecipientError if said.lower().startswith(NOT_SENT) or "to" in faults else kind
    limits: dict[str, Any] = {}
    if answer.status == 429 and said.lower().startswith(MONTHLY_LIMIT):
        limits = {"code": "monthly_limit", "retry_after": MONTHLY_WAIT}
    return refusal(answer, services, kind, said=f"LINE: {said or f'HTTP {answer.status}'}", **limits)
