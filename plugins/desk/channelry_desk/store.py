"""The store: operations applied in durable transactions, and queries beside them."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol, TypeVar

from attrs import define, field

from .sqlite import open_reader, open_writer
from .writer import Writer

_Result = TypeVar("_Result")

READERS = 4
"""Queries that run at once."""
CHECKPOINT_SECONDS = 0.25
"""Pause between two copies of what was committed from the log to the database."""


class Store(Protocol):
    """What a store does; another one (PostgreSQL) brings its own operations and queries of the same names."""

    async def write(self, operation: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Apply an operation in a durable transaction that others may share; it fails alone."""

    async def read(self, query: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run a query beside the transactions; it sees what was durable when it began."""

    async def close(self) -> None:
        """Finish what waits and let go of the database."""


@define(eq=False)
class SqliteStore:
    """One SQLite file: one writer, and readers on connections and threads of their own.

    Another thread copies the log to the database meanwhile, so that little is left of it when the writer's turn comes.
    """

    file: Path
    writer: Writer = field(init=False)
    _threads: ThreadPoolExecutor = field(init=False)
    _readers: "SimpleQueue[sqlite3.Connection]" = field(factory=SimpleQueue, init=False)
    _opened: int = field(default=0, init=False)
    _closing: threading.Event = field(factory=threading.Event, init=False)
    _checkpointer: threading.Thread = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.writer = Writer(open_writer(self.file))
        self._threads = ThreadPoolExecutor(READERS, "channelry-desk-reader")
        self._checkpointer = threading.Thread(target=self._checkpoint, name="channelry-desk-checkpoint", daemon=True)
        self._checkpointer.start()

    async def write(self, operation: Callable[[sqlite3.Connection], _Result]) -> _Result:
        return await self.writer.apply(operation)

    async def read(self, query: Callable[[sqlite3.Connection], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, query)

    def _read(self, query: Callable[[sqlite3.Connection], _Result]) -> _Result:
        if self._readers.empty() and self._opened < READERS:
            self._opened += 1
            try:
                self._readers.put(open_reader(self.file))
            except BaseException:
                self._opened -= 1
                raise
        db = self._readers.get()
        try:
            db.execute("BEGIN")
            return query(db)
        finally:
            if db.in_transaction:
                db.execute("COMMIT")
            self._readers.put(db)

    def _checkpoint(self) -> None:
        db = open_writer(self.file)
        while not self._closing.wait(CHECKPOINT_SECONDS):
            with suppress(sqlite3.OperationalError):  # of a full or broken disk the writer tells those who wait
                db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        db.close()

    async def close(self) -> None:
        self._closing.set()
        await asyncio.to_thread(self._checkpointer.join)
        await asyncio.to_thread(self._threads.shutdown)
        while not self._readers.empty():
            self._readers.get().close()
        await self.writer.close()  # last: only a connection that may write copies the log and removes it
