"""The outbound client against raw servers that misbehave."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from channelry.errors import AmbiguousError, PermanentError, RetryableError
from channelry.secrets import Secret
from channelry.services import FilePart
from channelry_server import client as client_module
from channelry_server.client import open_client

pytestmark = pytest.mark.anyio


async def read_request(reader: asyncio.StreamReader) -> tuple[str, Mapping[str, str], bytes]:
    """Read one whole request: its first line, its headers, its body (a chunked one joined)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        pieces = []
        while size := int(await reader.readline(), 16):
            pieces.append((await reader.readexactly(size + 2))[:-2])
        await reader.readline()
        return first, headers, b"".join(pieces)
    return first, headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def refuses_to_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts and closes."""


async def reads_and_closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)


async def reads_and_resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.transport.abort()


async def reads_and_stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await asyncio.Event().wait()


async def answers_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")


async def answers_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"220 smtp.example.com ESMTP\r\n\r\n")


async def answers_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_request(reader)
        writer.write(b'HTTP/1.1 200 OK\r\nX-Kind: Good\r\ncontent-length: 11\r\n\r\n{"ok":true}')


LOSING = [refuses_to_read, reads_and_closes, reads_and_resets, reads_and_stalls, answers_half, answers_nonsense]


@pytest.mark.parametrize("handler", LOSING)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_lost_answer_is_ambiguous_and_the_request_is_never_repeated(
    peer: Any, handler: Any, method: str
) -> None:
    connections = 0

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await handler(reader, writer)

    async with peer(counted) as origin, open_client() as http:
        with pytest.raises(AmbiguousError) as caught:
            await http(frozenset({origin})).request(method, f"{origin}/secret-path", json={"a": 1}, timeout=0.2)
        assert "secret-path" not in str(caught.value)
        assert connections == 1


@pytest.mark.parametrize("handler", LOSING)
async def test_a_lost_answer_of_what_may_be_repeated_is_retryable(peer: Any, handler: Any) -> None:
    async with peer(handler) as origin, open_client() as http:
        mine = http(frozenset({origin}))
        for arguments in ({"method": "GET"}, {"method": "POST", "repeatable": True, "content": b"x"}):
            with pytest.raises(RetryableError):
                await mine.request(url=origin, timeout=0.2, **arguments)
        with pytest.raises(AmbiguousError):
            await mine.request("GET", origin, repeatable=False, timeout=0.2)


async def test_a_refused_connection_is_retryable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        origin = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with open_client() as http:
        with pytest.raises(RetryableError) as caught:
            await http(frozenset({origin})).request("POST", origin, json={})
        assert caught.value.code == "unreachable"


async def test_a_name_that_does_not_resolve_is_retryable() -> None:
    async with open_client() as http:
        with pytest.raises(RetryableError, match=r"not sent \(the name is not known\)") as caught:
            await http(frozenset({"https://nowhere.invalid"})).request("POST", "https://nowhere.invalid/", json={})
        assert caught.value.code == "unreachable"


async def test_tls_that_fails_is_retryable_for_nothing_was_written(peer: Any) -> None:
    async def speaks_no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with peer(speaks_no_tls) as origin, open_client() as http:
        secure = origin.replace("http:", "https:")
        with pytest.raises(RetryableError) as caught:
            await http(frozenset({secure})).request("POST", secure, json={}, timeout=2)
        assert caught.value.code == "unreachable"


async def test_a_kept_connection_that_the_peer_closed_is_replaced_before_anything_is_written(peer: Any) -> None:
    """The peer closes right after its answer, without saying so, and the next request comes at once."""
    requests = 0
    closed = asyncio.Event()

    async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        await read_request(reader)
        requests += 1
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()
        closed.set()

    async with peer(closes) as origin, open_client() as http:
        mine = http(frozenset({origin}))
        for _ in range(50):
            closed.clear()
            assert (await mine.request("POST", origin, json={})).status == 200
            await closed.wait()
        assert requests == 50


async def test_connections_are_kept(peer: Any) -> None:
    connections = 0

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answers_ok(reader, writer)

    async with peer(counted) as origin, open_client() as http:
        for _ in range(5):
            answer = await http(frozenset({origin})).request("POST", origin, json={})
            assert (answer.status, answer.json(), answer.headers["x-kind"]) == (200, {"ok": True}, "Good")
        assert connections == 1


async def test_100_requests_at_once(peer: Any) -> None:
    async with peer(answers_ok) as origin, open_client() as http:
        mine = http(frozenset({origin}))
        answers = await asyncio.gather(*(mine.request("POST", origin, json={}) for _ in range(100)))
        assert all(answer.status == 200 for answer in answers)


@pytest.mark.parametrize(
    "url",
    ["https://elsewhere.example/x", "http://good.example/", "https://good.example:8443/", "https://good.example.evil/"],
)
async def test_an_origin_that_was_not_declared_is_refused(url: str) -> None:
    async with open_client() as http:
        with pytest.raises(PermanentError, match="may not call it") as caught:
            await http(frozenset({"https://good.example"})).request("GET", url)
        assert caught.value.code == "origin"


@pytest.mark.parametrize("url", ["", "/path", "file:///etc/passwd", "https://[", "https://good.example:x/"])
async def test_what_is_no_url_is_refused(url: str) -> None:
    async with open_client() as http:
        with pytest.raises(PermanentError):
            await http(frozenset({"https://good.example"})).request("GET", url)
        with pytest.raises(PermanentError):
            await http(frozenset()).download(url, ignore, limit=1)


async def nothing() -> AsyncIterator[bytes]:
    """Is an empty file."""
    yield b""


async def ignore(piece: bytes) -> None:
    """Keeps nothing."""


async def test_a_redirect_of_an_api_is_an_answer(peer: Any) -> None:
    async def moves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere.example/\r\ncontent-length: 0\r\n\r\n")

    async with peer(moves) as origin, open_client() as http:
        assert (await http(frozenset({origin})).request("POST", origin, json={})).status == 302


async def test_what_is_sent_arrives_as_meant(peer: Any) -> None:
    seen: list[tuple[str, Mapping[str, str], bytes]] = []

    async def notes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await read_request(reader))
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first "
        yield b"second"

    async with peer(notes) as origin, open_client() as http:
        mine = http(frozenset({origin}))
        await mine.request("POST", f"{origin}/a%2Fb?sig=x%2By%3D", json={"e": "é"}, query={"q": "1 2"})
        await mine.request("POST", origin, form=[("a", "1"), ("a", "ü&")], headers={"Authorization": "Bearer t"})
        await mine.request("POST", origin, json={}, headers={"Content-Type": "application/vnd.api+json"})
        await mine.request("PUT", origin, content=b"\x00raw", headers={"Content-Type": "image/png"})
        for size in (None, 12):
            files = [FilePart("file", "photo.png", "image/png", pieces(), size)]
            await mine.request("POST", origin, form=[("kind", "image")], files=files, repeatable=True)
    (json, form, own_type, raw, chunked, multipart) = seen
    assert chunked[1]["transfer-encoding"] == "chunked"
    assert int(multipart[1]["content-length"]) == len(multipart[2])
    assert b"content-type: image/png" in multipart[2].lower()
    assert json[0] == "POST /a%2Fb?sig=x%2By%3D&q=1+2 HTTP/1.1"
    assert (json[1]["content-type"], json[2]) == ("application/json", '{"e":"é"}'.encode())
    assert json[1]["user-agent"].startswith("channelry/")
    assert form[1]["content-type"] == "application/x-www-form-urlencoded"
    assert (form[1]["authorization"], form[2]) == ("Bearer t", b"a=1&a=%C3%BC%26")
    assert own_type[1]["content-type"] == "application/vnd.api+json"
    assert (raw[1]["content-type"], raw[2]) == ("image/png", b"\x00raw")
    assert multipart[1]["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="kind"\r\n\r\nimage\r\n' in multipart[2]
    assert b'name="file"; filename="photo.png"' in multipart[2]
    assert b"\r\n\r\nfirst second\r\n" in multipart[2]


async def test_the_error_of_a_file_that_cannot_be_read_comes_out_as_it_is(peer: Any) -> None:
    async def missing() -> AsyncIterator[bytes]:
        yield b"begun"
        raise PermanentError("there is no such file", code="no_file")

    async with peer(answers_ok) as origin, open_client() as http:
        files = [FilePart("file", "x", "image/png", missing())]
        with pytest.raises(PermanentError) as caught:
            await http(frozenset({origin})).request("POST", origin, files=files)
        assert caught.value.code == "no_file"


async def test_a_header_that_would_become_two_is_refused(peer: Any) -> None:
    async with peer(answers_ok) as origin, open_client() as http:
        with pytest.raises(PermanentError) as caught:
            await http(frozenset({origin})).request("POST", origin, headers={"x": "a\r\nb: c"}, json={})
        assert caught.value.code == "invalid"
        with pytest.raises(PermanentError):
            await http(frozenset({origin})).download(origin, ignore, headers={"x\n": "a"}, limit=1)
        bad = FilePart("file", "x", "image/png\r\nx: y", nothing())
        with pytest.raises(PermanentError):
            await http(frozenset({origin})).request("POST", origin, files=[bad])


async def test_what_is_no_json_is_refused(peer: Any) -> None:
    async with open_client() as http:
        with pytest.raises(PermanentError):
            await http(frozenset({"https://good.example"})).request("POST", "https://good.example", json=object())


async def test_an_endless_answer_is_cut_off(peer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ANSWER_LIMIT", 1000)

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(1000))
            await writer.drain()

    async with peer(endless) as origin, open_client() as http:
        mine = http(frozenset({origin}))
        with pytest.raises(AmbiguousError):
            await mine.request("POST", origin, json={})
        with pytest.raises(RetryableError):
            await mine.request("GET", origin)


@pytest.mark.row("F10")
async def test_no_error_shows_a_secret(peer: Any) -> None:
    token = Secret("hunter2-hunter2")
    async with peer(reads_and_closes) as origin, open_client() as http:
        mine = http(frozenset({origin}))
        for url in (f"{origin}/{token.reveal()}", f"http://{token.reveal()}.invalid/", f"ftp://{token.reveal()}"):
            with pytest.raises((AmbiguousError, PermanentError)) as caught:
                await mine.request("POST", url, json={}, headers={"authorization": token.reveal()})
            assert token.reveal() not in str(caught.value)
