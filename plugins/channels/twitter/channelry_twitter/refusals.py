"""What X's errors mean.

Source: https://docs.x.com/x-api/fundamentals/response-codes-and-errors; the numbers are those of the older API.
"""

from collections.abc import Mapping

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import RateScope
from channelry.services import HttpResponse, Services
from channelry_webapi import answers

PROBLEMS: Mapping[str, type[SendError]] = {
    "usage-capped": RetryableError,
    "rate-limit-exceeded": RetryableError,
    "client-forbidden": AuthError,
    "unsupported-authentication": AuthError,
    "oauth1-permissions": AuthError,
}
"""By the last word of a problem's type."""
CODES: Mapping[int, type[SendError]] = {
    32: AuthError, 64: AuthError, 89: AuthError, 215: AuthError, 326: AuthError,
    88: RetryableError, 130: RetryableError, 131: RetryableError,
    108: RecipientError, 150: RecipientError, 349: RecipientError,
    185: RetryableError,
}  # fmt: skip
"""By the code of the older API: no credentials; limits and troubles; cannot be messaged; the day's posts are used up.
Of the others, 186 is too long, 187 was said already, 385 and 433 may not be answered."""
WORDS: tuple[tuple[str, type[SendError]], ...] = (
    ("cannot send messages to", RecipientError),
    ("do not have permission to dm", RecipientError),
    ("scope", AuthError),
)
"""By words of a 403, in lower case. Bodies of these are not documented, from what developers report."""

GONE, TOO_MANY = "404", 88
"""What is not there any more; the older API's code for a limit that is used up."""
_DAY = 86_400.0
_LIMITS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")


def refusal(answer: HttpResponse, services: Services) -> SendError:
    """Give the error that an answer stands for, with the seconds to wait and what has to wait.

    An answer 200 that bears errors has their status within.
    """
    body = answers.content(answer)
    listed = body.get("errors")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    problem = str(body.get("type") or first.get("type") or "").rpartition("/")[2]
    said = str(body.get("detail") or first.get("detail") or first.get("message") or body.get("title") or "")
    number, status = first.get("code"), first.get("status") if answer.status < 300 else answer.status
    kind = PROBLEMS.get(problem) or (CODES.get(number) if isinstance(number, int) else None)
    if kind is None and status == 403:
        told = f"{said} {first.get('message') or ''} {first.get('detail') or ''}".lower()
        kind = next((kind for words, kind in WORDS if words in told), PermanentError)
    elif kind is None and isinstance(status, int):
        kind = answers.kind_of(status)
    wait, scope = None, None
    if problem == "usage-capped":  # until the billing period ends, which nobody tells
        wait, scope = _DAY, RateScope.APP
    elif status == 429 or number == TOO_MANY or problem == "rate-limit-exceeded":
        wait, scope = _until_reset(answer, services), RateScope.CONNECTION
    code = GONE if status == 404 or problem == "resource-not-found" else str(number or problem)
    return answers.refusal(answer, services, kind, said=said, code=code, retry_after=wait, scope=scope)


def _until_reset(answer: HttpResponse, services: Services) -> float | None:
    """Give the seconds until the limits that are used up are refilled."""
    now = services.clock.now().timestamp()
    left = {limit: answer.headers.get(f"{limit}-remaining", "0") for limit in _LIMITS}
    used_up = [limit for limit in _LIMITS if left[limit] == "0"] or _LIMITS
    resets = [answer.headers.get(f"{limit}-reset", "") for limit in used_up]
    waits = [float(reset) - now for reset in resets if reset.isdecimal()]
    return min(max(0.0, *waits), _DAY) if waits else None
