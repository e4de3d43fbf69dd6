"""What the process counts, for Prometheus."""

from collections.abc import Callable, Iterator
from typing import ClassVar

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from domain.platform.cache import Cache

COSTS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)
BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The counters of one application; no state outside of it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests",
            "Requests answered, by route and status.",
            ("method", "path", "status"),
            registry=self.registry,
        )
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Time to the last byte of an answer; streams are left out.",
            ("method", "path"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.active = Gauge(
            "active_connections", "Requests and sockets being served.", registry=self.registry
        )
        self.statements = Histogram(
            "db_statement_duration_seconds", "Time of a statement.", buckets=BUCKETS, registry=self.registry
        )
        self.operations = Histogram(
            "graphql_operation_duration_seconds",
            "Time of a query or mutation, by its name where that is a known one, and by how it ended.",
            ("type", "operation", "outcome"),
            buckets=BUCKETS,
            registry=self.registry,
        )

        self.documents = Counter(
            "graphql_documents",
            "Operations by whether their document is published, and by what named it: id, hash or text.",
            ("kind", "named_by"),
            registry=self.registry,
        )
        self.excesses = Counter(
            "graphql_limits_exceeded",
            "Requests larger than a limit, by the limit and by what was done: refused or warned.",
            ("limit", "action"),
            registry=self.registry,
        )

        self.requested_cost = Histogram(
            "graphql_operation_requested_cost",
            "What operations were expected to cost, by name where that is a known one.",
            ("operation",),
            buckets=COSTS,
            registry=self.registry,
        )
        self.actual_cost = Histogram(
            "graphql_operation_actual_cost",
            "What operations cost by their answers, where that was measured.",
            ("operation",),
            buckets=COSTS,
            registry=self.registry,
        )
        self.cost_exceeded = Counter(
            "graphql_cost_exceeded",
            "Operations that cost too much, or more than was left; by what becomes of them.",
            ("code", "mode"),
            registry=self.registry,
        )

    def cost(self, name: str, requested: float, actual: float | None) -> None:
        self.requested_cost.labels(name).observe(requested)
        if actual is not None:
            self.actual_cost.labels(name).observe(actual)

    def operation(self, kind: str, name: str, outcome: str, seconds: float) -> None:
        self.operations.labels(kind, name, outcome).observe(seconds)

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """A gauge that is read when it is scraped."""
        Gauge(name, description, registry=self.registry).set_function(read)

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
