"""The outbound client that is opened with its first request."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from channelry.errors import PermanentError
from channelry_server import client
from channelry_server.deferred import defer_client

from .test_client import answers_ok

pytestmark = pytest.mark.anyio


def test_a_server_that_sends_nothing_imports_no_client() -> None:
    program = "import sys, channelry_server.serving; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-I", "-c", program], check=False).returncode == 0


async def test_it_is_opened_once_with_the_first_of_many_requests_and_closed_at_the_end(
    peer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened = list[Any]()
    session = client._session

    def counted(*shared: Any) -> Any:
        opened.append(session(*shared))
        return opened[-1]

    monkeypatch.setattr(client, "_session", counted)

    async def save(piece: bytes) -> None:
        (tmp_path / "file").write_bytes(piece)

    async with peer(answers_ok) as origin:
        async with defer_client() as http:
            first, second = http(frozenset({origin})), http(frozenset({origin}))
            assert not opened
            answers = await asyncio.gather(*(one.request("GET", origin) for one in (first, second, first)))
            assert {answer.status for answer in answers} == {200}
            assert (await first.download(origin, save, limit=100)).size == 11
            assert len(opened) == 2  # the public one, and the connections' own
            assert not any(one.closed for one in opened)
        assert all(one.closed for one in opened)


async def test_a_connection_has_its_own_origins(peer: Any) -> None:
    async with peer(answers_ok) as origin, defer_client() as http:
        assert (await http(frozenset({origin})).request("GET", origin)).status == 200
        with pytest.raises(PermanentError, match="may not call it"):
            await http(frozenset()).request("GET", origin)


async def test_a_first_request_that_is_given_up_leaves_it_to_the_next_to_open_it(peer: Any) -> None:
    async with peer(answers_ok) as origin, defer_client() as http:
        mine = http(frozenset({origin}))
        given_up = asyncio.ensure_future(mine.request("GET", origin))
        await asyncio.sleep(0)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert (await mine.request("GET", origin)).status == 200
