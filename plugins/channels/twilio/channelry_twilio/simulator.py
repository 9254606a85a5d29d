"""A Twilio for tests and demonstrations: one account with one sender, and customers who write to it."""

import hmac
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from email.utils import format_datetime
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
from attrs import define, evolve, field
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_simulation import Fault, FaultKind, Simulator, Taken

from .simulator_rules import Refused, admit

_REFUSALS = {
    FaultKind.RATE_LIMITED: Refused(20429, "Too Many Requests", 429),
    FaultKind.UNAVAILABLE: Refused(20503, "Service Unavailable", 503),
    FaultKind.WINDOW_CLOSED: Refused(63016, "Failed to send freeform message outside the allowed window"),
    FaultKind.BLOCKED: Refused(21610, "Attempt to send to unsubscribed recipient"),
}
_STATUSES = ("queued", "sent", "delivered")
_STOP, _START = "STOP", "START"
_ACCOUNT = "/2010-04-01/Accounts/{account}"


@define(eq=False, kw_only=True)
class TwilioSimulator(Simulator):
    """Twilio with one account and one sender.

    - `account_sid`, `auth_token`: what it demands and signs with; `shared_key`: what it signs with instead, by
      HMAC_SHA256, where there is one.
    - `sender`: a number, a WhatsApp sender or a Messaging Service; `webhook_url`: where it posts to and signs for.
    - `configured`: what the sender's resource says of its webhook; `active`: whether the account is.
    - `files`: what customers sent, by path (`hold`); `stopped`: who wrote STOP; `typing`: the messages that typing
      was shown for; `messages`: what the list of messages has.
    """

    channel: ClassVar[str] = "twilio"

    account_sid: str = "AC00000000000000000000000000000001"
    auth_token: str = "twilio_auth_token"
    shared_key: str = ""
    sender: str = "+15005550001"
    webhook_url: str = "https://care.example.com/hooks/twilio"
    active: bool = True
    configured: dict[str, Any] = field(factory=dict, init=False)
    files: dict[str, tuple[str, bytes]] = field(factory=dict, init=False)
    stopped: set[str] = field(factory=set, init=False)
    typing: list[str] = field(factory=list, init=False)
    messages: list[dict[str, Any]] = field(factory=list, init=False)
    _count: int = field(default=0, init=False)
    _base_url: str = field(default="https://api.twilio.com", init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        """Give the connection's table; the rate is one that no test has to wait for."""
        self._base_url = base_url
        return {
            "plugin": self.channel,
            "account_sid": self.account_sid,
            "auth_token": self.auth_token,
            **({"shared_key": self.shared_key} if self.shared_key else {}),
            "sender": self.sender,
            "webhook_url": self.webhook_url,
            "messages_per_second": 1000,
            "base_url": base_url,
            "messaging_url": base_url,
        }

    # Webhooks

    def message(self, customer: str, text: str) -> Request:
        """Write a text as a customer with a phone number, of which the `+` may be missing."""
        return self.incoming(customer, Body=text)

    def incoming(self, customer: str, **fields: str) -> Request:
        """Let a customer write anything; give its signed webhook, not yet posted."""
        number = f"+{customer.lstrip('+')}"
        whatsapp, service = self.sender.startswith("whatsapp:"), self.sender.startswith("MG")
        who = f"whatsapp:{number}" if whatsapp else number
        word = fields.get("Body", "").strip().upper()
        if word == _STOP:
            self.stopped.add(who)
        if word == _START:
            self.stopped.discard(who)
        sid = self._sid("SM")
        common = {
            "MessageSid": sid,
            "SmsSid": sid,
            "AccountSid": self.account_sid,
            "From": who,
            "To": "+15005550001" if service else self.sender,
            "Body": "",
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
            **({"MessagingServiceSid": self.sender} if service else {}),
            **({"WaId": number[1:], "ProfileName": f"Customer {number}"} if whatsapp else {}),
        }
        return self.form(common | fields)

    def status(self, sid: str, status: str, callback: str = "", **fields: str) -> Request:
        """Tell how far a message has got, at the URL that it was sent with."""
        common = {"MessageSid": sid, "MessageStatus": status, "AccountSid": self.account_sid}
        return self.form(common | fields, callback)

    def form(self, fields: Mapping[str, str], url: str = "") -> Request:
        """Sign a form that is posted to `url`, else to the webhook."""
        path = f"/?{query}" if (query := urlsplit(url).query) else "/"
        headers = ((b"content-type", b"application/x-www-form-urlencoded"),)
        body = urlencode(fields).encode()
        return self.signed(Request("POST", path, headers, body, self.now(), url or self.webhook_url))

    def signed(self, request: Request) -> Request:
        """Sign any request by its public URL; of JSON the hash joins the URL."""
        if not request.public_url:
            query = request.path.partition("?")[2]
            request = evolve(request, public_url=f"{self.webhook_url}?{query}" if query else self.webhook_url)
        fields: list[tuple[str, str]] = []
        if request.header(b"content-type").startswith(b"application/json"):
            request = self._hashed(request)
        elif request.method != "GET":
            fields = parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)
        text = request.public_url + "".join(f"{name}{value}" for name, value in sorted(set(fields)))
        secret, algorithm = (self.shared_key, "sha256") if self.shared_key else (self.auth_token, "sha1")
        mac = b64encode(hmac.digest(secret.encode(), text.encode(), algorithm))
        named = b"key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
        headers = {name: value for name, value in request.headers if not name.startswith(b"x-twilio-")}
        headers[b"x-twilio-signature"] = mac
        if self.shared_key:
            headers[b"x-twilio-webhooks-signature-settings"] = named
        return evolve(request, headers=tuple(headers.items()))

    def _hashed(self, request: Request) -> Request:
        pair = f"bodySHA256={sha256(request.body).hexdigest()}"
        if pair in request.path:
            return request
        path, url = (f"{one}{'&' if '?' in one else '?'}{pair}" for one in (request.path, request.public_url))
        return evolve(request, path=path, public_url=url)

    def hold(self, content: bytes, media_type: str) -> str:
        """Keep a file that a customer sends, and give its link."""
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{self._sid('MM')}/Media/{self._sid('ME')}"
        self.files[path] = (media_type, content)
        return f"{self._base_url}{path}"

    def _sid(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self.first + self._count:032x}"

    # The API

    def routes(self) -> list[Route]:
        return [
            self._route(f"{_ACCOUNT}/Messages.json", self._messages, "GET", "POST"),
            self._route(f"{_ACCOUNT}/Messages/{{message}}/Media/{{media}}", self._download, "GET"),
            self._route(f"{_ACCOUNT}/IncomingPhoneNumbers.json", self._numbers, "GET"),
            self._route(f"{_ACCOUNT}/IncomingPhoneNumbers/{{number}}.json", self._configure, "POST"),
            self._route(f"{_ACCOUNT}/SMS/ShortCodes.json", self._short_codes, "GET"),
            self._route(f"{_ACCOUNT}/SMS/ShortCodes/{{code}}.json", self._configure, "POST"),
            self._route("/2010-04-01/Accounts/{account}.json", self._account, "GET"),
            self._route("/v1/Services/{service}", self._configure, "GET", "POST"),
            self._route("/v2/Channels/Senders", self._senders, "GET"),
            self._route("/v2/Channels/Senders/{sender}", self._configure, "POST"),
            self._route("/v3/Indicators/Typing.json", self._typing, "POST"),
        ]

    def refusal(self, fault: Fault) -> Response:
        """Give Twilio's own error; a rate limit names its seconds."""
        limited = fault.kind is FaultKind.RATE_LIMITED
        return _error(_REFUSALS[fault.kind], {"retry-after": f"{fault.retry_after:g}"} if limited else {})

    def _route(self, path: str, endpoint: Callable[[ApiRequest], Awaitable[Response]], *methods: str) -> Route:
        """Guard an endpoint: credentials and account first; and answer what it refuses in Twilio's words."""

        async def guarded(request: ApiRequest) -> Response:
            try:
                self._admit(request)
                return await endpoint(request)
            except Refused as refused:
                return _error(refused)

        return Route(path, guarded, methods=methods)

    def _admit(self, request: ApiRequest) -> None:
        credentials = b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, f"Basic {credentials}".encode()):
            raise Refused(20003, "Authenticate", 401)
        if request.path_params.get("account", self.account_sid) != self.account_sid:
            raise Refused(20404, "The requested resource was not found", 404)

    async def _messages(self, request: ApiRequest) -> Response:
        if request.method == "GET":
            to, size = request.query_params.get("To"), int(request.query_params.get("PageSize", "50"))
            rows = [row for row in reversed(self.messages) if to in (None, row["to"])]
            return JSONResponse({"messages": rows[:size], "page": 0, "page_size": size})
        form = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        fields = admit(form, self.sender, self.stopped)

        async def take() -> Response:
            return self._take(fields, form)

        return await self.visible(take)

    def _take(self, fields: Mapping[str, str], form: list[tuple[str, str]]) -> Response:
        links = [value for name, value in form if name == "MediaUrl"]
        sid, to, text = self._sid("MM" if links else "SM"), fields["To"], fields.get("Body", "")
        row = {
            "sid": sid,
            "to": to,
            "from": fields.get("From"),
            "messaging_service_sid": fields.get("MessagingServiceSid"),
            "body": text,
            "num_media": str(len(links)),
            "status": "queued",
            "direction": "outbound-api",
            "date_created": format_datetime(self.now()),
            "date_sent": None,
            "error_code": None,
        }
        self.messages.append(row)
        self.ledger.taken.append(Taken(sid, to, text, {**fields, **({"MediaUrl": links} if links else {})}))
        if callback := fields.get("StatusCallback"):
            for status in _STATUSES:
                self.webhooks.append(self.status(sid, status, callback, To=to, From=self.sender))
        return JSONResponse(row, 201)

    async def _account(self, request: ApiRequest) -> Response:
        return JSONResponse({"sid": self.account_sid, "status": "active" if self.active else "suspended"})

    async def _numbers(self, request: ApiRequest) -> Response:
        number = {"sid": "PN00000000000000000000000000000001", "phone_number": self.sender}
        asked = self.sender.startswith("+") and request.query_params.get("PhoneNumber") == self.sender
        url = {"sms_url": self.configured.get("SmsUrl", "")}
        return JSONResponse({"incoming_phone_numbers": [number | url] if asked else []})

    async def _short_codes(self, request: ApiRequest) -> Response:
        """List the short code where what is asked for is a part of it, as Twilio does."""
        code = {"sid": "SC00000000000000000000000000000001", "short_code": self.sender}
        asked = self.sender.isdecimal() and request.query_params.get("ShortCode", "") in self.sender
        url = {"sms_url": self.configured.get("SmsUrl", "")}
        return JSONResponse({"short_codes": [code | url] if asked else []})

    async def _senders(self, request: ApiRequest) -> Response:
        sender = {"sid": "XE00000000000000000000000000000001", "sender_id": self.sender, "status": "ONLINE"}
        found = [sender | self.configured] if self.sender.startswith("whatsapp:") else []
        return JSONResponse({"senders": found, "meta": {"key": "senders"}})

    async def _configure(self, request: ApiRequest) -> Response:
        if request.path_params.get("service", self.sender) != self.sender:
            raise Refused(20404, "The requested resource was not found", 404)
        body = await request.body()
        if request.method == "POST":
            json = request.headers.get("content-type", "").startswith("application/json")
            self.configured |= orjson.loads(body) if json else dict(parse_qsl(body.decode()))
        apart = self.configured.get("UseInboundWebhookOnNumber", "true") == "true"
        service = {"sid": self.sender, "inbound_request_url": self.configured.get("InboundRequestUrl")}
        return JSONResponse(service | {"use_inbound_webhook_on_number": apart})

    async def _typing(self, request: ApiRequest) -> Response:
        body = orjson.loads(await request.body())
        if set(body) != {"channel", "messageId"} or body["channel"] != "WHATSAPP":
            raise Refused(20001, "Invalid parameters")
        self.typing.append(body["messageId"])
        return JSONResponse({"success": True})

    async def _download(self, request: ApiRequest) -> Response:
        found = self.files.get(request.url.path)
        if found is None:
            raise Refused(20404, "The requested resource was not found", 404)
        return Response(found[1], media_type=found[0])


def _error(refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    body = {
        "code": refused.code,
        "message": refused.reason,
        "more_info": f"https://www.twilio.com/docs/errors/{refused.code}",
        "status": refused.status,
    }
    return JSONResponse(body, refused.status, headers=headers)
