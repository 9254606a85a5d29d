"""What the simulated Web API takes: its methods, their arguments, their limits.

Source: https://docs.slack.dev/reference/methods and https://docs.slack.dev/reference/block-kit
"""

import re
from collections.abc import Mapping
from typing import Any

TEXT, SECTION, BUTTON_TEXT, BUTTON_VALUE, BUTTON_URL = 40_000, 3000, 75, 2000, 3000
BUTTONS, BLOCKS, FILES, MAX_FILE = 25, 50, 10, 1_000_000_000
ALT_TEXT, METADATA_NAME = 2000, re.compile(r"[A-Za-z0-9_]{1,255}")

REQUIRED: dict[str, list[str]] = {
    "auth.test": [],
    "chat.postMessage": ["channel"],
    "chat.update": ["channel", "ts"],
    "chat.delete": ["channel", "ts"],
    "reactions.add": ["channel", "timestamp", "name"],
    "reactions.remove": ["channel", "timestamp", "name"],
    "conversations.open": ["users"],
    "conversations.history": ["channel"],
    "conversations.replies": ["channel", "ts"],
    "files.getUploadURLExternal": ["filename", "length"],
    "files.completeUploadExternal": ["files"],
    "files.delete": ["file"],
    "files.info": ["file"],
    "users.info": ["user"],
}
_PAGE = ["cursor", "limit", "latest", "oldest", "inclusive", "include_all_metadata"]
OPTIONAL: dict[str, list[str]] = {
    "chat.postMessage": ["text", "blocks", "thread_ts", "reply_broadcast", "metadata", "mrkdwn", "unfurl_links"],
    "chat.update": ["text", "blocks", "metadata"],
    "conversations.history": _PAGE,
    "conversations.replies": _PAGE,
    "files.getUploadURLExternal": ["alt_txt", "snippet_type"],
    "files.completeUploadExternal": ["channel_id", "thread_ts", "initial_comment"],
    "users.info": ["include_locale"],
}


class RefusedError(Exception):
    """Slack refuses: its word for the error."""

    def __init__(self, error: str) -> None:
        self.error = error
        super().__init__(error)


def admit(method: str, body: Mapping[str, Any]) -> None:
    """Refuse what a method does not take, and what is too long or has no content."""
    if method not in REQUIRED:
        raise RefusedError("unknown_method")
    known = {*REQUIRED[method], *OPTIONAL.get(method, ())}
    if not known.issuperset(body) or any(not body.get(name) for name in REQUIRED[method]):
        raise RefusedError("invalid_arguments")
    if method in ("chat.postMessage", "chat.update"):
        blocks = body.get("blocks") or []
        if not body.get("text") and not blocks:
            raise RefusedError("no_text")
        if len(body.get("text", "")) > TEXT:
            raise RefusedError("msg_too_long")
        if len(blocks) > BLOCKS or not all(map(_is_block, blocks)):
            raise RefusedError("invalid_blocks")
        _admit_metadata(body.get("metadata"))
    if method == "files.getUploadURLExternal" and not 0 < int(body["length"]) <= MAX_FILE:
        raise RefusedError("file_upload_size_restricted")
    if method == "files.completeUploadExternal":
        if len(body["files"]) > FILES:
            raise RefusedError("invalid_arguments")
        if len(body.get("initial_comment", "")) > TEXT:
            raise RefusedError("msg_too_long")


def _admit_metadata(metadata: Any) -> None:
    if metadata is None:
        return
    flat = isinstance(metadata, dict) and metadata.keys() == {"event_type", "event_payload"}
    if (
        not flat
        or not METADATA_NAME.fullmatch(metadata["event_type"])
        or not isinstance(metadata["event_payload"], dict)
    ):
        raise RefusedError("invalid_metadata_format")


def _is_block(block: Any) -> bool:
    if not isinstance(block, dict):
        return False
    match block.get("type"):
        case "section":
            return block.keys() == {"type", "text"} and _is_text(block["text"], "mrkdwn", SECTION)
        case "image":
            shown, alt = str(block.get("image_url", "")), str(block.get("alt_text", ""))
            return (
                block.keys() == {"type", "image_url", "alt_text"}
                and shown.startswith("http")
                and 0 < len(alt) <= ALT_TEXT
            )
        case "actions":
            elements = block.get("elements") or []
            names = [element.get("action_id") for element in elements if isinstance(element, dict)]
            return 0 < len(elements) <= BUTTONS and len(set(names)) == len(elements) and all(map(_is_button, elements))
    return False


def _is_text(text: Any, kind: str, most: int) -> bool:
    return isinstance(text, dict) and text.get("type") == kind and 0 < len(str(text.get("text", ""))) <= most


def _is_button(button: Any) -> bool:
    if button.get("type") != "button" or not _is_text(button.get("text"), "plain_text", BUTTON_TEXT):
        return False
    if button.keys() - {"type", "text", "action_id", "value", "url", "style"}:
        return False
    return len(button.get("value", "")) <= BUTTON_VALUE and len(button.get("url", "")) <= BUTTON_URL
