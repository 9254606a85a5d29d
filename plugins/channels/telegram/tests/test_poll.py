"""Polling: updates come in order, each is durable before the cursor moves, and a crash loses none."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import orjson
import pytest

from channelry.errors import AuthError, RetryableError, SendError
from channelry.model import MessageReceived, Received
from channelry.secrets import Secret
from channelry.services import HttpResponse, MemoryState, Services
from channelry_telegram.plugin import Telegram
from channelry_telegram.receive import CURSOR
from channelry_telegram.simulator import TelegramSimulator
from channelry_testing import AsgiHttp, services

pytestmark = pytest.mark.anyio

FAY = {"id": 42, "is_bot": False, "first_name": "Fay"}
PRESS = {"id": "cq1", "from": FAY, "chat_instance": "ci", "data": "yes"}


class CrashError(Exception):
    """The process ends here."""


async def listen_until(
    telegram: Telegram, desk: Services, count: int, then: Callable[[Received], Awaitable[None]] | None = None
) -> list[Received]:
    """Listen until `count` updates were delivered and all that follows from them is done."""
    delivered: list[Received] = []

    async def deliver(received: Received) -> None:
        if then is not None:
            await then(received)
        delivered.append(received)

    async with anyio.create_task_group() as group:
        group.start_soon(telegram.listen, deliver, desk)
        while len(delivered) < count:
            await anyio.wait_all_tasks_blocked()
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    return delivered


def texts(delivered: list[Received]) -> list[str]:
    return [event.text for received in delivered for event in received.events if isinstance(event, MessageReceived)]


async def test_updates_are_delivered_in_their_order_and_the_cursor_stands_behind_the_last(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    requests = [simulator.message("42", f"line {n}") for n in range(5)]
    delivered = await listen_until(polling, desk, 5)
    assert texts(delivered) == [f"line {n}" for n in range(5)]
    assert [received.request.body for received in delivered] == [request.body for request in requests]
    assert await desk.state.get(CURSOR) == "6"


async def test_what_was_polled_is_a_request_that_can_be_replayed(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.message("42", "hello")
    (received,) = await listen_until(polling, desk, 1)
    assert (received.request.method, received.request.path, received.request.headers) == ("POST", "/", ())
    assert received.request.received_at == desk.clock.now()
    assert polling.parse(received.request) == received


async def test_an_update_that_comes_while_the_poll_waits_is_delivered(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    delivered: list[Received] = []

    async def deliver(received: Received) -> None:
        delivered.append(received)

    async with anyio.create_task_group() as group:
        group.start_soon(polling.listen, deliver, desk)
        await anyio.wait_all_tasks_blocked()
        assert delivered == []
        for text in ("one", "two"):
            simulator.message("42", text)
            await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert texts(delivered) == ["one", "two"]


async def test_the_cursor_moves_only_after_deliver_has_returned(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    cursors: list[str | None] = []

    async def note(received: Received) -> None:
        cursors.append(await desk.state.get(CURSOR))

    for text in ("one", "two", "three"):
        simulator.message("42", text)
    await listen_until(polling, desk, 3, note)
    assert cursors == [None, "2", "3"]


async def test_an_update_whose_delivery_fails_comes_again_and_the_one_before_it_does_not(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    async def crash_at_two(received: Received) -> None:
        if texts([received]) == ["two"]:
            raise CrashError

    for text in ("one", "two", "three"):
        simulator.message("42", text)
    with pytest.raises(BaseExceptionGroup) as raised:
        await listen_until(polling, desk, 3, crash_at_two)
    assert raised.value.subgroup(CrashError)
    assert await desk.state.get(CURSOR) == "2"
    assert texts(await listen_until(polling, desk, 2)) == ["two", "three"]


async def test_a_crash_between_delivery_and_cursor_delivers_again_with_the_same_key(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    delivered: list[Received] = []

    class Torn(MemoryState):
        async def compare_and_set(self, key: str, old: str | None, new: str | None) -> bool:
            raise CrashError

    async def deliver(received: Received) -> None:
        delivered.append(received)

    simulator.message("42", "one")
    with pytest.raises(CrashError):
        await polling.listen(deliver, services(http=desk.http, clock=desk.clock, state=Torn()))
    delivered += await listen_until(polling, desk, 1)
    first, again = (event for received in delivered for event in received.events)
    assert first == again
    assert first.key == "1"


async def test_listening_again_resumes_at_the_cursor_and_telegram_forgets_what_was_before_it(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.message("42", "one")
    await listen_until(polling, desk, 1)
    simulator.message("42", "two")
    assert texts(await listen_until(polling, desk, 1)) == ["two"]
    asked = [orjson.loads(entry.body) for entry in simulator.ledger.entries if entry.status is not None]
    assert [body.get("offset") for body in asked] == [None, 2]
    assert all("message_reaction" in body["allowed_updates"] for body in asked)


async def test_a_button_pressed_while_polling_is_answered_by_a_call_of_its_own(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.update(callback_query=PRESS)
    await listen_until(polling, desk, 1)
    assert simulator.answered == ["cq1"]


async def test_a_press_that_cannot_be_answered_harms_nothing(
    polling: Telegram, simulator: TelegramSimulator, desk: Services, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(AsgiHttp):
        async def request(self, method: str, url: str, **options: Any) -> HttpResponse:
            if url.endswith("/answerCallbackQuery"):
                body = {"ok": False, "error_code": 400, "description": f"query is too old {simulator.token}"}
                return HttpResponse(400, {}, orjson.dumps(body))
            return await super().request(method, url, **options)

    assert isinstance(desk.http, AsgiHttp)
    simulator.update(callback_query=PRESS)
    simulator.message("42", "still here")
    stubborn = services(http=Refusing(desk.http.apps), clock=desk.clock)
    with caplog.at_level(logging.WARNING):
        delivered = await listen_until(polling, stubborn, 2)
    assert texts(delivered)[1:] == ["still here"]
    assert "query is too old" in caplog.text
    assert simulator.token not in caplog.text


async def test_an_update_that_cannot_be_understood_does_not_stop_the_ones_behind_it(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.update(message={"message_id": 1})
    simulator.update(hologram_call={"id": 1})
    simulator.message("42", "hello")
    delivered = await listen_until(polling, desk, 3)
    assert [len(received.events) for received in delivered] == [1, 0, 1]
    assert await desk.state.get(CURSOR) == "4"


async def test_another_poller_that_moved_the_cursor_ends_this_one(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    async def overtake(received: Received) -> None:
        await desk.state.compare_and_set(CURSOR, None, "9")

    simulator.message("42", "one")
    with pytest.raises(AuthError, match="another poller"):
        await polling.listen(overtake, desk)


async def test_a_webhook_that_is_set_is_named_as_the_reason(
    polling: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.webhook = {"url": "https://care.example.com/hooks/telegram"}

    async def deliver(received: Received) -> None:
        raise AssertionError

    with pytest.raises(AuthError, match="another poller or webhook"):
        await polling.listen(deliver, desk)


async def test_a_connection_that_fails_is_raised_for_the_hub_to_begin_again(polling: Telegram) -> None:
    async def deliver(received: Received) -> None:
        raise AssertionError

    with pytest.raises(RetryableError) as raised:
        await polling.listen(deliver, services(http=AsgiHttp({})))
    assert isinstance(raised.value, SendError)


async def test_nothing_is_polled_in_webhook_mode(simulator: TelegramSimulator, desk: Services) -> None:
    simulator.polling = True
    simulator.message("42", "hello")
    webhook = Telegram(Telegram.Config(token=Secret(simulator.token)))

    async def deliver(received: Received) -> None:
        raise AssertionError

    async with anyio.create_task_group() as group:
        group.start_soon(webhook.listen, deliver, desk)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert simulator.ledger.entries == []
