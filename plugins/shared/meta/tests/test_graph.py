"""Calls to the Graph API, and what its refusals become."""

from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import orjson
import pytest

from channelry.errors import (
    AmbiguousError,
    AuthError,
    PermanentError,
    RecipientError,
    RetryableError,
    SendError,
    WindowClosedError,
)
from channelry.model import RateScope
from channelry.secrets import Secret
from channelry_meta import Graph, rules
from channelry_testing import AsgiHttp, FakeClock, services

pytestmark = pytest.mark.anyio

ORIGIN = "https://graph.example"
TABLE = (
    rules(RetryableError, 4, retry_after=60, scope=RateScope.APP)
    | rules(AuthError, 10, 190)
    | rules(WindowClosedError, (10, 2018278))
    | rules(RecipientError, (200, 1545041))
    | rules(PermanentError, 100)
)


async def call(
    status: int, body: Any, headers: Mapping[str, str] | None = None, *, repeatable: bool | None = None
) -> Mapping[str, Any]:
    """Call a Graph API that gives this answer."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"] == "/v26.0/2002/messages"
        assert (b"authorization", b"Bearer a-token") in scope["headers"]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": content})

    graph = Graph(ORIGIN, "v26.0", Secret("a-token"), TABLE)
    given = services(http=AsgiHttp({ORIGIN: app}))
    return await graph.call(given, "POST", "2002/messages", json={}, repeatable=repeatable)


def error(code: Any, subcode: Any = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": "no", "code": code, "error_subcode": subcode, **more}}


async def test_a_success_is_its_json() -> None:
    assert await call(200, {"id": "1"}) == {"id": "1"}


@pytest.mark.parametrize(
    ("status", "body", "expected", "code"),
    [
        (400, error(190), AuthError, "190"),
        (400, error(10), AuthError, "10"),
        (400, error(10, 2018278), WindowClosedError, "10/2018278"),
        (400, error(10, 1), AuthError, "10/1"),
        (403, error(200, 1545041), RecipientError, "200/1545041"),
        (400, error(100), PermanentError, "100"),
        (400, error(100, is_transient=True), RetryableError, "100"),
        (400, error(190, is_transient=True), RetryableError, "190"),
        (429, error(190), RetryableError, "190"),
        (503, error(10, 2018278), RetryableError, "10/2018278"),
        (500, error(100), RetryableError, "100"),
        (200, error(100), PermanentError, "100"),
        (400, error(987654), PermanentError, "987654"),
        (500, error(987654), RetryableError, "987654"),
        (503, b"<html>", RetryableError, "503"),
        (429, b"", RetryableError, "429"),
        (401, b"", AuthError, "401"),
        (302, b"", PermanentError, "302"),
        (400, [], PermanentError, "400"),
        (400, {"error": "no"}, PermanentError, "400"),
        (400, error("190"), PermanentError, "400"),
        (400, error({}, []), PermanentError, "400"),
        (400, {"error": {"code": 100, "message": 1, "error_data": "x"}}, PermanentError, "100"),
    ],
)
async def test_a_refusal_becomes_an_error_by_its_code(
    status: int, body: Any, expected: type[SendError], code: str
) -> None:
    with pytest.raises(SendError) as raised:
        await call(status, body)
    assert type(raised.value) is expected
    assert raised.value.code == code


async def test_a_refusal_is_told_in_metas_words() -> None:
    body = {"error": {"code": 100, "message": "Invalid parameter", "error_data": {"details": "no\nbody"}}}
    with pytest.raises(PermanentError) as raised:
        await call(400, body)
    assert str(raised.value) == "Meta refused with 100: Invalid parameter no\\x0abody"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (format_datetime(FakeClock().now() + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(FakeClock().now() - timedelta(seconds=90), usegmt=True), 0.0),
        ("soon", 60.0),
        ("²", 60.0),
        ("", 60.0),
    ],
)
async def test_retry_after_goes_before_the_table(header: str, seconds: float) -> None:
    """In seconds or as a date; what cannot be read leaves the table's own seconds."""
    with pytest.raises(RetryableError) as raised:
        await call(400, error(4), {"retry-after": header.encode().decode("latin-1")})
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(("status", "more"), [(429, {}), (500, {}), (400, {"is_transient": True})])
async def test_a_passing_trouble_keeps_the_wait_and_the_scope_of_its_row(status: int, more: dict[str, Any]) -> None:
    with pytest.raises(RetryableError) as raised:
        await call(status, error(4, **more))
    assert (raised.value.retry_after, raised.value.scope) == (60, "app")


async def test_a_bare_true_is_a_success() -> None:
    assert await call(200, True) == {"success": True}


@pytest.mark.parametrize("body", [b"", b"<html>", [], {}])
async def test_a_success_that_cannot_be_read_is_an_answer_lost(body: Any) -> None:
    """The call was taken, but as what is not known."""
    with pytest.raises(AmbiguousError):
        await call(200, body)
    with pytest.raises(RetryableError):
        await call(200, body, repeatable=True)
