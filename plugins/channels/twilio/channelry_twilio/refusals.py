"""What Twilio's error codes mean.

Source: https://www.twilio.com/docs/api/errors
"""

from collections.abc import Mapping

from attrs import frozen

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError, WindowClosedError
from channelry.model import RateScope

DAY = 86_400.0


@frozen
class Meaning:
    """The error that a code stands for; for one to retry, how many seconds to wait, and what has to wait."""

    kind: type[SendError]
    retry_after: float | None = None
    scope: RateScope | None = None


def _each(meaning: Meaning, *codes: int) -> dict[int, Meaning]:
    return dict.fromkeys(codes, meaning)


CODES: Mapping[int, Meaning] = {
    # too many requests, too many messages of this number or service, its queue is full
    **_each(Meaning(RetryableError, scope=RateScope.CONNECTION), 20429, 14107, 30001, 30022, 63018),
    **_each(Meaning(RetryableError, scope=RateScope.RECIPIENT), 63017),
    # the day's quota of a campaign, an account, a sandbox
    **_each(Meaning(RetryableError, DAY, RateScope.CONNECTION), 30023, 30027, 63038),
    # passing troubles of a carrier's, of WhatsApp's
    **_each(Meaning(RetryableError), 30008, 30017, 30410, 63009, 63010, 63012),
    **_each(Meaning(WindowClosedError), 63016),
    # stopped us (STOP), blocked us, has no number, no phone that takes messages, no WhatsApp
    **_each(Meaning(RecipientError), 21610, 30004, 63014, 63033),
    **_each(Meaning(RecipientError), 21211, 21612, 21614, 30003, 30005, 30006, 63003, 63024),
    # credentials, the account, its right to write to a country or from this number
    **_each(Meaning(AuthError), 20003, 20404, 21606, 21408, 21608, 30002, 30032, 63007),
    # too long, filtered, too large, content that the channel refuses
    **_each(Meaning(PermanentError), 21617, 30007, 30011, 30019, 63005, 63019, 63027, 63028, 63029, 63032),
}
STATUSES: Mapping[int, Meaning] = {401: Meaning(AuthError), 403: Meaning(AuthError), 429: CODES[20429]}
"""For answers without a code of the list; else 5xx may be tried again, and the rest never works."""


def meaning(status: int, code: int | None) -> Meaning:
    """Tell what a refusal means: by its code, else by its HTTP status."""
    found = CODES.get(code or 0) or STATUSES.get(status)
    return found or Meaning(RetryableError if status >= 500 else PermanentError)
