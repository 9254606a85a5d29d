"""An HTTP client that calls ASGI applications in the same process, on asyncio and on trio."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import anyio
import orjson
from attrs import define, field

from channelry.errors import AmbiguousError, PermanentError, RetryableError
from channelry.services import Downloaded, FilePart, HttpResponse, Save

_BOUNDARY = "channelry-testing-boundary"


@define(eq=False)
class AsgiHttp:
    """Stands behind `services.http` and calls the application of the URL's origin.

    - `apps`: ASGI applications by origin (`"https://graph.facebook.com"`); an origin without one refuses the
      connection (RetryableError), as a real one may.
    - An application that breaks off, raises, or does not end in time after it read the request has lost the
      answer: AmbiguousError, or RetryableError if the request is repeatable.
    """

    apps: Mapping[str, Any]
    requests: list[tuple[str, str]] = field(factory=list, init=False)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Sequence[tuple[str, str]] | None = None,
        content: bytes | None = None,
        files: Sequence[FilePart] = (),
        repeatable: bool | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        """Send one request to the application and read its answer."""
        body, media_type = await _encode(json, form, content, files)
        sent = {"content-type": media_type} if media_type else {}
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query)
        repeatable = method == "GET" if repeatable is None else repeatable
        self.requests.append((method, url))
        try:
            with anyio.fail_after(timeout):
                return await self._call(method, url, sent, body)
        except _AnswerLostError as lost:
            error = RetryableError if repeatable else AmbiguousError
            raise error("the answer was lost", code="answer_lost") from lost.__cause__
        except TimeoutError:
            error = RetryableError if repeatable else AmbiguousError
            raise error(f"no answer in {timeout:g} s", code="timeout") from None

    async def download(
        self, url: str, save: Save, *, headers: Mapping[str, str] | None = None, limit: int, timeout: float = 60.0
    ) -> Downloaded:
        """Fetch a file from the application."""
        answer = await self.request("GET", url, headers=headers, timeout=timeout)
        if answer.status >= 500 or answer.status in (408, 423, 425, 429):
            wait = answer.retry_after(datetime.now(UTC))
            raise RetryableError(f"HTTP {answer.status}", code=str(answer.status), retry_after=wait)
        if answer.status != 200:
            raise PermanentError(f"HTTP {answer.status}", code=str(answer.status))
        if len(answer.body) > limit:
            raise PermanentError(f"the file is larger than {limit} bytes", code="too_large")
        await save(answer.body)
        return Downloaded(answer.headers.get("content-type", "").partition(";")[0], len(answer.body))

    async def _call(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> HttpResponse:
        parts = urlsplit(url)
        app = self.apps.get(f"{parts.scheme}://{parts.netloc}")
        if app is None:
            raise RetryableError(f"{parts.netloc} refused the connection", code="refused")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": parts.scheme,
            "path": unquote(parts.path) or "/",
            "raw_path": (parts.path or "/").encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [
                (b"host", parts.netloc.encode()),
                *((name.encode(), value.encode("latin-1")) for name, value in headers.items()),
                (b"content-length", str(len(body)).encode()),
            ],
            "client": ("127.0.0.1", 1),
            "server": (parts.hostname or "", parts.port or 443),
        }
        start: dict[str, Any] = {}
        pieces: list[bytes] = []
        complete = False

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal complete
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                pieces.append(message.get("body", b""))
                complete = not message.get("more_body", False)

        try:
            await app(scope, receive, send)
        except Exception as error:  # whatever an application raises: it has read the request and not answered
            raise _AnswerLostError from error
        if not complete:
            raise _AnswerLostError
        answered = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
        return HttpResponse(start["status"], answered, b"".join(pieces))


class _AnswerLostError(Exception):
    pass


async def _encode(
    json: Any, form: Sequence[tuple[str, str]] | None, content: bytes | None, files: Sequence[FilePart]
) -> tuple[bytes, str]:
    if files:
        pieces = [_part(f'name="{name}"', "", value.encode()) for name, value in form or ()]
        for file in files:
            read = b"".join([piece async for piece in file.content])
            pieces.append(_part(f'name="{file.name}"; filename="{file.filename}"', file.media_type, read))
        return b"".join(pieces) + f"--{_BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={_BOUNDARY}"
    if form is not None:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    if json is not None:
        return orjson.dumps(json), "application/json"
    return content or b"", ""


def _part(disposition: str, media_type: str, content: bytes) -> bytes:
    kind = f"Content-Type: {media_type}\r\n" if media_type else ""
    head = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n"
    return head.encode() + content + b"\r\n"
