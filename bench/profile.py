"""Where the time of one request goes: `python -m bench.profile titles`, by layer and by function.

The application runs in this process, without sockets, under cProfile: its figures are shares, not times, as
every call costs more than without it.
"""

import cProfile
import pstats
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import uvloop

from bench.account import make_account
from bench.asking import ask
from bench.requests import Scenario, scenarios
from bench.stage import Options, Stage, open_stage
from gateway.app import create_app
from gateway.settings import load

ROUNDS_SECONDS = 4.0
SHOWN = 30
LAYERS = (
    "graphql", "strawberry", "aiodataloader", "asyncpg", "starlette", "opentelemetry", "orjson", "structlog",
    "prometheus_client", "gateway", "schema", "subscriptions", "resolvers", "loaders", "domain",
)  # fmt: skip


async def profile(name: str) -> pstats.Stats:
    """What was called while the scenario was asked again and again."""
    async with open_stage(Options(works=10_000, seconds=1, connections=1, say=print)) as stage:
        scenario = next(one for one in scenarios(stage.options.works) if one.name == name)
        token = None
        if scenario.signed_in:
            async with stage.gateway("profile") as server:
                token = await make_account(server.port, stage.options.works)
        return await _profiled(stage, scenario, token)


async def _profiled(stage: Stage, scenario: Scenario, token: str | None) -> pstats.Stats:
    settings = load(
        database_url=stage.url,
        data_dir=stage.folder / "profile",
        background_work=False,
        demo_catalogue=False,
        cost_budgets={},
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        for content in scenario.bodies[:5]:
            await ask(app, content, token)
        profiler = cProfile.Profile()
        count, until = 0, time.monotonic() + ROUNDS_SECONDS
        profiler.enable()
        while time.monotonic() < until:
            await ask(app, scenario.bodies[count % len(scenario.bodies)], token)
            count += 1
        profiler.disable()
    print(f"{count} requests")
    return pstats.Stats(profiler)


def layer_of(path: str) -> str:
    """Whose code a file is; built-in functions have no file."""
    if path.startswith(("~", "<")):
        return "Python"
    parts = Path(path).parts
    own = next((layer for layer in LAYERS if layer in parts), None)
    return own or ("asyncio" if "asyncio" in parts else "Python")


def show(stats: pstats.Stats) -> None:
    entries: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]
    layers: Counter[str] = Counter()
    for (path, _, _), (_, _, own_seconds, _, callers) in entries.items():
        # The time of a built-in is its callers': they are what can be changed.
        if layer_of(path) == "Python" and callers:
            for (calling, _, _), spent in callers.items():
                layers[layer_of(calling)] += spent[2]
        else:
            layers[layer_of(path)] += own_seconds
    total = sum(layers.values())
    for layer, seconds in layers.most_common():
        print(f"{layer:>18} {seconds / total:6.1%}")
    stats.sort_stats("tottime").print_stats(SHOWN)


if __name__ == "__main__":
    show(uvloop.run(profile(sys.argv[1])))
