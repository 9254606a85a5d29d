"""Zulip on this machine: its API, its webhooks, its refusals. It shares no code with what it proves."""

from base64 import b64encode
from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar

import orjson
from attrs import Factory, define, evolve, field
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_simulation import Fault, FaultKind, Simulator, Taken

LONGEST = 10_000
REFUSALS = {
    FaultKind.RATE_LIMITED: (429, "RATE_LIMIT_HIT"),
    FaultKind.UNAVAILABLE: (503, "BAD_REQUEST"),
    FaultKind.BLOCKED: (400, "STREAM_DOES_NOT_EXIST"),
}


@define(eq=False, kw_only=True)
class ZulipSimulator(Simulator):
    """An organization with one bot, which customers write to directly."""

    channel: ClassVar[str] = "zulip"

    bot_email: str = "care-bot@zulip.example.com"
    api_key: str = "simulated-api-key"
    webhook_token: str = "simulated-webhook-token"
    files: dict[str, tuple[bytes, str]] = field(factory=dict, init=False)
    ids: Iterator[int] = field(default=Factory(lambda self: count(self.first + 1001), takes_self=True), init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        secrets = {"api_key": self.api_key, "webhook_token": self.webhook_token}
        return {"plugin": self.channel, "base_url": base_url, "bot_email": self.bot_email, **secrets}

    def message(self, customer: str, text: str) -> Request:
        return self.written(customer, text, type="private", display_recipient=self.people(customer))

    def people(self, *customers: str) -> list[dict[str, Any]]:
        """Give the members of a direct conversation, the bot among them."""
        others = [{"id": int(one), "email": f"user{one}@zulip.example.com"} for one in customers]
        return [*others, {"id": 1, "email": self.bot_email}]

    def written(self, customer: str, text: str, **where: Any) -> Request:
        """Write anywhere: `type` and what that type has."""
        message = {
            "id": next(self.ids),
            "sender_id": int(customer),
            "sender_email": f"user{customer}@zulip.example.com",
            "sender_full_name": f"Customer {customer}",
            "content": text,
            "timestamp": int(self.now().timestamp()),
            **where,
        }
        body = {"bot_email": self.bot_email, "data": text, "trigger": "direct_message", "message": message}
        headers = ((b"content-type", b"application/json"),)
        return self.signed(Request("POST", "/", headers, orjson.dumps(body), self.now()))

    def signed(self, request: Request) -> Request:
        try:
            body = orjson.loads(request.body) | {"token": self.webhook_token}
        except (ValueError, TypeError):  # what is no object cannot show a token
            return request
        return evolve(request, body=orjson.dumps(body))

    def hold(self, content: bytes, media_type: str) -> str:
        """Have a file that a customer uploaded; give the path by which a message links to it."""
        path = f"2/{next(self.ids)}/file"
        self.files[path] = content, media_type
        return path

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/messages", self._messages, methods=["POST"]),
            Route("/api/v1/messages/{id:int}", self._edit, methods=["PATCH"]),
            Route("/api/v1/user_uploads", self._upload, methods=["POST"]),
            Route("/api/v1/user_uploads/{path:path}", self._permit),
            Route("/user_uploads/temporary/{path:path}", self._file),
            Route("/api/v1/users/me", self._me),
        ]

    def refusal(self, fault: Fault) -> Response:
        status, code = REFUSALS[fault.kind]
        wait = {"retry-after": fault.retry_after} if fault.kind is FaultKind.RATE_LIMITED else {}
        return self._error(status, code, **wait)

    async def _me(self, request: ApiRequest) -> Response:
        return self._stranger(request) or self._success(user_id=1, email=self.bot_email)

    async def _messages(self, request: ApiRequest) -> Response:
        if stranger := self._stranger(request):
            return stranger
        form = {name: str(value) for name, value in (await request.form()).items()}
        to = orjson.loads(form.get("to", ""))
        fields = {"stream": {"type", "to", "topic", "content"}, "direct": {"type", "to", "content"}}
        if form.keys() != fields.get(form.get("type", "")) or not self._fits(form["content"]):
            return self._error(400, "BAD_REQUEST")
        if not isinstance(to, int if form["type"] == "stream" else list):
            return self._error(400, "BAD_REQUEST")
        return await self._take(str(next(self.ids)), form)

    async def _edit(self, request: ApiRequest) -> Response:
        if stranger := self._stranger(request):
            return stranger
        form = {name: str(value) for name, value in (await request.form()).items()}
        if form.keys() != {"content"} or not self._fits(form["content"]):
            return self._error(400, "BAD_REQUEST")
        return await self._take(str(request.path_params["id"]), form)

    async def _upload(self, request: ApiRequest) -> Response:
        if stranger := self._stranger(request):
            return stranger
        async with request.form() as form:
            [file] = form.values()
            if isinstance(file, str):
                return self._error(400, "BAD_REQUEST")
            return self._success(url=f"/user_uploads/1/{next(self.ids)}/{file.filename}")

    async def _permit(self, request: ApiRequest) -> Response:
        path = request.path_params["path"]
        known = self._success(url=f"/user_uploads/temporary/{path}") if path in self.files else None
        return self._stranger(request) or known or self._error(404, "BAD_REQUEST")

    async def _file(self, request: ApiRequest) -> Response:
        content, media_type = self.files[request.path_params["path"]]
        return Response(content, media_type=media_type)

    async def _take(self, id: str, form: dict[str, str]) -> Response:
        async def take() -> Response:
            self.ledger.taken.append(Taken(id, form.get("to", "").strip("[]"), form["content"], form))
            return self._success(id=int(id))

        return await self.visible(take)

    def _stranger(self, request: ApiRequest) -> Response | None:
        basic = b64encode(f"{self.bot_email}:{self.api_key}".encode()).decode()
        known = request.headers.get("authorization") == f"Basic {basic}"
        return None if known else self._error(401, "INVALID_API_KEY")

    def _fits(self, content: str) -> bool:
        return 0 < len(content) <= LONGEST and "\0" not in content

    def _success(self, **values: Any) -> Response:
        return JSONResponse({"result": "success", "msg": "", **values})

    def _error(self, status: int, code: str, **values: Any) -> Response:
        return JSONResponse({"result": "error", "msg": "simulated", "code": code, **values}, status)
