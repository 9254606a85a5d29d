"""The simulated Messenger: it signs as Meta does and refuses what Meta refuses."""

from typing import Any

import orjson
import pytest

from channelry.model import Kind, MessageReceived, Request, Surface
from channelry.registry import examine
from channelry_messenger.capabilities import CAPABILITIES
from channelry_messenger.plugin import Messenger
from channelry_messenger.simulator import MessengerSimulator
from channelry_meta.simulator import UPLOADS
from channelry_testing import AsgiHttp

from .conftest import ORIGIN

pytestmark = pytest.mark.anyio

TEXT: dict[str, Any] = {"recipient": {"id": "PSID1"}, "messaging_type": "RESPONSE", "message": {"text": "hi"}}
MARK: dict[str, Any] = {"recipient": {"id": "PSID1"}, "sender_action": "mark_seen"}
BUTTON = {"type": "postback", "title": "Yes", "payload": "y"}


async def call(
    simulator: MessengerSimulator, body: Any, path: str = "55/messages", token: str | None = None, method: str = "POST"
) -> tuple[int, Any]:
    """Call the simulated Graph API and give the status and the error's code."""
    headers = {"Authorization": f"Bearer {simulator.access_token if token is None else token}"}
    answer = await AsgiHttp({ORIGIN: simulator.app}).request(
        method, f"{ORIGIN}/v26.0/{path}", headers=headers, content=orjson.dumps(body)
    )
    return answer.status, answer.json().get("error", {}).get("code")


def test_the_plugin_fits_the_contract() -> None:
    examine("messenger", Messenger)


@pytest.mark.row("A3")
def test_its_customers_write(messenger: Messenger) -> None:
    request = MessengerSimulator().message("PSID7", "γειά 😀")
    assert request.body.isascii()
    messenger.verify(request)
    (event,) = messenger.parse(request).events
    assert isinstance(event, MessageReceived)
    assert (event.text, event.sender.address.value, event.account) == ("γειά 😀", "PSID7", "55")
    assert event.surface is Surface.DIRECT


def test_it_signs_any_request_once(simulator: MessengerSimulator) -> None:
    request = simulator.signed(simulator.message("PSID1", "hi"))
    assert [name for name, _ in request.headers].count(b"x-hub-signature-256") == 1
    assert isinstance(request, Request)


@pytest.mark.parametrize("token", ["", "another", "ü"])
async def test_it_refuses_who_does_not_show_the_token(token: str, simulator: MessengerSimulator) -> None:
    for path, method in (("55/messages", "POST"), ("55/message_attachments", "POST"), ("55", "GET"),
                         ("55/subscribed_apps", "GET"), ("77/subscriptions", "GET")):  # fmt: skip
        assert await call(simulator, TEXT, path, token, method) == (401, 190)
    assert not simulator.ledger.taken


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"message": {"text": "hi", "bold": True}},
        {"message": {"text": "x" * 2001}},
        {"message": {"text": ""}},
        {"message": {}},
        {"message": None},
        {"message": {"text": "hi", "metadata": "x" * 1001}},
        {"message": {"text": "hi", "sticker_id": 1}},
        {"message": {"sticker_id": "1"}},
        {"message": {"text": "hi", "quick_replies": []}},
        {"message": {"text": "hi", "quick_replies": [{"content_type": "text", "title": "x" * 21, "payload": "y"}]}},
        {"message": {"attachment": {"type": "hologram", "payload": {"url": "https://x.example"}}}},
        {"message": {"attachment": {"type": "image", "payload": {}}}},
        {"message": {"attachment": {"type": "image", "payload": {"attachment_id": "unknown"}}}},
        {"message": {"attachment": {"type": "template", "payload": {"template_type": "list"}}}},
        {"message": {"attachment": {"type": "template", "payload": {
            "template_type": "button", "text": "x" * 641, "buttons": [BUTTON]}}}},
        {"message": {"attachment": {"type": "template", "payload": {
            "template_type": "button", "text": "x", "buttons": [BUTTON] * 4}}}},
        {"recipient": {}},
        {"recipient": {"id": "nobody"}},
        {"recipient": {"id": "PSID1", "comment_id": "900_7"}},
        {"recipient": {"comment_id": "unknown"}},
        {"messaging_type": "SHOUT"},
        {"messaging_type": "MESSAGE_TAG"},
        {"tag": "HUMAN_AGENT"},
    ],
)  # fmt: skip
async def test_it_refuses_unknown_fields_and_values_over_the_limits(
    change: dict[str, Any], simulator: MessengerSimulator
) -> None:
    assert await call(simulator, TEXT | change) == (400, 100)
    assert not simulator.ledger.taken


@pytest.mark.parametrize(
    "body",
    [[], 3, {}, MARK | {"sender_action": "wave"}, MARK | {"message": {"text": "x"}},
     MARK | {"recipient": {"id": "nobody"}}, MARK | {"sender_action": "react"}],
)  # fmt: skip
async def test_it_refuses_what_is_no_message(body: Any, simulator: MessengerSimulator) -> None:
    assert (await call(simulator, body))[0] == 400


async def test_it_refuses_objects_that_are_not_its_own(simulator: MessengerSimulator) -> None:
    assert await call(simulator, TEXT, "56/messages") == (400, 100)
    assert await call(simulator, {}, "56/subscribed_apps") == (400, 100)
    assert await call(simulator, {}, "nobody", method="GET") == (400, 100)


def test_it_takes_no_less_than_the_plugin_declares() -> None:
    """Limits stand on both sides, for neither imports the other: here they are compared."""
    kinds = {"image": Kind.IMAGE, "audio": Kind.AUDIO, "video": Kind.VIDEO, "file": Kind.DOCUMENT}
    assert {kind: CAPABILITIES.media[known].upload for kind, known in kinds.items()} == UPLOADS
