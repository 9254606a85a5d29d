"""What Twilio's errors mean.

Source: https://www.twilio.com/docs/api/errors
"""

from collections.abc import Mapping

from attrs import frozen

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError, WindowClosedError
from channelry.model import RateScope
from channelry.services import HttpResponse, Services
from channelry_webapi import answers

DAY = 86_400.0


@frozen
class Meaning:
    """The error that a code stands for; for one to retry, how many seconds to wait, and what has to wait."""

    kind: type[SendError] | None
    retry_after: float | None = None
    scope: RateScope | None = None


_MEANINGS: Mapping[Meaning, tuple[int, ...]] = {
    # too many requests, too many messages of this number or service, its queue is full
    Meaning(RetryableError, scope=RateScope.CONNECTION): (20429, 14107, 30001, 30022, 63018),
    Meaning(RetryableError, scope=RateScope.RECIPIENT): (63017,),
    # the day's quota of a campaign, an account, a sandbox
    Meaning(RetryableError, DAY, RateScope.CONNECTION): (30023, 30027, 63038),
    # passing troubles of a carrier's, of WhatsApp's
    Meaning(RetryableError): (30008, 30017, 30410, 63009, 63010, 63012),
    Meaning(WindowClosedError): (63016,),
    # stopped us (STOP), blocked us; no number, no phone that takes messages, no WhatsApp
    Meaning(RecipientError): (*(21610, 30004, 63014, 63033), *(21211, 21612, 21614, 30003, 30005, 30006, 63003, 63024)),
    # credentials, the account, its right to write to a country or from this number
    Meaning(AuthError): (20003, 20404, 21606, 21408, 21608, 30002, 30032, 63007),
    # too long, filtered, too large, content that the channel refuses
    Meaning(PermanentError): (21617, 30007, 30011, 30019, 63005, 63019, 63027, 63028, 63029, 63032),
}
CODES: Mapping[int, Meaning] = {code: meaning for meaning, codes in _MEANINGS.items() for code in codes}
"""What is not here means what its HTTP status does."""


def refusal(answer: HttpResponse, services: Services) -> SendError:
    """Tell what a refusal means: by its code, else by its HTTP status."""
    body = answers.content(answer)
    code = body["code"] if isinstance(body.get("code"), int) else 0
    found = CODES.get(code, Meaning(None))
    said, wait = str(body.get("message") or ""), found.retry_after
    return answers.refusal(
        answer, services, found.kind, said=said, code=str(code or ""), retry_after=wait, scope=found.scope
    )
