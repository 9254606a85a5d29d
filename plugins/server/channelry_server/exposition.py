"""The metrics in Prometheus's text format. Imported with the first question for them: many servers are never asked."""

from collections.abc import Iterable
from itertools import accumulate

from attrs import frozen
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from .metrics import BUCKETS, Metrics

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# By the first word of the hub's count: the name, what it counts, and what the further words are.
_FAMILIES = {
    "webhooks": ("channelry_webhooks", "Webhooks answered.", ("endpoint", "status")),
    "events": ("channelry_events", "Events received.", ("connection", "type")),
    "sends": ("channelry_sends", "Calls sent to providers.", ("connection", "outcome")),
    "failures": ("channelry_plugin_failures", "Hooks that failed.", ("plugin", "hook")),
}


@frozen
class _Families(Collector):
    metrics: Metrics

    def collect(self) -> Iterable[Metric]:
        families = {
            word: CounterMetricFamily(name, text, labels=labels) for word, (name, text, labels) in _FAMILIES.items()
        }
        for (word, *labels), count in list(self.metrics.counts.items()):
            if word in families:
                families[word].add_metric(labels, count)
        yield from families.values()
        seconds = HistogramMetricFamily(
            "channelry_webhook_seconds", "From the head of a webhook to its answer.", labels=("endpoint",)
        )
        bounds = [*map(str, BUCKETS), "+Inf"]
        for endpoint, counts in self.metrics.seconds.items():
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            seconds.add_metric((endpoint,), buckets, self.metrics.sums[endpoint])
        yield seconds


def text(metrics: Metrics) -> bytes:
    """Write all metrics."""
    registry = CollectorRegistry()
    registry.register(_Families(metrics))
    return generate_latest(registry)
