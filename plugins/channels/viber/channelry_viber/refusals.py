"""What Viber's status codes mean.

Source: https://developers.viber.com/docs/api/rest-bot-api/#error-codes
"""

from collections.abc import Mapping

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError, WindowClosedError

TOO_MANY = 12
"""More than 100 messages to one person within an hour and no answer, or too many requests."""

REFUSALS: Mapping[int, type[SendError]] = {
    # the webhook's URL, the request's data, versions and places that a message cannot go to
    **dict.fromkeys((1, 3, 4, 14, 16, 17, 18, 19, 20), PermanentError),
    # the token; the bot blocked, unknown, suspended, without webhook, without right; no payment, no balance
    **dict.fromkeys((2, 7, 8, 9, 10, 15, 22, 24), AuthError),
    # nobody of this id, not subscribed, no device that could show it, an old app, a country without Viber's bots
    **dict.fromkeys((5, 6, 11, 13, 21), RecipientError),
    TOO_MANY: RetryableError,
    23: WindowClosedError,  # the free messages outside of a session are used up; in a session it works again
}
"""What a status other than 0 means; one that is not here is a passing trouble of Viber's."""
