"""Calls to Meta's Graph API. https://developers.facebook.com/docs/graph-api/overview"""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from channelry.errors import AmbiguousError, RetryableError, SendError
from channelry.model import Media
from channelry.parsing import identifier
from channelry.secrets import Secret
from channelry.services import FilePart, Services

from .refusals import Refusals, refusal

PATIENCE, UPLOADING, LOADING = 30.0, 60.0, 80.0
"""Seconds that an answer may take: usually, to an upload, and where Meta first loads a linked file, for up to 75 s."""


@frozen
class Graph:
    """One account's way into the Graph API.

    - `base_url`, `version`: `"https://graph.facebook.com"`, `"v26.0"`; `token`: shown as a Bearer.
    - `refusals`: what the channel's error codes mean.
    """

    base_url: str
    version: str
    token: Secret
    refusals: Refusals

    def authorization(self) -> dict[str, str]:
        """Give the header that shows the token, which Meta's file servers want too."""
        return {"Authorization": f"Bearer {self.token.reveal()}"}

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
        repeatable: bool | None = None,
        timeout: float = PATIENCE,
    ) -> Mapping[str, Any]:
        """Call an edge (`"2002/messages"`) and give its answer, a JSON object, within `timeout` seconds.

        A refusal raises its error of the taxonomy. A bare `true` is a success; one that cannot be read is an answer
        lost.
        """
        answer = await services.http.request(
            method,
            f"{self.base_url}/{self.version}/{path}",
            headers=self.authorization(),
            query=query,
            json=json,
            form=form,
            files=files,
            repeatable=repeatable,
            timeout=timeout,
        )
        body = answer.json()
        if not 200 <= answer.status < 300 or (isinstance(body, dict) and "error" in body):
            raise refusal(answer, self.refusals, services.clock.now())
        if body is True:
            return {"success": True}
        if isinstance(body, dict) and body:
            return body
        again = method == "GET" if repeatable is None else repeatable
        raise (RetryableError if again else AmbiguousError)("Meta's answer cannot be read", code="unreadable")

    async def upload(
        self, services: Services, edge: str, name: str, media: Media, form: Sequence[tuple[str, str]], key: str
    ) -> str:
        """Upload the application's copy of a file as the form's field `name`; give the id that the answer has as
        `key`."""
        file = FilePart(name, media.name or "file", media.media_type, services.files.read(media.ref), media.size)
        answer = await self.call(services, "POST", edge, form=form, files=[file], repeatable=True, timeout=UPLOADING)
        return named(answer.get(key), RetryableError)


def named(value: Any, missing: type[SendError]) -> str:
    """Give the id that an answer names what was made by, or raise what it means that there is `missing` one."""
    try:
        return identifier(value)
    except ValueError:
        raise missing("Meta answered without the id of what was made", code="unreadable") from None
