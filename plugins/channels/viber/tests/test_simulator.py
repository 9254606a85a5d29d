"""The simulated Viber: it signs as Viber does and refuses what Viber refuses."""

from typing import Any

import orjson
import pytest

from channelry.config import load_configuration
from channelry.model import Kind, MessageReceived, Request, Surface
from channelry.registry import examine
from channelry_testing import AsgiHttp
from channelry_viber import simulator_rules as rules
from channelry_viber.capabilities import CARD, KEYBOARD
from channelry_viber.connection import ORIGIN
from channelry_viber.plugin import Viber
from channelry_viber.simulator import ViberSimulator

pytestmark = pytest.mark.anyio

TEXT = {"receiver": "di==", "sender": {"name": "Care"}, "type": "text", "text": "hi"}
PICTURE = {**TEXT, "type": "picture", "media": "https://cdn.example/1.jpg"}
FILE = {name: value for name, value in PICTURE.items() if name != "text"} | {
    "type": "file",
    "file_name": "a.pdf",
    "size": 1,
}
BUTTON = {"ActionType": "reply", "ActionBody": "y", "Text": "Yes"}
KEYS = {"Type": "keyboard", "Buttons": [BUTTON]}


async def call(
    simulator: ViberSimulator, body: Any, method: str = "send_message", token: str | None = None
) -> tuple[int, Any]:
    """Call the simulated API and give the HTTP status and the status in the body."""
    headers = {"X-Viber-Auth-Token": simulator.auth_token if token is None else token}
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = await AsgiHttp({ORIGIN: simulator.app}).request(
        "POST", f"{ORIGIN}/pa/{method}", headers=headers, content=content
    )
    return answer.status, answer.json().get("status")


def test_it_signs_the_published_vector() -> None:
    request = Request(
        "POST", "/", ((b"x-viber-content-signature", b"old"),), b'{"hello":"w\\u00f6rld"}', ViberSimulator().now()
    )
    signed = ViberSimulator(auth_token="viber-token").signed(request)
    assert signed.header(b"x-viber-content-signature") == (
        b"1135a668714dfe74f067d6a0134f707235d861d020c7ff53822a3fca8a8ce34d"
    )


def test_the_plugin_fits_the_contract() -> None:
    examine("viber", Viber)


@pytest.mark.row("A3")
def test_its_customers_write(viber: Viber, simulator: ViberSimulator) -> None:
    request = simulator.message("eve==", "γειά 😀")
    viber.verify(request)
    (event,) = viber.parse(request).events
    assert isinstance(event, MessageReceived)
    assert (event.text, event.sender.address.value, event.sender.name) == ("γειά 😀", "eve==", "Customer eve==")
    assert event.surface is Surface.DIRECT


async def test_it_takes_a_text_and_queues_its_statuses(simulator: ViberSimulator) -> None:
    assert await call(simulator, TEXT) == (200, 0)
    assert [taken.text for taken in simulator.ledger.taken] == ["hi"]
    assert [orjson.loads(webhook.body)["event"] for webhook in simulator.webhooks] == ["delivered", "seen"]


async def test_it_tells_only_what_the_webhook_asked_for(simulator: ViberSimulator) -> None:
    assert await call(simulator, {"url": "https://care.example.com", "event_types": ["seen"]}, "set_webhook") == (
        200,
        0,
    )
    await call(simulator, TEXT)
    assert [orjson.loads(webhook.body)["event"] for webhook in simulator.webhooks] == ["seen"]
    assert await call(simulator, {"url": ""}, "set_webhook") == (200, 0)
    assert not simulator.webhook


@pytest.mark.parametrize("token", ["", "another", "ü"])
async def test_it_refuses_who_does_not_show_the_token(simulator: ViberSimulator, token: str) -> None:
    for method in ("send_message", "set_webhook", "get_account_info", "get_user_details"):
        assert await call(simulator, TEXT, method, token) == (200, 2)
    assert not simulator.ledger.taken


async def test_it_knows_its_subscribers(simulator: ViberSimulator) -> None:
    assert await call(simulator, {"id": "di=="}, "get_user_details") == (200, 0)
    assert await call(simulator, {"id": "eve=="}, "get_user_details") == (200, 5)
    assert await call(simulator, TEXT | {"receiver": "eve=="}) == (200, 5)


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"[]",
        {},
        TEXT | {"colour": "red"},
        TEXT | {"text": ""},
        TEXT | {"text": "x" * 7001},
        TEXT | {"type": "hologram"},
        TEXT | {"sender": {}},
        TEXT | {"sender": {"name": "x" * 29}},
        TEXT | {"sender": {"name": "Care", "age": 3}},
        TEXT | {"media": "https://cdn.example/1.jpg"},
        TEXT | {"tracking_data": "x" * 4001},
        {name: value for name, value in TEXT.items() if name != "sender"},
        PICTURE | {"text": "x" * 513},
        PICTURE | {"media": "file:///etc/passwd"},
        PICTURE | {"media": None},
        FILE | {"size": 50_000_001},
        FILE | {"size": "1"},
        FILE | {"file_name": "x" * 257},
        {name: value for name, value in FILE.items() if name != "size"},
        FILE | {"type": "location"},
        TEXT | {"keyboard": {}},
        TEXT | {"keyboard": KEYS | {"Colour": "red"}},
        TEXT | {"keyboard": KEYS | {"Buttons": [BUTTON] * 13}},
        TEXT | {"keyboard": KEYS | {"Buttons": [BUTTON | {"Text": "x" * 251}]}},
        TEXT | {"keyboard": KEYS | {"Buttons": [BUTTON | {"ActionType": "dance"}]}},
        TEXT | {"keyboard": KEYS | {"Buttons": [BUTTON | {"Columns": 7}]}},
        b" " * 30_001,
    ],
)
async def test_it_refuses_unknown_fields_and_values_over_the_limits(simulator: ViberSimulator, body: Any) -> None:
    status, code = await call(simulator, body)
    assert (status, code in (3, 4)) == (200, True)
    assert not simulator.ledger.taken


@pytest.mark.parametrize(
    ("body", "code"), [({}, 3), ({"url": 3}, 3), ({"url": "http://care.example.com"}, 1), ({"url": "x", "color": 1}, 3)]
)
async def test_it_refuses_a_webhook_that_viber_would_not_call(simulator: ViberSimulator, body: Any, code: int) -> None:
    assert await call(simulator, body, "set_webhook") == (200, code)


def test_it_takes_no_less_and_no_more_than_the_plugin_declares() -> None:
    """Limits stand on both sides, for neither imports the other: here they are compared."""
    assert (KEYBOARD.text, KEYBOARD.caption) == (rules.TEXT["text"], rules.TEXT["picture"])
    assert KEYBOARD.media[Kind.VIDEO].link == rules.LARGEST["video"]
    assert {KEYBOARD.media[kind].link for kind in (Kind.DOCUMENT, Kind.AUDIO, Kind.VOICE)} == {rules.LARGEST["file"]}
    assert KEYBOARD.buttons is not None
    assert CARD.buttons is not None
    assert KEYBOARD.buttons.count == rules.KEYBOARD_ROWS
    assert CARD.buttons.count == rules.CARD_ROWS - 2


def test_its_settings_are_a_connection(simulator: ViberSimulator, tmp_path: Any) -> None:
    lines = [f'{name} = "{value}"' for name, value in simulator.settings("http://viber.test").items()]
    path = tmp_path / "channelry.toml"
    path.write_text("\n".join(["allow_inline_secrets = true", "[connections.support]", *lines]))
    (entry,) = load_configuration(path).entries
    entry.cls(entry.config).verify(simulator.message("di==", "hi"))


async def test_webhooks_wait_until_they_are_answered_with_2xx(simulator: ViberSimulator) -> None:
    statuses = iter([503, 200, 200])

    async def post(_: Any) -> int:
        return next(statuses)

    simulator.post = post
    await call(simulator, TEXT)
    await simulator.flush()
    assert len(simulator.webhooks) == 1
    await simulator.flush()
    assert not simulator.webhooks
