"""One connection: its configuration, its calls of the Bot API, and what their answers mean.

Source: https://core.telegram.org/bots/api#making-requests
"""

from collections.abc import Mapping
from typing import Any, Literal, Unpack

import orjson
from attrs import field, frozen

from channelry import plugin
from channelry.errors import RecipientError
from channelry.model import RateScope
from channelry.secrets import Secret, Secrets
from channelry.services import HttpResponse, Services
from channelry_webapi import Options, content, object_in, refusal, unreadable

from .capabilities import CAPABILITIES
from .refusals import ANY, CONFLICT, LONGEST_WAIT, REFUSALS

ORIGIN = "https://api.telegram.org"
PATIENCE, GRACE = 30.0, 10.0
"""Seconds that Telegram has for an answer, and beyond the `timeout` for which it holds a poll open."""
MOVED = "migrate_to_chat_id"
"""What names the supergroup that a group has become, in messages and in parameters of errors."""


@plugin
class Bot:
    """One bot. Its token is part of every URL, so no URL of it may reach a text."""

    @frozen(kw_only=True)
    class Config:
        """One bot.

        - `token`: what BotFather gave; `secret_token`: what Telegram shows with each webhook, your own choice
          of 1 to 256 letters, digits, `_` and `-`. Of several all are accepted, and the first is registered.
        - `mode`: `"webhook"`, or `"polling"` where Telegram cannot reach this server.
        - `base_url`: another Bot API server.
        """

        token: Secret
        secret_token: Secrets = ()
        mode: Literal["webhook", "polling"] = "webhook"
        base_url: str = ORIGIN

    capabilities = CAPABILITIES
    origins = (ORIGIN,)

    config: Config
    tokens: tuple[bytes, ...] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.tokens = tuple(secret.encode() for secret in self.config.secret_token if secret.reveal())

    def url(self, path: str, folder: str = "") -> str:
        """Give the address of a method, or (in the folder `/file`) of a file by its `file_path`."""
        return f"{self.config.base_url.rstrip('/')}{folder}/bot{self.config.token.reveal()}/{path}"

    async def ask(
        self, services: Services, method: str, parameters: Mapping[str, Any], **options: Unpack[Options]
    ) -> HttpResponse:
        """Call a method, with files as a multipart form, and give its answer, whatever it is."""
        if options.get("files"):
            options["form"] = [(name, _form_value(value)) for name, value in parameters.items()]
        else:
            options["json"] = parameters
        return await services.http.request("POST", self.url(method), **options)

    async def call(self, services: Services, method: str, **parameters: Any) -> Any:
        """Call a method that may be repeated, and give its result, or raise what the answer means."""
        patience = max(PATIENCE, parameters.get("timeout", 0.0) + GRACE)
        answer = await self.ask(services, method, parameters, repeatable=True, timeout=patience)
        return result(answer, services, repeatable=True)


def _form_value(value: Any) -> str:
    """Write one parameter of a form: text as it is, all else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def result(answer: HttpResponse, services: Services, *, repeatable: bool) -> Any:
    """Give what a method gave, or raise what the answer means."""
    body, status = content(answer), answer.status
    if status == 200 and body.get("ok") is True and "result" in body:
        return body["result"]
    if status < 300:
        raise unreadable(repeatable=repeatable)
    said, told = description(answer), parameters(answer)
    kinds = (kind for known, words, kind in REFUSALS if known in (status, ANY) and words in said.lower())
    kind, wait = RecipientError if told.get(MOVED) else next(kinds, None), told.get("retry_after")
    seconds = min(float(wait), LONGEST_WAIT) if isinstance(wait, int | float) else None
    words, scope = f"{CONFLICT if status == 409 else ''}{said}", RateScope.RECIPIENT  # it does not say which limit
    raise refusal(answer, services, kind, said=words, retry_after=seconds, scope=scope)


def description(answer: HttpResponse) -> str:
    """Give Telegram's words for an error."""
    return str(content(answer).get("description", ""))


def parameters(answer: HttpResponse) -> Mapping[str, Any]:
    """Give what Telegram tells for programs with an error.

    Source: https://core.telegram.org/bots/api#responseparameters
    """
    return object_in(content(answer), "parameters")
