"""The circuit breaker of one resource: while Azure is down or tired of us, nothing is sent."""

from attrs import define, field

from channelry.errors import PermanentError, RetryableError, SendError
from channelry.services import Clock

FAILURES = 3
"""So many failed requests in a row open it."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds that it stays open: doubled with each failure after, up to the longest."""


@define(eq=False)
class Breaker:
    """Refuses requests while it is open; the first ones after that find out whether Azure is back.

    A `Retry-After` opens it at once, for as long as it says. A request that Azure refuses for what is in it
    (PermanentError) says nothing about Azure.
    """

    _clock: Clock
    _in_a_row: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)
    _reason: str = field(default="", init=False)

    def admit(self) -> None:
        """Raise RetryableError while it is open."""
        left = self._until - self._clock.monotonic()
        if left > 0:
            raise RetryableError(
                f"Azure is left alone for {left:.0f} s more, after: {self._reason}", code="open", retry_after=left
            )

    def succeeded(self) -> None:
        self._in_a_row = 0

    def failed(self, error: SendError) -> None:
        if isinstance(error, PermanentError):
            return
        self._in_a_row += 1
        self._reason = str(error)
        pause = (error.retry_after or 0.0) if isinstance(error, RetryableError) else 0.0
        if self._in_a_row >= FAILURES:
            pause = max(pause, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._in_a_row - FAILURES, 10)))
        self._until = max(self._until, self._clock.monotonic() + pause)  # another thread may know of a longer one
