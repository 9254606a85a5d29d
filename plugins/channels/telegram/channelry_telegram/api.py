"""The Bot API: one method call, and what its answer means."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from attrs import frozen

from channelry.errors import PermanentError, RecipientError, RetryableError, SendError
from channelry.model import RateScope
from channelry.secrets import Secret
from channelry.services import FilePart, HttpResponse, Services
from channelry_webapi import answers

from .refusals import REFUSALS

_CONFLICT = "another poller or webhook uses this bot: "
_DAY = 86_400.0


class MovedError(RecipientError):
    """A group became the supergroup `to`, where it is written to from now on."""

    to: str


@frozen
class Api:
    """The Bot API of one bot. The token is part of every URL, so no URL of it may reach a text."""

    base_url: str
    token: Secret

    def file_url(self, path: str) -> str:
        """Give the address of a file by its `file_path`."""
        return f"{self.base_url}/file/bot{self.token.reveal()}/{path}"

    async def call(
        self,
        services: Services,
        method: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        files: Sequence[FilePart] = (),
        repeatable: bool = True,
        timeout: float = 30.0,
    ) -> Any:
        """Call a method, with files as a multipart form, and give its result."""
        url, parameters = f"{self.base_url}/bot{self.token.reveal()}/{method}", parameters or {}
        form = [(name, _form_value(value)) for name, value in parameters.items()] if files else None
        json = None if files else parameters
        answer = await services.http.request(
            "POST", url, json=json, form=form, files=files, repeatable=repeatable, timeout=timeout
        )
        body = answers.content(answer)
        if answer.status == 200 and body.get("ok") is True and "result" in body:
            return body["result"]
        if answer.status < 300:
            raise answers.unreadable(repeatable=repeatable)
        raise _refusal(answer, body, services)


def _refusal(answer: HttpResponse, body: Mapping[str, Any], services: Services) -> SendError:
    said, status = str(body.get("description", "")), answer.status
    about = body.get("parameters")
    parameters = about if isinstance(about, dict) else {}
    wait, scope = parameters.get("retry_after"), RateScope.RECIPIENT  # Telegram does not say which limit it was
    seconds = min(float(wait), _DAY) if isinstance(wait, int | float) else None
    words = f"{_CONFLICT if status == 409 else ''}{said}"
    kind = _kind(status, said.lower())
    refused = answers.refusal(answer, services, kind, said=words, retry_after=seconds, scope=scope)
    to = parameters.get("migrate_to_chat_id")
    if isinstance(to, int | str) and to:
        moved = MovedError(str(refused), code=refused.code)
        moved.to = str(to)
        return moved
    return refused


def _kind(status: int, said: str) -> type[SendError]:
    for known, words, kind in REFUSALS:
        if known == status and words in said:
            return kind
    return RetryableError if status >= 500 or "restart" in said else PermanentError


def _form_value(value: Any) -> str:
    """Write one parameter of a form: text as it is, all else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
