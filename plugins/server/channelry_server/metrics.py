"""Five metrics to begin with: four read from the hub's counts when they are asked for, and one histogram."""

from collections.abc import Iterable, Mapping

from attrs import define
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
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


class Metrics:
    """The metrics of one hub, in a registry of their own."""

    def __init__(self, counts: Mapping[tuple[str, ...], int]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Counts(counts))
        self._seconds = Histogram(
            "channelry_webhook_seconds",
            "From the head of a webhook to its answer.",
            ("endpoint",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._by_endpoint: dict[str, Histogram] = {}

    def observe(self, endpoint: str, seconds: float) -> None:
        """Note how long a webhook took. Only names of the configuration may come here: each becomes a label."""
        found = self._by_endpoint.get(endpoint)
        if found is None:
            found = self._by_endpoint[endpoint] = self._seconds.labels(endpoint)
        found.observe(seconds)

    def text(self) -> bytes:
        """Give all of them in Prometheus's text format."""
        return generate_latest(self._registry)
