"""Group commit: durable, together, and failing alone."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from channelry_desk import sql
from channelry_desk.database import Database, Given
from channelry_desk.errors import StoreError
from channelry_desk.schema import SCRIPTS
from channelry_desk.sqlite import assert_durable, open_reader, open_writer, written
from channelry_desk.writer import Operation, Writer, apply
from channelry_desk.writer import commit as commit_works

pytestmark = pytest.mark.anyio


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = open_writer(tmp_path / "desk.db")
    opened.execute("CREATE TABLE t (x INTEGER PRIMARY KEY CHECK (x > 0))")
    yield opened
    opened.close()


def commit(db: Database, operations: Sequence[Operation[Any]]) -> list[tuple[Any, BaseException | None]]:
    return commit_works(db, [(apply, operation) for operation in operations])


def insert(x: int) -> Operation[int]:
    return lambda db: db.execute("INSERT INTO t VALUES (?)", (x,)).rowcount


async def test_the_file_is_in_wal_and_every_commit_is_synced(db: sqlite3.Connection) -> None:
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("pragma", ["synchronous=NORMAL", "synchronous=OFF", "journal_mode=DELETE"])
async def test_a_database_that_would_lose_commits_is_refused(db: sqlite3.Connection, pragma: str) -> None:
    """The negative control of the assertion."""
    db.execute(f"PRAGMA {pragma}")
    with pytest.raises(StoreError, match="not durable"):
        assert_durable(db)


async def test_a_newer_schema_is_refused_with_the_next_step(tmp_path: Path) -> None:
    newer = sqlite3.connect(tmp_path / "desk.db")
    newer.execute(f"PRAGMA user_version={len(SCRIPTS) + 1}")
    newer.close()
    with pytest.raises(StoreError, match="pip install --upgrade channelry-desk"):
        open_writer(tmp_path / "desk.db")


async def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "junk.db").write_bytes(b"junk" * 1000)
    with pytest.raises(StoreError, match=r"junk.db: cannot be opened \(file is not a database\)"):
        open_writer(tmp_path / "junk.db")
    for opened in (open_writer, open_reader):
        with pytest.raises(StoreError, match=r"nowhere/desk.db: cannot be opened \(unable to open database file\)"):
            opened(tmp_path / "nowhere" / "desk.db")


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        opened = open_writer(tmp_path / "desk.db")
        assert opened.execute("PRAGMA user_version").fetchone() == (len(SCRIPTS),)
        opened.close()


async def test_readers_cannot_write(tmp_path: Path) -> None:
    open_writer(tmp_path / "desk.db").close()
    reader = open_reader(tmp_path / "desk.db")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM journal")
    reader.close()


@pytest.mark.parametrize("name", [name for name in vars(sql) if name.isupper()])
async def test_every_hot_statement_fits_the_schema(db: sqlite3.Connection, name: str) -> None:
    statement = getattr(sql, name)
    if isinstance(statement, Given):
        statement = written(statement, 2)
    numbered = max((int(part) for part in re.findall(r"\?(\d+)", statement)), default=0)
    db.execute("EXPLAIN " + statement, [None] * (numbered or statement.count("?")))


async def test_a_bad_operation_fails_alone(db: sqlite3.Connection) -> None:
    outcomes = commit(db, [insert(1), insert(0), insert(2), insert(1)])
    assert [value for value, _ in outcomes] == [1, None, 1, None]
    assert isinstance(outcomes[1][1], sqlite3.IntegrityError)
    assert db.execute("SELECT x FROM t").fetchall() == [(1,), (2,)]


async def test_a_failing_store_fails_the_whole_batch_and_recovers(db: sqlite3.Connection) -> None:
    def full(db: Database) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    outcomes = commit(db, [insert(1), full])
    assert all(isinstance(error, StoreError) for _, error in outcomes)
    assert not db.in_transaction
    assert commit(db, [insert(1)]) == [(1, None)]


async def test_callers_wake_when_their_operation_is_durable(tmp_path: Path) -> None:
    writer = Writer(lambda: open_writer(tmp_path / "desk.db"))
    await writer.write(apply, lambda db: db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)").rowcount)
    await asyncio.gather(*(writer.write(apply, insert(x)) for x in range(1, 200)))
    reader = open_reader(tmp_path / "desk.db")
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (199,)
    reader.close()
    await writer.close()
    with pytest.raises(StoreError):
        await writer.write(apply, insert(1))


async def test_what_is_of_one_kind_is_done_together_and_fails_alone(tmp_path: Path) -> None:
    writer = Writer(lambda: open_writer(tmp_path / "desk.db"))
    await writer.write(apply, lambda db: db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY CHECK (x > 0))").rowcount)
    sizes = []

    def keep(db: Database, items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        db.executemany("INSERT INTO t VALUES (?)", [(item,) for item in items])
        return [-item for item in items]

    results = await asyncio.gather(*(writer.write(keep, x) for x in (1, 2, 0, 3)), return_exceptions=True)
    assert results[:2] == [-1, -2]
    assert isinstance(results[2], sqlite3.IntegrityError)
    assert results[3] == -3
    assert max(sizes) > 1
    await writer.close()


async def test_a_full_queue_refuses(tmp_path: Path) -> None:
    writer = Writer(lambda: open_writer(tmp_path / "desk.db"), limit=1)
    first = asyncio.ensure_future(writer.write(apply, lambda db: 1))
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="busy"):
        await writer.write(apply, lambda db: 2)
    assert await first == 1
    await writer.close()
