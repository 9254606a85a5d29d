"""What the simulated Graph API refuses: unknown fields, values that are missing or too long, large files.

Limits: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages
"""

from collections.abc import Container, Mapping
from functools import partial
from typing import Any

from channelry_meta import simulator_shapes
from channelry_meta.simulator_shapes import Codes, Refused, Shape

UNKNOWN, MISSING, INVALID = 100, 131008, 131009
_examine = partial(simulator_shapes.examine, codes=Codes(UNKNOWN, MISSING, INVALID))

_KIB, _MIB = 1024, 1024 * 1024
_AUDIO = ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg")
UPLOADS: Mapping[str, int] = {
    **dict.fromkeys(("image/jpeg", "image/png"), 5 * _MIB),
    **dict.fromkeys(("video/mp4", "video/3gpp", *_AUDIO), 16 * _MIB),
    **dict.fromkeys(("application/pdf", "text/plain"), 100 * _MIB),
    "image/webp": 500 * _KIB,
}
"""The largest file of each MIME type."""

_ID = 512
_FILE = {"id?": _ID, "link?": 2048}
_CAPTIONED = _FILE | {"caption?": 1024}
_ASKING = {"type": _ID, "header?": dict, "body": {"text": 1024}, "footer?": {"text": 60}}
_ROW = {"id": 200, "title": 24, "description?": 72}

_CONTACT = {
    "name": {"formatted_name": _ID, "first_name?": _ID, "last_name?": _ID},
    "phones?": ({"phone": _ID, "type?": _ID, "wa_id?": _ID}, 20),
    "emails?": ({"email": _ID, "type?": _ID}, 20),
    "org?": {"company?": _ID, "department?": _ID, "title?": _ID},
}
_ACTIONS: Mapping[str, Shape] = {
    "button": {"buttons": ({"type": "reply", "reply": {"id": 256, "title": 20}}, 3)},
    "list": {"button": 20, "sections": ({"title?": 24, "rows": (_ROW, 10)}, 10)},
    "cta_url": {"name": "cta_url", "parameters": {"display_text": 20, "url": 2000}},
    "location_request_message": {"name": "send_location"},
}
_CONTENT: Mapping[str, Shape] = {
    "text": {"body": 4096, "preview_url?": bool},
    "image": _CAPTIONED,
    "video": _CAPTIONED,
    "document": _CAPTIONED | {"filename?": 240},
    "audio": _FILE | {"voice?": bool},
    "sticker": _FILE,
    "location": {"latitude": float, "longitude": float, "name?": 1000, "address?": 1000},
    "contacts": (_CONTACT, 257),
    "reaction": {"message_id": _ID, "emoji": str},
    "template": {"name": _ID, "language": {"code": 10, "policy?": "deterministic"}, "components?": (dict, 10)},
}
_MESSAGE = {
    "messaging_product": "whatsapp",
    "recipient_type?": _ID,
    "to?": _ID,
    "recipient?": _ID,
    "type": _ID,
    "context?": {"message_id": _ID},
    "biz_opaque_callback_data?": 512,
}
_MARK = {"messaging_product": "whatsapp", "status": "read", "message_id": _ID, "typing_indicator?": {"type": "text"}}


def examine(body: Any, media: Container[str]) -> None:
    """Raise Refused unless Graph would take this message or mark; `media` holds the ids of its files."""
    if isinstance(body, dict) and "status" in body:
        _examine(body, _MARK)
        return
    kind = body.get("type") if isinstance(body, dict) else None
    shape = _interactive(body) if kind == "interactive" else _CONTENT.get(str(kind))
    if shape is None:
        raise Refused(INVALID, f"type must not be {kind!r}")
    _examine(body, _MESSAGE | {str(kind): shape})
    _one_of(body, "to", "recipient")
    if isinstance(shape, dict) and "link?" in shape:
        file = body[kind]
        _one_of(file, "id", "link")
        if "id" in file and file["id"] not in media:
            raise Refused(INVALID, f"there is no media {file['id']}")


def _interactive(body: Mapping[str, Any]) -> Shape:
    interactive = body.get("interactive")
    kind = interactive.get("type") if isinstance(interactive, dict) else None
    action = _ACTIONS.get(str(kind))
    return action and _ASKING | {"action": action}


def examine_subscription(body: Any) -> None:
    """Raise Refused unless this is a callback to subscribe."""
    _examine(body, {"override_callback_uri": 2048, "verify_token": _ID})


def examine_upload(media_type: str, size: int) -> None:
    """Raise Refused unless Graph would take a file of this type and size."""
    most = UPLOADS.get(media_type.partition(";")[0].strip())
    if most is None:
        raise Refused(UNKNOWN, f"Param file must be a file with one of the known types, not {media_type!r}")
    if size > most:
        raise Refused(UNKNOWN, f"the file is larger than {most} bytes")


def _one_of(value: Mapping[str, Any], *names: str) -> None:
    if sum(name in value for name in names) != 1:
        raise Refused(MISSING, f"exactly one of {' and '.join(names)} is required")
