"""What the errors of Microsoft's SDK mean.

https://learn.microsoft.com/azure/ai-services/language-service/concepts/data-limits and …/reference/service-limits
"""

from datetime import datetime

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from channelry.errors import AuthError, PermanentError, RetryableError, SendError
from channelry.model import RateScope
from channelry.secrets import one_line
from channelry.services import HttpResponse

_QUOTA = "out of call volume quota"
"""With a 403, of the free tier: it is no fault of the key's, and passes."""


def meaning(error: AzureError, now: datetime) -> SendError:
    """Give the error of the contract for one of the SDK's. Nothing here was seen by a customer: all can be repeated."""
    status = error.status_code if isinstance(error, HttpResponseError) else None
    token = error.__context__ if status is None else None  # which the SDK hides
    if isinstance(token, ClientAuthenticationError) and token.__cause__ is None:  # else no answer, wrapped
        return AuthError(f"there is no token of Entra ID: {one_line(str(token.message))}", code="no_token")
    if status is None:
        return RetryableError(f"Azure gave no answer: {one_line(str(error.message))}", code="no_answer")
    if status < 400:
        return unreadable(f"HTTP {status}")
    assert isinstance(error, HttpResponseError)
    code = one_line(str(getattr(error.error, "code", None) or status), 64)
    said = one_line(f"Azure refused, HTTP {status}: {error.message}")
    if status in (408, 429) or status >= 500 or (status == 403 and _QUOTA in said.lower()):
        scope = RateScope.CONNECTION if status < 500 else None
        return RetryableError(said, code=code, retry_after=_retry_after(error, now), scope=scope)
    return (AuthError if status in (401, 403) else PermanentError)(said, code=code)


def unreadable(what: str) -> RetryableError:
    """Give the error for an answer that is none of the service's: a proxy's page, a cut-off body."""
    return RetryableError(f"Azure's answer was not understood: {one_line(what)}", code="unreadable")


def _retry_after(error: HttpResponseError, now: datetime) -> float | None:
    headers = {name.lower(): value for name, value in getattr(error.response, "headers", {}).items()}
    return HttpResponse(error.status_code or 0, headers, b"").retry_after(now)
