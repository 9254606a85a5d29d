"""A channel for a service that does not exist, as a channel should be; the bad ones beside it differ in one thing."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, ClassVar

import anyio
import orjson
from attrs import define, evolve, field, frozen
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as ApiResponse
from starlette.routing import Route

from channelry import hookimpl, plugin
from channelry.errors import (
    AmbiguousError,
    AuthError,
    PermanentError,
    RecipientError,
    RejectedError,
    RetryableError,
    SendError,
    WindowClosedError,
)
from channelry.hookspecs import Deliver
from channelry.model import (
    Accepted,
    Address,
    Announced,
    ButtonLimit,
    Call,
    Capabilities,
    Event,
    Kind,
    Media,
    MediaLimit,
    MessageReceived,
    NotTaken,
    Outbound,
    Postback,
    Profile,
    Rate,
    RateScope,
    React,
    ReactionChanged,
    Receipt,
    Received,
    Reconciled,
    Request,
    Resend,
    SendMessage,
    Status,
    StatusChanged,
    Target,
    Thread,
)
from channelry.parsing import each, identifier, received, string, timestamp
from channelry.secrets import Secret, Secrets
from channelry.services import FilePart, HttpResponse, Save, Services
from channelry.text import split
from channelry_simulation import Fault, FaultKind, Simulator, Taken

LIMIT = 200
SIGNATURE = b"x-acme-signature"
CAPABILITIES = Capabilities(
    receives=frozenset({Kind.TEXT, Kind.IMAGE, Kind.REACTION, Kind.BUTTONS}),
    sends=frozenset({Kind.TEXT, Kind.IMAGE, Kind.REACTION, Kind.BUTTONS}),
    text=LIMIT,
    media={Kind.IMAGE: MediaLimit(types=frozenset({"image/png"}), upload=1000, link=1000, fetch=1000)},
    buttons=ButtonLimit(count=2, title=10, payload=20, text=LIMIT),
    statuses=frozenset({Status.DELIVERED}),
    resend=Resend.LOOKUP,
    rates=(Rate(RateScope.CONNECTION, 10, 1, frozenset({"message"})),),
    emoji=frozenset({"👍"}),
)
ERRORS: dict[str, type[SendError]] = {"blocked": RecipientError, "window": WindowClosedError, "token": AuthError}


@plugin
class Acme:
    """One account at Acme."""

    @frozen(kw_only=True)
    class Config:
        """One account: its `account` name, its `token`, the `secret` it signs with, and the API's `base_url`."""

        account: str
        token: Secret
        secret: Secrets
        base_url: str

    capabilities: ClassVar[Capabilities] = CAPABILITIES

    config: Config
    account: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.account = self.config.account

    @hookimpl
    def verify(self, request: Request) -> None:
        given = request.header(SIGNATURE)
        macs = [hmac.new(one.encode(), request.body, hashlib.sha256).hexdigest() for one in self.config.secret]
        if not any(hmac.compare_digest(mac.encode(), given) for mac in macs):
            raise RejectedError("the signature is wrong")

    @hookimpl
    def parse(self, request: Request) -> Received:
        return received(request, lambda body: self.rows(body, request))

    def rows(self, body: Any, request: Request) -> Any:
        return each(body["rows"], lambda row: self.event(row, request), request.received_at)

    def event(self, row: Any, request: Request) -> Any:
        sender = Address("acme", identifier(row["from"]))
        place: dict[str, Any] = {}
        if "group" in row:
            group = identifier(row["group"])
            place = {"reply_address": Address("acme-group", group), "thread": Thread(root=group)}
            place["context"] = {"by": sender.value}
        if "topic" in row:
            place = {"thread": Thread(root=identifier(row["topic"]))}
        common = {
            "account": identifier(row["account"]),
            "key": self.key(row, request),
            "occurred_at": timestamp(row.get("at"), request.received_at),
        }
        external_id = identifier(row["id"])
        match row["type"]:
            case "named":
                return Announced(what="message", ids={"post": external_id}, **common)
            case "text":
                profile = Profile(address=sender)
                text = string(row["text"])
                return MessageReceived(sender=profile, external_id=external_id, text=text, **common, **place)
            case "image":
                media = Media(kind=Kind.IMAGE, id=identifier(row["file"]))
                return MessageReceived(
                    sender=Profile(address=sender), external_id=external_id, parts=(media,), **common
                )
            case "press":
                press = Postback(payload=string(row["payload"]))
                return MessageReceived(
                    sender=Profile(address=sender), external_id=external_id, parts=(press,), **common
                )
            case "reaction":
                return ReactionChanged(sender=sender, external_id=external_id, emoji=string(row["emoji"]), **common)
            case "delivered":
                return StatusChanged(
                    external_id=external_id, status=Status.DELIVERED, reference=string(row.get("ref")), **common
                )
        return "another kind of row"

    @hookimpl
    async def expand(self, event: Announced, services: Services) -> Sequence[Event]:
        """Read what a webhook only named."""
        row = self.read(await self.http(services, "GET", f"/posts/{event.ids['post']}"))
        return self.parse(Request("GET", "/", (), orjson.dumps({"rows": [row]}), event.occurred_at)).events

    def key(self, row: Any, request: Request) -> str:
        return f"{string(row['type'])}:{identifier(row['id'])}"

    @hookimpl
    async def listen(self, deliver: Deliver, services: Services) -> None:
        while True:
            answer = await self.http(services, "GET", "/updates")
            for body in answer.json()["bodies"]:
                request = Request("GET", "/updates", (), body.encode(), services.clock.now())
                await deliver(self.parse(request))
            await anyio.sleep(0.01)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        to, recipient = outbound.target.to, self.recipient(outbound.target)
        if isinstance(outbound, React):
            body: dict[str, Any] = {"to": recipient, "react": self.reacted(outbound), "emoji": outbound.emoji}
            return [Call(key=f"{outbound.key}:0", to=to, action="react", body=body)]
        if not isinstance(outbound, SendMessage):
            raise PermanentError("Acme sends messages and reactions", code="unsupported")
        bodies: list[tuple[dict[str, Any], tuple[Media, ...]]] = [
            ({"text": piece}, ()) for piece in self.pieces(outbound.text)
        ]
        bodies += [({"image": part.name}, (part,)) for part in outbound.parts if isinstance(part, Media)]
        where = {"to": recipient, **self.thread(outbound.target)}
        if outbound.buttons:
            bodies[-1][0]["buttons"] = [[one.title, one.payload] for one in outbound.buttons]
        return [
            Call(key=self.call_key(outbound, n), to=to, action="message", body={**where, **body}, uploads=files)
            for n, (body, files) in enumerate(bodies)
        ]

    def recipient(self, target: Target) -> str:
        return target.to.value

    def thread(self, target: Target) -> dict[str, str]:
        return {} if target.thread is None else {"thread": target.thread.root}

    def reacted(self, outbound: React) -> str:
        return outbound.external_id

    def pieces(self, text: str) -> Sequence[str]:
        return split(text, LIMIT)

    def call_key(self, outbound: Outbound, number: int) -> str:
        return f"{outbound.key}:{number}"

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        files = []
        for media in call.uploads:
            part = FilePart("file", media.name, media.media_type, services.files.read(media.ref), media.size)
            answer = await self.http(services, "POST", "/files", files=[part], repeatable=True)
            files.append(self.read(answer)["id"])
        answer = await self.http(services, "POST", "/send", json={**call.body, "ref": call.key, "files": files})
        try:
            return Receipt((identifier(self.read(answer)["id"]),))
        except (KeyError, TypeError, ValueError):
            raise AmbiguousError("Acme's answer cannot be read", code="unreadable") from None

    def read(self, answer: HttpResponse) -> Any:
        if answer.status == 200:
            return answer.json()
        found = answer.json()
        code = str(found.get("error", "")) if isinstance(found, dict) else ""
        if answer.status == 429:
            raise RetryableError("too fast", code="429", retry_after=float(answer.headers.get("retry-after", "1")))
        if answer.status >= 500:
            raise RetryableError("Acme is down", code=str(answer.status))
        raise ERRORS.get(code, PermanentError)(f"Acme refuses: HTTP {answer.status}", code=code)

    async def http(self, services: Services, method: str, path: str, **content: Any) -> HttpResponse:
        headers = {"authorization": f"Bearer {self.config.token.reveal()}"}
        return await services.http.request(method, f"{self.config.base_url}{path}", headers=headers, **content)

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Reconciled:
        found = self.read(await self.http(services, "GET", f"/sent/{call.key}"))["id"]
        return Accepted(Receipt((found,))) if found else NotTaken()

    @hookimpl
    async def profile(self, address: Address, services: Services) -> Profile | None:
        return Profile(address=address, name=f"Customer {address.value}")

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        if not media.id:
            raise PermanentError("the file has no id", code="no_file")
        headers = {"authorization": f"Bearer {self.config.token.reveal()}"}
        url = f"{self.config.base_url}/files/{media.id}"
        file = await services.http.download(url, save, headers=headers, limit=1000)
        return evolve(media, media_type=file.media_type, size=file.size)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        self.read(await self.http(services, "POST", "/webhook", json={"url": url}, repeatable=True))

    @hookimpl
    async def check(self, services: Services) -> None:
        self.read(await self.http(services, "GET", "/me"))


@define(eq=False, kw_only=True)
class AcmeSimulator(Simulator):
    """Acme with one account."""

    channel: ClassVar[str] = "acme"

    account: str = "one"
    token: str = "token-of-one"
    secret: str = "secret-of-one"
    named: bool = False
    """Whether webhooks bring the ids of texts only."""
    posts: dict[str, dict[str, Any]] = field(factory=dict, init=False)
    files: dict[str, bytes] = field(factory=dict, init=False)
    waiting: list[str] = field(factory=list, init=False)
    refs: dict[str, str] = field(factory=dict, init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        return {"plugin": "acme", "account": self.account, "token": self.token, "secret": self.secret,
                "base_url": base_url}  # fmt: skip

    def message(self, customer: str, text: str) -> Request:
        return self.written(customer, text)

    def written(self, customer: str, text: str, **where: str) -> Request:
        """Write to the account, perhaps in a `group` or about a `topic`."""
        return self.webhook({"type": "text", "from": customer, "id": self.next_id("in"), "text": text, **where})

    def webhook(self, row: dict[str, Any]) -> Request:
        row = {"account": self.account, "at": int(self.now().timestamp()), **row}
        if self.named and row["type"] == "text":
            self.posts[row["id"]] = row
            row = {name: row[name] for name in ("account", "at", "from", "id")} | {"type": "named"}
        body = orjson.dumps({"rows": [row]})
        self.waiting.append(body.decode())
        return self.signed(Request("POST", "/", (), body, self.now()))

    def next_id(self, prefix: str) -> str:
        return f"{prefix}-{self.account}-{len(self.waiting) + len(self.ledger.taken) + len(self.files)}"

    def signed(self, request: Request) -> Request:
        mac = hmac.new(self.secret.encode(), request.body, hashlib.sha256).hexdigest()
        others = tuple(pair for pair in request.headers if pair[0] != SIGNATURE)
        return evolve(request, headers=(*others, (SIGNATURE, mac.encode())))

    def hold(self, content: bytes) -> str:
        name = self.next_id("file")
        self.files[name] = content
        return name

    def routes(self) -> list[Route]:
        served = {
            "/send": self._send, "/files": self._upload, "/files/{id}": self._file, "/sent/{ref}": self._sent,
            "/webhook": self._ok, "/me": self._ok, "/updates": self._updates, "/posts/{id}": self._post,
        }  # fmt: skip
        return [Route(path, self._guarded(endpoint), methods=["GET", "POST"]) for path, endpoint in served.items()]

    def _guarded(self, endpoint: Any) -> Any:
        async def guarded(request: ApiRequest) -> ApiResponse:
            if request.headers.get("authorization") != f"Bearer {self.token}":
                return JSONResponse({"error": "token"}, 401)
            answer: ApiResponse = await endpoint(request)
            return answer

        return guarded

    async def _send(self, request: ApiRequest) -> ApiResponse:
        body = await request.json()

        async def take() -> ApiResponse:
            if len(body.get("text", "")) > LIMIT:
                return JSONResponse({"error": "too long"}, 400)
            if "react" in body:
                return JSONResponse({"id": "reaction"})
            sent = self.next_id("out")
            self.refs[body["ref"]] = sent
            self.ledger.taken.append(Taken(sent, body["to"], body.get("text", ""), body))
            row = {"type": "delivered", "from": body["to"], "id": sent, "ref": body["ref"]}
            self.webhooks.append(self.webhook(row))
            return JSONResponse({"id": sent})

        return await self.visible(take)

    async def _upload(self, request: ApiRequest) -> ApiResponse:
        async with request.form() as form:
            return JSONResponse({"id": self.hold(await form["file"].read())})  # type: ignore[union-attr]

    async def _file(self, request: ApiRequest) -> ApiResponse:
        found = self.files.get(request.path_params["id"])
        return ApiResponse(status_code=404) if found is None else ApiResponse(found, media_type="image/png")

    async def _post(self, request: ApiRequest) -> ApiResponse:
        found = self.posts.get(request.path_params["id"])
        return ApiResponse(status_code=404) if found is None else JSONResponse(found)

    async def _sent(self, request: ApiRequest) -> ApiResponse:
        return JSONResponse({"id": self.refs.get(request.path_params["ref"])})

    async def _updates(self, request: ApiRequest) -> ApiResponse:
        bodies, self.waiting = self.waiting, []
        return JSONResponse({"bodies": bodies})

    async def _ok(self, request: ApiRequest) -> ApiResponse:
        return JSONResponse({})

    def refusal(self, fault: Fault) -> ApiResponse:
        if fault.kind is FaultKind.RATE_LIMITED:
            return JSONResponse({}, 429, {"retry-after": f"{fault.retry_after:g}"})
        if fault.kind is FaultKind.UNAVAILABLE:
            return JSONResponse({}, 503)
        return JSONResponse({"error": "blocked" if fault.kind is FaultKind.BLOCKED else "window"}, 403)
