"""Five metrics to begin with: four read from the hub's counts when they are asked for, and one histogram."""

from bisect import bisect_left
from collections.abc import Mapping

from attrs import define, field

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0)
"""Bounds, in seconds. A webhook is good within 5 ms, and providers give up after 5 to 20 s."""


@define(eq=False)
class Metrics:
    """The metrics of one hub.

    - `counts`: the hub's; `seconds`: by endpoint, how many webhooks took how long, a number for each of `BUCKETS` and
      one more; `sums`: how long they took together.

    The histogram is by hand, for the library's own takes its locks at every observation: 2 µs of a webhook's 60.
    """

    counts: Mapping[tuple[str, ...], int]
    seconds: dict[str, list[int]] = field(factory=dict, init=False)
    sums: dict[str, float] = field(factory=dict, init=False)

    def observe(self, endpoint: str, seconds: float) -> None:
        """Note how long a webhook took. Only names of the configuration may come here: each becomes a label."""
        if endpoint not in self.seconds:
            self.seconds[endpoint], self.sums[endpoint] = [0] * (len(BUCKETS) + 1), 0.0
        self.seconds[endpoint][bisect_left(BUCKETS, seconds)] += 1
        self.sums[endpoint] += seconds
