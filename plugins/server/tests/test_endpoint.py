"""The webhook endpoint behind a real uvicorn."""

import asyncio
import gzip
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, field

from channelry_server.config import ServerConfig
from channelry_server.endpoint import WebhookEndpoint

pytestmark = pytest.mark.anyio
HEAD = b"POST /hooks/shop HTTP/1.1\r\nhost: x\r\nx-key: good\r\n"


async def test_the_hubs_answer_is_passed_on(serving: Any) -> None:
    async with serving() as running:
        assert await running.call("POST", "/hooks/shop", b"{}", x_key="good") == (200, b"/hooks/shop")
        (request,) = running.shop.requests
        assert request.body == b"{}"
        assert request.received_at.utcoffset().total_seconds() == 0


async def test_a_bad_key_is_rejected_and_a_failing_sink_is_unavailable(serving: Any) -> None:
    async with serving() as running:
        assert await running.call("POST", "/hooks/shop", b"{}", x_key="bad") == (401, b"rejected")
        running.store.fails = True
        assert (await running.call("POST", "/hooks/shop", b"{}", x_key="good"))[0] == 503


@pytest.mark.parametrize("path", ["/hooks/nobody", "/hooks/", "/hooks", "/hooks/shop2", "/elsewhere"])
async def test_an_unknown_path_is_not_found(serving: Any, path: str) -> None:
    async with serving() as running:
        assert (await running.call("POST", path, b"{}", x_key="good"))[0] == 404


async def test_a_handshake_reaches_the_channel_with_its_query_as_sent(serving: Any) -> None:
    async with serving() as running:
        path = "/hooks/shop/sub%2Fpath?hub.mode=subscribe&hub.challenge=1%202"
        assert await running.call("GET", path, x_key="good") == (200, path.encode())
        (request,) = running.shop.requests
        assert request.public_url == "https://care.example.com" + path
        assert request.query()["hub.challenge"] == "1 2"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_any_method_is_passed_on(serving: Any, method: str) -> None:
    async with serving() as running:
        assert (await running.call(method, "/hooks/shop", x_key="good"))[0] == 200
        assert running.shop.requests[0].method == method


async def test_a_body_in_many_pieces_arrives_whole(serving: Any) -> None:
    async with serving() as running:
        body = bytes(range(256)) * 2000
        assert (await running.call("POST", "/hooks/shop", body, x_key="good"))[0] == 200
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:70_000], body[70_000:]))
        head = HEAD + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        answer = await running.exchange(head, chunks, b"0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        assert [request.body for request in running.shop.requests] == [body, body]


async def test_a_compressed_body_is_passed_on_as_it_came(serving: Any) -> None:
    async with serving() as running:
        bomb = gzip.compress(bytes(50_000_000), 1)
        status, _ = await running.call("POST", "/hooks/shop", bomb, x_key="good", content_encoding="gzip")
        assert status == 200
        assert running.shop.requests[0].body == bomb


async def test_a_body_declared_too_large_is_refused_before_it_comes(serving: Any) -> None:
    async with serving(body_limit=1000) as running:
        reader, writer = await running.connect()
        writer.write(HEAD + b"content-length: 10000000\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        writer.close()
        assert running.hub.counts["webhooks", "shop", "413"] == 1
        assert running.shop.requests == []


async def test_a_chunked_body_is_refused_once_it_is_too_large(serving: Any) -> None:
    async with serving(body_limit=1000) as running:
        reader, writer = await running.connect()
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"2\r\nab\r\n" * 400)
        await writer.drain()
        writer.write(b"190\r\n" + bytes(0x190) + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        writer.close()


async def test_a_caller_who_goes_on_after_413_is_cut_off_by_the_deadline(serving: Any) -> None:
    async with serving(body_limit=1000, header_seconds=0.2) as running:
        reader, writer = await running.connect()
        writer.write(HEAD + b"content-length: 10000000\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 413")
        writer.write(bytes(1000))
        assert b"HTTP" not in await reader.read()
        writer.close()


@pytest.mark.parametrize("begun", [b"", b"{"])
async def test_a_slow_body_is_ended_by_the_deadline(serving: Any, begun: bytes) -> None:
    """Whether none of it comes or only some; the connection is closed."""
    async with serving(body_seconds=0.2) as running:
        answer = await running.exchange(HEAD + b"content-length: 2\r\n\r\n", begun)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in answer
        assert running.shop.requests == []


async def test_a_caller_who_hangs_up_within_the_body_is_forgotten(serving: Any) -> None:
    async with serving() as running:
        _, writer = await running.connect()
        writer.write(HEAD + b"content-length: 2\r\n\r\n{")
        await writer.drain()
        writer.close()
        assert (await running.call("GET", "/health"))[0] == 200
        assert running.shop.requests == []


async def test_trailers_are_no_headers(serving: Any) -> None:
    async with serving() as running:
        answer = await running.exchange(
            b"POST /hooks/shop HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
            b"1\r\nx\r\n0\r\nx-key: good\r\n\r\n",
        )
        assert answer.startswith(b"HTTP/1.1 401")


async def test_without_the_protocols_hint_the_deadline_is_set_all_the_same() -> None:
    """The endpoint keeps its promise behind any ASGI server."""

    @define
    class Nobody:
        endpoints: tuple[str, ...] = ("shop",)
        counts: Counter[tuple[str, ...]] = field(factory=Counter)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def never() -> Any:
        await asyncio.Event().wait()

    endpoint = WebhookEndpoint(
        Nobody(), ServerConfig(body_seconds=0.01), "", lambda: datetime.now(UTC), lambda *_: None
    )
    scope = {"path": "/hooks/shop", "raw_path": b"/hooks/shop", "query_string": b"", "headers": [], "method": "POST"}
    await endpoint(scope, never, send)
    assert sent[0]["status"] == 408
