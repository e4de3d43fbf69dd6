"""Counters and histograms for what happens in every request: adding to one takes some 200 ns.

The prometheus client's own take ten times as long, for their locks and for finding their labels; it reads
these when it is scraped. They belong to the thread of the event loop.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

Labels = tuple[str, ...]


class Tally(Collector):
    """A counter, by labels."""

    def __init__(self, name: str, description: str, labels: Sequence[str] = ()) -> None:
        self._about = name, description
        self._names = labels
        self._counts: dict[Labels, int] = {}

    def add(self, *labels: str) -> None:
        """One more; `labels` in the order of their names."""
        self._counts[labels] = self._counts.get(labels, 0) + 1

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(*self._about, labels=self._names)
        for labels, count in self._counts.items():
            family.add_metric(labels, count)
        yield family


class Spread(Collector):
    """A histogram, by labels."""

    def __init__(
        self, name: str, description: str, bounds: Sequence[float], labels: Sequence[str] = ()
    ) -> None:
        """`bounds` are the upper ends of the buckets, which belong to them; one without an end is added."""
        self._about = name, description
        self._names = labels
        self._bounds = tuple(bounds)
        self._shown = [*map(floatToGoString, self._bounds), "+Inf"]
        self._found: dict[Labels, _Buckets] = {}

    def add(self, value: float, *labels: str) -> None:
        found = self._found.get(labels)
        if found is None:
            found = self._found[labels] = _Buckets(len(self._shown))
        found.counts[bisect_left(self._bounds, value)] += 1
        found.total += value

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(*self._about, labels=self._names)
        for labels, found in self._found.items():
            buckets = [*zip(self._shown, map(float, accumulate(found.counts)), strict=True)]
            family.add_metric(labels, buckets, sum_value=found.total)
        yield family


class _Buckets:
    __slots__ = ("counts", "total")

    def __init__(self, size: int) -> None:
        self.counts = [0] * size
        self.total = 0.0
