"""The vendors' own libraries read in the recorded payloads what we read in them (`nox -s contract`)."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import pytest

from channelry.model import MessageReceived
from channelry_testing.payloads import Payload, read_payloads

CHANNELS = Path(__file__).parents[2] / "plugins" / "channels"
Message: TypeAlias = tuple[str | None, str, str]
"""Who wrote, where the library reads that, the message's id, and its text, or `""`."""
Read: TypeAlias = Callable[[Payload], Iterator[Message]]


def line(payload: Payload) -> Iterator[Message]:
    from linebot.v3.webhook import WebhookParser
    from linebot.v3.webhooks import MessageEvent

    mac = hmac.digest(b"secret", payload.request.body, hashlib.sha256)
    events = WebhookParser("secret").parse(payload.request.body.decode(), base64.b64encode(mac).decode())
    for event in events:
        if isinstance(event, MessageEvent):
            yield event.source.user_id, event.message.id, getattr(event.message, "text", None) or ""


def viber(payload: Payload) -> Iterator[Message]:
    from viberbot.api.messages import TextMessage
    from viberbot.api.viber_requests import ViberMessageRequest, create_request

    request = create_request(payload.request.json())
    if isinstance(request, ViberMessageRequest):
        message = request.message
        yield request.sender.id, str(request.message_token), message.text if isinstance(message, TextMessage) else ""


def telegram(payload: Payload) -> Iterator[Message]:
    from aiogram.types import Update

    update = Update.model_validate(payload.request.json())
    for message in filter(None, (update.message, update.channel_post, update.business_message)):
        sender = message.from_user or message.sender_chat or message.chat
        yield str(sender.id), f"{message.chat.id}:{message.message_id}", message.text or message.caption or ""


def whatsapp(payload: Payload) -> Iterator[Message]:
    from pywa import WhatsApp
    from pywa.types import Message as PywaMessage
    from pywa.types.base_update import RawUpdate

    update = RawUpdate(payload.request.body, hmac_header=None, update_hash="")
    client = WhatsApp(phone_id="2002", token="token")
    if "messages" in update.value:
        message = PywaMessage.from_update(client, update)
        yield message.from_user.wa_id, message.id, message.text or message.caption or ""


PEERS: Mapping[str, tuple[str, Read]] = {
    "line": ("linebot", line), "viber": ("viberbot", viber), "telegram": ("aiogram", telegram),
    "whatsapp": ("pywa", whatsapp),
}  # fmt: skip
DIFFERENT: Mapping[str, Mapping[str, str]] = {
    "line": {
        "id-number unknown": "it reads ids that are strings, and types that it knows, only",
        "batch seconds": "it refuses rows in which something is missing, or a time in seconds",
        "postback postback-params": "a pressed button is a message with us",
    },
    "viber": {
        "future unknown": "it raises for types that it does not know",
        "button": "the text of a pressed button is its title, which we keep in the postback",
        "picture url": "it has no text beside a file or a link",
    },
    "telegram": {
        "album_by_number": "it reads ids that are strings only",
        "anonymous_admin": "who writes as the group has the group's address with us, not that of Telegram's stand-in",
        "business_by_bot business_echo channel_post": "what the business itself wrote is no customer's message",
        "migrate service_message": "what happened to a group is no message",
        "callback_query callback_query_group callback_query_inline callback_query_title":
            "a pressed button is a message with us",
        "caption_link text_link": "we write a link that hides behind words in full",
        "group_left_while_restricted": "it needs all that a member may not do",
        "chat_member group_joined group_promoted poll poll_answer unblocked": "recorded with what we read of them only",
    },
    "whatsapp": {
        "bad-rows batch": "it reads the first row of a delivery only",
        "edit edit-caption reaction reaction-removed revoke": "changes are events of their own with us",
        "system-new_wa_id system-user_changed_number system-user_changed_user_id": "changes of an id are, too",
        "identity-no-contact identity-not-in-contact identity-phone no-type unsupported":
            "it needs what Meta may leave out",
        "identity-number": "it gives a number as it came",
        "empty object-instagram object-page": "it raises for deliveries that concern nobody",
    },
}  # fmt: skip
"""The payloads that are read differently, by name, and why."""


@pytest.mark.parametrize("channel", PEERS)
def test_both_read_the_same_messages(channel: str) -> None:
    library, read = PEERS[channel]
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed: nox -s contract")
    different = set()
    for payload in read_payloads(CHANNELS / channel / "tests" / "payloads"):
        ours = [event for event in payload.events if isinstance(event, MessageReceived)]
        try:
            same = len(theirs := list(read(payload))) == len(ours) and all(map(is_same, theirs, ours))
        except Exception:  # whatever a library raises for what it cannot read
            same = False
        if not same:
            different.add(payload.name.removesuffix(".json"))
    assert different == {name for names in DIFFERENT[channel] for name in names.split()}


def is_same(theirs: Message, ours: MessageReceived) -> bool:
    """Tell whether a message is the same; its sender may have several addresses, of which the library reads one."""
    sender, external_id, text = theirs
    addresses = {one.value.lstrip("+") for one in (ours.sender.address, *ours.sender.aliases)}
    return (external_id, text) == (ours.external_id, ours.text) and (sender is None or sender in addresses)
