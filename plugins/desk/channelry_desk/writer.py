"""Group commit: one thread, one transaction for all operations that wait, one durable commit for all their callers."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

from attrs import define, field

from .errors import StoreError

Operation: TypeAlias = Callable[[sqlite3.Connection], Any]
"""Reads and writes within the transaction that it is given, and gives what its caller waits for."""
_Waiting: TypeAlias = tuple[Operation, "asyncio.Future[Any]"]
_Outcome: TypeAlias = tuple[Any, BaseException | None]
_Result = TypeVar("_Result")

QUEUE = 10_000
"""Operations that may wait; more are refused, and the provider comes again."""
BATCH = 512
"""Operations of one transaction at most, so that nobody waits long for a neighbour."""


@define(eq=False)
class Writer:
    """Applies operations in durable transactions, on a connection and a thread of its own.

    An operation that fails fails alone: a batch is tried as a whole first, and once more with a savepoint for each
    operation where one has raised. Failures of the store itself (disk full, I/O) fail the whole batch.
    """

    db: sqlite3.Connection
    loop: asyncio.AbstractEventLoop = field(factory=asyncio.get_running_loop)
    limit: int = QUEUE
    _queue: "SimpleQueue[_Waiting | None]" = field(factory=SimpleQueue, init=False)
    _thread: threading.Thread = field(init=False)
    _waiting: int = field(default=0, init=False)
    _closed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="channelry-desk-writer", daemon=True)
        self._thread.start()

    async def apply(self, operation: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Give the operation's result once it is durable; raises what it raised, StoreError or sqlite3.Error.

        It is applied even if the caller is cancelled meanwhile.
        """
        if self._closed:
            raise StoreError("the store is closing")
        if self._waiting >= self.limit:
            raise StoreError("the store is too busy")
        self._waiting += 1
        future: asyncio.Future[_Result] = self.loop.create_future()
        self._queue.put((operation, future))
        return await future

    async def close(self) -> None:
        """Finish what waits, and close the connection."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self.db.close()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch: list[_Waiting] = [first]
            last = False
            for _ in range(min(self._queue.qsize(), BATCH)):
                one = self._queue.get()
                if one is None:
                    last = True
                    break
                batch.append(one)
            outcomes = commit(self.db, [operation for operation, _ in batch])
            self.loop.call_soon_threadsafe(self._wake, batch, outcomes)
            if last:
                return

    def _wake(self, batch: Sequence[_Waiting], outcomes: Sequence[_Outcome]) -> None:
        self._waiting -= len(batch)
        for (_, future), (value, error) in zip(batch, outcomes, strict=True):
            if future.cancelled():
                continue
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)


def commit(db: sqlite3.Connection, operations: Sequence[Operation]) -> list[_Outcome]:
    """Apply operations in one durable transaction; give each one's result or error, and raise nothing."""
    try:
        db.execute("BEGIN IMMEDIATE")
        outcomes: list[_Outcome] = [(operation(db), None) for operation in operations]
        db.execute("COMMIT")
    except BaseException as error:  # an operation's own, or the store's: the same is tried again one by one
        _roll_back(db)
        if len(operations) == 1 or is_of_the_store(error):
            return [(None, error)] * len(operations)
    else:
        return outcomes
    try:
        db.execute("BEGIN IMMEDIATE")
        outcomes = [_alone(db, operation) for operation in operations]
        db.execute("COMMIT")
    except BaseException as error:  # the store's, now
        _roll_back(db)
        return [(None, error)] * len(operations)
    return outcomes


def _alone(db: sqlite3.Connection, operation: Operation) -> _Outcome:
    db.execute("SAVEPOINT alone")
    try:
        value = operation(db)
    except BaseException as error:
        if is_of_the_store(error):
            raise
        db.execute("ROLLBACK TO alone")
        db.execute("RELEASE alone")
        return None, error
    db.execute("RELEASE alone")
    return value, None


def is_of_the_store(error: BaseException) -> bool:
    """Tell whether the store failed (try again later), not the operation (never again as it is)."""
    if isinstance(error, sqlite3.OperationalError):
        return True
    return type(error) is sqlite3.DatabaseError or isinstance(error, StoreError)


def _roll_back(db: sqlite3.Connection) -> None:
    """After an I/O error SQLite has already done it."""
    if db.in_transaction:
        db.execute("ROLLBACK")
