"""`python -m bench`: measures this machine and prints a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
import uvloop
from rich.console import Console

from bench import (
    changes,
    growth,
    handoffs,
    hostile,
    identity,
    imports,
    inprocess,
    logs,
    observing,
    planning,
    presence,
    pricing,
    pushes,
    report,
    requests,
    scaling,
    search,
    starts,
    subscribers,
    tokens,
)
from bench.load import LoadFailed
from bench.machine import machine
from bench.measures import Result
from bench.peers import comparison
from bench.peers.servers import versions
from bench.processes import NotStarted
from bench.stage import Options, Stage, open_stage
from domain.ingestion.model import BadSource
from domain.ingestion.tmdb5000 import Tmdb5000
from domain.platform.embedded import EmbeddedPostgresError

OTHERS = {
    "peers": comparison.measure,
    "growth": growth.measure,
    "scaling": scaling.measure,
    "search": search.measure,
    "import": imports.measure,
    "changes": changes.measure,
    "handoff": handoffs.measure,
    "presence": presence.measure,
    "identity": identity.measure,
    "observing": observing.measure,
    "push": pushes.measure,
    "log": logs.measure,
    "subscribers": subscribers.measure,
    "cost": pricing.measure,
    "start": starts.measure,
}
OFF_STAGE = {
    "inprocess": inprocess.measure,
    "planning": planning.measure,
    "hostile": hostile.measure,
    "tokens": tokens.measure,
}
"""These need no database."""
WIDTH = 160
NAMES = (*requests.NAMES, *OTHERS, *OFF_STAGE)

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help=f"One of: {', '.join(NAMES)}. May be repeated."),
]
Seconds = Annotated[float, typer.Option(min=0.5, help="How long each load lasts.")]
Works = Annotated[int, typer.Option(min=100, max=200_000, help="How large the synthetic catalogue is.")]
Connections = Annotated[int, typer.Option(min=1, max=1000, help="How many clients ask at once.")]
LogRows = Annotated[
    int,
    typer.Option("--log-rows", min=1_000, max=10**9, help="How far `log` lets the change log grow."),
]
Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the results there as well.")]
Tmdb = Annotated[
    Path | None,
    typer.Option("--tmdb5000", metavar="FILE", exists=True, dir_okay=False, help="Import this file as well."),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Build the catalogue anew.")]


def bench(  # noqa: PLR0913 - the options of the command
    *,
    only: Only = None,
    seconds: Seconds = 4.0,
    works: Works = 10_000,
    connections: Connections = 8,
    log_rows: LogRows = 1_000_000,
    json: Json = None,
    tmdb5000: Tmdb = None,
    fresh: Fresh = False,
) -> None:
    """Measure the gateway on this machine: the real server in a process of its own, over real sockets."""
    chosen = only or list(NAMES)
    if unknown := [name for name in chosen if name not in NAMES]:
        raise typer.BadParameter(f"{', '.join(unknown)}; known are {', '.join(NAMES)}.", param_hint="--only")
    notes = Console(stderr=True)

    def say(text: str) -> None:
        notes.print(text, style="dim", markup=False)

    try:
        sources = () if tmdb5000 is None else (Tmdb5000(tmdb5000),)
        options = Options(works, seconds, connections, say, fresh, sources, log_rows)
        facts, results = uvloop.run(_measured(options, chosen))
    except (LoadFailed, NotStarted, BadSource, EmbeddedPostgresError) as failure:
        notes.print(f"The benchmark failed: {failure}", style="red", markup=False)
        raise typer.Exit(1) from failure
    screen = Console()
    # In a file or a pipe a table needs no screen to fit on.
    report.show(screen if screen.is_terminal else Console(width=WIDTH), facts, results)
    if json is not None:
        report.write(json, facts, results)


async def _measured(options: Options, chosen: Sequence[str]) -> tuple[dict[str, str], list[Result]]:
    results: list[Result] = []
    facts = machine()  # before anything here keeps it busy
    if any(name not in OFF_STAGE for name in chosen):
        facts |= await _on_stage(options, chosen, results)
    for name, measure in OFF_STAGE.items():
        if name in chosen:
            await measure(options.say, results.append)
    return facts, results


async def _on_stage(options: Options, chosen: Sequence[str], results: list[Result]) -> dict[str, str]:
    async with open_stage(options) as stage:
        if any(name in requests.NAMES for name in chosen):
            await requests.measure(stage, chosen, results.append)
        for name, measure in OTHERS.items():
            if name in chosen:
                await measure(stage, results.append)
        return {
            "postgresql": await _postgres_version(stage),
            "catalogue": f"{options.works:,} synthetic works",
            "load": f"{options.connections} kept connections, {options.seconds:g} s each, own client",
            **({"peers": versions()} if "peers" in chosen else {}),
        }


async def _postgres_version(stage: Stage) -> str:
    connection = await asyncpg.connect(stage.server_url)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


if __name__ == "__main__":
    typer.run(bench)
