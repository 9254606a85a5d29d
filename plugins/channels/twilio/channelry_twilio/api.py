"""Twilio's REST API: one request, its answer, and what its errors mean.

Source: https://www.twilio.com/docs/usage/requests-to-twilio
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from channelry.errors import AmbiguousError, RetryableError, SendError
from channelry.secrets import Secret, one_line
from channelry.services import HttpResponse, Services

from .refusals import meaning

ORIGIN = "https://api.twilio.com"
MESSAGING = "https://messaging.twilio.com"
"""Where Messaging Services, WhatsApp senders and typing indicators are."""


@frozen
class Api:
    """The API as one account reaches it: by its auth token, or by an API key."""

    base_url: str
    messaging_url: str
    account_sid: str
    user: str
    secret: Secret

    def url(self, path: str) -> str:
        """Give the URL of something of the account's: `/Messages.json`."""
        return f"{self.base_url}/2010-04-01/Accounts/{self.account_sid}{path}"

    def authorization(self) -> dict[str, str]:
        """Give the header that every request bears."""
        credentials = f"{self.user}:{self.secret.reveal()}".encode()
        return {"authorization": f"Basic {b64encode(credentials).decode()}"}

    async def call(
        self,
        services: Services,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Sequence[tuple[str, str]] | None = None,
        json: Any = None,
        repeatable: bool = True,
    ) -> Mapping[str, Any]:
        """Make a request and give its answer's object; a refusal is the error that its code stands for."""
        response = await services.http.request(
            method, url, headers=self.authorization(), query=query, form=form, json=json, repeatable=repeatable
        )
        answer = response.json()
        if response.status >= 300:
            raise _refusal(response, answer, services.clock.now())
        if not isinstance(answer, dict):
            raise unreadable(repeatable=repeatable)
        return answer


def unreadable(*, repeatable: bool) -> SendError:
    """Give the error of an answer that says neither yes nor no: a proxy's page, a body cut off."""
    kind = RetryableError if repeatable else AmbiguousError
    return kind("Twilio's answer was not understood", code="unreadable")


def _refusal(response: HttpResponse, answer: Any, now: datetime) -> SendError:
    body = answer if isinstance(answer, dict) else {}
    number = body.get("code")
    code = number if isinstance(number, int) else None
    found = meaning(response.status, code)
    text = one_line(str(body.get("message") or f"HTTP {response.status}"))
    said = str(code or response.status)
    if found.kind is RetryableError:
        wait = response.retry_after(now)
        return RetryableError(
            text, code=said, retry_after=found.retry_after if wait is None else wait, scope=found.scope
        )
    return found.kind(text, code=said)
