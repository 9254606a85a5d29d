"""The simulated platform: it signs as Meta does and refuses what Meta refuses."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from channelry.model import MessageReceived, Request, Surface
from channelry.registry import examine
from channelry.secrets import Secret
from channelry_testing import AsgiHttp
from channelry_whatsapp.plugin import WhatsApp
from channelry_whatsapp.simulator import WhatsAppSimulator
from channelry_whatsapp.simulator_rules import UPLOADS

pytestmark = pytest.mark.anyio

ORIGIN = "https://graph.example"
TEXT = {"messaging_product": "whatsapp", "to": "49170", "type": "text", "text": {"body": "hi"}}
CARD = {"name": {"formatted_name": "Gus"}}


async def call(
    simulator: WhatsAppSimulator, body: Any, path: str = "2002/messages", token: str | None = None, method: str = "POST"
) -> tuple[int, Any]:
    """Call the simulated Graph API and give the status and the error's code."""
    headers = {"Authorization": f"Bearer {simulator.access_token if token is None else token}"}
    answer = await AsgiHttp({ORIGIN: simulator.app}).request(
        method, f"{ORIGIN}/v26.0/{path}", headers=headers, content=orjson.dumps(body)
    )
    return answer.status, answer.json().get("error", {}).get("code")


def test_it_signs_the_published_vector() -> None:
    bare = Request("POST", "/", (), b'{"hello":"w\\u00f6rld"}', datetime(2026, 11, 22, tzinfo=UTC))
    request = WhatsAppSimulator(app_secret="meta_app_secret").signed(bare)
    expected = b"sha256=6910dd4ebee0899b4aa2da917e24098e3dcfe47773eed8989457dab83aeaef33"
    assert request.header(b"x-hub-signature-256") == expected


def test_the_plugin_fits_the_contract() -> None:
    examine("whatsapp", WhatsApp)


@pytest.mark.row("A3")
@pytest.mark.parametrize(("customer", "alias"), [("491700000001", 1), ("DE.7f3a", 0)])
def test_its_customers_write_with_a_number_or_a_user_id(customer: str, alias: int) -> None:
    simulator = WhatsAppSimulator()
    request = simulator.message(customer, "γειά 😀")
    assert request.body.isascii()
    (event,) = WhatsApp.parse(plugin_of(simulator), request).events
    assert isinstance(event, MessageReceived)
    assert (event.text, event.sender.address.value) == ("γειά 😀", customer)
    assert (event.sender.name, len(event.sender.aliases)) == (f"Customer {customer}", alias)
    assert event.surface is Surface.DIRECT


def plugin_of(simulator: WhatsAppSimulator) -> WhatsApp:
    settings = simulator.settings(ORIGIN)
    assert settings.pop("plugin") == "whatsapp"
    for name in ("access_token", "verify_token", "app_secret"):
        settings[name] = Secret(settings[name])
    settings["app_secret"] = (settings["app_secret"],)
    return WhatsApp(WhatsApp.Config(**settings))


def test_several_messages_come_in_one_webhook() -> None:
    simulator = WhatsAppSimulator()
    rows = [simulator.row("491700000001", "text", {"body": str(number)}) for number in range(3)]
    request = simulator.webhook(*rows)
    plugin_of(simulator).verify(request)
    assert len(plugin_of(simulator).parse(request).events) == 3


async def test_it_takes_a_text_and_queues_its_statuses() -> None:
    simulator = WhatsAppSimulator()
    assert await call(simulator, TEXT) == (200, None)
    assert [taken.text for taken in simulator.ledger.taken] == ["hi"]
    assert len(simulator.webhooks) == 3


@pytest.mark.parametrize("token", ["", "another", "ü"])
async def test_it_refuses_who_does_not_show_the_token(token: str) -> None:
    simulator = WhatsAppSimulator()
    for path, method in (
        ("2002/messages", "POST"),
        ("2002/media", "POST"),
        ("2002", "GET"),
        ("1001/subscribed_apps", "GET"),
    ):
        assert await call(simulator, TEXT, path, token, method) == (401, 190)
    assert not simulator.ledger.taken


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"text": {"body": "hi", "bold": True}},
        {"text": {"body": "x" * 4097}},
        {"text": {"body": ""}},
        {"text": {}},
        {"to": None},
        {"recipient": "DE.1"},
        {"type": "hologram"},
        {"type": "image"},
        {"messaging_product": "sms"},
        {"biz_opaque_callback_data": "x" * 513},
        {"type": "image", "image": {"id": "unknown"}},
        {"type": "image", "image": {"link": "https://x.example", "id": "1"}},
        {"type": "image", "image": {"link": "https://x.example", "caption": "x" * 1025}},
        {"type": "sticker", "sticker": {"link": "https://x.example", "caption": "x"}},
        {"type": "location", "location": {"latitude": "1", "longitude": 2}},
        {"type": "contacts", "contacts": []},
        {"type": "contacts", "contacts": [CARD | {"age": 3}]},
        {"type": "interactive", "interactive": {"type": "carousel"}},
        {"type": "interactive", "interactive": {"type": "button", "body": {"text": "x"}, "action": {"buttons": []}}},
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "x"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "x" * 21}}]},
            },
        },
    ],
)
async def test_it_refuses_unknown_fields_and_values_over_the_limits(change: dict[str, Any]) -> None:
    simulator = WhatsAppSimulator()
    body = {name: value for name, value in (TEXT | change).items() if value is not None}
    if body["type"] != "text":
        body.pop("text")
    status, code = await call(simulator, body)
    assert status == 400
    assert code in (100, 131008, 131009)
    assert not simulator.ledger.taken


@pytest.mark.parametrize("body", [[], 3, {}, {"status": "unread"}, {"status": "read"}])
async def test_it_refuses_what_is_no_message(body: Any) -> None:
    assert (await call(WhatsAppSimulator(), body))[0] == 400


async def test_it_refuses_objects_that_are_not_its_own() -> None:
    simulator = WhatsAppSimulator()
    assert await call(simulator, TEXT, "4004/messages") == (400, 100)
    assert await call(simulator, {}, "4004/subscribed_apps") == (400, 100)
    assert await call(simulator, {}, "4004", method="GET") == (400, 100)


@pytest.mark.parametrize("kind", sorted(WhatsApp.capabilities.media))
def test_it_takes_no_less_than_the_plugin_declares(kind: Any) -> None:
    """Limits stand on both sides, for neither imports the other: here they are compared."""
    limit = WhatsApp.capabilities.media[kind]
    for media_type in limit.types or {"application/pdf"}:
        assert UPLOADS[media_type] == limit.upload


async def test_webhooks_wait_until_they_are_answered_with_2xx() -> None:
    simulator = WhatsAppSimulator()
    statuses = iter([503, 200, 200, 200])

    async def post(_: Any) -> int:
        return next(statuses)

    simulator.post = post
    await call(simulator, TEXT)
    await simulator.flush()
    assert len(simulator.webhooks) == 1
    await simulator.flush()
    assert not simulator.webhooks
