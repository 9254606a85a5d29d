"""The Bot API: one method call, its answer, and what its errors mean."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from attrs import frozen

from channelry.errors import AmbiguousError, AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import RateScope
from channelry.secrets import Secret, one_line
from channelry.services import FilePart, HttpResponse, Services

ERRORS: tuple[tuple[int, str, type[SendError]], ...] = (
    (400, "chat not found", RecipientError),
    (400, "user not found", RecipientError),
    (400, "peer_id_invalid", RecipientError),
    (403, "bot was blocked by the user", RecipientError),
    (403, "user is deactivated", RecipientError),
    (403, "bot was kicked", RecipientError),
    (403, "bot can't initiate conversation with a user", RecipientError),
    (403, "bot can't send messages to the user", RetryableError),  # seen to pass at the next attempt
    (401, "", AuthError),
    (404, "", AuthError),  # the token is part of the path
    (409, "", AuthError),
    (429, "", RetryableError),
)
"""Status, words of the description in lower case, error; the first row that fits. What fits none: 5xx and an
announced restart may be tried again, all else never works.
Source: the descriptions that https://github.com/TelegramBotAPI/errors collects; Telegram documents none."""

_CONFLICT = "another poller or webhook uses this bot: "


@frozen
class Answer:
    """What the Bot API answered: the HTTP status, and the body's JSON object (empty where it was none)."""

    status: int
    body: Mapping[str, Any]
    repeatable: bool

    @property
    def description(self) -> str:
        """Give Telegram's words for an error."""
        return one_line(str(self.body.get("description", "")))

    @property
    def migrated_to(self) -> str:
        """Give the id of the supergroup that the addressed group became, or `""`."""
        chat = self._parameters.get("migrate_to_chat_id")
        return str(chat) if isinstance(chat, int | str) else ""

    def says(self, words: str) -> bool:
        """Tell whether it is an error with these words in its description, in lower case."""
        return self.status != 200 and words in self.description.lower()

    def result(self) -> Any:
        """Give the method's result, or raise what the error means."""
        if self.status == 200 and self.body.get("ok") is True and "result" in self.body:
            return self.body["result"]
        raise self._error()

    @property
    def _parameters(self) -> Mapping[str, Any]:
        parameters = self.body.get("parameters")
        return parameters if isinstance(parameters, dict) else {}

    def _error(self) -> SendError:
        said, code = self.description, str(self.status)
        if self.status < 300:  # it was done, but by whom and how cannot be read: a proxy's page, a cut-off body
            unread = RetryableError if self.repeatable else AmbiguousError
            return unread("Telegram's answer was not understood", code=code)
        message = f"{_CONFLICT if self.status == 409 else ''}{said or f'HTTP {code}'}"
        kind = self._kind(said.lower())
        if kind is RetryableError:
            wait = self._parameters.get("retry_after")
            seconds = min(float(wait), _DAY) if isinstance(wait, int | float) else None
            scope = RateScope.RECIPIENT if self.status == 429 else None  # Telegram does not say which limit it was
            return RetryableError(message, code=code, retry_after=seconds, scope=scope)
        return kind(message, code=code)

    def _kind(self, said: str) -> type[SendError]:
        for status, words, kind in ERRORS:
            if status == self.status and words in said:
                return kind
        return RetryableError if self.status >= 500 or "restart" in said else PermanentError


_DAY = 86_400.0


@frozen
class Api:
    """The Bot API of one bot. The token is part of every URL, so no URL of it may reach a text."""

    base_url: str
    token: Secret

    def file_url(self, path: str) -> str:
        """Give the address of a file by its `file_path`."""
        return f"{self.base_url}/file/bot{self.token.reveal()}/{path}"

    async def ask(
        self,
        services: Services,
        method: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        files: Sequence[FilePart] = (),
        repeatable: bool = True,
        timeout: float = 30.0,
    ) -> Answer:
        """Call a method, with files as a multipart form, and give its answer whatever it is."""
        url = f"{self.base_url}/bot{self.token.reveal()}/{method}"
        parameters = parameters or {}
        if not files:
            sent = await services.http.request("POST", url, json=parameters, repeatable=repeatable, timeout=timeout)
        else:
            form = [(name, _form_value(value)) for name, value in parameters.items()]
            sent = await services.http.request(
                "POST", url, form=form, files=files, repeatable=repeatable, timeout=timeout
            )
        return Answer(sent.status, _object(sent), repeatable)

    async def call(
        self, services: Services, method: str, parameters: Mapping[str, Any] | None = None, *, timeout: float = 30.0
    ) -> Any:
        """Call a method that may be repeated, and give its result."""
        return (await self.ask(services, method, parameters, timeout=timeout)).result()


def _object(response: HttpResponse) -> Mapping[str, Any]:
    found = response.json()
    return found if isinstance(found, dict) else {}


def _form_value(value: Any) -> str:
    """Write one parameter of a form: text as it is, all else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
