"""A Telegram for tests and demonstrations: the Bot API of one bot, and customers who write to it.

Source: https://core.telegram.org/bots/api
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import anyio
import orjson
from attrs import define, evolve, field, frozen
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as ApiResponse
from starlette.routing import Route

from channelry.model import Request
from channelry_simulation import Fault, FaultKind, Simulator, Taken

from .simulator_rules import REQUIRED, RefusedError, admit, parameters

MAX_DOWNLOAD = 20_000_000
MAX_UPDATES = 100
BOT = {"id": 7000000001, "is_bot": True, "first_name": "Care", "username": "care_bot"}

_SECRET = b"x-telegram-bot-api-secret-token"
_SILENT = frozenset({"sendChatAction", "answerCallbackQuery", "readBusinessMessage"})


@frozen
class _File:
    """A file that Telegram holds: where it is downloaded, and what it is."""

    path: str
    content: bytes
    media_type: str


@define(eq=False)
class TelegramSimulator(Simulator):
    """Telegram with one bot. A chat is known once its customer has written, or by `know`.

    - `polling`: updates wait for getUpdates, as they do while no webhook is set.
    - `files`: what can be downloaded, by file id (`hold`); `migrated`: groups that became supergroups.
    - `actions`, `answered`, `reactions`, `deleted`, `read`: what the bot did beside sending.

    Where Telegram overlooks an unknown field, the simulator refuses it, for it is a mistake of ours.
    """

    channel: ClassVar[str] = "telegram"

    token: str = field(default="7000000001:simulated-bot-token", kw_only=True)
    secret_token: str = field(default="simulated_secret", kw_only=True)
    polling: bool = field(default=False, kw_only=True)
    webhook: dict[str, Any] = field(factory=dict, init=False)
    files: dict[str, _File] = field(factory=dict, init=False)
    migrated: dict[str, str] = field(factory=dict, init=False)
    actions: list[tuple[str, str]] = field(factory=list, init=False)
    answered: list[str] = field(factory=list, init=False)
    reactions: dict[str, list[Any]] = field(factory=dict, init=False)
    deleted: list[str] = field(factory=list, init=False)
    read: list[str] = field(factory=list, init=False)
    _chats: set[str] = field(factory=set, init=False)
    _messages: dict[str, str] = field(factory=dict, init=False)
    _updates: deque[dict[str, Any]] = field(factory=deque, init=False)
    _last_update: int = field(default=0, init=False)
    _last_message: int = field(default=0, init=False)
    _poll: anyio.Event | None = field(default=None, init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        mode = "polling" if self.polling else "webhook"
        return {
            "plugin": self.channel,
            "token": self.token,
            "secret_token": self.secret_token,
            "mode": mode,
            "base_url": base_url,
        }

    def know(self, chat: str) -> None:
        """Let the bot write to a chat whose customer has not written in this simulation."""
        self._chats.add(chat)

    def hold(self, file_id: str, content: bytes, path: str = "documents/file_1.bin", media_type: str = "") -> None:
        """Keep a file that a customer sent."""
        self.files[file_id] = _File(path, content, media_type or "application/octet-stream")

    def message(self, customer: str, text: str) -> Request:
        """Write as a customer, whose name here is a number, as all of Telegram's ids are."""
        who = {"id": int(customer), "first_name": f"Customer {customer}"}
        return self.update(
            message={
                "message_id": self._next_message(f"{customer}:", text),
                "date": int(self.now().timestamp()),
                "chat": {**who, "type": "private"},
                "from": {**who, "is_bot": False, "language_code": "en"},
                "text": text,
            }
        )

    def update(self, **content: Any) -> Request:
        """Let anything happen (`message=`, `callback_query=`, …); give its signed webhook, not yet posted."""
        self._last_update += 1
        update = {"update_id": self.first + self._last_update, **content}
        for row in content.values():
            place = row.get("message", row)
            if "chat" in place:
                self.know(str(place["chat"]["id"]))
        if self.polling:
            self._updates.append(update)
            if self._poll is not None:
                self._poll.set()
        headers = ((b"content-type", b"application/json"),)
        return self.signed(Request("POST", "/", headers, orjson.dumps(update), self.now()))

    def signed(self, request: Request) -> Request:
        others = tuple(pair for pair in request.headers if pair[0] != _SECRET)
        return evolve(request, headers=(*others, (_SECRET, self.secret_token.encode())))

    def routes(self) -> list[Route]:
        return [
            Route("/bot{token}/{method}", self._method, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self._download),
        ]

    def refusal(self, fault: Fault) -> ApiResponse:
        """Refuse as Telegram does; it has no session window, so WINDOW_CLOSED is a blocked bot too."""
        if fault.kind is FaultKind.RATE_LIMITED:
            wait = fault.retry_after
            return RefusedError(429, f"Too Many Requests: retry after {wait:g}", retry_after=wait).answer()
        if fault.kind is FaultKind.UNAVAILABLE:
            return ApiResponse("<html>502 Bad Gateway</html>", 502, media_type="text/html")
        return RefusedError(403, "Forbidden: bot was blocked by the user").answer()

    async def _method(self, request: ApiRequest) -> ApiResponse:
        method = request.path_params["method"]
        if request.path_params["token"] != self.token or method not in REQUIRED:
            return RefusedError(404, "Not Found").answer()
        try:
            body = await parameters(request)
            admit(method, body, self.files)
            if "chat_id" in body or method.startswith("send"):
                self._admit_chat(str(body.get("chat_id", "")))
        except RefusedError as refused:
            return refused.answer()

        async def take() -> ApiResponse:
            try:
                result = await self._get_updates(body) if method == "getUpdates" else self._do(method, body)
            except RefusedError as refused:
                return refused.answer()
            return JSONResponse({"ok": True, "result": result})

        seen = method not in _SILENT and not method.startswith("get") and not method.endswith("Webhook")
        return await (self.visible(take) if seen else take())

    def _admit_chat(self, chat: str) -> None:
        if chat in self.migrated:
            description = "Bad Request: group chat was upgraded to a supergroup chat"
            raise RefusedError(400, description, migrate_to_chat_id=int(self.migrated[chat]))
        if chat not in self._chats:
            raise RefusedError(400, "Bad Request: chat not found")

    def _do(self, method: str, body: Mapping[str, Any]) -> Any:
        handler: Callable[[Mapping[str, Any]], Any] | None = {
            "sendChatAction": self._send_chat_action,
            "sendMediaGroup": self._send_media_group,
            "editMessageText": self._edit_message,
            "editMessageCaption": self._edit_message,
            "deleteMessage": self._delete_message,
            "deleteBusinessMessages": self._delete_business_messages,
            "readBusinessMessage": self._read_business_message,
            "setMessageReaction": self._set_message_reaction,
            "answerCallbackQuery": self._answer_callback_query,
            "getMe": lambda _: BOT,
            "getFile": self._get_file,
            "setWebhook": self._set_webhook,
            "deleteWebhook": lambda _: self._set_webhook({"url": ""}),
            "getWebhookInfo": lambda _: self._get_webhook_info(),
        }.get(method)
        return handler(body) if handler else self._send(body)

    def _send(self, body: Mapping[str, Any]) -> Any:
        chat, text = str(body["chat_id"]), str(body.get("text") or body.get("caption") or "")
        reply = body.get("reply_parameters")
        if reply and not reply.get("allow_sending_without_reply") and not self._has(chat, reply["message_id"]):
            raise RefusedError(400, "Bad Request: message to be replied not found")
        number = self._next_message(f"{chat}:", text)
        self.ledger.taken.append(Taken(f"{chat}:{number}", chat, text, body))
        return self._message(chat, number)

    def _send_media_group(self, body: Mapping[str, Any]) -> Any:
        chat, text = str(body["chat_id"]), str(body["media"][0].get("caption", ""))
        numbers = [self._next_message(f"{chat}:", str(one.get("caption", ""))) for one in body["media"]]
        self.ledger.taken.append(Taken(f"{chat}:{numbers[0]}", chat, text, body))
        return [self._message(chat, number) for number in numbers]

    def _send_chat_action(self, body: Mapping[str, Any]) -> bool:
        self.actions.append((str(body["chat_id"]), body["action"]))
        return True

    def _edit_message(self, body: Mapping[str, Any]) -> Any:
        chat, number = str(body["chat_id"]), body["message_id"]
        text = body["text"] if "text" in body else body.get("caption", "")
        if not self._has(chat, number):
            raise RefusedError(400, "Bad Request: message to edit not found")
        if self._messages[f"{chat}:{number}"] == text:
            raise RefusedError(400, "Bad Request: message is not modified")
        self._messages[f"{chat}:{number}"] = text
        return self._message(chat, number)

    def _delete_message(self, body: Mapping[str, Any]) -> bool:
        chat, number = str(body["chat_id"]), body["message_id"]
        if not self._has(chat, number):
            raise RefusedError(400, "Bad Request: message to delete not found")
        del self._messages[f"{chat}:{number}"]
        self.deleted.append(f"{chat}:{number}")
        return True

    def _delete_business_messages(self, body: Mapping[str, Any]) -> bool:
        """Delete by number alone, for numbers are unique within the account that the connection is to."""
        found = [place for place in self._messages if int(place.rpartition(":")[2]) in body["message_ids"]]
        if len(found) < len(body["message_ids"]):
            raise RefusedError(400, "Bad Request: message to delete not found")
        for place in found:
            del self._messages[place]
        self.deleted += found
        return True

    def _read_business_message(self, body: Mapping[str, Any]) -> bool:
        chat, number = str(body["chat_id"]), body["message_id"]
        if not self._has(chat, number):
            raise RefusedError(400, "Bad Request: message not found")
        self.read.append(f"{chat}:{number}")
        return True

    def _set_message_reaction(self, body: Mapping[str, Any]) -> bool:
        chat, number = str(body["chat_id"]), body["message_id"]
        if not self._has(chat, number):
            raise RefusedError(400, "Bad Request: message to react not found")
        self.reactions[f"{chat}:{number}"] = body.get("reaction", [])
        return True

    def _answer_callback_query(self, body: Mapping[str, Any]) -> bool:
        self.answered.append(body["callback_query_id"])
        return True

    def _get_file(self, body: Mapping[str, Any]) -> Any:
        held = self.files.get(body["file_id"])
        if held is None:
            raise RefusedError(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(held.content) > MAX_DOWNLOAD:
            raise RefusedError(400, "Bad Request: file is too big")
        return {"file_id": body["file_id"], "file_size": len(held.content), "file_path": held.path}

    def _set_webhook(self, body: Mapping[str, Any]) -> bool:
        self.webhook = dict(body) if body["url"] else {}
        return True

    def _get_webhook_info(self) -> Any:
        info: dict[str, Any] = {"url": self.webhook.get("url", ""), "has_custom_certificate": False}
        info["pending_update_count"] = len(self._updates)
        if "allowed_updates" in self.webhook:
            info["allowed_updates"] = self.webhook["allowed_updates"]
        return info

    async def _get_updates(self, body: Mapping[str, Any]) -> list[Any]:
        """Give the updates from `offset` on and forget those before it; wait for one while there is none."""
        if self.webhook:
            raise RefusedError(409, "Conflict: can't use getUpdates method while webhook is active")
        if self._poll is not None:
            raise RefusedError(409, "Conflict: terminated by other getUpdates request")
        while self._updates and self._updates[0]["update_id"] < body.get("offset", 0):
            self._updates.popleft()
        if not self._updates:
            self._poll = anyio.Event()
            try:
                with anyio.move_on_after(body.get("timeout", 0)):
                    await self._poll.wait()
            finally:
                self._poll = None
        return list(self._updates)[: body.get("limit", MAX_UPDATES)]

    async def _download(self, request: ApiRequest) -> ApiResponse:
        path = request.path_params["path"]
        held = next((one for one in self.files.values() if one.path == path), None)
        if request.path_params["token"] != self.token or held is None:
            return RefusedError(404, "Not Found").answer()
        return ApiResponse(held.content, media_type=held.media_type)

    def _next_message(self, chat: str, text: str) -> int:
        self._last_message += 1
        number = self.first + self._last_message
        self._messages[f"{chat}{number}"] = text
        return number

    def _has(self, chat: str, number: Any) -> bool:
        return f"{chat}:{number}" in self._messages

    def _message(self, chat: str, number: int) -> Any:
        kind = "supergroup" if chat.startswith("-") else "private"
        place = {"id": int(chat), "type": kind}
        return {"message_id": number, "date": int(self.now().timestamp()), "chat": place, "from": BOT}
