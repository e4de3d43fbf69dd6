"""What it costs to be watched: spans that are not sampled, and the counts behind `/metrics`."""

import time
from collections.abc import Callable, Sequence

from bench import operations
from bench.catalogue import slug
from bench.client import body
from bench.measures import Result
from bench.stage import Stage
from bench.turns import Asker, compared, cpu_in_turns
from gateway.metrics import Metrics

FOLDER = "observing"
TITLES = 20
COUNTED = 200_000
COLLECTOR = "http://127.0.0.1:9"
"""Where nobody listens: nothing is sampled, so nothing is sent."""
Report = Callable[[Result], None]


async def measure(stage: Stage, report: Report) -> None:
    stage.say("requests that are watched …")
    spent = _counts()
    async with (
        stage.gateway(FOLDER) as plain,
        stage.gateway(f"{FOLDER}-traced", otlp_endpoint=COLLECTOR, trace_ratio="0") as traced,
    ):
        askers = {"no tracing": Asker(plain), "sampled out": Asker(traced)}
        titles = [body(operations.TITLE, slug=slug(number)) for number in range(1, TITLES + 1)]
        for what, contents in (("__typename", [body(operations.TYPENAME)]), ("one title", titles)):
            await _report(what, askers, contents, spent, report)


async def _report(
    what: str, askers: dict[str, Asker], contents: Sequence[str], spent: float, report: Report
) -> None:
    results = compared(what, await cpu_in_turns(askers, contents))
    for result in results:
        report(result)
    usual = results[0].figure
    assert usual is not None
    share = f"{100 * spent / usual:.1f} % of {usual:.0f} µs"
    report(Result(f"{what}, of which metrics", figure=spent, unit="µs", note=share))


def _counts() -> float:
    """Microseconds for the counts and histograms of one request that is answered from the cache."""
    metrics = Metrics()
    began = time.perf_counter()
    for _ in range(COUNTED):
        metrics.documents.add("ad_hoc", "text")
        metrics.cost("other", 12.0, None)
        metrics.operation("query", "other", "OK", 0.0004)
        metrics.requests.add("POST", "/graphql", "200")
        metrics.duration.add(0.0004, "POST", "/graphql")
    return 1e6 * (time.perf_counter() - began) / COUNTED
