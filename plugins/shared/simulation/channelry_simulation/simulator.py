"""The part of a simulated provider that is the same for all: it records, fails on demand, and posts webhooks."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeAlias

from attrs import define, field
from starlette.applications import Starlette
from starlette.requests import Request as ApiRequest
from starlette.responses import Response as ApiResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from channelry.model import Request

from .faults import Fault, FaultKind, FaultPlan
from .ledger import Entry, Ledger

Post: TypeAlias = Callable[[Request], Awaitable[int]]
"""Carries a webhook to the system under test and gives the HTTP status it was answered with."""

LOST = frozenset({FaultKind.LOST, FaultKind.LOST_UNTAKEN})


@define(eq=False)
class Simulator(ABC):
    """A provider of one channel: an API to send to (`app`), and customers who write (`message`).

    - `ledger`: what it saw; `faults`: what goes wrong next.
    - `webhooks`: signed requests that wait to be posted: statuses of what it took, in order. `post` carries them
      (`flush`); a driver that wants duplicates or disorder takes them out itself.
    - `now`: the provider's clock.
    - `first`: from where its ids are numbered; another in each run, so that no id comes twice. (Who makes ids by chance
      has no use for it.)

    It never imports its channel's receiving or sending side, and refuses what the real provider refuses.
    """

    channel: ClassVar[str]

    first: int = field(default=0, kw_only=True)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), kw_only=True)
    ledger: Ledger = field(factory=Ledger, init=False)
    faults: FaultPlan = field(factory=FaultPlan, init=False)
    webhooks: deque[Request] = field(factory=deque, init=False)
    post: Post | None = field(default=None, kw_only=True)
    _starlette: Starlette = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._starlette = Starlette(routes=self.routes())

    @abstractmethod
    def settings(self, base_url: str) -> dict[str, Any]:
        """Give the `[connections.NAME]` table of a connection to this provider, its API being at `base_url`.

        The secrets stand inline, so the file needs `allow_inline_secrets = true`.
        """

    @abstractmethod
    def message(self, customer: str, text: str) -> Request:
        """Write as a customer: give the signed webhook, which nobody has posted yet. `path` is `/`."""

    @abstractmethod
    def signed(self, request: Request) -> Request:
        """Sign any request as the provider does: give it with its signature's headers, in place of those it has."""

    @abstractmethod
    def routes(self) -> list[Route]:
        """Give the routes of the provider's API."""

    @abstractmethod
    def refusal(self, fault: Fault) -> ApiResponse:
        """Give the provider's own answer for RATE_LIMITED, UNAVAILABLE, WINDOW_CLOSED and BLOCKED."""

    async def visible(self, take: Callable[[], Awaitable[ApiResponse]]) -> ApiResponse:
        """Answer a customer-visible call: by the next fault of the plan, else by `take`, which records it."""
        fault = self.faults.take()
        if fault is None:
            return await take()
        if fault.kind in LOST:
            if fault.kind is FaultKind.LOST:
                await take()
            return _NoAnswer()
        if fault.kind is FaultKind.EARLY_STATUS:
            answer = await take()
            await self.flush()
            return answer
        return self.refusal(fault)

    async def flush(self) -> None:
        """Post all waiting webhooks in order; one that is not answered with 2xx waits for the next flush."""
        if self.post is None:
            return
        for _ in range(len(self.webhooks)):
            if not self.webhooks:  # another flush has it
                return
            webhook = self.webhooks.popleft()
            if not 200 <= await self.post(webhook) < 300:
                self.webhooks.append(webhook)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the provider's API (ASGI), writing every request to the ledger."""
        if scope["type"] != "http":
            return
        request = ApiRequest(scope, receive)
        body = await request.body()
        status: int | None = None

        async def again() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def noting(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = None if _is_lost(message) else message["status"]
            await send(message)

        try:
            await self._starlette(scope, again, noting)
        finally:
            headers = {name: value for name, value in request.headers.items() if name != "authorization"}
            query = f"?{request.url.query}" if request.url.query else ""
            self.ledger.entries.append(Entry(request.method, f"{request.url.path}{query}", headers, body, status))


class _NoAnswer(ApiResponse):
    """Begins an answer and breaks it off, so that the server closes the connection: the answer is lost."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


def _is_lost(message: Any) -> bool:
    return bool(message["headers"] == [(b"content-length", b"1")])
