"""A clock that moves only when told."""

from datetime import UTC, datetime, timedelta

import anyio
import anyio.lowlevel
from attrs import define, field


@define(eq=False)
class FakeClock:
    """Time for tests: `sleep` returns once `advance` has moved the clock far enough."""

    _now: datetime = field(default=datetime(2026, 11, 22, 7, 0, tzinfo=UTC))
    _elapsed: float = field(default=0.0, init=False)
    _sleepers: list[tuple[float, anyio.Event]] = field(factory=list, init=False)

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        woken = anyio.Event()
        self._sleepers.append((self._elapsed + seconds, woken))
        await woken.wait()

    @property
    def sleepers(self) -> int:
        """How many tasks are asleep."""
        return len(self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Move time on, wake who is due, and let them run."""
        self._elapsed += seconds
        self._now += timedelta(seconds=seconds)
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._elapsed]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._elapsed]
        for _, woken in due:
            woken.set()
        await anyio.wait_all_tasks_blocked()
