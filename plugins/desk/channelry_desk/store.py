"""The store: operations applied in durable transactions, and queries beside them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from attrs import define, field

from .database import Database, Engine
from .errors import StoreError
from .writer import Operation, Together, Writer, apply

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

READERS = 4
"""Queries that run at once."""


@define(eq=False)
class Store:
    """One database: one writer, and readers on connections and threads of their own. Made by `open_store`."""

    engine: Engine
    writer: Writer = field(init=False)
    _threads: ThreadPoolExecutor = field(init=False)
    _readers: "SimpleQueue[Database]" = field(factory=SimpleQueue, init=False)
    _opened: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.writer = Writer(self.engine.writer)
        self._threads = ThreadPoolExecutor(READERS, "channelry-desk-reader")

    async def write(self, operation: Operation[_Result]) -> _Result:
        """Apply an operation in a durable transaction that others may share; it fails alone.

        Raises what the operation raised, or StoreError: try again later.
        """
        return await self.writer.write(apply, operation)

    async def write_together(self, together: Together[_Item, _Result], item: _Item) -> _Result:
        """As `write`, of what is quicker done for several callers at once."""
        return await self.writer.write(together, item)

    async def read(self, query: Callable[[Database], _Result]) -> _Result:
        """Run a query beside the transactions; it sees what was durable when it began."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, query)

    def _read(self, query: Callable[[Database], _Result]) -> _Result:
        if self._readers.empty() and self._opened < READERS:
            self._opened += 1
            try:
                self._readers.put(self.engine.reader())
            except BaseException:
                self._opened -= 1
                raise
        db = self._readers.get()
        try:
            db.begin()
            return query(db)
        except Exception as error:
            if db.failed(error) and not isinstance(error, StoreError):
                raise StoreError(f"{type(error).__name__}: {error}") from error
            raise
        finally:
            db.rollback()
            self._readers.put(db)

    async def close(self) -> None:
        """Finish what waits and let go of the database."""
        await asyncio.to_thread(self.engine.stop)
        await asyncio.to_thread(self._close_readers)
        await self.writer.close()  # last: only a connection that may write copies SQLite's log and removes it

    def _close_readers(self) -> None:
        self._threads.shutdown()
        while not self._readers.empty():
            self._readers.get().close()


async def open_store(engine: Engine) -> Store:
    """Open a database; StoreError if that is not possible."""
    store = Store(engine)
    await store.writer.opened()
    await asyncio.to_thread(engine.start)
    return store
