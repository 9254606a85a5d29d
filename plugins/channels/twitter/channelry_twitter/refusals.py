"""What X's errors mean.

Source: https://docs.x.com/x-api/fundamentals/response-codes-and-errors; the numbers are those of the older API.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import RateScope
from channelry.secrets import one_line
from channelry.services import HttpResponse

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
    ("cannot send messages to this user", RecipientError),
    ("do not have permission to dm", RecipientError),
    ("scope", AuthError),
)
"""By words of a 403, in lower case. Bodies of these are not documented, from what developers report."""
STATUSES: Mapping[int, type[SendError]] = {401: AuthError, 429: RetryableError}

_DAY = 86_400.0
_LIMITS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")


def refusal(response: HttpResponse, now: datetime) -> SendError:
    """Give the error that an answer stands for, with the seconds to wait and what has to wait."""
    answer = response.json()
    body = answer if isinstance(answer, dict) else {}
    listed = body.get("errors")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    problem = str(body.get("type") or first.get("type") or "").rpartition("/")[2]
    number = first.get("code")
    said = one_line(str(body.get("detail") or first.get("detail") or first.get("message") or body.get("title") or ""))
    text = said or f"HTTP {response.status}"
    code = str(number or problem or response.status)
    kind = _kind(response.status, problem, number, said.lower())
    if kind is not RetryableError:
        return kind(text, code=code)
    if problem == "usage-capped":  # until the billing period ends, which nobody tells
        return RetryableError(text, code=code, retry_after=_DAY, scope=RateScope.APP)
    limited = response.status == 429
    wait = _until_reset(response, now) if limited else response.retry_after(now)
    return RetryableError(text, code=code, retry_after=wait, scope=RateScope.CONNECTION if limited else None)


def _kind(status: int, problem: str, number: Any, said: str) -> type[SendError]:
    known = PROBLEMS.get(problem) or (CODES.get(number) if isinstance(number, int) else None) or STATUSES.get(status)
    if known is not None:
        return known
    if status == 403:
        return next((kind for words, kind in WORDS if words in said), PermanentError)
    return RetryableError if status >= 500 else PermanentError


def _until_reset(response: HttpResponse, now: datetime) -> float | None:
    """Give the seconds until the limits that are used up are refilled."""
    resets = [
        float(response.headers[f"{limit}-reset"]) - now.timestamp()
        for limit in _LIMITS
        if response.headers.get(f"{limit}-remaining", "0") == "0"
        and response.headers.get(f"{limit}-reset", "").isdecimal()
    ]
    return min(max(0.0, *resets), _DAY) if resets else response.retry_after(now)
