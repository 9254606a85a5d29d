"""What LINE's refusals mean.

Source: https://developers.line.biz/en/reference/messaging-api/#status-codes and …/#error-messages
"""

from channelry.errors import PermanentError, RecipientError, SendError
from channelry.services import HttpResponse, Services
from channelry_webapi import content, refusal

MONTHLY_LIMIT = "you have reached your monthly limit"
"""How LINE words that the plan's messages are used up; the wording is not confirmed."""
NOT_SENT = ("failed to send messages", "the property, 'to',")
"""How LINE words that nobody is there; of some of these it names the property `to` beside."""


def message_of(answer: HttpResponse) -> str:
    """Give LINE's words for an error."""
    return str(content(answer).get("message", ""))


def refused(answer: HttpResponse, services: Services, kind: type[SendError] | None = None) -> SendError:
    """Tell what an answer that is no success means, where it is not known to be of a `kind`."""
    said, details = message_of(answer), content(answer).get("details")
    if answer.status == 400:
        faults = [one.get("property") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
        kind = RecipientError if said.lower().startswith(NOT_SENT) or "to" in faults else kind
    used_up = answer.status == 429 and said.lower().startswith(MONTHLY_LIMIT)  # a reply is free, and goes all the same
    kind, code = (PermanentError, "monthly_limit") if used_up else (kind, "")
    return refusal(answer, services, kind, said=f"LINE: {said or f'HTTP {answer.status}'}", code=code)
