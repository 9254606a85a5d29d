"""Group commit: one thread, one transaction for all that waits to be written, one durable commit for all who wait."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

from attrs import define, field

from .database import Database
from .errors import StoreError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

Operation: TypeAlias = Callable[[Database], _Result]
"""Reads and writes within the transaction that it is given, and gives what its caller waits for."""
Together: TypeAlias = Callable[[Database, Sequence[_Item]], Sequence[_Result]]
"""Does one thing for several callers at once: an item of each, and as many results."""
_Work: TypeAlias = tuple[Together[Any, Any], Any]
_Waiting: TypeAlias = tuple[_Work, "asyncio.Future[Any]"]
_Outcome: TypeAlias = tuple[Any, BaseException | None]

QUEUE = 10_000
"""Pieces of work that may wait; more are refused, and the provider comes again."""
BATCH = 512
"""Pieces of work of one transaction at most, so that nobody waits long for a neighbour."""


def apply(db: Database, operations: Sequence[Operation[Any]]) -> list[Any]:
    """Apply operations that have nothing in common, one after the other."""
    return [operation(db) for operation in operations]


@define(eq=False)
class Writer:
    """Writes in durable transactions, on a connection and a thread of its own.

    Work that fails fails alone: a batch is tried as a whole first, and once more with a savepoint for each piece where
    one has raised. Failures of the store itself (disk full, I/O, no connection) fail the whole batch, as StoreErrors.
    """

    open: Callable[[], Database]
    limit: int = QUEUE
    loop: asyncio.AbstractEventLoop = field(factory=asyncio.get_running_loop)
    _queue: "SimpleQueue[_Waiting | None]" = field(factory=SimpleQueue, init=False)
    _thread: threading.Thread = field(init=False)
    _opened: "asyncio.Future[None]" = field(init=False)
    _waiting: int = field(default=0, init=False)
    _closed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._opened = self.loop.create_future()
        self._thread = threading.Thread(target=self._run, name="channelry-desk-writer", daemon=True)
        self._thread.start()

    async def opened(self) -> None:
        """Return when the connection is open; raises what prevents it."""
        await asyncio.shield(self._opened)

    async def write(self, together: Together[_Item, _Result], item: _Item) -> _Result:
        """Give the result for an item once it is durable; raises what the work raised, or StoreError.

        It is done even if the caller is cancelled meanwhile.
        """
        if self._closed:
            raise StoreError("the store is closing")
        if self._waiting >= self.limit:
            raise StoreError("the store is too busy")
        self._waiting += 1
        future: asyncio.Future[_Result] = self.loop.create_future()
        self._queue.put(((together, item), future))
        return await future

    async def close(self) -> None:
        """Finish what waits, and close the connection."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            db = self.open()
        except BaseException as error:
            self.loop.call_soon_threadsafe(self._opened.set_exception, error)
            return
        self.loop.call_soon_threadsafe(self._opened.set_result, None)
        try:
            self._work(db)
        finally:
            db.close()

    def _work(self, db: Database) -> None:
        while (first := self._queue.get()) is not None:
            batch: list[_Waiting] = [first]
            last = False
            for _ in range(min(self._queue.qsize(), BATCH)):
                one = self._queue.get()
                if one is None:
                    last = True
                    break
                batch.append(one)
            outcomes = commit(db, [work for work, _ in batch])
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


def commit(db: Database, works: Sequence[_Work]) -> list[_Outcome]:
    """Do work in one durable transaction; give the result or the error of each piece, and raise nothing."""
    try:
        db.begin()
        outcomes = _all(db, works)
        db.commit()
    except BaseException as error:  # the work's own, or the store's: the same is tried again piece by piece
        db.rollback()
        if db.failed(error):
            return [(None, _of_the_store(error))] * len(works)
        if len(works) == 1:
            return [(None, error)]
    else:
        return outcomes
    try:
        db.begin()
        outcomes = [_alone(db, work) for work in works]
        db.commit()
    except BaseException as error:  # the store's, now
        db.rollback()
        return [(None, _of_the_store(error))] * len(works)
    return outcomes


def _all(db: Database, works: Sequence[_Work]) -> list[_Outcome]:
    """Do what is of one kind together."""
    kinds: dict[Together[Any, Any], list[int]] = {}
    for number, (together, _) in enumerate(works):
        kinds.setdefault(together, []).append(number)
    outcomes: list[_Outcome] = [(None, None)] * len(works)
    for together, numbers in kinds.items():
        results = together(db, [works[number][1] for number in numbers])
        for number, result in zip(numbers, results, strict=True):
            outcomes[number] = result, None
    return outcomes


def _alone(db: Database, work: _Work) -> _Outcome:
    together, item = work
    db.execute("SAVEPOINT alone")
    try:
        (value,) = together(db, [item])
    except BaseException as error:
        if db.failed(error):
            raise
        db.execute("ROLLBACK TO alone")
        db.execute("RELEASE alone")
        return None, error
    db.execute("RELEASE alone")
    return value, None


def _of_the_store(error: BaseException) -> StoreError:
    if isinstance(error, StoreError):
        return error
    failure = StoreError(f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure
