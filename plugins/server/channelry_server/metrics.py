"""Five metrics to begin with: four read from the hub's counts when they are asked for, and one histogram."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import accumulate

from attrs import define, field
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# By the first word of the hub's count: the name, what it counts, and what the further words are.
_FAMILIES = {
    "webhooks": ("channelry_webhooks", "Webhooks answered.", ("endpoint", "status")),
    "events": ("channelry_events", "Events received.", ("connection", "type")),
    "sends": ("channelry_sends", "Calls sent to providers.", ("connection", "outcome")),
    "failures": ("channelry_plugin_failures", "Hooks that failed.", ("plugin", "hook")),
}
# A webhook is good within 5 ms, and providers give up after 5 to 20 s.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0)


@define(eq=False)
class _Counts(Collector):
    counts: Mapping[tuple[str, ...], int]

    def collect(self) -> Iterable[Metric]:
        families = {
            word: CounterMetricFamily(name, text, labels=labels) for word, (name, text, labels) in _FAMILIES.items()
        }
        for (word, *labels), count in list(self.counts.items()):
            if word in families:
                families[word].add_metric(labels, count)
        return families.values()


@define(eq=False)
class _Seconds(Collector):
    """How long webhooks took, per endpoint: a count for each bucket, and the sum.

    By hand, for the library's own histogram takes its locks at every observation: 2 µs of a webhook's 60.
    """

    counts: dict[str, list[int]] = field(factory=dict)
    sums: dict[str, float] = field(factory=dict)

    def observe(self, endpoint: str, seconds: float) -> None:
        if endpoint not in self.counts:
            self.counts[endpoint], self.sums[endpoint] = [0] * (len(_BUCKETS) + 1), 0.0
        self.counts[endpoint][bisect_left(_BUCKETS, seconds)] += 1
        self.sums[endpoint] += seconds

    def collect(self) -> Iterable[Metric]:
        text = "From the head of a webhook to its answer."
        family = HistogramMetricFamily("channelry_webhook_seconds", text, labels=("endpoint",))
        for endpoint, counts in self.counts.items():
            bounds = [*map(str, _BUCKETS), "+Inf"]
            family.add_metric((endpoint,), list(zip(bounds, accumulate(counts), strict=True)), self.sums[endpoint])
        return (family,)


class Metrics:
    """The metrics of one hub, in a registry of their own."""

    def __init__(self, counts: Mapping[tuple[str, ...], int]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Counts(counts))
        self._seconds = _Seconds()
        self._registry.register(self._seconds)
        self.observe = self._seconds.observe
        """Notes how long a webhook took. Only names of the configuration may come here: each becomes a label."""

    def text(self) -> bytes:
        """Give all of them in Prometheus's text format."""
        return generate_latest(self._registry)
