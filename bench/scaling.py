"""What a second process adds: two servers over one database against one, under one load."""

import asyncio
from collections.abc import Callable, Sequence

from bench.load import put
from bench.measures import Result, Timing
from bench.requests import Answering, Scenario, scenarios
from bench.stage import Stage

SCENARIOS = ("title", "titles")
ROUNDS = 3


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    """The clients are shared out; the load has a process for each server that it is put on."""
    async with stage.gateway() as first, stage.gateway("server-2") as second:
        servers = [Answering(first), Answering(second)]
        for scenario in scenarios(stage.options.works):
            if scenario.name in SCENARIOS:
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
    loads = [asked.load(scenario.bodies, connections, stage.options.seconds / 2) for asked in servers]
    return Timing.together(await asyncio.gather(*(put(load) for load in loads)))


def _note(one: Timing, two: Timing) -> str:
    """What an answer cost in each case; where cores are short, this tells whether anything is shared."""
    return f"CPU of an answer {one.cpu_ms or 0:.2f} ms with one, {two.cpu_ms or 0:.2f} ms with two"
