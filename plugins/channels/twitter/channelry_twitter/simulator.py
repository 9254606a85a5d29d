"""An X for tests and demonstrations: one app, one account, and customers who write to it and about it."""

import hmac
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote

import orjson
from attrs import define, evolve, field
from starlette.datastructures import UploadFile
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_simulation import Fault, FaultKind, Simulator, Taken

from .simulator_rules import PIECE_BYTES, POST_WEIGHT, Refused, admit_message, admit_post, admit_upload, signed_by

_REFUSALS = {
    FaultKind.RATE_LIMITED: Refused(429, "Too Many Requests", "rate-limit-exceeded"),
    FaultKind.UNAVAILABLE: Refused(503, "Service Unavailable", "service-unavailable"),
    FaultKind.WINDOW_CLOSED: Refused(403, "You cannot send messages to users who are not following you.", code=150),
    FaultKind.BLOCKED: Refused(403, "You cannot send messages to this user.", code=349),
}
_UNAUTHORIZED = Refused(401, "Unauthorized", "unauthorized")
_JSON = ((b"content-type", b"application/json"),)
_LIFE = 7200


@define(eq=False, kw_only=True)
class TwitterSimulator(Simulator):
    """X with one app and one account.

    - `user_id`: the account; `consumer_key`, `consumer_secret`, `bearer_token`: the app's.
    - `oauth2`: whether the account's right is a refresh token that rotates (`refresh_token` is the one that is good
      now), or the keys `access_token` and `access_token_secret`.
    - `access`: access tokens and when they end; `ready_after`: how often a video is asked for before it is ready.
    - `posts`, `messages`: what there is, newest last; `hidden`, `likes`, `deleted`: what was done to them.
    - `callbacks`, `subscriptions`: the app's webhooks and what they are subscribed to; `uploads`: categories by id.
    - `files`: what can be downloaded, by path (`hold`) at `base_url`.
    - `refuses_repeated`: whether a post that was said already is refused, as X does for a while.
    """

    channel: ClassVar[str] = "twitter"

    user_id: str = "111"
    consumer_key: str = "simulated-consumer-key"
    consumer_secret: str = "x_consumer_secret"
    bearer_token: str = "simulated-bearer-token"
    access_token: str = "simulated-access-token"
    access_token_secret: str = "simulated-access-token-secret"
    oauth2: bool = False
    client_id: str = "simulated-client"
    client_secret: str = "simulated-client-secret"
    refresh_token: str = "simulated-refresh-token"
    ready_after: int = 0
    refuses_repeated: bool = False
    access: dict[str, float] = field(factory=dict, init=False)
    posts: list[dict[str, Any]] = field(factory=list, init=False)
    messages: list[dict[str, Any]] = field(factory=list, init=False)
    hidden: dict[str, bool] = field(factory=dict, init=False)
    likes: set[str] = field(factory=set, init=False)
    deleted: list[str] = field(factory=list, init=False)
    callbacks: list[dict[str, Any]] = field(factory=list, init=False)
    subscriptions: list[dict[str, Any]] = field(factory=list, init=False)
    uploads: dict[str, str] = field(factory=dict, init=False)
    files: dict[str, tuple[str, bytes]] = field(factory=dict, init=False)
    _contents: dict[str, bytes] = field(factory=dict, init=False)
    base_url: str = field(default="https://api.x.com", init=False)
    _asked: int = field(default=0, init=False)
    _count: int = field(default=9000, init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        """Give the connection's table; the rate is one that no demonstration has to wait for."""
        self.base_url = base_url
        keys: dict[str, Any] = {
            "consumer_key": self.consumer_key,
            "access_token": self.access_token,
            "access_token_secret": self.access_token_secret,
        }
        tokens = {"client_id": self.client_id, "client_secret": self.client_secret, "refresh_token": self.refresh_token}
        return {
            "plugin": self.channel,
            "user_id": self.user_id,
            "consumer_secret": self.consumer_secret,
            "bearer_token": self.bearer_token,
            **(tokens if self.oauth2 else keys),
            "direct_messages": 100_000,
            "base_url": base_url,
        }

    # Webhooks

    def message(self, customer: str, text: str) -> Request:
        """Write a direct message as a customer, whose name here is a number, as all of X's ids are."""
        return self.activity("dm.received", self.direct(customer, {"text": text, "entities": {"urls": []}}))

    def direct(self, customer: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Make the payload of a direct message."""
        created = {"target": {"recipient_id": self.user_id}, "sender_id": customer, "message_data": data}
        row = {"type": "message_create", "id": self._id(), "created_timestamp": self._milliseconds()}
        users = {one: {"data": self._user(one)} for one in (customer, self.user_id)}
        return {"direct_message_events": [{**row, "message_create": created}], "users": users}

    def mention(self, customer: str, text: str, answers: str = "", **more: Any) -> Request:
        """Write a post as a customer: one that names the account, or that `answers` a post of its own."""
        post = self._id()
        payload = {
            "id": post,
            "text": text,
            "author_id": customer,
            "created_at": self._moment(),
            "conversation_id": answers or post,
            **more,
        }
        kind = "post.mention.create"
        if answers:
            kind = "post.reply.create"
            replied = [{"type": "replied_to", "id": answers}]
            payload |= {"in_reply_to_user_id": self.user_id, "in_reply_to_tweet_id": answers}
            payload["referenced_tweets"] = replied
        self.posts.append(payload)
        return self.activity(kind, payload, {"users": [self._user(customer)]})

    def activity(self, kind: str, payload: Any, includes: Any = None) -> Request:
        """Sign an event of the X Activity API."""
        data = {"event_uuid": self._id(), "event_type": kind, "filter": {"user_id": self.user_id}, "payload": payload}
        return self.body({"data": {**data, **({"includes": includes} if includes else {})}})

    def older(self, **rows: Any) -> Request:
        """Sign a body of the Account Activity API."""
        return self.body({"for_user_id": self.user_id, **rows})

    def challenge(self, token: str = "simulated-crc_token=") -> Request:
        """Challenge the webhook."""
        return Request("GET", f"/?crc_token={quote(token)}", (), b"", self.now())

    def body(self, body: Any) -> Request:
        """Sign any JSON body."""
        return self.signed(Request("POST", "/", _JSON, orjson.dumps(body), self.now()))

    def signed(self, request: Request) -> Request:
        """Sign any request; of a GET nothing is signed."""
        if request.method == "GET":
            return request
        mac = b64encode(hmac.digest(self.consumer_secret.encode(), request.body, "sha256"))
        headers = {**dict(request.headers), b"x-twitter-webhooks-signature": b"sha256=" + mac}
        return evolve(request, headers=tuple(headers.items()))

    def hold(self, content: bytes, media_type: str, *, private: bool = False) -> str:
        """Keep a file that a customer sent, and give its path."""
        path = f"/{'private' if private else 'public'}/{self._id()}"
        self.files[path] = (media_type, content)
        return path

    def _user(self, user_id: str) -> dict[str, Any]:
        return {"id": user_id, "username": f"user{user_id}", "name": f"Customer {user_id}"}

    def _id(self) -> str:
        self._count += 1
        return str(self.first + self._count)

    def _milliseconds(self) -> str:
        return str(int(self.now().timestamp() * 1000))

    def _moment(self) -> str:
        return self.now().isoformat().replace("+00:00", "Z")

    # The API

    def routes(self) -> list[Route]:
        dms, uploads = "/2/dm_conversations/with/{customer}", "/2/media/upload"
        return [
            Route("/2/oauth2/token", self._token, methods=["POST"]),
            self._route(f"{dms}/messages", self._send_message, "POST"),
            self._route(f"{dms}/dm_events", self._list_messages, "GET"),
            self._route("/2/dm_events/{id}", self._delete, "DELETE"),
            self._route("/2/tweets", self._send_post, "POST"),
            self._route("/2/tweets/{id}", self._delete, "DELETE"),
            self._route("/2/tweets/{id}/hidden", self._hide, "PUT"),
            self._route("/2/users/me", self._me, "GET"),
            self._route("/2/users/{user}", self._someone, "GET"),
            self._route("/2/users/{user}/tweets", self._list_posts, "GET"),
            self._route("/2/users/{user}/likes", self._like, "POST"),
            self._route("/2/users/{user}/likes/{id}", self._unlike, "DELETE"),
            self._route(f"{uploads}/initialize", self._initialize, "POST"),
            self._route(f"{uploads}/{{id}}/append", self._append, "POST"),
            self._route(f"{uploads}/{{id}}/finalize", self._progress, "POST"),
            self._route(uploads, self._progress, "GET"),
            self._route("/2/webhooks", self._webhooks, "GET", "POST", app=True),
            self._route("/2/webhooks/{id}", self._validate, "PUT", app=True),
            Route("/2/activity/subscriptions", self._subscriptions, methods=["GET", "POST"]),
            self._route("/2/activity/subscriptions/{id}", self._move, "PUT", app=True),
            self._route("/private/{name}", self._download, "GET"),
            Route("/public/{name}", self._download),
        ]

    def refusal(self, fault: Fault) -> Response:
        """Give X's own error; a rate limit says until when."""
        reset = str(int(self.now().timestamp() + fault.retry_after))
        limited = fault.kind is FaultKind.RATE_LIMITED
        headers = {"x-rate-limit-limit": "15", "x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}
        return _REFUSALS[fault.kind].answer(headers if limited else {})

    def _route(
        self, path: str, endpoint: Callable[[ApiRequest], Awaitable[Response]], *methods: str, app: bool = False
    ) -> Route:
        """Guard an endpoint: credentials first, the app's or the account's; answer what it refuses in X's words."""

        async def guarded(request: ApiRequest) -> Response:
            try:
                if not (self._is_app(request) if app else self._is_account(request)):
                    raise _UNAUTHORIZED
                return await endpoint(request)
            except Refused as refused:
                return refused.answer()

        return Route(path, guarded, methods=methods)

    def _is_app(self, request: ApiRequest) -> bool:
        given = request.headers.get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, f"Bearer {self.bearer_token}".encode())

    def _is_account(self, request: ApiRequest) -> bool:
        if not self.oauth2:
            given = signed_by(request, self.consumer_secret, self.access_token_secret)
            return hmac.compare_digest(given.encode(), self.access_token.encode())
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self.access.get(token, 0.0) > self.now().timestamp()

    async def _token(self, request: ApiRequest) -> Response:
        """Give new tokens for the refresh token that is good now, which is then good no more."""
        form = dict(parse_qsl((await request.body()).decode()))
        basic = b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}" or form.get("grant_type") != "refresh_token":
            return JSONResponse(
                {"error": "unauthorized_client", "error_description": "Missing valid authorization"}, 401
            )
        if form.get("refresh_token") != self.refresh_token:
            wrong = "Value passed for the token was invalid."
            return JSONResponse({"error": "invalid_request", "error_description": wrong}, 400)
        self.refresh_token, access = f"refresh-{self._id()}", f"access-{self._id()}"
        self.access = {access: self.now().timestamp() + _LIFE}
        answer = {"token_type": "bearer", "expires_in": _LIFE, "access_token": access}
        return JSONResponse(answer | {"refresh_token": self.refresh_token})

    async def _send_message(self, request: ApiRequest) -> Response:
        body, customer = await _json(request), request.path_params["customer"]
        admit_message(body, self.uploads)

        async def take() -> Response:
            event, text = self._id(), body.get("text", "")
            row = {"id": event, "text": text, "sender_id": self.user_id, "created_at": self._moment()}
            self.messages.append({**row, "to": customer})
            self.ledger.taken.append(Taken(event, customer, text, body))
            read = {"sender_id": customer, "target": {"recipient_id": self.user_id}, "last_read_event_id": event}
            self.webhooks.append(
                self.older(direct_message_mark_read_events=[{**read, "created_timestamp": self._milliseconds()}])
            )
            answer = {"dm_conversation_id": f"{customer}-{self.user_id}", "dm_event_id": event}
            return JSONResponse({"data": answer}, 201)

        return await self.visible(take)

    async def _list_messages(self, request: ApiRequest) -> Response:
        customer = request.path_params["customer"]
        rows = [row for row in reversed(self.messages) if row["to"] == customer]
        return _listed([{name: value for name, value in row.items() if name != "to"} for row in rows])

    async def _send_post(self, request: ApiRequest) -> Response:
        body = await _json(request)
        admit_post(body, self.uploads, POST_WEIGHT)
        text, answered = body.get("text", ""), body.get("reply", {}).get("in_reply_to_tweet_id", "")
        own = [post["text"] for post in self.posts if post["author_id"] == self.user_id]
        if self.refuses_repeated and text in own:
            raise Refused(403, "You are not allowed to create a Tweet with duplicate content.", "forbidden")
        author = next((post["author_id"] for post in self.posts if post["id"] == answered), "")

        async def take() -> Response:
            post = {"id": self._id(), "text": text, "author_id": self.user_id, "created_at": self._moment()}
            self.posts.append({**post, "referenced_tweets": [{"type": "replied_to", "id": answered}]})
            self.ledger.taken.append(Taken(post["id"], author, text, body))
            return JSONResponse({"data": {"id": post["id"], "text": text}}, 201)

        return await self.visible(take)

    async def _list_posts(self, request: ApiRequest) -> Response:
        return _listed([post for post in reversed(self.posts) if post["author_id"] == request.path_params["user"]])

    async def _delete(self, request: ApiRequest) -> Response:
        wanted = request.path_params["id"]
        for rows in (self.posts, self.messages):
            for row in rows:
                if row["id"] == wanted:
                    rows.remove(row)
                    self.deleted.append(wanted)
                    return JSONResponse({"data": {"deleted": True}})
        raise Refused(404, "Not Found", "resource-not-found")

    async def _hide(self, request: ApiRequest) -> Response:
        hidden = (await _json(request))["hidden"]
        self.hidden[request.path_params["id"]] = hidden
        return JSONResponse({"data": {"hidden": hidden}})

    async def _like(self, request: ApiRequest) -> Response:
        self._own(request)
        self.likes.add((await _json(request))["tweet_id"])
        return JSONResponse({"data": {"liked": True}})

    async def _unlike(self, request: ApiRequest) -> Response:
        self._own(request)
        self.likes.discard(request.path_params["id"])
        return JSONResponse({"data": {"liked": False}})

    def _own(self, request: ApiRequest) -> None:
        if request.path_params["user"] != self.user_id:
            raise Refused(403, "You are not permitted to perform this action.", "forbidden")

    async def _me(self, request: ApiRequest) -> Response:
        return JSONResponse({"data": self._user(self.user_id)})

    async def _someone(self, request: ApiRequest) -> Response:
        return JSONResponse({"data": self._user(request.path_params["user"])})

    async def _initialize(self, request: ApiRequest) -> Response:
        body = await _json(request)
        admit_upload(body)
        media = self._id()
        self.uploads[media], self._contents[media] = body["media_category"], b""
        return JSONResponse({"data": {"id": media, "media_key": f"3_{media}", "expires_after_secs": 86400}})

    async def _append(self, request: ApiRequest) -> Response:
        async with request.form() as form:
            file = form.get("media")
            if not isinstance(file, UploadFile) or not str(form.get("segment_index", "")).isdecimal():
                raise Refused(400, "media and segment_index are required")
            content = await file.read()
        if len(content) > PIECE_BYTES:
            raise Refused(413, "the piece is too large")
        self._contents[request.path_params["id"]] += content
        return Response(status_code=204)

    async def _progress(self, request: ApiRequest) -> Response:
        """Tell of a file whether it is ready; a video is not at once."""
        media = request.path_params.get("id") or request.query_params.get("media_id", "")
        if media not in self.uploads:
            raise Refused(404, "Not Found", "resource-not-found")
        answer: dict[str, Any] = {"id": media, "size": len(self._contents[media])}
        if self.uploads[media].endswith("_video"):
            self._asked += 1
            ready = self._asked > self.ready_after
            answer["processing_info"] = {"state": "succeeded"} if ready else {"state": "pending", "check_after_secs": 2}
        return JSONResponse({"data": answer})

    async def _webhooks(self, request: ApiRequest) -> Response:
        if request.method == "GET":
            return _listed(self.callbacks)
        url = (await _json(request))["url"]
        if any(one["url"] == url for one in self.callbacks):
            raise Refused(400, "DuplicateUrlFailed")
        await self._challenge_now()
        self.callbacks.append({"id": self._id(), "url": url, "valid": True, "created_at": self._moment()})
        return JSONResponse({"data": self.callbacks[-1]})

    async def _validate(self, request: ApiRequest) -> Response:
        for one in self.callbacks:
            if one["id"] == request.path_params["id"]:
                await self._challenge_now()
                one["valid"] = True
                return JSONResponse({"data": {"valid": True}})
        raise Refused(404, "Not Found", "resource-not-found")

    async def _challenge_now(self) -> None:
        if self.post is not None and await self.post(self.challenge()) != 200:
            raise Refused(400, "CrcValidationFailed")

    async def _subscriptions(self, request: ApiRequest) -> Response:
        """Tell the app what there is, and take from the account what is new."""
        if request.method == "GET":
            return _listed(self.subscriptions) if self._is_app(request) else _UNAUTHORIZED.answer()
        if not self._is_account(request):
            return _UNAUTHORIZED.answer()
        wanted = await _json(request)
        same = [one for one in self.subscriptions if all(one[it] == wanted[it] for it in ("event_type", "filter"))]
        if same:
            raise Refused(409, "DuplicateSubscription")
        self.subscriptions.append({"subscription_id": self._id(), **wanted})
        return JSONResponse({"data": {"subscription": self.subscriptions[-1]}})

    async def _move(self, request: ApiRequest) -> Response:
        for one in self.subscriptions:
            if one["subscription_id"] == request.path_params["id"]:
                one["webhook_id"] = (await _json(request))["webhook_id"]
                return JSONResponse({"data": one})
        raise Refused(404, "Not Found", "resource-not-found")

    async def _download(self, request: ApiRequest) -> Response:
        found = self.files.get(request.url.path)
        return Response(found[1], media_type=found[0]) if found else Response(status_code=404)


async def _json(request: ApiRequest) -> Any:
    try:
        return orjson.loads(await request.body())
    except ValueError:
        raise Refused(400, "the body is not JSON") from None


def _listed(rows: list[Any]) -> Response:
    """Give an array; an empty one has no `data` at all."""
    return JSONResponse({"data": rows, "meta": {"result_count": len(rows)}} if rows else {"meta": {"result_count": 0}})
