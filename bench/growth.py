"""What ten times as many titles cost: ten pages of fifty in one operation, against one."""

from collections.abc import Callable

from bench import operations
from bench.client import Client, body
from bench.load import put
from bench.measures import Result, Timing
from bench.requests import PAGE, Answering
from bench.stage import Stage

PAGES = 10
ROUNDS = 3


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    """Without the entity cache, so that each title is fetched; one client, so that none waits for another."""
    async with stage.gateway(entity_cache_bytes="0", max_cost="1000000") as server:
        asked = Answering(server)
        few, many = body(operations.TITLES, first=PAGE), await pages(server.port)
        seen: dict[str, list[Timing]] = {few: [], many: []}
        stage.say(f"growth, {PAGE} titles and {PAGES * PAGE} …")
        for _ in range(ROUNDS):
            for content, timings in seen.items():
                timings.append(await put(asked.load([content], 1, stage.options.seconds / 2)))
    one, ten = (Timing.median(timings) for timings in seen.values())
    report(Result(f"{PAGE} titles, one client", one))
    report(Result(f"{PAGES * PAGE} titles in one operation, one client", ten))
    report(_ratio("time", ten.p50_ms / one.p50_ms))
    if one.cpu_ms is not None and ten.cpu_ms is not None:
        report(_ratio("CPU", ten.cpu_ms / one.cpu_ms))


async def pages(port: int, shown: str | None = None) -> str:
    """The body that asks for the first ten pages of fifty, by alias, or for other fields of them.

    A page may have a hundred at most.
    """
    cursors: list[str | None] = [None]
    async with Client.open(port) as client:
        while len(cursors) < PAGES:
            page = await client.ask(operations.CURSOR, first=PAGE, after=cursors[-1])
            cursors.append(page["contents"]["pageInfo"]["endCursor"])
    asked = operations.pages(PAGES) if shown is None else operations.pages(PAGES, shown)
    variables = {f"after{place}": cursor for place, cursor in enumerate(cursors)}
    return body(asked, first=PAGE, **variables)


def _ratio(of: str, figure: float) -> Result:
    return Result(f"growth: {of} of {PAGES * PAGE} titles against {PAGE}", figure=figure, unit="times")
