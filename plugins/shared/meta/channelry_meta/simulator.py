"""A simulated Meta: one app, one Page or Instagram account, its Graph API and its signed webhooks."""

import hashlib
import hmac
import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from attrs import define, evolve, field
from starlette.datastructures import UploadFile
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_simulation import Fault, FaultKind, Simulator, Taken

from .simulator_shapes import Refused, Shape, examine

LATE = Refused(10, "This message is sent outside of allowed window", 2018278)
"""The refusal of what comes too late."""
_REFUSALS = {
    FaultKind.RATE_LIMITED: (429, Refused(613, "Calls to this api have exceeded the rate limit")),
    FaultKind.UNAVAILABLE: (503, Refused(2, "An unexpected error has occurred. Please retry")),
    FaultKind.WINDOW_CLOSED: (400, LATE),
    FaultKind.BLOCKED: (400, Refused(551, "This person isn't available right now", 1545041)),
}
BAD_TOKEN, INVALID, NO_HANDSHAKE, USED = 190, 100, 2200, 10900
_NOBODY, _GONE = 2018001, 33

_MIB = 1024 * 1024
UPLOADS: Mapping[str, int] = {"image": 8 * _MIB, "audio": 25 * _MIB, "video": 25 * _MIB, "file": 25 * _MIB}
"""The largest upload of each type of attachment, in bytes."""
_UPLOAD = {"attachment": {"type": lambda kind: kind in UPLOADS, "payload": {"is_reusable?": bool}}}
QUICK_REPLIES = ({"content_type": "text", "title": 20, "payload": 1000}, 13)
"""The shape of what a customer may answer with one tap."""
_NAMES = frozenset({"id", "user_ref"})
_PERSON = {f"{name}?": 512 for name in _NAMES}
_RECIPIENT = _PERSON | {"comment_id?": 512, "post_id?": 512}
_SIGNS = frozenset({"typing_on", "typing_off", "mark_seen"})
_SIGN = {"recipient": _PERSON, "sender_action": _SIGNS.__contains__}
_REACTION = {"message_id": 512, "reaction?": 32}
_LATE = {"MESSAGE_TAG": timedelta(days=7), "RESPONSE": timedelta(hours=24)}
_SUBSCRIPTION = {"object": 64, "callback_url": 2048, "verify_token": 512, "fields": 2048}


@define(eq=False, kw_only=True)
class MetaSimulator(Simulator):
    """One account of Meta's; what differs between Messenger, Facebook and Instagram is each one's own.

    - `account`, `app_id`: the account, and the app that it tells.
    - `access_token`, `app_secret`, `verify_token`: the credentials that it demands and signs with.
    - `human_agent`: the app may answer by hand for seven days.
    - `private_replies`: how many a comment may have; Meta takes one.
    - `people`: what is known of who wrote, by id; `media`: files by id: type and content.
    - `references`: which people have no id yet but a reference.
    - `callback`, `fields`: where webhooks were directed to, or `""`; what the app is told of.
    """

    about: ClassVar[str]
    account_setting: ClassVar[str]

    account: str = "55"
    app_id: str = "77"
    access_token: str = "simulated-access-token"
    app_secret: str = "simulated-app-secret"
    verify_token: str = "simulated-verify-token"
    human_agent: bool = False
    private_replies: int = 1
    people: dict[str, dict[str, Any]] = field(factory=dict, init=False)
    media: dict[str, tuple[str, bytes]] = field(factory=dict, init=False)
    references: set[str] = field(factory=set, init=False)
    callback: str = field(default="", init=False)
    fields: str = field(default="", init=False)
    _wrote: dict[str, datetime] = field(factory=dict, init=False)
    _answered: Counter[str] = field(factory=Counter, init=False)
    _count: int = field(default=0, init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        """Give the connection's table, which names this account and its credentials."""
        return {
            "plugin": self.channel,
            self.account_setting: self.account,
            "app_id": self.app_id,
            "access_token": self.access_token,
            "app_secret": self.app_secret,
            "verify_token": self.verify_token,
            "human_agent": self.human_agent,
            "base_url": base_url,
        }

    # Webhooks

    def row(self, customer: str, **content: Any) -> dict[str, Any]:
        """Make a row of `messaging` in which a customer does something, now."""
        self.know(customer)
        return self.did(customer, **content)

    def did(self, customer: str, **content: Any) -> dict[str, Any]:
        """Make a row of `messaging` that opens no window: an arrival, a reading."""
        sender, recipient = self.named(customer), {"id": self.account}
        return {"sender": sender, "recipient": recipient, "timestamp": self.time(), **content}

    def named(self, customer: str) -> dict[str, str]:
        """Name a customer as Meta does: by id, else by reference."""
        return {"user_ref" if customer in self.references else "id": customer}

    def know(self, customer: str, **names: Any) -> None:
        """Remember that a customer writes now, and what can be looked up of them."""
        self.people.setdefault(customer, self.person(customer)).update(names)
        self._wrote[customer] = self.now()

    @abstractmethod
    def person(self, customer: str) -> dict[str, Any]:
        """Give what a look-up tells of a customer."""

    def webhook(self, *rows: Mapping[str, Any]) -> Request:
        """Sign a webhook with these rows of `messaging`."""
        return self.delivery(messaging=list(rows))

    def delivery(self, **content: Any) -> Request:
        """Sign a webhook with one entry of this account."""
        body = {"object": self.about, "entry": [{"id": self.account, "time": self.time(), **content}]}
        raw = json.dumps(body, separators=(",", ":")).encode()  # escapes non-ASCII, as Meta
        return self.signed(Request("POST", "/", ((b"content-type", b"application/json"),), raw, self.now()))

    def signed(self, request: Request) -> Request:
        """Give a request with the signature of its body."""
        mac = hmac.new(self.app_secret.encode(), request.body, hashlib.sha256).hexdigest()
        others = tuple(pair for pair in request.headers if pair[0] != b"x-hub-signature-256")
        return evolve(request, headers=(*others, (b"x-hub-signature-256", f"sha256={mac}".encode())))

    def handshake(self, challenge: str = "1158201444", token: str | None = None) -> Request:
        """Ask whether the callback is ours, as Meta does when a webhook is registered."""
        token = self.verify_token if token is None else token
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        return Request("GET", f"/?{urlencode(query)}", (), b"", self.now())

    def new_id(self, prefix: str) -> str:
        """Make an id that nothing else of this account has."""
        self._count += 1
        return f"{prefix}{self.account}-{self.first + self._count}"

    def time(self) -> int:
        """Give the time in milliseconds."""
        return int(self.now().timestamp() * 1000)

    # The Graph API

    def routes(self) -> list[Route]:
        return [
            self.route("/files/{file}", self._download, guarded=False),
            self.route("/{version}/{account}/messages", self._messages, "POST"),
            self.route("/{version}/{account}/message_attachments", self._upload, "POST"),
            self.route("/{version}/{account}/take_thread_control", self._take_control, "POST"),
            self.route("/{version}/{account}/subscribed_apps", self._subscribed, "GET", "POST"),
            self.route("/{version}/{app}/subscriptions", self._subscriptions, "GET", "POST"),
        ]

    def route(
        self, path: str, endpoint: Callable[[ApiRequest], Awaitable[Response]], *methods: str, guarded: bool = True
    ) -> Route:
        """Guard an endpoint: token and ids first; and answer what it refuses in Graph's words."""

        async def answer(request: ApiRequest) -> Response:
            try:
                if guarded:
                    self._admit(request)
                return await endpoint(request)
            except Refused as refused:
                return _error(401 if refused.code == BAD_TOKEN else 400, refused)

        return Route(path, answer, methods=methods or ("GET",))

    def refusal(self, fault: Fault) -> Response:
        """Give Graph's own error; a rate limit names its seconds."""
        status, refused = _REFUSALS[fault.kind]
        limited = fault.kind is FaultKind.RATE_LIMITED
        return _error(status, refused, {"retry-after": f"{fault.retry_after:g}"} if limited else {})

    def _admit(self, request: ApiRequest) -> None:
        token = f"{self.app_id}|{self.app_secret}" if "app" in request.path_params else self.access_token
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            raise Refused(BAD_TOKEN, "Invalid OAuth access token - Cannot parse access token")
        own = {"account": self.node_id(), "app": self.app_id}
        for name, named in request.path_params.items():
            if named != own.get(name, named):
                raise gone(named)

    def node_id(self) -> str:
        """Give the id by which the account is called."""
        return self.account

    async def _messages(self, request: ApiRequest) -> Response:
        body = await json_of(request)
        if isinstance(body, dict) and "sender_action" in body:
            self._examine_sign(body)
            return JSONResponse({"recipient_id": self._person(body)})
        examine(body, self._shape(body))
        to = self._recipient(body)
        self._examine_window(body, to)
        attachment = body["message"].get("attachment", {})
        name = attachment.get("payload", {}).get("attachment_id")
        if name is not None and name not in self.media:
            raise Refused(INVALID, f"there is no attachment {name}")

        async def take() -> Response:
            return self._take(body, to)

        return await self.visible(take)

    def _shape(self, body: Any) -> Shape:
        """Tell what a message may be by what is in it."""
        message = body.get("message") if isinstance(body, dict) else None
        kinds = [kind for kind in self.contents() if isinstance(message, dict) and kind in message]
        if len(kinds) != 1:
            raise Refused(INVALID, f"message must have one of {', '.join(self.contents())}", 2018034)
        return {
            "recipient": _RECIPIENT,
            "messaging_type?": _LATE.__contains__,
            "tag?": "HUMAN_AGENT",
            "reply_to?": {"mid": 512},
            "message": self.contents()[kinds[0]] | self.marks(),
        }

    @abstractmethod
    def contents(self) -> Mapping[str, dict[str, Any]]:
        """Give the shapes of messages, by the one key that tells them apart."""

    def marks(self) -> dict[str, Any]:
        """Give the shapes of what every message may bear beside its content."""
        return {}

    def reaction(self, reaction: str) -> bool:
        """Tell whether a reaction is taken."""
        return bool(reaction)

    def _examine_sign(self, body: dict[str, Any]) -> None:
        reacts = body["sender_action"] in ("react", "unreact")
        more = {"sender_action": str, "payload": _REACTION} if reacts else {}
        examine(body, _SIGN | more)
        self._person(body)
        if body["sender_action"] == "react" and not self.reaction(body["payload"].get("reaction", "")):
            raise Refused(INVALID, "the reaction is not taken")

    def _recipient(self, body: dict[str, Any]) -> str:
        """Tell who gets it: a person who wrote, or once the author of a comment or a post."""
        if len(body["recipient"]) != 1:
            raise Refused(INVALID, "recipient must have one of id, comment_id and post_id")
        ((kind, name),) = body["recipient"].items()
        if kind in _NAMES:
            return self._person(body)
        if self._answered[name] >= self.private_replies:
            raise Refused(USED, "Activity already replied to")
        return self.author(name, kind)

    def author(self, name: str, kind: str) -> str:
        """Tell who wrote what is named by a `comment_id` or a `post_id`, by the id that messages are sent to."""
        raise gone(name)

    def _person(self, body: dict[str, Any]) -> str:
        for person in self._wrote:
            if body["recipient"] == self.named(person):
                return person
        raise Refused(INVALID, "No matching user found", _NOBODY)

    def _examine_window(self, body: dict[str, Any], to: str) -> None:
        if _NAMES.isdisjoint(body["recipient"]):
            return
        kind = body.get("messaging_type", "RESPONSE")
        if (kind == "MESSAGE_TAG") != ("tag" in body) or ("tag" in body and not self.human_agent):
            raise Refused(INVALID, "the tag is not allowed")
        if self.now() - self._wrote[to] > _LATE[kind]:
            raise LATE

    def _take(self, body: dict[str, Any], to: str) -> Response:
        external_id = self.new_id("m_OUT")
        self.ledger.taken.append(Taken(external_id, to, _text(body["message"]), body))
        self._answered.update(name for kind, name in body["recipient"].items() if kind not in _NAMES)
        self.webhooks.extend(self.told(external_id, to, body["message"]))
        return JSONResponse({"recipient_id": to, "message_id": external_id})

    def told(self, external_id: str, to: str, message: Mapping[str, Any]) -> list[Request]:
        """Give the webhooks that follow a message of ours."""
        return []

    def ours(self, to: str, **content: Any) -> dict[str, Any]:
        """Make a row of `messaging` in which the account does something, now."""
        sender, recipient = {"id": self.account}, self.named(to)
        return {"sender": sender, "recipient": recipient, "timestamp": self.time(), **content}

    async def _upload(self, request: ApiRequest) -> Response:
        async with request.form() as form:
            file, about = form.get("filedata"), form.get("message")
            if not isinstance(file, UploadFile) or not isinstance(about, str):
                raise Refused(INVALID, "The parameters message and filedata are required")
            content, media_type, message = await file.read(), file.content_type or "", _parsed(about.encode())
        examine(message, _UPLOAD)
        most = UPLOADS[message["attachment"]["type"]]
        if len(content) > most:
            raise Refused(INVALID, f"the file is larger than {most} bytes", 2018109)
        return JSONResponse({"attachment_id": self.hold(content, media_type)})

    def hold(self, content: bytes, media_type: str) -> str:
        """Keep a file, and give its id."""
        name = self.new_id("file-")
        self.media[name] = (media_type, content)
        return name

    async def _take_control(self, request: ApiRequest) -> Response:
        body = await json_of(request)
        examine(body, {"recipient": _PERSON, "metadata?": 1000})
        return JSONResponse({"success": True})

    async def _download(self, request: ApiRequest) -> Response:
        found = self.media.get(request.path_params["file"])
        return Response(found[1], media_type=found[0]) if found else Response(status_code=404)

    def look_up(self, name: str) -> Response:
        """Tell of the account itself, or of a person who wrote."""
        if name in (self.account, self.node_id()):
            return JSONResponse({"id": name})
        if name not in self._wrote:
            raise gone(name)
        return JSONResponse({"id": name, **self.people[name]})

    async def _subscribed(self, request: ApiRequest) -> Response:
        """Tell or take what the app is told of."""
        if request.method == "GET":
            row = {"id": self.app_id, "name": "Simulated", "subscribed_fields": self.fields.split(",")}
            return JSONResponse({"data": [row] if self.fields else []})
        body = await json_of(request)
        examine(body, {"subscribed_fields": 2048})
        self.fields = body["subscribed_fields"]
        return JSONResponse({"success": True})

    async def _subscriptions(self, request: ApiRequest) -> Response:
        """Tell or take where webhooks go; a callback must answer the handshake to be taken."""
        if request.method == "GET":
            names = [{"name": name, "version": "v26.0"} for name in self.fields.split(",") if name]
            row = {"object": self.about, "callback_url": self.callback, "active": True, "fields": names}
            return JSONResponse({"data": [row] if self.callback else []})
        body = await json_of(request)
        examine(body, _SUBSCRIPTION | {"object": self.about})
        if self.post is not None and await self.post(self.handshake(token=body["verify_token"])) != 200:
            raise Refused(NO_HANDSHAKE, "Callback verification failed: it did not answer the handshake")
        self.callback = body["callback_url"]
        return JSONResponse({"success": True})


async def json_of(request: ApiRequest) -> Any:
    """Read a body's JSON."""
    return _parsed(await request.body())


def gone(name: str) -> Refused:
    """Refuse an object that is not there."""
    return Refused(INVALID, f"Unsupported request. Object with ID '{name}' does not exist", _GONE)


def names_a_file(value: Any) -> bool:
    """Tell whether an attachment's payload names a file once, by its link or by its id."""
    return isinstance(value, dict) and set(value) - {"is_reusable"} in ({"url"}, {"attachment_id"})


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise Refused(INVALID, "the body is not JSON") from None


def _text(message: Mapping[str, Any]) -> str:
    """Give the words that the customer sees."""
    payload = message.get("attachment", {}).get("payload", {})
    return str(message.get("text") or payload.get("text") or "")


def _error(status: int, refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    error: dict[str, Any] = {
        "message": f"(#{refused.code}) {refused.reason}",
        "type": "OAuthException",
        "code": refused.code,
        "fbtrace_id": "Simulated",
    }
    if refused.subcode is not None:
        error["error_subcode"] = refused.subcode
    return JSONResponse({"error": error}, status, headers=headers)
