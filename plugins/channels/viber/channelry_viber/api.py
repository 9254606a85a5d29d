"""The REST bot API: one request, its answer, and what its status codes mean.

Source: https://developers.viber.com/docs/api/rest-bot-api/#error-codes
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from channelry.errors import (
    AmbiguousError,
    AuthError,
    PermanentError,
    RecipientError,
    RetryableError,
    SendError,
    WindowClosedError,
)
from channelry.model import RateScope
from channelry.secrets import Secret, one_line
from channelry.services import HttpResponse, Services

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


@frozen
class Api:
    """The API of one bot."""

    base_url: str
    token: Secret

    async def call(
        self, services: Services, method: str, body: Mapping[str, Any], *, repeatable: bool = True
    ) -> Mapping[str, Any]:
        """Make one request and give its answer, or raise what the answer means."""
        answer = await services.http.request(
            "POST",
            f"{self.base_url}/pa/{method}",
            headers={"X-Viber-Auth-Token": self.token.reveal()},
            json=body,
            repeatable=repeatable,
        )
        return _result(answer, repeatable, services)


def _result(answer: HttpResponse, repeatable: bool, services: Services) -> Mapping[str, Any]:
    """Decide by the status in the body; Viber answers everything with HTTP 200, what stands before it does not."""
    if not 200 <= answer.status < 300:
        raise _unserved(answer, services)
    found = answer.json()
    status = found.get("status") if isinstance(found, dict) else None
    if type(status) is not int:  # it was done, or not: a proxy's page, a cut-off body
        unread = RetryableError if repeatable else AmbiguousError
        raise unread("Viber's answer was not understood", code="unreadable")
    if status == 0:
        return dict(found)
    kind = REFUSALS.get(status, RetryableError)
    message, code = f"Viber: {one_line(str(found.get('status_message', '')))}", str(status)
    if kind is RetryableError:
        raise RetryableError(message, code=code, scope=RateScope.RECIPIENT if status == TOO_MANY else None)
    raise kind(message, code=code)


def _unserved(answer: HttpResponse, services: Services) -> SendError:
    code, message = str(answer.status), f"Viber: HTTP {answer.status}"
    if answer.status == 429 or answer.status >= 500:
        return RetryableError(message, code=code, retry_after=answer.retry_after(services.clock.now()))
    return (AuthError if answer.status in (401, 403) else PermanentError)(message, code=code)
