"""A simulated WhatsApp Business Platform: one number, its Graph API and its signed webhooks."""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from attrs import define, evolve, field
from starlette.datastructures import UploadFile
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_meta.simulator_shapes import Refused
from channelry_simulation import Fault, FaultKind, Simulator, Taken

from .simulator_rules import UNKNOWN, examine, examine_subscription, examine_upload

_REFUSALS = {
    FaultKind.RATE_LIMITED: (429, 130429, "Rate limit hit"),
    FaultKind.UNAVAILABLE: (503, 131016, "Service unavailable"),
    FaultKind.WINDOW_CLOSED: (400, 131047, "Re-engagement message"),
    FaultKind.BLOCKED: (400, 131026, "Message undeliverable"),
}
_BAD_TOKEN, _NO_HANDSHAKE = 190, 2200
_SIGNATURE = b"x-hub-signature-256"
_STATUSES = ("sent", "delivered", "read")


@define(eq=False, kw_only=True)
class WhatsAppSimulator(Simulator):
    """A provider of one WhatsApp number.

    - `phone_number_id`, `phone`, `waba_id`: the number and its business account.
    - `access_token`, `app_secret`, `verify_token`: the credentials that it demands and signs with.
    - `media`: the files it holds, by id: type and content; `receive_file` adds a customer's.
    - `callback`: where its webhooks were directed to by a subscription, or `""`.
    """

    channel: ClassVar[str] = "whatsapp"

    phone_number_id: str = "2002"
    phone: str = "15550001111"
    waba_id: str = "1001"
    access_token: str = "simulated-access-token"
    app_secret: str = "simulated-app-secret"
    verify_token: str = "simulated-verify-token"
    media: dict[str, tuple[str, bytes]] = field(factory=dict, init=False)
    callback: str = field(default="", init=False)
    _count: int = field(default=0, init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        """Give the connection's table, which names this number and its credentials."""
        return {
            "plugin": self.channel,
            "phone_number_id": self.phone_number_id,
            "access_token": self.access_token,
            "app_secret": self.app_secret,
            "verify_token": self.verify_token,
            "waba_id": self.waba_id,
            "base_url": base_url,
        }

    # Webhooks

    def message(self, customer: str, text: str) -> Request:
        """Write a text as a customer: one with a phone number (digits), or only a business-scoped user id."""
        return self.webhook(self.row(customer, "text", {"body": text}))

    def row(self, customer: str, kind: str, content: Any, **more: Any) -> dict[str, Any]:
        """Make one row of `messages`, with an id and the time."""
        sender = {"from": customer} if customer.isdigit() else {"from_user_id": customer}
        common = {"id": self._id("wamid.IN"), "timestamp": self._time(), "type": kind, kind: content}
        return sender | common | more

    def webhook(self, *rows: Mapping[str, Any]) -> Request:
        """Sign a webhook with these messages and the contacts of who wrote them."""
        names = {row.get("from") or row["from_user_id"]: "from" in row for row in rows}
        contacts = [
            {"profile": {"name": f"Customer {name}"}, "wa_id" if by_phone else "user_id": name}
            for name, by_phone in names.items()
        ]
        return self.batch(self.value(contacts=contacts, messages=list(rows)))

    def value(self, **rows: Any) -> dict[str, Any]:
        """Make the value of one change of this number."""
        metadata = {"display_phone_number": self.phone, "phone_number_id": self.phone_number_id}
        return {"messaging_product": "whatsapp", "metadata": metadata, **rows}

    def batch(self, *values: Mapping[str, Any], field: str = "messages") -> Request:
        """Sign a webhook with one change for each value."""
        changes = [{"field": field, "value": value} for value in values]
        entry = {"id": self.waba_id, "changes": changes}
        body = {"object": "whatsapp_business_account", "entry": [entry]}
        raw = json.dumps(body, separators=(",", ":")).encode()  # escapes non-ASCII, as Meta
        return self.signed(Request("POST", "/", ((b"content-type", b"application/json"),), raw, self.now()))

    def signed(self, request: Request) -> Request:
        mac = hmac.new(self.app_secret.encode(), request.body, hashlib.sha256).hexdigest()
        others = tuple(pair for pair in request.headers if pair[0] != _SIGNATURE)
        return evolve(request, headers=(*others, (_SIGNATURE, f"sha256={mac}".encode())))

    def handshake(self, challenge: str = "1158201444", token: str | None = None) -> Request:
        """Ask whether the callback is ours, as Meta does when a webhook is registered."""
        token = self.verify_token if token is None else token
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        return Request("GET", f"/?{urlencode(query)}", (), b"", self.now())

    def status(self, external_id: str, status: str, to: str, reference: str = "", **more: Any) -> Request:
        """Sign the status of one message of ours."""
        recipient = {"recipient_id": to} if to.isdigit() else {"recipient_user_id": to}
        row = {"id": external_id, "status": status, "timestamp": self._time(), **recipient, **more}
        if reference:
            row["biz_opaque_callback_data"] = reference
        return self.batch(self.value(statuses=[row]))

    def receive_file(self, content: bytes, media_type: str) -> str:
        """Take a file that a customer sends, and give the id to put in a row."""
        media_id = self._id("media-")
        self.media[media_id] = (media_type, content)
        return media_id

    def _id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self.phone_number_id}-{self.first + self._count}"

    def _time(self) -> str:
        return str(int(self.now().timestamp()))

    # The Graph API

    def routes(self) -> list[Route]:
        return [
            self._route("/files/{media_id}", self._download),
            self._route("/{version}/{number}/messages", self._messages, "POST"),
            self._route("/{version}/{number}/media", self._upload, "POST"),
            self._route("/{version}/{account}/subscribed_apps", self._subscriptions, "GET", "POST"),
            self._route("/{version}/{object}", self._object),
        ]

    def refusal(self, fault: Fault) -> Response:
        """Give Graph's own error; a rate limit names its seconds."""
        status, code, message = _REFUSALS[fault.kind]
        limited = fault.kind is FaultKind.RATE_LIMITED
        headers = {"retry-after": f"{fault.retry_after:g}"} if limited else {}
        return _error(status, code, message, headers)

    def _route(self, path: str, endpoint: Callable[[ApiRequest], Awaitable[Response]], *methods: str) -> Route:
        """Guard an endpoint: token and ids first; and answer what it refuses in Graph's words."""

        async def guarded(request: ApiRequest) -> Response:
            try:
                self._admit(request)
                return await endpoint(request)
            except Refused as refused:
                return _error(401 if refused.code == _BAD_TOKEN else 400, refused.code, refused.reason)

        return Route(path, guarded, methods=methods or ("GET",))

    def _admit(self, request: ApiRequest) -> None:
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, f"Bearer {self.access_token}".encode()):
            raise Refused(_BAD_TOKEN, "Invalid OAuth access token - Cannot parse access token")
        for name, own in (("number", self.phone_number_id), ("account", self.waba_id)):
            named = request.path_params.get(name, own)
            if named != own:
                raise _unknown_object(named)

    async def _messages(self, request: ApiRequest) -> Response:
        body = _json(await request.body())
        examine(body, self.media)
        if "status" in body:
            return JSONResponse({"success": True})

        async def take() -> Response:
            return self._take(body)

        return await self.visible(take)

    def _take(self, body: Mapping[str, Any]) -> Response:
        external_id, to = self._id("wamid.OUT"), body.get("to") or body["recipient"]
        self.ledger.taken.append(Taken(external_id, to, _text(body), body))
        for status in _STATUSES:
            self.webhooks.append(self.status(external_id, status, to, body.get("biz_opaque_callback_data", "")))
        contact = {"input": to, "wa_id" if to.isdigit() else "user_id": to}
        answer = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": external_id}]}
        return JSONResponse(answer)

    async def _upload(self, request: ApiRequest) -> Response:
        async with request.form() as form:
            file = form.get("file")
            if form.get("messaging_product") != "whatsapp" or not isinstance(file, UploadFile):
                raise Refused(UNKNOWN, "The parameters messaging_product and file are required")
            media_type, content = str(form.get("type", "")), await file.read()
        examine_upload(media_type, len(content))
        return JSONResponse({"id": self.receive_file(content, media_type)})

    async def _object(self, request: ApiRequest) -> Response:
        name = request.path_params["object"]
        if name == self.phone_number_id:
            number = {"id": name, "display_phone_number": self.phone, "verified_name": "Simulated"}
            return JSONResponse(number)
        if name not in self.media:
            raise _unknown_object(name)
        media_type, content = self.media[name]
        return JSONResponse(
            {
                "messaging_product": "whatsapp",
                "id": name,
                "url": f"{request.base_url}files/{name}",
                "mime_type": media_type,
                "sha256": hashlib.sha256(content).hexdigest(),
                "file_size": len(content),
            }
        )

    async def _download(self, request: ApiRequest) -> Response:
        found = self.media.get(request.path_params["media_id"])
        return Response(found[1], media_type=found[0]) if found else Response(status_code=404)

    async def _subscriptions(self, request: ApiRequest) -> Response:
        """Tell or take where webhooks go; a callback must answer the handshake to be taken."""
        if request.method == "GET":
            app = {"id": "3003", "name": "Simulated"}
            mine = {"whatsapp_business_api_data": app, "override_callback_uri": self.callback}
            return JSONResponse({"data": [mine] if self.callback else []})
        body = _json(await request.body())
        examine_subscription(body)
        if self.post is not None and await self.post(self.handshake(token=body["verify_token"])) != 200:
            raise Refused(_NO_HANDSHAKE, "Callback verification failed: it did not answer the handshake")
        self.callback = body["override_callback_uri"]
        return JSONResponse({"success": True})


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise Refused(UNKNOWN, "the body is not JSON") from None


def _unknown_object(name: str) -> Refused:
    return Refused(UNKNOWN, f"Unsupported request. Object with ID '{name}' does not exist")


def _text(body: Mapping[str, Any]) -> str:
    """Give the words that the customer sees."""
    content = body[body["type"]]
    if not isinstance(content, dict):
        return ""
    shown = content.get("caption") or content.get("body") or ""
    return str(shown["text"] if isinstance(shown, dict) else shown)


def _error(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, "fbtrace_id": "Simulated"}
    return JSONResponse({"error": error}, status, headers=headers)
