"""Zulip's API: how it knows the bot, and what its refusals mean (https://zulip.com/api/rest)."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import RateScope
from channelry.parsing import number
from channelry.secrets import Secret
from channelry.services import FilePart, HttpResponse, Services

ERRORS: Mapping[str, type[SendError]] = {"STREAM_DOES_NOT_EXIST": RecipientError}
"""Codes that say more than their HTTP status: https://zulip.com/api/rest-error-handling"""


@frozen
class Bot:
    """Who calls which server."""

    base_url: str
    email: str
    api_key: Secret
    basic: Secret = field(init=False)

    @basic.default
    def _basic(self) -> Secret:
        """Encode the credentials (RFC 7617) as a secret again: encoded, nothing else would mask them in a log."""
        return Secret(b64encode(f"{self.email}:{self.api_key.reveal()}".encode()).decode())

    async def request(
        self,
        method: str,
        path: str,
        services: Services,
        *,
        form: Mapping[str, str] | None = None,
        files: Sequence[FilePart] = (),
        repeatable: bool | None = None,
    ) -> Mapping[str, Any]:
        """Give the JSON object of an answer, or raise what a refusal means."""
        answer = await services.http.request(
            method,
            f"{self.base_url}/api/v1/{path}",
            headers={"authorization": f"Basic {self.basic.reveal()}"},
            form=tuple(form.items()) if form else None,
            files=files,
            repeatable=repeatable,
        )
        if not 200 <= answer.status < 300:
            raise refusal(answer, services.clock.now())
        return _object(answer)


def refusal(answer: HttpResponse, now: datetime) -> SendError:
    """Give the error that an answer other than success means."""
    body = _object(answer)
    code = str(body.get("code", answer.status))
    reason = f"HTTP {answer.status}: {code}"
    if code in ERRORS:
        return ERRORS[code](reason, code=code)
    if answer.status == 429:  # counted for each user, and a bot is one
        wait = _pause(body) or answer.retry_after(now)
        return RetryableError(reason, code=code, retry_after=wait, scope=RateScope.CONNECTION)
    if answer.status >= 500:
        return RetryableError(reason, code=code, retry_after=answer.retry_after(now))
    return (AuthError if answer.status == 401 else PermanentError)(reason, code=code)


def _object(answer: HttpResponse) -> Mapping[str, Any]:
    body = answer.json()
    return body if isinstance(body, dict) else {}


def _pause(body: Mapping[str, Any]) -> float | None:
    """Give the seconds to wait, which Zulip states in the body, with their fraction."""
    try:
        return number(body["retry-after"])
    except (KeyError, ValueError):
        return None
