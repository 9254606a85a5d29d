"""X's API: one request for the account, and its answer."""

from collections.abc import Mapping
from typing import Any, Unpack

from attrs import frozen

from channelry.services import Services
from channelry_webapi import Client, Options
from channelry_webapi.answers import content, unreadable

from .refusals import refusal

ORIGIN = "https://api.x.com"


@frozen
class Api:
    """The API as the account reaches it, and as the app, which alone registers webhooks."""

    account: Client
    app: Client

    async def call(
        self, services: Services, method: str, path: str, *, app: bool = False, **options: Unpack[Options]
    ) -> Mapping[str, Any]:
        """Make a request and give its answer's `data` (an array under `""`); 200 may bear errors in place of it."""
        answer = await (self.app if app else self.account).ask(services, method, path, **options)
        body, repeatable = content(answer), options.get("repeatable", True)
        if answer.status >= 300 or ("errors" in body and "data" not in body):
            raise refusal(answer, services)
        data = body.get("data")
        if isinstance(data, list):
            return {"": data}
        if not (body or (repeatable and not answer.body)):
            raise unreadable(repeatable=repeatable)
        return data if isinstance(data, dict) else {}
