"""A LINE for tests and demonstrations: the Messaging API of one channel, and customers who write to it.

Source: https://developers.line.biz/en/reference/messaging-api/
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

import orjson
from attrs import define, evolve, field, frozen
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_simulation import Fault, FaultKind, Simulator, Taken

from .simulator_rules import REQUESTS, faults

REPLY_TOKEN_LIVES = timedelta(minutes=1)
TOKEN_SECONDS = 900
MONTHLY_LIMIT = "You have reached your monthly limit."
INVALID_REPLY_TOKEN = "Invalid reply token"
RETRY_KEY, UUID = "x-line-retry-key", re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""The header that makes a push safe to repeat, which nothing else takes, and what stands in it.
Source: https://developers.line.biz/en/docs/messaging-api/retrying-api-request/"""
GROUPS = ("C", "R")
"""What the ids of groups and rooms begin with."""


@frozen
class RefusedError(Exception):
    """LINE refuses: HTTP status, its words, and what was wrong where."""

    status: int
    message: str
    details: tuple[tuple[str, str], ...] = ()

    def answer(self, **headers: str) -> Response:
        details = [{"property": where, "message": why} for where, why in self.details]
        body = {"message": self.message, **({"details": details} if details else {})}
        return JSONResponse(body, self.status, headers={name.replace("_", "-"): one for name, one in headers.items()})


@define(eq=False, kw_only=True)
class LineSimulator(Simulator):
    """LINE with one channel. Everybody is a friend of its account, except who is in `blocked`.

    - `channel_secret`, `channel_access_token`: what it signs with and demands; `channel_id`: whom it issues tokens to.
    - `bot_user_id`: the account; `endpoint`: where its webhooks are registered; `active`: whether they are used.
    - `quota`: messages that can be pushed in a month, None for any number; `pushed`: how many were.
    - `files`: what customers sent, by message id: content, type, and how ready it is (`hold`).
    - `shown`: whom the account showed that somebody writes; `read`: the tokens of messages that it marked as read.
    - `pushed_to_blocked`: calls that LINE took and dropped, for who blocked the account never gets them.
    """

    channel: ClassVar[str] = "line"

    channel_secret: str = "simulated-channel-secret"
    channel_access_token: str = "simulated-access-token"
    channel_id: str = "2000000001"
    bot_user_id: str = "Ubot0000000000000000000000000001"
    preview_url: str = "https://care.example.com/preview.png"
    endpoint: str = field(default="", init=False)
    active: bool = field(default=True, init=False)
    quota: int | None = field(default=None)
    pushed: int = field(default=0, init=False)
    files: dict[str, tuple[bytes, str, str]] = field(factory=dict, init=False)
    blocked: set[str] = field(factory=set, init=False)
    shown: list[str] = field(factory=list, init=False)
    read: list[str] = field(factory=list, init=False)
    pushed_to_blocked: int = field(default=0, init=False)
    _issued: dict[str, datetime] = field(factory=dict, init=False)
    _reply_tokens: dict[str, tuple[str, datetime]] = field(factory=dict, init=False)
    _retry_keys: dict[str, list[dict[str, str]]] = field(factory=dict, init=False)
    _count: int = field(default=500000000000000000, init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        return {
            "plugin": self.channel,
            "channel_secret": self.channel_secret,
            "channel_access_token": self.channel_access_token,
            "bot_user_id": self.bot_user_id,
            "preview_url": self.preview_url,
            "base_url": base_url,
            "data_url": base_url,
        }

    # Webhooks

    def message(self, customer: str, text: str) -> Request:
        return self.webhook(self.written(customer, type="text", text=text, quoteToken=f"q{self._count}"))

    def written(self, customer: str, group: str = "", **content: Any) -> dict[str, Any]:
        """Make the event of a message, of any type, perhaps written in a group."""
        message = {"id": self._next(), "markAsReadToken": f"m{self._count}", **content}
        return self.event("message", customer, group, message=message)

    def event(self, kind: str, customer: str, group: str = "", **content: Any) -> dict[str, Any]:
        """Make an event of any kind, with a token to answer it, except where nobody is left to read that."""
        source = {"type": "group", "groupId": group} if group else {"type": "user"}
        made: dict[str, Any] = {
            "type": kind,
            "mode": "active",
            "timestamp": int(self.now().timestamp() * 1000),
            "webhookEventId": f"01J{self._next()}",
            "deliveryContext": {"isRedelivery": False},
            "source": {**source, "userId": customer},
            **content,
        }
        if kind not in ("unfollow", "leave", "unsend"):
            made["replyToken"] = f"r{self._next()}"
            self._reply_tokens[made["replyToken"]] = (group or customer, self.now() + REPLY_TOKEN_LIVES)
        return made

    def webhook(self, *events: Mapping[str, Any]) -> Request:
        """Sign a webhook with these events."""
        body = orjson.dumps({"destination": self.bot_user_id, "events": events})
        return self.signed(Request("POST", "/", (), body, self.now()))

    def signed(self, request: Request) -> Request:
        """Sign any request."""
        mac = b64encode(hmac.new(self.channel_secret.encode(), request.body, hashlib.sha256).digest())
        rest = [pair for pair in request.headers if pair[0] not in (b"content-type", b"x-line-signature")]
        signature = ((b"content-type", b"application/json; charset=utf-8"), (b"x-line-signature", mac))
        return evolve(request, headers=(*rest, *signature))

    def hold(self, content: bytes, media_type: str, ready: str = "succeeded") -> str:
        """Keep a file that a customer sends, and give the id of its message."""
        message_id = self._next()
        self.files[message_id] = (content, media_type, ready)
        return message_id

    def revoke(self) -> None:
        """End all tokens that were issued."""
        self._issued.clear()

    def _next(self) -> str:
        self._count += 1
        return str(self.first + self._count)

    # The Messaging API

    def routes(self) -> list[Route]:
        messages, webhook = "/v2/bot/message", "/v2/bot/channel/webhook"
        return [
            self._route("POST", f"{messages}/reply", self._reply),
            self._route("POST", f"{messages}/push", self._push),
            self._route("POST", "/v2/bot/chat/loading/start", self._loading),
            self._route("POST", "/v2/bot/chat/markAsRead", self._mark_as_read),
            self._route("GET", "/v2/bot/profile/{user}", self._profile),
            self._route("GET", "/v2/bot/group/{group}/summary", self._summary),
            self._route("GET", "/v2/bot/info", self._info),
            self._route("GET", f"{messages}/quota", self._quota),
            self._route("GET", f"{messages}/quota/consumption", self._consumption),
            self._route("GET", f"{webhook}/endpoint", self._get_endpoint),
            self._route("PUT", f"{webhook}/endpoint", self._set_endpoint),
            self._route("POST", f"{webhook}/test", self._test_endpoint),
            self._route("GET", messages + "/{id}/content", self._content),
            self._route("GET", messages + "/{id}/content/transcoding", self._transcoding),
            Route("/oauth2/v3/token", self._issue, methods=["POST"]),
        ]

    def refusal(self, fault: Fault) -> Response:
        """Refuse as LINE does; it has no session window, so WINDOW_CLOSED is one that cannot be reached too."""
        if fault.kind is FaultKind.RATE_LIMITED:
            limited = "The API rate limit has been exceeded. Try again later."
            return RefusedError(429, limited).answer(retry_after=f"{fault.retry_after:g}")
        if fault.kind is FaultKind.UNAVAILABLE:
            return RefusedError(503, "Service Unavailable").answer()
        return RefusedError(400, "Failed to send messages").answer()

    def _route(self, method: str, path: str, handle: Callable[[ApiRequest], Awaitable[Response]]) -> Route:
        async def guarded(request: ApiRequest) -> Response:
            try:
                self._admit(request.headers.get("authorization", ""))
                return await handle(request)
            except RefusedError as refused:
                return refused.answer()

        return Route(path, guarded, methods=[method])

    def _admit(self, authorization: str) -> None:
        given = authorization.removeprefix("Bearer ")
        issued = self._issued.get(given)
        lasting = hmac.compare_digest(given.encode(), self.channel_access_token.encode())
        if not lasting and (issued is None or issued <= self.now()):
            raise RefusedError(401, "Authentication failed. Confirm that the access token is valid.")

    async def _reply(self, request: ApiRequest) -> Response:
        if RETRY_KEY in request.headers:
            raise RefusedError(400, "A reply takes no retry key")
        body = await _read(request, "reply")
        to, until = self._reply_tokens.get(body["replyToken"], ("", self.now()))
        if self.now() >= until:
            raise RefusedError(400, INVALID_REPLY_TOKEN)

        async def take() -> Response:
            del self._reply_tokens[body["replyToken"]]
            return JSONResponse({"sentMessages": self._take(to, body)})

        return await self.visible(take)

    async def _push(self, request: ApiRequest) -> Response:
        body, key = await _read(request, "push"), request.headers.get(RETRY_KEY)
        if key is not None and not UUID.fullmatch(key):
            raise RefusedError(400, "A retry key is a UUID")
        if key in self._retry_keys:
            told = {"message": "The retry key is already accepted", "sentMessages": self._retry_keys[key]}
            return JSONResponse(told, 409)

        async def take() -> Response:
            if self.quota is not None and self.pushed >= self.quota:
                return RefusedError(429, MONTHLY_LIMIT).answer()
            self.pushed += 1
            sent = self._take(body["to"], body)
            if key is not None:
                self._retry_keys[key] = sent
            return JSONResponse({"sentMessages": sent})

        return await self.visible(take)

    def _take(self, to: str, body: Mapping[str, Any]) -> list[dict[str, str]]:
        """Take messages; who blocked the account never gets them, and nobody is told."""
        sent = [{"id": self._next(), "quoteToken": f"q{self._count}"} for _ in body["messages"]]
        if to in self.blocked:
            self.pushed_to_blocked += 1
        else:
            for one, message in zip(sent, body["messages"], strict=True):
                self.ledger.taken.append(Taken(one["id"], to, message.get("text", ""), message))
        return sent

    async def _loading(self, request: ApiRequest) -> Response:
        body = await _read(request, "loading")
        if body["chatId"].startswith(GROUPS) or body["loadingSeconds"] not in range(5, 61, 5):
            raise RefusedError(400, "The request body has 1 error(s)", (("loadingSeconds", "is not valid"),))
        self.shown.append(body["chatId"])
        return JSONResponse({}, 202)

    async def _mark_as_read(self, request: ApiRequest) -> Response:
        self.read.append((await _read(request, "read"))["markAsReadToken"])
        return JSONResponse({})

    async def _profile(self, request: ApiRequest) -> Response:
        user = request.path_params["user"]
        if user in self.blocked or user.startswith(GROUPS):
            raise RefusedError(404, "Not found")
        name = {"userId": user, "displayName": f"Customer {user}", "language": "en"}
        return JSONResponse({**name, "pictureUrl": f"https://profile.example/{user}"})

    async def _summary(self, request: ApiRequest) -> Response:
        return JSONResponse({"groupId": request.path_params["group"], "groupName": "A group"})

    async def _info(self, request: ApiRequest) -> Response:
        return JSONResponse({"userId": self.bot_user_id, "basicId": "@care", "displayName": "Care"})

    async def _quota(self, request: ApiRequest) -> Response:
        return JSONResponse({"type": "none"} if self.quota is None else {"type": "limited", "value": self.quota})

    async def _consumption(self, request: ApiRequest) -> Response:
        return JSONResponse({"totalUsage": self.pushed})

    async def _get_endpoint(self, request: ApiRequest) -> Response:
        if not self.endpoint:
            raise RefusedError(404, "Not found")
        return JSONResponse({"endpoint": self.endpoint, "active": self.active})

    async def _set_endpoint(self, request: ApiRequest) -> Response:
        self.endpoint = (await _read(request, "endpoint"))["endpoint"]
        return JSONResponse({})

    async def _test_endpoint(self, request: ApiRequest) -> Response:
        await _read(request, "endpoint")
        status = 200 if self.post is None else await self.post(self.webhook())
        told = {"statusCode": status, "reason": "OK" if status == 200 else "ERROR_STATUS_CODE", "detail": str(status)}
        return JSONResponse({"success": status == 200, "timestamp": self.now().isoformat(), **told})

    async def _content(self, request: ApiRequest) -> Response:
        content, media_type, ready = self._file(request)
        return Response(content, media_type=media_type) if ready == "succeeded" else Response(status_code=202)

    async def _transcoding(self, request: ApiRequest) -> Response:
        return JSONResponse({"status": self._file(request)[2]})

    def _file(self, request: ApiRequest) -> tuple[bytes, str, str]:
        held = self.files.get(request.path_params["id"])
        if held is None:
            raise RefusedError(404, "Not found")
        return held

    async def _issue(self, request: ApiRequest) -> Response:
        form = parse_qs((await request.body()).decode())
        wanted = {
            "grant_type": ["client_credentials"],
            "client_id": [self.channel_id],
            "client_secret": [self.channel_secret],
        }
        if form != wanted:
            return JSONResponse({"error": "invalid_client", "error_description": "invalid client"}, 400)
        token = f"issued-{self._next()}"
        self._issued[token] = self.now() + timedelta(seconds=TOKEN_SECONDS)
        return JSONResponse({"token_type": "Bearer", "access_token": token, "expires_in": TOKEN_SECONDS})


async def _read(request: ApiRequest, name: str) -> Any:
    """Read a request, and refuse what does not fit its shape."""
    try:
        body = orjson.loads(await request.body())
    except ValueError:
        raise RefusedError(400, "The request body could not be parsed as JSON") from None
    if found := tuple(faults(body, REQUESTS[name])):
        raise RefusedError(400, f"The request body has {len(found)} error(s)", found)
    return body
