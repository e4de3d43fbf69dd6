"""What it costs to be watched: spans that are not sampled, and the counts behind `/metrics`.

The spans' price is the difference of two applications in this process that are asked in turns, one with an
exporter of traces: two servers differ by more. What a request costs beside it is that of a server.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from statistics import median

from bench import operations
from bench.asking import ask
from bench.catalogue import slug
from bench.client import body
from bench.measures import Result
from bench.stage import Stage
from bench.turns import Asker, cpu_in_turns
from gateway.app import create_app
from gateway.edge import Application
from gateway.logs import configure
from gateway.metrics import Metrics
from gateway.settings import load

FOLDER = "observing"
TITLES = 20
ROUNDS = 100
EACH = 100
"""Requests to one application in a round."""
COUNTED = 200_000
COLLECTOR = "http://127.0.0.1:9"
"""Where nobody listens: nothing is sampled, so nothing is sent."""
TRACING: Mapping[str, Mapping[str, object]] = {
    "no tracing": {},
    "sampled out": {"otlp_endpoint": COLLECTOR, "trace_ratio": 0.0},
}
Report = Callable[[Result], None]


async def measure(stage: Stage, report: Report) -> None:
    stage.say("requests that are watched …")
    configure(readable=True, level="error")
    titles = [body(operations.TITLE, slug=slug(number)) for number in range(1, TITLES + 1)]
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(stage.gateway(f"{FOLDER}-server"))
        apps = {name: _application(stage, settings) for name, settings in TRACING.items()}
        for app in apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        for what, contents in (("__typename", [body(operations.TYPENAME)]), ("one title", titles)):
            [served] = (await cpu_in_turns({what: Asker(server)}, contents)).values()
            usual = median(served)
            report(Result(f"{what}, served", figure=usual, unit="µs"))
            for name, spent in (("spans sampled out", await _spans(apps, contents)), ("counts", _counts())):
                note = f"{100 * spent / usual:.1f} %"
                report(Result(f"{what}, {name}", figure=spent, unit="µs", note=note))


async def _spans(apps: Mapping[str, Application], contents: Sequence[str]) -> float:
    """Microseconds that a request takes longer."""
    plain, traced = (await _in_turns(apps, contents)).values()
    return median(one - other for one, other in zip(traced, plain, strict=True))


def _application(stage: Stage, settings: Mapping[str, object]) -> Application:
    given = {"database_url": stage.url, "data_dir": stage.folder / FOLDER}
    quiet = {"background_work": False, "demo_catalogue": False, "cost_budgets": {}}
    return create_app(load(**given, **quiet, **settings))


async def _in_turns(apps: Mapping[str, Application], contents: Sequence[str]) -> dict[str, list[float]]:
    """Microseconds of CPU for one request, by application, in each of the rounds."""
    seen: dict[str, list[float]] = {name: [] for name in apps}
    for turn in range(ROUNDS + 1):
        for name, app in list(apps.items())[:: 1 if turn % 2 else -1]:
            began = time.thread_time()
            for number in range(EACH):
                await ask(app, contents[number % len(contents)])
            spent = time.thread_time() - began
            if turn:  # the first warms up
                seen[name].append(1e6 * spent / EACH)
    return seen


def _counts() -> float:
    """Microseconds for the counts and histograms of one request that is answered from the cache."""
    metrics = Metrics()
    began = time.thread_time()
    for _ in range(COUNTED):
        metrics.documents.add("ad_hoc", "text")
        metrics.cost("other", 12.0, None)
        metrics.operation("query", "other", "OK", 0.0004)
        metrics.requests.add("POST", "/graphql", "200")
        metrics.duration.add(0.0004, "POST", "/graphql")
    return 1e6 * (time.thread_time() - began) / COUNTED
