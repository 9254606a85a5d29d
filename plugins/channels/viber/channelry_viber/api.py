"""The REST bot API: one request, its answer, and what its status codes mean.

Source: https://developers.viber.com/docs/api/rest-bot-api/#error-codes
"""

from collections.abc import Mapping
from typing import Any

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError, WindowClosedError
from channelry.model import RateScope
from channelry.services import Services
from channelry_webapi import Client
from channelry_webapi.answers import content, refusal, unreadable

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


async def call(
    client: Client, services: Services, method: str, body: Mapping[str, Any], *, repeatable: bool = True
) -> Mapping[str, Any]:
    """Make one request and give its answer, or raise what it means.

    Viber answers everything with HTTP 200, and tells by a status in the body; what stands before it does not.
    """
    answer = await client.ask(services, "POST", f"/pa/{method}", json=body, repeatable=repeatable)
    if not 200 <= answer.status < 300:
        raise refusal(answer, services, said=f"Viber: HTTP {answer.status}")
    found = content(answer)
    status = found.get("status")
    if type(status) is not int:
        raise unreadable(repeatable=repeatable)
    if status != 0:
        kind, scope = REFUSALS.get(status, RetryableError), RateScope.RECIPIENT if status == TOO_MANY else None
        said = f"Viber: {found.get('status_message', '')}"
        raise refusal(answer, services, kind, said=said, code=str(status), scope=scope)
    return found
