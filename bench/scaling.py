"""What a second process adds: two servers over one database against one, under one load."""

import asyncio
from collections.abc import Callable, Sequence

from bench.account import make_account
from bench.growth import PAGES, pages
from bench.load import put
from bench.measures import Result, Timing
from bench.requests import PAGE, Answering, Scenario, scenarios
from bench.stage import Stage

SCENARIOS = ("title", "titles")
WORKED_OUT = "id quality { score freshness } myProgress { positionSeconds }"
"""Of a title: much to work out, little to send; what is the viewer's own is shared with nobody."""
ROUNDS = 3


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    """The clients are shared out; the load has a process for each server that it is put on.

    Last what the servers themselves have to work for, and nearly nobody else: the load and the database take
    the processors that a second server needs, so what they do with small answers hides what it adds.
    """
    async with (
        stage.gateway(max_cost="1000000") as first,
        stage.gateway("server-2", max_cost="1000000") as second,
    ):
        servers = [
            Answering(server, token=await make_account(server.port, stage.options.works))
            for server in (first, second)
        ]
        own = Scenario(
            "own",
            f"the quality of {PAGES * PAGE} titles, with the viewer's progress",
            [await pages(first.port, WORKED_OUT)],
            signed_in=True,
        )
        for scenario in (*scenarios(stage.options.works), own):
            if scenario.name in SCENARIOS or scenario is own:
                stage.say(f"two processes, {scenario.title} …")
                await _measure(stage, scenario, servers, report)


async def _measure(
    stage: Stage, scenario: Scenario, servers: Sequence[Answering], report: Callable[[Result], None]
) -> None:
    alone: list[Timing] = []
    both: list[Timing] = []
    for _ in range(ROUNDS):
        alone.append(await _load(stage, scenario, servers[:1]))
        both.append(await _load(stage, scenario, servers))
    one, two = Timing.median(alone), Timing.median(both)
    report(Result(f"{scenario.title}, one process", one))
    report(Result(f"{scenario.title}, two processes", two))
    report(
        Result(
            f"{scenario.title}: two processes against one",
            figure=two.per_second / one.per_second,
            unit="times",
            note=_note(one, two),
        )
    )


async def _load(stage: Stage, scenario: Scenario, servers: Sequence[Answering]) -> Timing:
    connections = max(1, stage.options.connections // len(servers))
    asked = servers if scenario.signed_in else [Answering(one.server) for one in servers]
    loads = [one.load(scenario.bodies, connections, stage.options.seconds / 2) for one in asked]
    return Timing.together(await asyncio.gather(*(put(load) for load in loads)))


def _note(one: Timing, two: Timing) -> str:
    """What an answer cost in each case; where cores are short, this tells whether anything is shared."""
    return f"CPU of an answer {one.cpu_ms or 0:.2f} ms with one, {two.cpu_ms or 0:.2f} ms with two"
