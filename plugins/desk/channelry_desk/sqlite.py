"""SQLite: one file, durable or not at all."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from attrs import define, field

from . import fulltext
from .database import Given
from .errors import StoreError
from .schema import SCRIPTS

BUSY_MILLISECONDS = 10_000
"""How long a connection waits for another process's transaction."""
CACHE_KIBIBYTES = 16_384

CHECKPOINT_PAGES = 8_192
"""Pages (32 MiB) between two checkpoints: each page that changed is then written once for many transactions."""
CHECKPOINT_SECONDS = 0.25
"""Pause between two copies of what was committed from the log to the database."""

TOGETHER = 64
"""Rows of one statement at most. SQLite runs without Python's lock, which each statement must have back: so few are
better. Their numbers of rows are powers of two, so that there are few to prepare."""

_FULL = 2


class SqliteDatabase(sqlite3.Connection):
    """A connection to the file."""

    beginning = "BEGIN"
    full_text = fulltext.SQLITE

    def given(self, *work: tuple[Given, Sequence[Sequence[Any]]]) -> None:
        # what SQLite counts as changed has rows of the index of words in it
        for one, rows in work:
            done = 0
            while done < len(rows):
                size = min(TOGETHER, 1 << (len(rows) - done).bit_length() - 1)
                self.execute(written(one, size), tuple(chain.from_iterable(rows[done : done + size])))
                done += size

    def rows(self, sql: str, values: Sequence[Any] = (), /) -> list[Any]:
        cursor = self.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(sql, values).fetchall()

    def insert(self, sql: str, values: Sequence[Any] = (), /) -> int:
        done = self.execute(sql, values)
        return (done.lastrowid or 0) if done.rowcount else 0

    def begin(self) -> None:
        self.execute(self.beginning)

    def rollback(self) -> None:
        if self.in_transaction:  # after an I/O error SQLite has already done it
            super().rollback()

    def failed(self, error: BaseException) -> bool:
        if isinstance(error, sqlite3.OperationalError):
            return True
        return type(error) is sqlite3.DatabaseError or isinstance(error, StoreError)


@define(eq=False)
class Sqlite:
    """One file. Beside the writer a thread copies the log to the database, so that little is left of it when the
    writer's turn to do so comes."""

    file: Path
    _stopping: threading.Event = field(factory=threading.Event, init=False)
    _checkpointer: threading.Thread = field(init=False)

    def writer(self) -> SqliteDatabase:
        return open_writer(self.file)

    def reader(self) -> SqliteDatabase:
        return open_reader(self.file)

    def missing(self) -> str:
        return "" if self.file.exists() else str(self.file)

    def start(self) -> None:
        self._checkpointer = threading.Thread(target=self._checkpoint, name="channelry-desk-checkpoint", daemon=True)
        self._checkpointer.start()

    def stop(self) -> None:
        self._stopping.set()
        self._checkpointer.join()

    async def listen(self, wake: Callable[[str], None]) -> None:
        await asyncio.Event().wait()  # SQLite tells nobody: a worker in another process looks again and again

    def _checkpoint(self) -> None:
        db = open_writer(self.file)
        while not self._stopping.wait(CHECKPOINT_SECONDS):
            with suppress(sqlite3.OperationalError):  # of a full or broken disk the writer tells those who wait
                db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        db.close()


def open_writer(file: Path) -> SqliteDatabase:
    """Open (and make, or bring up to date) the database for writing; StoreError if it would not be durable.

    WAL with `synchronous=FULL`: with NORMAL a commit is not synced, and a power cut takes acknowledged rows with it.
    """
    with _opening(file, str(file), cached=256) as db:
        db.beginning = "BEGIN IMMEDIATE"
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")
        db.execute("PRAGMA temp_store=MEMORY")  # what a statement for many rows can be undone by, too
        db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        assert_durable(db)
        migrate(db)
        return db


def open_reader(file: Path) -> SqliteDatabase:
    """Open the database for reading only; StoreError if that is not possible."""
    with _opening(file, f"{file.absolute().as_uri()}?mode=ro", uri=True) as db:
        db.execute("PRAGMA query_only=ON")
        return db


@contextmanager
def _opening(file: Path, target: str, *, uri: bool = False, cached: int = 128) -> Iterator[SqliteDatabase]:
    """Connect, and close where what follows fails; SQLite's own error becomes a StoreError that names the file."""
    try:
        db = sqlite3.connect(
            target, uri=uri, isolation_level=None, check_same_thread=False, cached_statements=cached,
            factory=SqliteDatabase,
        )  # fmt: skip
        try:
            db.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
            yield db
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise StoreError(f"{file}: cannot be opened ({error}); see database in [desk]") from error


@cache
def written(work: Given, size: int) -> str:
    """Write a statement for so many rows."""
    row = f"({','.join('?' for _ in work.names)})"
    return f"WITH given({', '.join(work.names)}) AS (VALUES {','.join([row] * size)}) {work.statement}"


def assert_durable(db: sqlite3.Connection) -> None:
    """Raise StoreError unless a commit survives a power cut."""
    (mode,) = db.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = db.execute("PRAGMA synchronous").fetchone()
    if mode != "wal" or synchronous != _FULL:
        raise StoreError(
            f"the database is not durable: journal_mode={mode}, synchronous={synchronous}; expected wal, 2"
        )


def migrate(db: sqlite3.Connection) -> None:
    """Run the scripts that the database has not had; StoreError if it has had more than there are."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(SCRIPTS):
        raise StoreError(
            f"the database has schema {version}, this version of channelry-desk knows {len(SCRIPTS)}; "
            "run: pip install --upgrade channelry-desk"
        )
    for number, script in enumerate(SCRIPTS[version:], version + 1):
        db.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version={number};COMMIT;")
    for statement in fulltext.SQLITE.create:
        db.execute(statement)
