"""Downloads: what the guard lets through, and what it refuses before a byte leaves."""

import asyncio
import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from attrs import define

from channelry.errors import PermanentError, RetryableError
from channelry_server.client import open_client
from channelry_server.guard import is_public

pytestmark = pytest.mark.anyio

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "fd00:ec2::254",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::a9fe:a9fe", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_ones_own_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@define(eq=False)
class Names(AbstractResolver):
    """Resolves every name to the given addresses."""

    addresses: tuple[str, ...]
    asked: int = 0

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0)
            for one in self.addresses
        ]

    async def close(self) -> None:
        """Has nothing open."""


def serving_files(*answers: bytes) -> Any:
    """Make a handler that gives one answer per request, and the list of the requests it saw."""
    seen: list[bytes] = []
    left = list(answers)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(left.pop(0))

    return handler, seen


def moved(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode()


FILE = b"HTTP/1.1 200 OK\r\ncontent-type: image/png; q=1\r\ncontent-length: 5\r\n\r\npixel"


@define(eq=False)
class Kept:
    """What a download saved."""

    data: bytes = b""

    async def save(self, piece: bytes) -> None:
        self.data += piece


async def test_a_file_of_the_connections_own_origin_is_saved(peer: Any) -> None:
    handler, seen = serving_files(FILE)
    kept = Kept()
    async with peer(handler) as origin, open_client() as http:
        got = await http(frozenset({origin})).download(
            f"{origin}/f", kept.save, headers={"Authorization": "Bearer t"}, limit=5
        )
    assert (got.media_type, got.size, kept.data) == ("image/png", 5, b"pixel")
    assert b"authorization: bearer t" in seen[0].lower()


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/",
        "https://[::ffff:10.0.0.1]/", "https://2130706433/", "https://0x7f.1/", "https://localhost/",
        "http://93.184.216.34/", "http://files.example/",
    ],
)  # fmt: skip
async def test_what_is_not_public_https_is_refused(url: str) -> None:
    async with open_client() as http:
        with pytest.raises(PermanentError):
            await http(frozenset({"https://api.example"})).download(url, Kept().save, limit=10)


@pytest.mark.parametrize("addresses", [("10.0.0.1",), ("93.184.216.34", "127.0.0.1")])
async def test_a_name_with_any_private_address_is_refused(addresses: tuple[str, ...]) -> None:
    async with open_client(Names(addresses)) as http:
        with pytest.raises(PermanentError) as caught:
            await http(frozenset()).download("https://files.example/x", Kept().save, limit=10)
        assert caught.value.code == "not_public"


async def test_a_name_that_another_connection_owns_is_guarded_all_the_same(peer: Any) -> None:
    """Its kept connections to a private address are of no use to a connection that may not go there."""
    handler, seen = serving_files(FILE, FILE)
    names = Names(("127.0.0.1",))
    async with peer(handler) as origin, open_client(names) as http:
        inside = origin.replace("127.0.0.1", "inside.example")
        await http(frozenset({inside})).download(inside, Kept().save, limit=10)
        with pytest.raises(PermanentError):
            await http(frozenset()).download(inside.replace("http:", "https:"), Kept().save, limit=10)
        assert len(seen) == 1


async def test_a_redirect_to_a_private_address_is_refused(peer: Any) -> None:
    inner, inside = serving_files(FILE)
    async with peer(inner) as private, open_client() as http:
        for target in (private, private.replace("http:", "https:"), "file:///etc/passwd", "", "https://["):
            outer, _ = serving_files(moved(target))
            async with peer(outer) as origin:
                with pytest.raises(PermanentError):
                    await http(frozenset({origin})).download(origin, Kept().save, limit=10)
    assert inside == []


async def test_three_redirects_are_followed_and_a_fourth_is_not(peer: Any) -> None:
    async with open_client() as http:
        for redirects in (3, 4):
            handler, seen = serving_files(*[moved(f"/{hop}", 307) for hop in range(redirects)], FILE)
            async with peer(handler) as origin:
                mine = http(frozenset({origin}))
                if redirects == 3:
                    assert (await mine.download(origin, Kept().save, limit=10)).size == 5
                else:
                    with pytest.raises(PermanentError) as caught:
                        await mine.download(origin, Kept().save, limit=10)
                    assert caught.value.code == "redirects"
                assert len(seen) == 4


async def test_authorization_stays_with_its_origin(peer: Any) -> None:
    """Also after a further redirect back to where it came from."""
    final, last = serving_files(FILE)
    async with peer(final) as target, open_client() as http:
        first, seen = serving_files(moved("/again"), moved(target))
        async with peer(first) as origin:
            headers = {"authorization": "Bearer t", "X-Api-Key": "k", "User-Agent": "care"}
            await http(frozenset({origin, target})).download(origin, Kept().save, headers=headers, limit=10)
    assert all(b"Bearer t" in request and b"care" in request and b"k\r\n" in request for request in seen)
    assert b"Bearer t" not in last[0]
    assert b"x-api-key" not in last[0].lower()
    assert b"care" in last[0]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_file_beyond_the_limit_is_refused(peer: Any, declared: bool) -> None:
    length = b"content-length: 5\r\n" if declared else b"connection: close\r\n"
    handler, _ = serving_files(b"HTTP/1.1 200 OK\r\n" + length + b"\r\npixel")
    kept = Kept()
    async with peer(handler) as origin, open_client() as http:
        with pytest.raises(PermanentError) as caught:
            await http(frozenset({origin})).download(origin, kept.save, limit=4)
        assert caught.value.code == "too_large"
        assert len(kept.data) <= 4


async def test_a_download_that_takes_too_long_is_ended(peer: Any) -> None:
    async def trickles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\npix")
        await asyncio.Event().wait()

    async with peer(trickles) as origin, open_client() as http:
        with pytest.raises(RetryableError) as caught:
            await http(frozenset({origin})).download(origin, Kept().save, limit=10, timeout=0.1)
        assert caught.value.code == "timeout"


async def test_a_file_cut_short_is_retryable(peer: Any) -> None:
    handler, _ = serving_files(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\npixel")
    async with peer(handler) as origin, open_client() as http:
        with pytest.raises(RetryableError):
            await http(frozenset({origin})).download(origin, Kept().save, limit=100)


async def test_the_error_of_who_saves_comes_out_as_it_is(peer: Any) -> None:
    async def full(piece: bytes) -> None:
        raise OSError("no space left")

    handler, _ = serving_files(FILE)
    async with peer(handler) as origin, open_client() as http:
        with pytest.raises(OSError, match="no space left"):
            await http(frozenset({origin})).download(origin, full, limit=100)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, PermanentError), (401, PermanentError), (429, RetryableError), (503, RetryableError), (204, PermanentError)],
)
async def test_a_refusal_is_told_by_its_status(peer: Any, status: int, error: type[Exception]) -> None:
    handler, _ = serving_files(f"HTTP/1.1 {status} No\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n".encode())
    async with peer(handler) as origin, open_client() as http:
        with pytest.raises(error) as caught:
            await http(frozenset({origin})).download(origin, Kept().save, limit=100)
        assert getattr(caught.value, "code", "") == str(status)
        if error is RetryableError:
            assert getattr(caught.value, "retry_after", None) == 7.0
