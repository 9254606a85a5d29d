"""The Messaging API: requests with the channel's token, and what its refusals mean.

Sources: https://developers.line.biz/en/reference/messaging-api/#status-codes, …/#error-messages and
…/#issue-stateless-channel-access-token
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from attrs import frozen

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import RateScope
from channelry.parsing import mapping, sequence, string
from channelry.secrets import Secret, one_line
from channelry.services import HttpResponse, Services

MONTHLY_LIMIT = "you have reached your monthly limit"
"""How LINE words that the plan's messages are used up; the wording is not confirmed."""
MONTHLY_WAIT = 3600.0
"""Seconds between looks whether the month is over or a larger plan was bought."""
NOT_SENT = "failed to send messages"

TOKEN = "token"
"""The key in the connection's state: the issued token, and when it ends."""
_EARLY = timedelta(minutes=1)


@frozen
class Api:
    """The API of one channel.

    - `token`: one that lasts, or None: then tokens of 15 minutes are issued for `channel_id` and `secret`, and kept
      in the connection's state, where all processes find them.
    - `base_url`, `data_url`: the servers of the API and of customers' files.
    """

    base_url: str
    data_url: str
    token: Secret | None
    channel_id: str
    secret: Secret | None

    async def ask(
        self,
        services: Services,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> HttpResponse:
        """Make one request and give its answer, whatever it is; a rejected token of ours is replaced once."""

        async def once() -> HttpResponse:
            sent = {**await self.authorization(services), **(headers or {})}
            return await services.http.request(
                method, f"{self.base_url}{path}", headers=sent, json=body, repeatable=repeatable
            )

        answer = await once()
        if answer.status == 401 and self.token is None:  # before its time; LINE has not looked at the request
            await services.state.compare_and_set(TOKEN, await services.state.get(TOKEN), None)
            answer = await once()
        return answer

    async def call(self, services: Services, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
        """Make one request that may be repeated, and give its result, or raise what the answer means."""
        return result(await self.ask(services, method, path, body), services)

    async def authorization(self, services: Services) -> dict[str, str]:
        """Give the header that shows the channel's token, which is issued first where there is none."""
        token = self.token or await self._issued(services)
        return {"Authorization": f"Bearer {token.reveal()}"}

    async def _issued(self, services: Services) -> Secret:
        kept, now = await services.state.get(TOKEN), services.clock.now()
        if kept is not None:
            found = orjson.loads(kept)
            if now < datetime.fromisoformat(found["until"]):
                return Secret(found["token"])
        if not self.channel_id or self.secret is None:
            raise AuthError("set channel_access_token, or channel_id and channel_secret", code="no_token")
        form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.channel_id),
            ("client_secret", self.secret.reveal()),
        ]
        answer = await services.http.request("POST", f"{self.base_url}/oauth2/v3/token", form=form, repeatable=True)
        if answer.status in (400, 401):
            raise AuthError("LINE issues no token for channel_id and channel_secret", code=str(answer.status))
        issued = result(answer, services)
        if not (isinstance(issued.get("access_token"), str) and isinstance(issued.get("expires_in"), int)):
            raise RetryableError("LINE's answer has no token", code="unreadable")
        token = Secret(issued["access_token"])
        until = now + timedelta(seconds=issued["expires_in"]) - _EARLY
        # where another process was quicker, its token stays and ours is as good
        await services.state.compare_and_set(
            TOKEN, kept, orjson.dumps({"token": token.reveal(), "until": until.isoformat()}).decode()
        )
        return token


def result(answer: HttpResponse, services: Services) -> Mapping[str, Any]:
    """Give the object that LINE answered with, or raise what the answer means."""
    if not 200 <= answer.status < 300:
        raise refusal(answer, services)
    found = answer.json()
    return found if isinstance(found, dict) else {}


def message_of(answer: HttpResponse) -> str:
    """Give LINE's words for an error."""
    found = answer.json()
    return str(found.get("message", "")) if isinstance(found, dict) else ""


def refusal(answer: HttpResponse, services: Services) -> SendError:
    """Tell what an answer that is no success means."""
    said, code = message_of(answer), str(answer.status)
    message = f"LINE: {one_line(said) or f'HTTP {code}'}"
    wait = answer.retry_after(services.clock.now())
    match answer.status:
        case 429 if said.lower().startswith(MONTHLY_LIMIT):
            return RetryableError(message, code="monthly_limit", retry_after=MONTHLY_WAIT, scope=RateScope.CONNECTION)
        case 429:
            return RetryableError(message, code=code, retry_after=wait, scope=RateScope.CONNECTION)
        case 401 | 403:
            return AuthError(message, code=code)
        case 400 if said.lower().startswith(NOT_SENT) or _names_recipient(answer):
            return RecipientError(message, code=code)
        case status if status >= 500:
            return RetryableError(message, code=code, retry_after=wait)
    return PermanentError(message, code=code)


def _names_recipient(answer: HttpResponse) -> bool:
    """Tell whether it is the recipient that LINE finds wrong."""
    try:
        details = sequence(answer.json().get("details"))
        return any(string(mapping(one).get("property")) == "to" for one in details)
    except (ValueError, AttributeError):
        return False
