"""The store as a whole: what it leaves behind."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from channelry.model import Received, Request
from channelry_desk.desk import memory
from channelry_desk.sqlite import Sqlite
from channelry_desk.store import READERS, open_store

from .conftest import House

pytestmark = pytest.mark.anyio


async def test_a_closed_store_is_one_file_with_all_its_rows(tmp_path: Path) -> None:
    store = await open_store(Sqlite(tmp_path / "desk.db"))
    await store.write(lambda db: db.execute("CREATE TABLE t (x INTEGER)"))
    await store.write(lambda db: db.execute("INSERT INTO t VALUES (1)").rowcount)
    read = (store.read(lambda db: db.execute("SELECT x FROM t").fetchall()) for _ in range(READERS))
    assert await asyncio.gather(*read) == [[(1,)]] * READERS
    await store.write(lambda db: db.execute("INSERT INTO t VALUES (2)").rowcount)
    await store.close()
    assert os.listdir(tmp_path) == ["desk.db"]
    with closing(sqlite3.connect(tmp_path / "desk.db")) as db:
        assert db.execute("SELECT x FROM t").fetchall() == [(1,), (2,)]


async def test_what_a_connection_remembers_is_shared_with_commands_beside_the_server(house: House) -> None:
    """A refresh token is good once: `channelry check --live` asks with the one that the server has."""
    remembered = house.desk.state("connections.post")
    assert await remembered.compare_and_set("token", None, "fresh")
    async with memory(house.hub) as beside:
        state = beside.state("connections.post")
        assert await state.get("token") == "fresh"
        assert await state.compare_and_set("token", "fresh", "fresher")
        with pytest.raises(RuntimeError):
            await beside.record(Received(Request("GET", "/", (), b"", house.clock.now())))
    assert await remembered.get("token") == "fresher"
