"""A Viber for tests and demonstrations: the API of one bot, and customers who write to it.

Source: https://developers.viber.com/docs/api/rest-bot-api/
"""

import hashlib
import hmac
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import orjson
from attrs import define, evolve, field
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_simulation import Fault, FaultKind, Simulator, Taken

from .simulator_rules import BAD_DATA, MAX_REQUEST, RefusedError, admit

INVALID_URL, BAD_TOKEN, NOT_REGISTERED, NOT_SUBSCRIBED, TOO_MANY = 1, 2, 5, 6, 12
UNANSWERED, WITHIN = 100, timedelta(hours=1)
"""How many messages one person gets without answering. Source: send-message, as in `simulator_rules`."""
_REFUSALS = {
    FaultKind.WINDOW_CLOSED: RefusedError(23, "freeMessagesExceeded"),
    FaultKind.BLOCKED: RefusedError(NOT_SUBSCRIBED, "notSubscribed"),
}
_WEBHOOK_FIELDS = {"url", "event_types", "send_name", "send_photo"}


@define(eq=False, kw_only=True)
class ViberSimulator(Simulator):
    """Viber with one bot. A customer is subscribed once they have written, or by `know`.

    - `auth_token`: the key that it demands and signs with; `sender_name`: what the settings name the bot.
    - `webhook`: what set_webhook was last told; `files`: the files it serves, by name (`hold`).
    - `unsubscribed`: who left, and gets nothing more.

    Where Viber overlooks an unknown field, the simulator refuses it, for it is a mistake of ours.
    """

    channel: ClassVar[str] = "viber"

    auth_token: str = "simulated-viber-token"
    sender_name: str = "Care"
    webhook: dict[str, Any] = field(factory=dict, init=False)
    files: dict[str, tuple[bytes, str]] = field(factory=dict, init=False)
    unsubscribed: set[str] = field(factory=set, init=False)
    _unanswered: dict[str, deque[datetime]] = field(factory=dict, init=False)
    _last_token: int = field(default=5741311803571721000, init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        return {
            "plugin": self.channel,
            "auth_token": self.auth_token,
            "sender_name": self.sender_name,
            "base_url": base_url,
        }

    # Callbacks

    def know(self, customer: str) -> None:
        """Subscribe a customer who has not written in this simulation."""
        self._unanswered[customer] = deque(maxlen=UNANSWERED)
        self.unsubscribed.discard(customer)

    def message(self, customer: str, text: str) -> Request:
        return self.write(customer, type="text", text=text)

    def write(self, customer: str, **message: Any) -> Request:
        """Write as a customer, with any type of message."""
        self.know(customer)
        return self.event("message", sender=self._user(customer), message=message, silent=False)

    def event(self, event: str, token: int | None = None, **content: Any) -> Request:
        """Let anything happen; give its signed callback. `token` names an older message, else a new one is made."""
        if event == "unsubscribed":
            self.unsubscribed.add(content["user_id"])
        milliseconds = int(self.now().timestamp() * 1000)
        told = {"event": event, "timestamp": milliseconds, "message_token": token or self._next_token(), **content}
        return self.signed(Request("POST", "/", (), orjson.dumps(told), self.now()))

    def signed(self, request: Request) -> Request:
        """Sign any request."""
        mac = hmac.new(self.auth_token.encode(), request.body, hashlib.sha256).hexdigest()
        headers = {b"content-type": b"application/json", b"x-viber-content-signature": mac.encode()}
        kept = tuple(pair for pair in request.headers if pair[0] not in headers)
        return evolve(request, headers=(*kept, *headers.items()))

    def hold(self, name: str, content: bytes, media_type: str = "image/jpeg") -> str:
        """Keep a file that a customer sends, and give its path below the API's origin."""
        self.files[name] = (content, media_type)
        return f"/files/{name}"

    def _user(self, customer: str) -> dict[str, Any]:
        name = f"Customer {customer}"
        return {"id": customer, "name": name, "language": "en", "country": "GR", "api_version": 10}

    def _next_token(self) -> int:
        self._last_token += 1
        return self.first + self._last_token

    # The API

    def routes(self) -> list[Route]:
        return [
            self._route("send_message", self._send_message),
            self._route("set_webhook", self._set_webhook),
            self._route("get_account_info", self._get_account_info),
            self._route("get_user_details", self._get_user_details),
            Route("/files/{name}", self._download),
        ]

    def refusal(self, fault: Fault) -> Response:
        """Refuse as Viber does, in the body of a 200; what stands before it answers by HTTP."""
        if fault.kind is FaultKind.RATE_LIMITED:
            return Response(status_code=429, headers={"retry-after": f"{fault.retry_after:g}"})
        if fault.kind is FaultKind.UNAVAILABLE:
            return Response("<html>503 Service Unavailable</html>", 503, media_type="text/html")
        return _refused(_REFUSALS[fault.kind])

    def _route(self, method: str, handle: Callable[[Any], Awaitable[Response]]) -> Route:
        async def guarded(request: ApiRequest) -> Response:
            try:
                given = request.headers.get("x-viber-auth-token", "").encode("latin-1")
                if not hmac.compare_digest(given, self.auth_token.encode()):
                    raise RefusedError(BAD_TOKEN, "invalidAuthToken")
                return await handle(_json(await request.body()))
            except RefusedError as refused:
                return _refused(refused)

        return Route(f"/pa/{method}", guarded, methods=["POST"])

    async def _send_message(self, body: Any) -> Response:
        admit(body)
        receiver = body["receiver"]
        if receiver in self.unsubscribed:
            raise RefusedError(NOT_SUBSCRIBED, "notSubscribed")
        if receiver not in self._unanswered:
            raise RefusedError(NOT_REGISTERED, "receiverNotRegistered")
        sent = self._unanswered[receiver]
        if len(sent) == UNANSWERED and self.now() - sent[0] < WITHIN:
            raise RefusedError(TOO_MANY, "tooManyRequests")

        async def take() -> Response:
            token = self._next_token()
            sent.append(self.now())
            self.ledger.taken.append(Taken(str(token), receiver, _text(body), body))
            for event in ("delivered", "seen"):
                if event in self.webhook.get("event_types", (event,)):
                    self.webhooks.append(self.event(event, token, user_id=receiver))
            return _done(message_token=token, billing_status=1)

        return await self.visible(take)

    async def _set_webhook(self, body: Any) -> Response:
        """Register a webhook once it has answered a callback of its own; an empty URL removes it."""
        if not isinstance(body, dict) or body.keys() - _WEBHOOK_FIELDS or not isinstance(body.get("url"), str):
            raise RefusedError(BAD_DATA, "badData")
        if body["url"]:
            if not body["url"].startswith("https://"):
                raise RefusedError(INVALID_URL, "invalidUrl")
            if self.post is not None and await self.post(self.event("webhook")) != 200:
                raise RefusedError(INVALID_URL, "invalidUrl")
        self.webhook = body if body["url"] else {}
        return _done(event_types=body.get("event_types", []))

    async def _get_account_info(self, body: Any) -> Response:
        info = {
            "id": "pa:7000000001",
            "name": self.sender_name,
            "uri": "care",
            "subscribers_count": len(self._unanswered),
        }
        return _done(**info, webhook=self.webhook.get("url", ""), event_types=self.webhook.get("event_types", []))

    async def _get_user_details(self, body: Any) -> Response:
        if body.get("id") not in self._unanswered:
            raise RefusedError(NOT_REGISTERED, "receiverNotRegistered")
        return _done(message_token=self._next_token(), user=self._user(body["id"]))

    async def _download(self, request: ApiRequest) -> Response:
        held = self.files.get(request.path_params["name"])
        return Response(held[0], media_type=held[1]) if held else Response(status_code=404)


def _json(body: bytes) -> Any:
    if len(body) > MAX_REQUEST:
        raise RefusedError(BAD_DATA, "the request is too large")
    try:
        return orjson.loads(body)
    except ValueError:
        raise RefusedError(BAD_DATA, "badData") from None


def _text(body: Mapping[str, Any]) -> str:
    """Give the words that the customer sees."""
    return str(body.get("text") or body.get("alt_text") or "")


def _done(**more: Any) -> Response:
    return JSONResponse({"status": 0, "status_message": "ok", **more})


def _refused(refused: RefusedError) -> Response:
    return JSONResponse({"status": refused.status, "status_message": refused.message})
