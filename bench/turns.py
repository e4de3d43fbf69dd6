"""Requests of several askers in turns, so that a machine that grows slower is slower for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.client import Client
from bench.measures import Result
from bench.processes import Running, busy_seconds

ROUNDS = 25
EACH = 100
"""Requests of one asker in a round."""


@dataclass(frozen=True)
class Asker:
    """Who asks which server."""

    server: Running
    token: str | None = None


async def cpu_in_turns(askers: Mapping[str, Asker], contents: Sequence[str]) -> dict[str, list[float]]:
    """Microseconds of the server for one request, by asker, in each of the rounds."""
    seen: dict[str, list[float]] = {name: [] for name in askers}
    for turn in range(ROUNDS + 1):
        for name, asker in list(askers.items())[:: 1 if turn % 2 else -1]:
            async with Client.open(asker.server.port, asker.token) as client:
                await client.post("/graphql", contents[0])
                began = busy_seconds(asker.server.pid)
                for number in range(EACH):
                    await client.post("/graphql", contents[number % len(contents)])
                spent = busy_seconds(asker.server.pid) - began
            if turn:  # the first warms up
                seen[name].append(1e6 * spent / EACH)
    return seen


def compared(what: str, seen: Mapping[str, Sequence[float]]) -> list[Result]:
    """Each beside the first of them, round by round."""
    first, usual = next(iter(seen.items()))
    results = []
    for name, microseconds in seen.items():
        more = median(one / other for one, other in zip(microseconds, usual, strict=True)) - 1
        note = "" if name == first else f"{100 * more:+.1f} % of {median(usual):.0f} µs"
        results.append(Result(f"{what}, {name}", figure=median(microseconds), unit="µs", note=note))
    return results
