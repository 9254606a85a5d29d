"""Micro-batches: the documents of several callers at once, gathered into requests."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from threading import Condition, Thread
from time import monotonic
from typing import Any, TypeAlias

from attrs import define, field

from channelry.errors import RetryableError
from channelry.services import Clock

from .documents import Document, fitting

Request: TypeAlias = Callable[[Sequence[Document], float], Sequence[Any]]
"""Asks about documents within so many seconds; gives an answer for each, in their order, None where it is refused."""


AT_ONCE = 4
"""Requests that one caller's documents make at the same time."""


@define(eq=False)
class _Place:
    """One document that waits for its answer, since a moment of the machine's clock."""

    document: Document
    since: float
    answer: Any = None
    error: Exception | None = None
    settled: bool = False


@define(eq=False)
class Batcher:
    """Asks about documents in requests of at most `most`, those of callers in other threads among them.

    A request leaves when it is full, or `linger` seconds after its first document came. It is made by a caller who
    waits, for whomever it is; what fills several requests has threads of its own besides, `AT_ONCE` with the
    caller's. A request that fails fails those whose documents it had. The last `remember` answers are kept, so that a
    text that comes again, after a failure of its neighbours or because everybody writes it, is not paid for again.
    """

    _request: Request
    _clock: Clock
    _most: int
    _linger: float
    _timeout: float
    _remember: int
    _waiting: list[_Place] = field(factory=list, init=False)
    _known: OrderedDict[bytes, Any] = field(factory=OrderedDict, init=False)
    _changed: Condition = field(factory=Condition, init=False)

    def ask(self, documents: Sequence[Document]) -> list[Any]:
        """Give the answer to each document, None to one that is refused; SendError when a request failed."""
        until = self._clock.monotonic() + self._timeout
        with self._changed:
            places = [self._place(document) for document in documents]
            self._waiting += [place for place in places if not place.settled]
            full = len(self._waiting) // self._most
            self._changed.notify_all()
        for _ in range(min(full, AT_ONCE) - 1):
            Thread(target=self._help, args=(until,), daemon=True).start()  # so that no request keeps a process alive
        try:
            while batch := self._due(places, until):
                self._settle(batch, until - self._clock.monotonic())
        finally:
            own = set(places)
            with self._changed:
                self._waiting = [place for place in self._waiting if place not in own]
        return [place.answer for place in places]

    def _place(self, document: Document) -> _Place:
        key = _key(document)
        if key not in self._known:
            return _Place(document, monotonic())
        self._known.move_to_end(key)
        return _Place(document, 0.0, self._known[key], settled=True)

    def _help(self, until: float) -> None:
        """Make full requests as long as there are any."""
        while batch := self._full():
            self._settle(batch, until - self._clock.monotonic())

    def _full(self) -> list[_Place]:
        with self._changed:
            count = self._fitting()
            return self._taken(count) if self._is_full(count) else []

    def _fitting(self) -> int:
        return fitting([place.document for place in self._waiting[: self._most + 1]], self._most)

    def _is_full(self, count: int) -> bool:
        return count == self._most or count < len(self._waiting)

    def _taken(self, count: int) -> list[_Place]:
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _due(self, own: Sequence[_Place], until: float) -> list[_Place]:
        """Wait for a request that is to be made now; none when all of one's own documents have their answers."""
        with self._changed:
            while not all(place.settled for place in own):
                left = until - self._clock.monotonic()
                if left <= 0:
                    raise RetryableError(f"Azure did not answer all of it in {self._timeout:g} s", code="timeout")
                if not self._waiting:  # another caller asks about them
                    self._changed.wait(left)
                    continue
                count = self._fitting()
                lingers = self._waiting[0].since + self._linger - monotonic()  # a thread waits in real time
                if self._is_full(count) or lingers <= 0:
                    return self._taken(count)
                self._changed.wait(lingers)
            for place in own:
                if place.error is not None:
                    raise place.error
            return []

    def _settle(self, batch: Sequence[_Place], left: float) -> None:
        """Make one request; whatever comes of it, nobody waits any longer."""
        error: Exception | None = None
        try:
            answers = self._request([place.document for place in batch], left)
        except Exception as raised:
            answers, error = [None] * len(batch), raised
        with self._changed:
            for place, answer in zip(batch, answers, strict=True):
                place.answer, place.error, place.settled = answer, error, True
                if answer is not None:
                    self._known[_key(place.document)] = answer
            while len(self._known) > self._remember:
                self._known.popitem(last=False)
            self._changed.notify_all()


def _key(document: Document) -> bytes:
    """Give what a document is remembered by: not its text, which is a customer's."""
    return blake2b(repr(sorted(document.items())).encode()).digest()
