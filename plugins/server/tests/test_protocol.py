"""Heads that come too slowly or are too large."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

pytestmark = pytest.mark.anyio
LINE = b"GET /hooks/shop HTTP/1.1\r\n"


@pytest.mark.parametrize("begun", [b"", b"GET /hoo", LINE + b"host: x\r\n", b"\r\n"])
async def test_a_connection_without_a_whole_head_is_closed_by_the_deadline(serving: Any, begun: bytes) -> None:
    async with serving(header_seconds=0.2) as running:
        assert await running.exchange(begun) == b""


async def test_a_head_that_trickles_does_not_put_the_deadline_off(serving: Any) -> None:
    async with serving(header_seconds=0.2) as running:
        reader, writer = await running.connect()
        closed = asyncio.create_task(reader.read())
        writer.write(LINE)
        while not closed.done():
            writer.write(b"a: b\r\n")
            await asyncio.wait([closed], timeout=0.01)
        with suppress(ConnectionError):  # what was under way when it was closed
            assert await closed == b""
        writer.close()


async def test_the_second_head_of_a_connection_has_the_deadline_too(serving: Any) -> None:
    async with serving(header_seconds=0.2) as running:
        reader, writer = await running.connect()
        writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        writer.write(LINE)
        rest = await reader.read()
        assert b"HTTP" not in rest
        writer.close()


async def test_a_slow_answer_is_not_cut_by_the_heads_deadline(serving: Any) -> None:
    async with serving(header_seconds=0.05) as running:
        running.store.released = asyncio.Event()
        asyncio.get_running_loop().call_later(0.15, running.store.released.set)
        assert (await running.call("POST", "/hooks/shop", b"{}", x_key="good"))[0] == 200


async def test_too_many_headers_are_431(serving: Any) -> None:
    async with serving() as running:
        most = b"".join(b"h%d: v\r\n" % number for number in range(97)) + b"x-key: good\r\nconnection: close\r\n"
        assert (await running.exchange(LINE + b"host: x\r\n" + most + b"\r\n")).startswith(b"HTTP/1.1 200")
        assert (await running.exchange(LINE + most + b"x: y\r\nx: y\r\n\r\n")).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "head",
    [
        LINE + b"a: " + bytes(b"x" * 40_000) + b"\r\n\r\n",
        LINE + b"a: " + bytes(b"x" * 40_000),
        b"GET /" + bytes(b"x" * 40_000),
        b"POST /hooks/shop HTTP/1.1\r\n\r\n" + b"GET /health HTTP/1.1\r\na: " + bytes(b"x" * 40_000) + b"\r\n\r\n",
    ],
    ids=["a whole head", "an endless value", "an endless path", "behind another request"],
)
async def test_a_head_that_is_too_large_is_refused(serving: Any, head: bytes) -> None:
    async with serving() as running:
        reader, writer = await running.connect()
        writer.write(head)
        answer = await reader.read()
        assert b"431" in answer or answer == b""
        assert b"HTTP/1.1 200" not in answer
        writer.close()


async def test_20_000_headers_never_reach_the_application(serving: Any) -> None:
    async with serving() as running:
        many = b"".join(b"h%d: v\r\n" % number for number in range(20_000))
        reader, writer = await running.connect()
        writer.write(LINE + b"x-key: good\r\n" + many + b"\r\n")
        try:
            answer = await reader.read()
        except ConnectionResetError:  # closed while more of it was coming
            answer = b""
        assert b"HTTP/1.1 200" not in answer
        assert running.shop.requests == []
        writer.close()


async def test_endless_trailers_are_cut_off(serving: Any) -> None:
    async with serving() as running:
        reader, writer = await running.connect()
        writer.write(b"POST /hooks/shop HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
        await writer.drain()
        try:
            for number in range(1000):
                writer.write(b"t%d: %s\r\n" % (number, b"v" * 1000))
                await writer.drain()
            assert await reader.read() == b""
        except ConnectionError:
            pass
        assert running.shop.requests == []
        writer.close()


async def test_what_is_not_http_is_400(serving: Any) -> None:
    async with serving() as running:
        assert (await running.exchange(b"\x16\x03\x01 hello\r\n\r\n")).startswith(b"HTTP/1.1 400")
