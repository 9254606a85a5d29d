"""X's API: one request for the account, its answer, and what its errors mean."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from channelry.errors import AmbiguousError, AuthError, RetryableError, SendError
from channelry.secrets import Secret
from channelry.services import FilePart, HttpResponse, Services

from .oauth import Authority
from .refusals import refusal

ORIGIN = "https://api.x.com"


@frozen
class Api:
    """The API for one account; `bearer` is the app's own token, which only webhooks need."""

    base_url: str
    authority: Authority
    bearer: Secret | None = None

    async def call(
        self,
        services: Services,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Sequence[tuple[str, str]] | None = None,
        files: Sequence[FilePart] = (),
        repeatable: bool = True,
        app: bool = False,
    ) -> Mapping[str, Any]:
        """Make a request and give its answer's `data` (for an array, under `""`); `app`: as the app, not the account.

        A token that X refuses is replaced once; a refused request was not taken. Files cannot be sent twice.
        """
        url = self.base_url + path + (f"?{urlencode(query)}" if query else "")
        for renewed in (False, True):
            headers = self._bearer() if app else await self.authority.header(method, url, services)
            response = await services.http.request(
                method, url, headers=headers, json=json, form=form, files=files, repeatable=repeatable
            )
            again = response.status == 401 and not (renewed or app or files)
            if not (again and await self.authority.renew(headers, services)):
                break
        return _data(response, services, repeatable=repeatable)

    def _bearer(self) -> dict[str, str]:
        if self.bearer is None:
            raise AuthError("bearer_token is not set; only the app's own token may register webhooks", code="token")
        return {"authorization": f"Bearer {self.bearer.reveal()}"}


def _data(response: HttpResponse, services: Services, *, repeatable: bool) -> Mapping[str, Any]:
    """Give what was answered; 200 may bear errors in place of it."""
    answer = response.json()
    body = answer if isinstance(answer, dict) else {}
    if response.status >= 300 or ("errors" in body and "data" not in body):
        raise refusal(response, services.clock.now())
    data = body.get("data")
    if isinstance(data, list):
        return {"": data}
    if isinstance(data, dict):
        return data
    if body or (not response.body and repeatable):
        return {}
    raise unreadable(repeatable=repeatable)


def unreadable(*, repeatable: bool) -> SendError:
    """Give the error of an answer that says neither yes nor no: a proxy's page, a body cut off."""
    kind = RetryableError if repeatable else AmbiguousError
    return kind("X's answer was not understood", code="unreadable")
