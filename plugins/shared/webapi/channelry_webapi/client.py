"""Requests that bear the account's credentials."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, Unpack
from urllib.parse import urlencode, urlsplit

from attrs import frozen

from channelry.errors import RetryableError, SendError
from channelry.services import FilePart, HttpResponse, Services

from .answers import content, refusal, unreadable
from .credentials import Credentials


class Options(TypedDict, total=False):
    """What a request may have beside its method and its URL, as `channelry.services.Http` describes it."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    json: Any
    form: Sequence[tuple[str, str]]
    files: Sequence[FilePart]
    repeatable: bool
    timeout: float


def unauthorized(answer: HttpResponse) -> bool:
    """Tell whether an answer says that the credentials are no longer good."""
    return answer.status == 401


@frozen
class Client:
    """One account's way to its provider.

    - `base_url`: what paths stand behind, without a slash at its end.
    - `refused`: tells whether an answer refuses the credentials; such a request was not looked at.
    - `refusal`: gives the error that an answer stands for which is no success.
    """

    base_url: str
    credentials: Credentials
    refused: Callable[[HttpResponse], bool] = unauthorized
    refusal: Callable[[HttpResponse, Services], SendError] = refusal

    async def ask(self, services: Services, method: str, path: str, **options: Unpack[Options]) -> HttpResponse:
        """Make a request and give its answer, whatever it is; `path` begins with a slash, or is a whole URL.

        It is `repeatable` unless said otherwise. Refused credentials are replaced, and the request is made again; but
        files are read once, so theirs is a RetryableError then.
        """
        url = self.base_url + path if path.startswith("/") else path
        if query := options.pop("query", None):
            url += f"?{urlencode(query)}"
        given = options.pop("headers", {})
        options.setdefault("repeatable", True)
        for first in (True, False):
            shown = await self.credentials.headers(services, method, url)
            options["headers"] = {**shown, **given}
            answer = await services.http.request(method, url, **options)
            if not (first and self.refused(answer) and await self.credentials.replace(services, shown)):
                break
            if options.get("files"):
                raise RetryableError("the credentials were refused, and are new now", code="token")
        return answer

    async def call(self, services: Services, method: str, path: str, **options: Unpack[Options]) -> Mapping[str, Any]:
        """Make a request and give the object that is its answer, or raise what the answer means.

        An answer may be empty where something was changed; else, without an object, it is lost.
        """
        answer = await self.ask(services, method, path, **options)
        if not 200 <= answer.status < 300:
            raise self.refusal(answer, services)
        found, body = content(answer), answer.body.strip()
        if not found and body != b"{}" and (body or method == "GET"):  # a proxy's page, an array, a body cut off
            raise unreadable(repeatable=options.get("repeatable", True))
        return found

    async def look_up(self, services: Services, path: str, **options: Unpack[Options]) -> Mapping[str, Any]:
        """Ask for something as `call` does, and give an empty object where the provider has none (404)."""
        try:
            return await self.call(services, "GET", path, **options)
        except SendError as error:
            if error.code != "404":
                raise
            return {}

    async def shown(self, services: Services, url: str, *origins: str) -> Mapping[str, str]:
        """Give the credentials for a download; none for a server that is neither ours nor one of the `origins`."""
        trusted = {urlsplit(one)[:2] for one in (self.base_url, *origins)}
        return await self.credentials.headers(services, "GET", url) if urlsplit(url)[:2] in trusted else {}
