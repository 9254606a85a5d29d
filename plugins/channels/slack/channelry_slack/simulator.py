"""A Slack for tests and demonstrations: the Web API of one app in one workspace, and people who write to it.

Source: https://docs.slack.dev/reference/methods
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar
from urllib.parse import urlencode

import orjson
from attrs import define, evolve, field
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_simulation import Fault, FaultKind, Simulator, Taken

from .simulator_rules import RefusedError, admit

SCOPES = (
    "chat:write,im:history,im:write,channels:history,app_mentions:read,reactions:read,reactions:write,files:read,"
    "files:write,users:read"
)
TOKEN_SECONDS = 43_200
_SIGNATURES = (b"x-slack-signature", b"x-slack-request-timestamp")
_SEEN = frozenset({
    "chat.postMessage", "chat.update", "chat.delete", "reactions.add", "reactions.remove",
    "files.completeUploadExternal", "files.delete",
})  # fmt: skip
_WRITES = _SEEN | {"auth.test", "conversations.open"}


@define(eq=False, kw_only=True)
class SlackSimulator(Simulator):
    """Slack with one app in one workspace, of which everybody is a member.

    - `signing_secret`, `bot_token`: what it signs with and demands; `client_id`, `client_secret`, `refresh_token`:
      for whom it renews tokens (`rotating`), each refresh token once.
    - `team_id`, `bot_user`, `app_id`: the workspace, and the app in it; `scopes`: what the app may do.
    - `messages`: what stands in the conversations, by `CHANNEL:TS`; `reactions`: the app's, by message.
    - `files`: what can be downloaded, by id (`hold`), and what the app has posted.
    """

    channel: ClassVar[str] = "slack"

    signing_secret: str = "simulated-signing-secret"
    bot_token: str = "xoxb-simulated-token"
    client_id: str = "100.200"
    client_secret: str = "simulated-client-secret"
    refresh_token: str = "xoxe-1-simulated"
    rotating: bool = False
    team_id: str = "T0000000001"
    bot_user: str = "UBOT0000001"
    app_id: str = "A0000000001"
    scopes: str = SCOPES
    page: int = 200
    messages: dict[str, dict[str, Any]] = field(factory=dict, init=False)
    reactions: dict[str, set[str]] = field(factory=dict, init=False)
    files: dict[str, tuple[bytes, str]] = field(factory=dict, init=False)
    _base_url: str = field(default="https://slack.com", init=False)
    _issued: dict[str, datetime] = field(factory=dict, init=False)
    _customers: dict[str, str] = field(factory=dict, init=False)
    _uploads: dict[str, int] = field(factory=dict, init=False)
    _numbers: Iterator[int] = field(factory=lambda: count(1), init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        self._base_url = base_url
        token: dict[str, Any] = {"bot_token": self.bot_token}
        if self.rotating:
            token = {
                "refresh_token": self.refresh_token,
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            }
        return {
            "plugin": self.channel,
            "signing_secret": self.signing_secret,
            **token,
            "team_id": self.team_id,
            "base_url": f"{base_url}/api",
        }

    # Requests to us

    def message(self, customer: str, text: str) -> Request:
        """Write to the app, in the conversation of the two."""
        self._customers[self.direct(customer)] = customer
        return self.written(customer, text, self.direct(customer), channel_type="im")

    def written(self, customer: str, text: str, channel: str, **content: Any) -> Request:
        """Write anywhere."""
        ts, escaped = self._ts(), text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        row = {"type": "message", "user": self.person(customer), "text": escaped, "ts": ts, **content}
        self.messages[f"{channel}:{ts}"] = row
        return self.event(**row, channel=channel, event_ts=ts)

    def event(self, **event: Any) -> Request:
        """Let anything happen that an app is told of."""
        authorization = {"team_id": self.team_id, "user_id": self.bot_user, "is_bot": True}
        body = {
            "type": "event_callback",
            "team_id": self.team_id,
            "api_app_id": self.app_id,
            "event_id": f"Ev{self.first + next(self._numbers):010}",
            "event_time": int(self.now().timestamp()),
            "event": event,
            "authorizations": [{"enterprise_id": None, **authorization, "is_enterprise_install": False}],
        }
        return self.webhook(body)

    def webhook(self, body: Any) -> Request:
        """Sign a JSON body."""
        headers = ((b"content-type", b"application/json"),)
        return self.signed(Request("POST", "/", headers, orjson.dumps(body), self.now()))

    def press(self, customer: str, place: str, number: int = 0) -> Request:
        """Press a button of a message of the app's."""
        channel, message = place.partition(":")[0], self.messages[place]
        buttons = [one for block in message["blocks"] if block["type"] == "actions" for one in block["elements"]]
        body = {
            "type": "block_actions",
            "team": {"id": self.team_id},
            "user": {"id": self.person(customer)},
            "channel": {"id": channel},
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel},
            "message": message,
            "actions": [{**buttons[number], "action_ts": self._ts()}],
        }
        headers = ((b"content-type", b"application/x-www-form-urlencoded"),)
        form = urlencode({"payload": orjson.dumps(body).decode()}).encode()
        return self.signed(Request("POST", "/", headers, form, self.now()))

    def signed(self, request: Request) -> Request:
        """Sign any request, as of now."""
        at = b"%d" % int(request.received_at.timestamp())
        mac = hmac.new(self.signing_secret.encode(), b"v0:" + at + b":" + request.body, hashlib.sha256).hexdigest()
        rest = tuple(pair for pair in request.headers if pair[0] not in _SIGNATURES)
        return evolve(request, headers=(*rest, *zip(_SIGNATURES, (b"v0=" + mac.encode(), at), strict=True)))

    def person(self, customer: str) -> str:
        """Give the id of somebody in the workspace."""
        return customer if customer.startswith("U") else f"U{customer}"

    def direct(self, customer: str) -> str:
        """Give the conversation of the app with somebody."""
        return f"D{self.person(customer)[1:]}"

    def hold(self, content: bytes, media_type: str) -> str:
        """Keep a file that somebody posts, and give its id."""
        file_id = f"F{next(self._numbers):010}"
        self.files[file_id] = (content, media_type)
        return file_id

    def _ts(self) -> str:
        return f"{int(self.now().timestamp())}.{(self.first + next(self._numbers)) % 1_000_000:06}"

    # The Web API

    def routes(self) -> list[Route]:
        return [
            Route("/api/oauth.v2.access", self._renew, methods=["POST"]),
            Route("/api/{method}", self._method, methods=["GET", "POST"]),
            Route("/upload/{file}", self._upload, methods=["POST"]),
            Route("/files/{file}", self._download),
        ]

    def refusal(self, fault: Fault) -> Response:
        """Refuse as Slack does; it has no session window, so WINDOW_CLOSED is a conversation that is gone too."""
        if fault.kind is FaultKind.RATE_LIMITED:
            return self._refuse("ratelimited", 429, {"retry-after": f"{fault.retry_after:g}"})
        if fault.kind is FaultKind.UNAVAILABLE:
            return self._refuse("service_unavailable", 503)
        return self._refuse("is_archived")

    def _refuse(self, error: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        return JSONResponse({"ok": False, "error": error}, status, headers=headers)

    async def _method(self, request: ApiRequest) -> Response:
        method = request.path_params["method"]
        if not self._knows(request):
            return self._refuse("invalid_auth")
        if request.method != ("POST" if method in _WRITES else "GET"):
            return self._refuse("invalid_arguments")
        try:
            body = orjson.loads(await request.body()) if method in _WRITES else dict(request.query_params)
        except ValueError:
            return self._refuse("invalid_json")

        async def take() -> Response:
            try:
                admit(method, body)
                answer = self._do(method, body)
            except RefusedError as refused:
                return self._refuse(refused.error)
            return JSONResponse({"ok": True, **answer}, headers={"x-oauth-scopes": self.scopes})

        return await (self.visible(take) if method in _SEEN else take())

    def _knows(self, request: ApiRequest) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.rotating:
            return self.now() < self._issued.get(given, self.now())
        return hmac.compare_digest(given.encode(), self.bot_token.encode())

    def _do(self, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
        handler: Callable[[Mapping[str, Any]], dict[str, Any]] = {
            "auth.test": lambda _: {"team_id": self.team_id, "user_id": self.bot_user},
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "reactions.add": self._react,
            "reactions.remove": self._unreact,
            "conversations.open": lambda body: {"channel": {"id": self.direct(body["users"])}},
            "conversations.history": self._history,
            "conversations.replies": self._history,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._share,
            "files.delete": self._delete_file,
            "files.info": self._file,
            "users.info": self._user,
        }[method]
        return handler(body)

    def _post(self, body: Mapping[str, Any]) -> dict[str, Any]:
        channel, ts = self._place(body["channel"], body.get("thread_ts")), self._ts()
        message = {**body, "type": "message", "ts": ts, "user": self.bot_user, "app_id": self.app_id}
        self.messages[f"{channel}:{ts}"] = message
        self._take(f"{channel}:{ts}", channel, body.get("text", ""), body)
        return {"channel": channel, "ts": ts, "message": message}

    def _take(self, external_id: str, channel: str, text: str, body: Mapping[str, Any]) -> None:
        """Enter what is seen by a customer, or in a channel."""
        self.ledger.taken.append(Taken(external_id, self._customers.get(channel, channel), _unescaped(text), body))

    def _place(self, channel: str, thread_ts: str | None) -> str:
        if not channel.startswith(("D", "C", "G")):
            raise RefusedError("channel_not_found")
        if thread_ts is not None and f"{channel}:{thread_ts}" not in self.messages:
            raise RefusedError("thread_not_found")
        return channel

    def _own(self, body: Mapping[str, Any]) -> str:
        place = f"{body['channel']}:{body['ts']}"
        if place not in self.messages:
            raise RefusedError("message_not_found")
        return place

    def _update(self, body: Mapping[str, Any]) -> dict[str, Any]:
        place = self._own(body)
        if self.messages[place].get("user") != self.bot_user:
            raise RefusedError("cant_update_message")
        self.messages[place] = {**self.messages[place], **body}
        return {"channel": body["channel"], "ts": body["ts"], "text": body.get("text", "")}

    def _delete(self, body: Mapping[str, Any]) -> dict[str, Any]:
        place = self._own(body)
        if self.messages[place].get("user") != self.bot_user:
            raise RefusedError("cant_delete_message")
        del self.messages[place]
        return {"channel": body["channel"], "ts": body["ts"]}

    def _react(self, body: Mapping[str, Any]) -> dict[str, Any]:
        place = self._own({"channel": body["channel"], "ts": body["timestamp"]})
        if body["name"] in self.reactions.setdefault(place, set()):
            raise RefusedError("already_reacted")
        self.reactions[place].add(body["name"])
        return {}

    def _unreact(self, body: Mapping[str, Any]) -> dict[str, Any]:
        found = self.reactions.get(f"{body['channel']}:{body['timestamp']}", set())
        if body["name"] not in found:
            raise RefusedError("no_reaction")
        found.remove(body["name"])
        return {}

    def _history(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Give messages, the newest first; those of a thread the oldest first."""
        channel, root = f"{body['channel']}:", body.get("ts")
        found = [one for place, one in self.messages.items() if place.startswith(channel)]
        if root is None:
            found = [one for one in found if "thread_ts" not in one][::-1]
        else:
            found = [one for one in found if root in (one["ts"], one.get("thread_ts"))]
        start, most = int(body.get("cursor") or 0), min(int(body.get("limit", 100)), self.page)
        following = str(start + most) if len(found) > start + most else ""
        hidden: dict[str, Any] = (
            {} if body.get("include_all_metadata") == "true" else {"metadata": {"event_payload": {}}}
        )
        page = [{**one, **hidden} for one in found[start : start + most]]
        return {"messages": page, "response_metadata": {"next_cursor": following}}

    def _upload_url(self, body: Mapping[str, Any]) -> dict[str, Any]:
        file_id = f"F{next(self._numbers):010}"
        self._uploads[file_id] = int(body["length"])
        return {"file_id": file_id, "upload_url": f"{self._base_url}/upload/{file_id}"}

    async def _upload(self, request: ApiRequest) -> Response:
        file_id = request.path_params["file"]
        async with request.form() as form:
            (sent,) = form.values()
            content = b"" if isinstance(sent, str) else await sent.read()
        if self._uploads.get(file_id) != len(content):
            return Response("the length is another", 400)
        self.files[file_id] = (content, "application/octet-stream")
        return Response(f"OK - {len(content)}")

    def _share(self, body: Mapping[str, Any]) -> dict[str, Any]:
        ids = [one["id"] for one in body["files"]]
        if not all(one in self._uploads and one in self.files for one in ids):
            raise RefusedError("file_not_found")
        channel, ts = self._place(body["channel_id"], body.get("thread_ts")), self._ts()
        text = body.get("initial_comment", "")
        self.messages[f"{channel}:{ts}"] = {"type": "message", "ts": ts, "user": self.bot_user, "text": text}
        self._take(ids[0], channel, text, body)
        return {"files": [{"id": one, "title": ""} for one in ids]}

    def _delete_file(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if self.files.pop(body["file"], None) is None:
            raise RefusedError("file_not_found")
        return {}

    def _file(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if body["file"] not in self.files:
            raise RefusedError("file_not_found")
        return {"file": {"id": body["file"], "url_private_download": f"{self._base_url}/files/{body['file']}"}}

    async def _download(self, request: ApiRequest) -> Response:
        if not self._knows(request):
            return Response("<html>Log in</html>", media_type="text/html")
        content, media_type = self.files[request.path_params["file"]]
        return Response(content, media_type=media_type)

    def _user(self, body: Mapping[str, Any]) -> dict[str, Any]:
        user = body["user"]
        if not user.startswith("U"):
            raise RefusedError("user_not_found")
        told = {"display_name": f"Customer {user}", "image_192": f"https://avatars.example/{user}"}
        return {"user": {"id": user, "locale": "en-GB", "profile": told}}

    async def _renew(self, request: ApiRequest) -> Response:
        async with request.form() as form:
            given = dict(form)
        if (given.get("client_id"), given.get("client_secret")) != (self.client_id, self.client_secret):
            return self._refuse("bad_client_secret")
        if given.get("grant_type") != "refresh_token" or given.get("refresh_token") != self.refresh_token:
            return self._refuse("invalid_refresh_token")
        number = next(self._numbers)
        token, self.refresh_token = f"xoxe.xoxb-1-{number}", f"xoxe-1-{number}"
        self._issued[token] = self.now() + timedelta(seconds=TOKEN_SECONDS)
        renewed = {"access_token": token, "refresh_token": self.refresh_token, "expires_in": TOKEN_SECONDS}
        return JSONResponse({"ok": True, **renewed, "token_type": "bot"})


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
