"""The simulated LINE: it signs as LINE does and refuses what LINE refuses."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from channelry.config import load_configuration
from channelry.model import MessageReceived, Request
from channelry.registry import examine
from channelry_line import simulator_rules as rules
from channelry_line.capabilities import CAPABILITIES
from channelry_line.connection import ORIGIN
from channelry_line.plugin import Line
from channelry_line.simulator import LineSimulator
from channelry_testing import AsgiHttp, FakeClock

pytestmark = pytest.mark.anyio

TEXT = {"type": "text", "text": "hi"}
PUSH = {"to": "Udi", "messages": [TEXT]}
RETRY_KEY = "123e4567-e89b-12d3-a456-426614174000"
IMAGE = {"type": "image", "originalContentUrl": "https://x.example/1", "previewImageUrl": "https://x.example/2"}
PLACE = {"type": "location", "title": "t", "address": "a", "latitude": 1, "longitude": 2.5}
POSTBACK = {"type": "postback", "label": "Yes", "data": "y"}


def quick(*actions: Any) -> dict[str, Any]:
    return {**TEXT, "quickReply": {"items": [{"type": "action", "action": action} for action in actions]}}


async def call(
    simulator: LineSimulator, body: Any, path: str = "/v2/bot/message/push", token: str | None = None, **headers: str
) -> tuple[int, Any]:
    """Call the simulated Messaging API and give the status and the answer."""
    token = simulator.channel_access_token if token is None else token
    sent = {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): one for name, one in headers.items()}}
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = await AsgiHttp({ORIGIN: simulator.app}).request("POST", f"{ORIGIN}{path}", headers=sent, content=content)
    return answer.status, answer.json()


def test_it_signs_the_published_vector() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    unsigned = Request("POST", "/", ((b"x-line-signature", b"old"),), b'{"hello":"w\\u00f6rld"}', at)
    signed = LineSimulator(channel_secret="line_channel_secret").signed(unsigned)
    assert signed.header(b"x-line-signature") == b"AXk6eMhssex5idEWaoOyYvF6QGONh0JSyj3ysy21iQc="


def test_the_plugin_fits_the_contract() -> None:
    examine("line", Line)


def test_its_customers_write_several_in_one_webhook(line: Line, simulator: LineSimulator) -> None:
    request = simulator.webhook(
        simulator.written("Udi", type="text", text="γειά 😀"), simulator.written("Ueve", "C1", type="text", text="hi")
    )
    line.verify(request)
    one, two = line.parse(request).events
    assert isinstance(one, MessageReceived)
    assert isinstance(two, MessageReceived)
    assert (one.text, one.sender.address.value, one.thread) == ("γειά 😀", "Udi", None)
    assert two.thread is not None
    assert one.account == simulator.bot_user_id


async def test_a_reply_token_is_good_once_and_for_a_minute(simulator: LineSimulator, clock: FakeClock) -> None:
    token = simulator.written("Udi", type="text", text="hi")["replyToken"]
    late = simulator.written("Udi", type="text", text="hi")["replyToken"]
    reply = "/v2/bot/message/reply"
    assert (await call(simulator, {"replyToken": token, "messages": [TEXT]}, reply))[0] == 200
    assert await call(simulator, {"replyToken": token, "messages": [TEXT]}, reply) == (
        400,
        {"message": "Invalid reply token"},
    )
    await clock.advance(60)
    assert (await call(simulator, {"replyToken": late, "messages": [TEXT]}, reply))[0] == 400
    assert len(simulator.ledger.taken) == 1


async def test_a_retry_key_is_taken_once(simulator: LineSimulator) -> None:
    first = await call(simulator, PUSH, x_line_retry_key=RETRY_KEY)
    again = await call(simulator, PUSH, x_line_retry_key=RETRY_KEY)
    assert (first[0], again[0]) == (200, 409)
    assert first[1]["sentMessages"] == again[1]["sentMessages"]
    assert (len(simulator.ledger.taken), simulator.pushed) == (1, 1)


async def test_a_retry_key_is_a_uuid_and_no_replys(simulator: LineSimulator) -> None:
    assert (await call(simulator, PUSH, x_line_retry_key="k"))[0] == 400
    reply = {"replyToken": simulator.event("message", "U1", message={})["replyToken"], "messages": PUSH["messages"]}
    assert (await call(simulator, reply, "/v2/bot/message/reply", x_line_retry_key=RETRY_KEY))[0] == 400
    assert not simulator.ledger.taken


@pytest.mark.parametrize("token", ["", "another", "ü"])
async def test_it_refuses_who_does_not_show_a_token(simulator: LineSimulator, token: str) -> None:
    for path in ("message/reply", "message/push", "chat/loading/start", "chat/markAsRead", "channel/webhook/test"):
        assert (await call(simulator, PUSH, f"/v2/bot/{path}", token))[0] == 401
    assert not simulator.ledger.taken


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("message/push", b"no JSON"),
        ("message/push", []),
        ("message/push", {}),
        ("message/push", PUSH | {"colour": "red"}),
        ("message/push", PUSH | {"to": ""}),
        ("message/push", PUSH | {"messages": []}),
        ("message/push", PUSH | {"messages": TEXT}),
        ("message/push", PUSH | {"messages": [TEXT] * 6}),
        ("message/push", PUSH | {"messages": [{"type": "hologram"}]}),
        ("message/push", PUSH | {"messages": [TEXT | {"bold": True}]}),
        ("message/push", PUSH | {"messages": [TEXT | {"text": ""}]}),
        ("message/push", PUSH | {"messages": [TEXT | {"text": "😀" * 2501}]}),
        ("message/push", PUSH | {"messages": [IMAGE | {"originalContentUrl": "http://x.example"}]}),
        ("message/push", PUSH | {"messages": [{"type": "image", "originalContentUrl": "https://x.example"}]}),
        ("message/push", PUSH | {"messages": [IMAGE | {"type": "audio"}]}),
        ("message/push", PUSH | {"messages": [PLACE | {"title": ""}]}),
        ("message/push", PUSH | {"messages": [PLACE | {"latitude": "1"}]}),
        ("message/push", PUSH | {"messages": [{"type": "sticker", "packageId": "a", "stickerId": "1"}]}),
        ("message/push", PUSH | {"messages": [quick()]}),
        ("message/push", PUSH | {"messages": [quick(*[POSTBACK] * 14)]}),
        ("message/push", PUSH | {"messages": [quick(POSTBACK | {"label": "x" * 21})]}),
        ("message/push", PUSH | {"messages": [quick(POSTBACK | {"data": "x" * 301})]}),
        ("message/push", PUSH | {"messages": [quick(POSTBACK | {"type": "dance"})]}),
        ("message/reply", PUSH),
        ("chat/loading/start", {"chatId": "C1", "loadingSeconds": 20}),
        ("chat/loading/start", {"chatId": "Udi", "loadingSeconds": 61}),
        ("chat/loading/start", {"chatId": "Udi", "loadingSeconds": "20"}),
        ("chat/markAsRead", {"messageId": "1"}),
    ],
)
async def test_it_refuses_unknown_fields_and_values_over_the_limits(
    simulator: LineSimulator, path: str, body: Any
) -> None:
    assert (await call(simulator, body, f"/v2/bot/{path}"))[0] == 400
    assert not simulator.ledger.taken


async def test_it_names_what_is_wrong_and_where(simulator: LineSimulator) -> None:
    _, answer = await call(simulator, {"messages": [IMAGE | {"previewImageUrl": ""}]})
    assert answer == {
        "message": "The request body has 2 error(s)",
        "details": [
            {"property": "to", "message": "must be specified"},
            {"property": "messages[0]/previewImageUrl", "message": "is not valid"},
        ],
    }


def test_it_takes_no_less_and_no_more_than_the_plugin_declares() -> None:
    """Limits stand on both sides, for neither imports the other: here they are compared."""
    assert CAPABILITIES.text == rules.MESSAGE.shapes["text"]["text"]
    assert CAPABILITIES.buttons is not None
    assert CAPABILITIES.buttons.count == rules.QUICK_REPLIES


def test_its_settings_are_a_connection(simulator: LineSimulator, tmp_path: Any) -> None:
    lines = [f'{name} = "{value}"' for name, value in simulator.settings("http://line.test").items()]
    path = tmp_path / "channelry.toml"
    path.write_text("\n".join(["allow_inline_secrets = true", "[connections.support]", *lines]))
    (entry,) = load_configuration(path).entries
    entry.cls(entry.config).verify(simulator.message("Udi", "hi"))
