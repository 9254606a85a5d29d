"""The simulated Telegram refuses what Telegram refuses, and signs as Telegram signs."""

from typing import Any

import pytest

from channelry.codec import to_json
from channelry.model import MessageReceived
from channelry.services import HttpResponse, Services
from channelry_telegram.connection import ORIGIN
from channelry_telegram.plugin import Telegram
from channelry_telegram.simulator import TelegramSimulator

pytestmark = pytest.mark.anyio

KEYBOARD = {"inline_keyboard": [[{"text": "Yes", "callback_data": "é" * 33}]]}
BARE = {"inline_keyboard": [[{"text": "Yes"}]]}


async def call(desk: Services, simulator: TelegramSimulator, method: str, **body: Any) -> HttpResponse:
    return await desk.http.request("POST", f"{ORIGIN}/bot{simulator.token}/{method}", json=body)


async def test_what_a_customer_writes_is_signed_and_understood(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    request = simulator.message("4711", "hello")
    telegram.verify(request)
    (event,) = telegram.parse(request).events
    assert isinstance(event, MessageReceived)
    assert (event.sender.address.value, event.text, event.occurred_at) == ("4711", "hello", desk.clock.now())
    assert (request.method, request.path) == ("POST", "/")
    assert (await call(desk, simulator, "sendMessage", chat_id="4711", text="hi")).status == 200


@pytest.mark.parametrize(
    ("method", "body", "status", "said"),
    [
        ("sendMessage", {"chat_id": "404", "text": "a"}, 400, "chat not found"),
        ("sendMessage", {"text": "a"}, 400, "chat not found"),
        ("sendMessage", {"chat_id": "42"}, 400, "message text is empty"),
        ("sendMessage", {"chat_id": "42", "text": "😀" * 2049}, 400, "message is too long"),
        ("sendMessage", {"chat_id": "42", "text": "a", "txet": "b"}, 400, "unknown field txet"),
        ("sendMessage", {"chat_id": "42", "text": "a", "reply_markup": KEYBOARD}, 400, "BUTTON_DATA_INVALID"),
        ("sendMessage", {"chat_id": "42", "text": "a", "reply_markup": BARE}, 400, "inline keyboard button"),
        (
            "sendMessage",
            {"chat_id": "42", "text": "a", "reply_parameters": {"message_id": 9}},
            400,
            "message to be replied not found",
        ),
        ("sendPhoto", {"chat_id": "42", "photo": "https://a/b", "caption": "a" * 1025}, 400, "caption"),
        ("sendPhoto", {"chat_id": "42", "photo": "gone"}, 400, "wrong file identifier"),
        ("editMessageText", {"chat_id": "42", "message_id": 9, "text": "a"}, 400, "to edit not found"),
        ("deleteMessage", {"chat_id": "42", "message_id": 9}, 400, "message to delete not found"),
        ("setMessageReaction", {"chat_id": "42", "message_id": 9, "reaction": []}, 400, "to react not found"),
        ("answerCallbackQuery", {"callback_query_id": "1", "text": "a" * 201}, 400, "too long"),
        ("setWebhook", {"url": "https://a/", "secret_token": "not allowed!"}, 400, "secret token"),
        ("setWebhook", {"url": "https://a/", "secret_token": "a" * 257}, 400, "secret token"),
        ("getFile", {"file_id": "gone"}, 400, "wrong file_id"),
        ("sendHologram", {"chat_id": "42"}, 404, "Not Found"),
    ],
)
async def test_what_telegram_would_refuse_is_refused(
    simulator: TelegramSimulator, desk: Services, method: str, body: dict[str, Any], status: int, said: str
) -> None:
    answer = await call(desk, simulator, method, **body)
    assert (answer.status, answer.json()["ok"], answer.json()["error_code"]) == (status, False, status)
    assert said in answer.json()["description"]
    assert simulator.ledger.taken == []


@pytest.mark.parametrize("path", ["/botwrong/getMe", "/bot/getMe", "/file/botwrong/photos/1.jpg"])
async def test_a_wrong_token_is_not_found(simulator: TelegramSimulator, desk: Services, path: str) -> None:
    simulator.hold("AgB", b"photo", "photos/1.jpg")
    assert (await desk.http.request("GET", f"{ORIGIN}{path}")).status == 404


async def test_updates_are_kept_until_a_later_offset_is_asked_for(simulator: TelegramSimulator, desk: Services) -> None:
    simulator.polling = True
    for text in ("one", "two", "three"):
        simulator.message("42", text)

    async def ids(**body: Any) -> list[int]:
        answer = await call(desk, simulator, "getUpdates", **body)
        return [update["update_id"] for update in answer.json()["result"]]

    assert await ids() == [1, 2, 3]
    assert await ids(limit=2) == [1, 2]
    assert await ids(offset=3) == [3]
    assert await ids() == [3]
    assert await ids(offset=4) == []


async def test_nothing_can_be_polled_while_a_webhook_is_set(simulator: TelegramSimulator, desk: Services) -> None:
    await call(desk, simulator, "setWebhook", url="https://care.example.com/")
    assert (await call(desk, simulator, "getUpdates")).status == 409
    info = await call(desk, simulator, "getWebhookInfo")
    assert info.json()["result"]["url"] == "https://care.example.com/"
    await call(desk, simulator, "deleteWebhook")
    assert (await call(desk, simulator, "getUpdates")).status == 200


async def test_its_settings_are_a_telegram_connections(simulator: TelegramSimulator) -> None:
    settings = simulator.settings("http://127.0.0.1:1")
    assert settings.pop("plugin") == "telegram"
    assert set(settings) == {"token", "secret_token", "mode", "base_url"}
    assert settings["mode"] == "webhook"
    assert to_json(settings) == settings
