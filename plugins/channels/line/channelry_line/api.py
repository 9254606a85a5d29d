"""The Messaging API: requests with the channel's token, and what its refusals mean.

Sources: https://developers.line.biz/en/reference/messaging-api/#status-codes, …/#error-messages and
…/#issue-stateless-channel-access-token
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from channelry.errors import RecipientError, SendError
from channelry.secrets import Secret
from channelry.services import HttpResponse, Services
from channelry_webapi import Client, Issued, granted
from channelry_webapi.answers import content, refusal

BOT = "/v2/bot"
MONTHLY_LIMIT = "you have reached your monthly limit"
"""How LINE words that the plan's messages are used up; the wording is not confirmed."""
MONTHLY_WAIT = 3600.0
"""Seconds between looks whether the month is over or a larger plan was bought."""
NOT_SENT = "failed to send messages"


@frozen
class Issuer:
    """What issues a channel's tokens of 15 minutes, for its id and its secret."""

    base_url: str
    channel_id: str

    async def renew(self, secret: Secret, services: Services) -> Issued:
        """Have a token issued."""
        form = {"grant_type": "client_credentials", "client_id": self.channel_id, "client_secret": secret.reveal()}
        mend = "check channel_id and channel_secret"
        return await granted(services, f"{self.base_url}/oauth2/v3/token", [*form.items()], mend=mend)


async def call(client: Client, services: Services, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
    """Make one request that may be repeated, and give its result, or raise what the answer means."""
    return result(await client.ask(services, method, BOT + path, json=body), services)


def result(answer: HttpResponse, services: Services) -> Mapping[str, Any]:
    """Give the object that LINE answered with, or raise what the answer means."""
    if not 200 <= answer.status < 300:
        raise refused(answer, services)
    return content(answer)


def message_of(answer: HttpResponse) -> str:
    """Give LINE's words for an error."""
    return str(content(answer).get("message", ""))


def refused(answer: HttpResponse, services: Services, kind: type[SendError] | None = None) -> SendError:
    """Tell what an answer that is no success means, where it is not known to be of a `kind`."""
    said, details = message_of(answer), content(answer).get("details")
    if answer.status == 400:
        faults = [one.get("property") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
        kind = RecipientError if said.lower().startswith(NOT_SENT) or "to" in faults else kind
    limits: dict[str, Any] = {}
    if answer.status == 429 and said.lower().startswith(MONTHLY_LIMIT):
        limits = {"code": "monthly_limit", "retry_after": MONTHLY_WAIT}
    return refusal(answer, services, kind, said=f"LINE: {said or f'HTTP {answer.status}'}", **limits)
