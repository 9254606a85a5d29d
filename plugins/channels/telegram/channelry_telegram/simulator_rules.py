"""What the simulated Bot API takes: its methods, their parameters, their limits.

Source: https://core.telegram.org/bots/api#available-methods
"""

import re
from collections.abc import Container, Mapping
from typing import Any

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as ApiResponse

TEXT, CAPTION, CALLBACK_DATA, ANSWER_TEXT = 4096, 1024, 64, 200
MAX_BUTTONS, ALBUM = 100, 10
MAX_PHOTO, MAX_UPLOAD = 10_000_000, 50_000_000
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")

_SENT = [
    "chat_id",
    "business_connection_id",
    "message_thread_id",
    "disable_notification",
    "protect_content",
    "reply_parameters",
    "reply_markup",
]
_TEXT = ["parse_mode", "entities"]
_JSON = frozenset({"reply_markup", "reply_parameters", "media"})
_CAPTION = ["caption", "caption_entities", "parse_mode"]
FILES = {
    "sendPhoto": "photo",
    "sendAudio": "audio",
    "sendVoice": "voice",
    "sendVideo": "video",
    "sendAnimation": "animation",
    "sendDocument": "document",
    "sendSticker": "sticker",
}
REQUIRED: dict[str, list[str]] = {
    "sendMessage": ["text"],
    **{method: [name] for method, name in FILES.items()},
    "sendMediaGroup": ["media"],
    "sendLocation": ["latitude", "longitude"],
    "sendVenue": ["latitude", "longitude", "title", "address"],
    "sendContact": ["phone_number", "first_name"],
    "sendChatAction": ["chat_id", "action"],
    "editMessageText": ["chat_id", "message_id", "text"],
    "editMessageCaption": ["chat_id", "message_id"],
    "deleteMessage": ["chat_id", "message_id"],
    "deleteBusinessMessages": ["business_connection_id", "message_ids"],
    "readBusinessMessage": ["business_connection_id", "chat_id", "message_id"],
    "setMessageReaction": ["chat_id", "message_id"],
    "answerCallbackQuery": ["callback_query_id"],
    "getMe": [],
    "getFile": ["file_id"],
    "getUpdates": [],
    "setWebhook": ["url"],
    "deleteWebhook": [],
    "getWebhookInfo": [],
}
OPTIONAL: dict[str, list[str]] = {
    "sendMessage": [*_SENT, *_TEXT, "link_preview_options"],
    **{method: [*_SENT, *_CAPTION] for method in FILES},
    "sendSticker": [*_SENT, "emoji"],
    "sendMediaGroup": [name for name in _SENT if name != "reply_markup"],
    "sendLocation": [*_SENT, "live_period"],
    "sendVenue": _SENT,
    "sendContact": [*_SENT, "last_name", "vcard"],
    "sendChatAction": ["message_thread_id", "business_connection_id"],
    "editMessageText": [*_TEXT, "business_connection_id", "reply_markup", "link_preview_options"],
    "editMessageCaption": [*_CAPTION, "business_connection_id", "reply_markup"],
    "setMessageReaction": ["reaction", "is_big"],
    "answerCallbackQuery": ["text", "show_alert", "url", "cache_time"],
    "getUpdates": ["offset", "limit", "timeout", "allowed_updates"],
    "setWebhook": ["secret_token", "allowed_updates", "max_connections", "drop_pending_updates", "ip_address"],
    "deleteWebhook": ["drop_pending_updates"],
}


class RefusedError(Exception):
    """The Bot API refuses: status, description, and the parameters that come with some."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        self.status, self.description, self.parameters = status, description, parameters
        super().__init__(description)

    def answer(self) -> ApiResponse:
        body: dict[str, Any] = {"ok": False, "error_code": self.status, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return JSONResponse(body, self.status)


def admit(method: str, body: Mapping[str, Any], files: Container[str]) -> None:
    """Refuse what a method does not take, what is too long or too large, and files that are not held."""
    known = {*REQUIRED[method], *OPTIONAL.get(method, ())}
    for name in body:
        if name not in known:
            raise RefusedError(400, f"Bad Request: unknown field {name}")
    for name in REQUIRED[method]:
        if body.get(name) is None or not str(body[name]).strip():
            what = "message text" if name == "text" else name
            raise RefusedError(400, f"Bad Request: {what} is empty")
    if "secret_token" in body and not SECRET_TOKEN.fullmatch(str(body["secret_token"])):
        raise RefusedError(400, "Bad Request: secret token contains unallowed characters or is too long")
    limit = ANSWER_TEXT if method == "answerCallbackQuery" else TEXT
    if _utf16(str(body.get("text", ""))) > limit:
        raise RefusedError(400, "Bad Request: message is too long")
    _admit_caption(body)
    if method in FILES:
        _admit_file(method, body[FILES[method]], files)
    if method == "sendMediaGroup":
        _admit_album(body, files)
    _admit_keyboard(body.get("reply_markup"))


def _admit_album(body: Mapping[str, Any], files: Container[str]) -> None:
    if not 2 <= len(body["media"]) <= ALBUM:
        raise RefusedError(400, "Bad Request: an album has 2 to 10 files")
    for shown in body["media"]:
        if set(shown) - {"type", "media", *_CAPTION} or shown.get("type") not in ("photo", "video"):
            raise RefusedError(400, "Bad Request: can't parse InputMedia")
        _admit_file(f"send{shown['type'].title()}", shown["media"], files)
        _admit_caption(shown)


def _admit_caption(body: Mapping[str, Any]) -> None:
    if _utf16(str(body.get("caption", ""))) > CAPTION:
        raise RefusedError(400, "Bad Request: message caption is too long")


def _admit_file(method: str, value: Any, files: Container[str]) -> None:
    if isinstance(value, dict):
        if value["size"] > (MAX_PHOTO if method == "sendPhoto" else MAX_UPLOAD):
            raise RefusedError(413, "Request Entity Too Large")
    elif not str(value).startswith(("http://", "https://")) and value not in files:
        raise RefusedError(400, "Bad Request: wrong file identifier/HTTP URL specified")


async def parameters(request: ApiRequest) -> dict[str, Any]:
    """Read the parameters of a call: JSON, or a form whose fields are text or JSON, with files."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        body = await request.body()
        try:
            read = orjson.loads(body or b"{}")
        except ValueError:
            raise RefusedError(400, "Bad Request: can't parse JSON") from None
        return dict(read) if isinstance(read, dict) else {}
    found: dict[str, Any] = {}
    uploads: dict[str, Any] = {}
    async with request.form() as form:
        for name, value in form.items():
            if isinstance(value, UploadFile):
                kind = {"filename": value.filename, "media_type": value.content_type}
                uploads[name] = {**kind, "size": value.size}
            else:
                found[name] = orjson.loads(value) if name in _JSON else value
    return {name: _attached(value, uploads) for name, value in found.items()}


def _attached(value: Any, uploads: Mapping[str, Any]) -> Any:
    """Put the uploads where `attach://NAME` stands for them."""
    if isinstance(value, list):
        return [_attached(one, uploads) for one in value]
    if isinstance(value, dict):
        return {name: _attached(one, uploads) for name, one in value.items()}
    if isinstance(value, str) and value.startswith("attach://"):
        return uploads.get(value.removeprefix("attach://"), value)
    return value


def _admit_keyboard(markup: Any) -> None:
    buttons = [button for line in (markup or {}).get("inline_keyboard", ()) for button in line]
    if len(buttons) > MAX_BUTTONS:
        raise RefusedError(400, "Bad Request: too many buttons")
    for button in buttons:
        data = button.get("callback_data")
        if not button.get("text") or (data is None) == ("url" not in button):
            raise RefusedError(400, "Bad Request: can't parse inline keyboard button")
        if data is not None and not 0 < len(data.encode()) <= CALLBACK_DATA:
            raise RefusedError(400, "Bad Request: BUTTON_DATA_INVALID")


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
