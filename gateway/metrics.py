"""What the process counts, for Prometheus."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from domain.platform.cache import Cache
from gateway.tallies import Spread, Tally

COSTS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)
BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The counters of one application; no state outside of it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.active = 0
        """Requests and sockets being served."""
        self.watch("active_connections", "Requests and sockets being served.", lambda: self.active)
        self.requests = self._tally(
            "http_requests", "Requests answered, by route and status.", ("method", "path", "status")
        )
        self.duration = self._spread(
            "http_request_duration_seconds",
            "Time to the last byte of an answer; streams are left out.",
            BUCKETS,
            ("method", "path"),
        )
        self.statements = self._spread("db_statement_duration_seconds", "Time of a statement.", BUCKETS)
        self.delivery = self._spread(
            "sync_delivery_seconds",
            "Time from the writing of a change, by whichever process, until a stream here took it.",
            BUCKETS,
        )
        self.operations = self._spread(
            "graphql_operation_duration_seconds",
            "Time of a query or mutation, by its name where that is a known one, and by how it ended.",
            BUCKETS,
            ("type", "operation", "outcome"),
        )
        self.documents = self._tally(
            "graphql_documents",
            "Operations by whether their document is published, and by what named it: id, hash or text.",
            ("kind", "named_by"),
        )
        self.excesses = self._tally(
            "graphql_limits_exceeded",
            "Requests larger than a limit, by the limit and by what was done: refused or warned.",
            ("limit", "action"),
        )
        self.requested_cost = self._spread(
            "graphql_operation_requested_cost",
            "What operations were expected to cost, by name where that is a known one.",
            COSTS,
            ("operation",),
        )
        self.actual_cost = self._spread(
            "graphql_operation_actual_cost",
            "What operations cost by their answers, where that was measured.",
            COSTS,
            ("operation",),
        )
        self.cost_exceeded = self._tally(
            "graphql_cost_exceeded",
            "Operations that cost too much, or more than was left; by what becomes of them.",
            ("code", "mode"),
        )

    def _tally(self, name: str, description: str, labels: Sequence[str]) -> Tally:
        tally = Tally(name, description, labels)
        self.registry.register(tally)
        return tally

    def _spread(
        self, name: str, description: str, bounds: Sequence[float], labels: Sequence[str] = ()
    ) -> Spread:
        spread = Spread(name, description, bounds, labels)
        self.registry.register(spread)
        return spread

    def cost(self, name: str, requested: float, actual: float | None) -> None:
        self.requested_cost.add(requested, name)
        if actual is not None:
            self.actual_cost.add(actual, name)

    def operation(self, kind: str, name: str, outcome: str, seconds: float) -> None:
        self.operations.add(seconds, kind, name, outcome)

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """A gauge that is read when it is scraped."""
        Gauge(name, description, registry=self.registry).set_function(read)

    def watch_fanout(self, listeners: Callable[[], int], relayed: Callable[[], int]) -> None:
        self.watch("sync_listeners", "Streams that follow an account.", listeners)
        self.watch("sync_changes_relayed", "Changes that other processes told.", relayed)

    def watch_counts(
        self, name: str, description: str, label: str, read: Callable[[], Mapping[str, int]]
    ) -> None:
        """Counters that somebody else keeps, by `label`."""
        self.registry.register(_Counts(name, description, label, read))

    def watch_cache(self, cache: Cache) -> None:
        """What the entity cache does and holds, by kind of value."""
        self.registry.register(_CacheUsage(cache))

    @property
    def routes(self) -> list[BaseRoute]:
        async def metrics(_request: Request) -> Response:
            return Response(
                generate_latest(self.registry),
                headers={"cache-control": "no-store"},
                media_type=CONTENT_TYPE_LATEST,
            )

        return [Route("/metrics", metrics)]


class _Counts(Collector):
    """Reads counts when it is scraped."""

    def __init__(
        self, name: str, description: str, label: str, read: Callable[[], Mapping[str, int]]
    ) -> None:
        self._about = name, description
        self._label = label
        self._read = read

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(*self._about, labels=[self._label])
        for value, count in self._read().items():
            family.add_metric([value], count)
        yield family


class _CacheUsage(Collector):
    """Reads the cache's own counts when it is scraped, as a hit is far too short to count one by one."""

    COUNTED: ClassVar = {
        "hits": "Keys answered from the entity cache.",
        "misses": "Keys that the entity cache asked the database for.",
        "evictions": "Values dropped for want of room.",
        "invalidations": "Values dropped as what they show has changed.",
    }
    HELD: ClassVar = {
        "entries": "Values held.",
        "bytes": "Estimate of what the values held take in memory.",
    }

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def collect(self) -> Iterator[Metric]:
        usage = self._cache.usage()
        for name, description in (self.COUNTED | self.HELD).items():
            of = CounterMetricFamily if name in self.COUNTED else GaugeMetricFamily
            family = of(f"entity_cache_{name}", description, labels=["kind"])
            for kind, used in usage.items():
                family.add_metric([kind], getattr(used, name))
            yield family
