"""What the simulated X takes: the fields of a message and of a post, their limits, who is who.

Source: https://docs.x.com/x-api/posts/create-post and https://docs.x.com/x-api/direct-messages/create-dm-message
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from attrs import frozen
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as ApiResponse

DM_TEXT, POST_WEIGHT, POST_FILES = 10_000, 280, 4
PIECE_BYTES, IMAGE_BYTES, GIF_BYTES, VIDEO_BYTES = 5_000_000, 5_000_000, 15_000_000, 512_000_000
_LINK = re.compile(r"https?://\S+")
_HEAVY = re.compile(r"[^\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_CATEGORY = re.compile(r"(dm|tweet)_(image|gif|video)")


@frozen
class Refused(Exception):
    """X refuses: HTTP status, the words, the last word of the problem's type, or a code of the older API."""

    status: int
    detail: str
    problem: str = "invalid-request"
    code: int = 0

    def answer(self, headers: Mapping[str, str] | None = None) -> ApiResponse:
        if self.code:
            body: Any = {"errors": [{"code": self.code, "message": self.detail}]}
        else:
            kind = f"https://api.twitter.com/2/problems/{self.problem}"
            body = {"title": self.problem, "detail": self.detail, "type": kind, "status": self.status}
        return JSONResponse(body, self.status, headers=headers)


def admit_message(body: Any, files: Mapping[str, str]) -> None:
    """Refuse a direct message that X would refuse; `files` has the category of each upload."""
    _only(body, {"text", "attachments"})
    text, attachments = body.get("text", ""), body.get("attachments", [])
    if not text.strip() and not attachments:
        raise Refused(400, "text or attachments is required")
    if len(text) > DM_TEXT:
        raise Refused(400, "text is too long")
    if len(attachments) > 1:
        raise Refused(400, "one attachment is allowed")
    for attachment in attachments:
        _only(attachment, {"media_id"})
        if not files.get(attachment["media_id"], "").startswith("dm_"):
            raise Refused(400, "Your media IDs are invalid.")


def admit_post(body: Any, files: Mapping[str, str], length: int) -> None:
    """Refuse a post that X would refuse."""
    _only(body, {"text", "reply", "media"})
    _only(body.get("reply", {}), {"in_reply_to_tweet_id"})
    _only(body.get("media", {}), {"media_ids"})
    text, ids = body.get("text", ""), body.get("media", {}).get("media_ids", [])
    if not text.strip() and not ids:
        raise Refused(400, "text or media is required")
    links = _LINK.findall(text)
    rest = _LINK.sub("", text)
    if 23 * len(links) + len(rest) + len(_HEAVY.findall(rest)) > length:
        raise Refused(403, "Your Tweet text is too long.", code=186)
    kinds = [files.get(one, "") for one in ids]
    if not all(kind.startswith("tweet_") for kind in kinds):
        raise Refused(400, "Your media IDs are invalid.")
    if len(ids) > (POST_FILES if set(kinds) == {"tweet_image"} else 1):
        raise Refused(400, "too many media_ids")


def admit_upload(body: Any) -> None:
    """Refuse the beginning of an upload."""
    _only(body, {"media_type", "total_bytes", "media_category"})
    category = _CATEGORY.fullmatch(str(body.get("media_category")))
    if category is None:
        raise Refused(400, "media_category is not valid")
    most = {"image": IMAGE_BYTES, "gif": GIF_BYTES, "video": VIDEO_BYTES}[category[2]]
    if not isinstance(body.get("total_bytes"), int) or not 0 < body["total_bytes"] <= most:
        raise Refused(400, "total_bytes is not valid")


def _only(body: Any, known: set[str]) -> None:
    if not isinstance(body, dict):
        raise Refused(400, "an object is expected")
    for name in body:
        if name not in known:
            raise Refused(400, f"unknown field {name}")


def signed_by(request: ApiRequest, consumer_secret: str, token_secret: str) -> str:
    """Give the token of an OAuth 1.0a request that is properly signed, or `""`."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme != "OAuth":
        return ""
    given = {}
    for pair in rest.split(","):
        name, _, value = pair.strip().partition("=")
        given[name] = unquote(value.strip('"'))
    claimed = given.pop("oauth_signature", "")
    pairs = [*given.items(), *request.query_params.multi_items()]
    escaped = sorted(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    url = str(request.url.replace(query=""))
    base = "&".join(quote(part, safe="") for part in (request.method, url, "&".join(escaped)))
    key = f"{quote(consumer_secret, safe='')}&{quote(token_secret, safe='')}"
    mac = b64encode(hmac.digest(key.encode(), base.encode(), "sha1"))
    return given.get("oauth_token", "") if hmac.compare_digest(mac, claimed.encode()) else ""
