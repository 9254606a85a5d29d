"""The faults that a simulated provider shows on demand."""

from collections import deque
from enum import StrEnum

from attrs import define, field, frozen


class FaultKind(StrEnum):
    """What goes wrong with the next call that a customer would see.

    - `RATE_LIMITED`: 429 with `retry_after`; `UNAVAILABLE`: 503.
    - `WINDOW_CLOSED`, `BLOCKED`: the provider's own refusals.
    - `LOST`: the whole request is read and taken, the answer never comes. `LOST_UNTAKEN`: read and dropped.
    - `EARLY_STATUS`: the status webhook arrives before the answer does.
    """

    RATE_LIMITED = "rate-limited"
    UNAVAILABLE = "unavailable"
    WINDOW_CLOSED = "window-closed"
    BLOCKED = "blocked"
    LOST = "lost"
    LOST_UNTAKEN = "lost-untaken"
    EARLY_STATUS = "early-status"


@frozen
class Fault:
    """One fault; `retry_after` in seconds where the kind has it."""

    kind: FaultKind
    retry_after: float = 1.0


@define(eq=False)
class FaultPlan:
    """The faults to come, one for each call, in order; with none left all goes well."""

    _queue: deque[Fault] = field(factory=deque, init=False)

    def add(self, kind: FaultKind | str, times: int = 1, *, retry_after: float = 1.0) -> None:
        """Plan a fault, which may be named by its value, for the next `times` calls that are not planned yet."""
        self._queue.extend([Fault(FaultKind(kind), retry_after)] * times)

    def take(self) -> Fault | None:
        """Give the fault of the call that is just made."""
        return self._queue.popleft() if self._queue else None

    def __len__(self) -> int:
        return len(self._queue)
