"""What the error codes of Pages and of Instagram accounts mean: Messenger, comments, direct messages.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes (2026-03-18)
"""

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, WindowClosedError
from channelry.model import RateScope

from .refusals import Refusals, rules

GONE = "100/33"
"""The object does not exist, any more or for us; whoever wanted it deleted has what they wanted."""

ENDED = "190"
"""The token has ended or was taken back."""

REFUSALS: Refusals = {
    **rules(WindowClosedError, (10, 2018278), (10, 2534022)),
    # not available or blocked us; no such person; cannot be written to; the comment had its private reply [k]
    **rules(RecipientError, 551, (551, 1545041), (200, 1545041), (100, 2018001), (10, 2018108), 10900),
    # too fast: the app, then the account
    **rules(RetryableError, 4, (4, 2018022), retry_after=60, scope=RateScope.APP),
    **rules(RetryableError, 32, 613, 80004, (9, 2018352), retry_after=60, scope=RateScope.CONNECTION),
    # passing troubles of Meta's [k]
    **rules(RetryableError, 1, (1, 99), 2, 1200),
    **rules(AuthError, 10, (10, 1893063), 190, 200, 230, 368),
    # nothing in it; no such object; the file is too large; it could not be loaded
    **rules(PermanentError, 100, (100, 2018034), (100, 33), 2018109, 2018047),
}
