"""HTTP clients for tests of what goes wrong."""

from typing import Any

import anyio
import anyio.lowlevel

from channelry.errors import AmbiguousError, PermanentError, RetryableError
from channelry.services import HttpResponse


class Answering:
    """An HTTP client whose provider always gives the same answer."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body

    async def request(self, method: str, url: str, **_: Any) -> HttpResponse:
        await anyio.lowlevel.checkpoint()
        return HttpResponse(self.status, {"content-type": "application/json"}, self.body)

    async def download(self, url: str, save: Any, **_: Any) -> Any:
        raise PermanentError("the kit has no file here", code="404")


class Losing:
    """An HTTP client that loses the answer of one request, counted from 1; `requests` says how many there were."""

    def __init__(self, http: Any, which: int) -> None:
        self.http, self.which, self.requests = http, which, 0

    async def request(self, method: str, url: str, *, repeatable: bool | None = None, **more: Any) -> HttpResponse:
        self.requests += 1
        answer: HttpResponse = await self.http.request(method, url, repeatable=repeatable, **more)
        if self.requests == self.which:
            safe = method == "GET" if repeatable is None else repeatable
            raise (RetryableError if safe else AmbiguousError)("the answer was lost", code="answer_lost")
        return answer

    async def download(self, url: str, save: Any, **more: Any) -> Any:
        return await self.http.download(url, save, **more)


class Holding:
    """An HTTP client whose request number `which`, counted from 1, never comes back; `again` counts those after it."""

    def __init__(self, http: Any, which: int) -> None:
        self.http, self.which, self.requests = http, which, 0
        self.reached = anyio.Event()

    async def request(self, method: str, url: str, **more: Any) -> HttpResponse:
        self.requests += 1
        if self.requests == self.which:
            self.reached.set()
            await anyio.sleep_forever()
        answer: HttpResponse = await self.http.request(method, url, **more)
        return answer

    async def download(self, url: str, save: Any, **more: Any) -> Any:
        return await self.http.download(url, save, **more)

    @property
    def again(self) -> int:
        return max(0, self.requests - self.which)
