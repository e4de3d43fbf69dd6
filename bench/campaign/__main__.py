"""`python -m bench.campaign`: kills and cuts everything while devices write, and counts what came of it."""

import tempfile
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from bench.campaign.run import Outcome, Plan, campaign
from bench.measures import percentile
from bench.processes import NotStarted

SHOWN = 5
"""Of each kind of finding."""


def main(  # noqa: PLR0913, PLR0917 - the options of the command
    seconds: Annotated[
        float, typer.Option(min=1, help="How long devices write; each fault happens once in any case.")
    ] = 180.0,
    devices: Annotated[int, typer.Option(min=2, help="How many devices there are.")] = 200,
    rate: Annotated[float, typer.Option("--rate", min=1, help="Changes a second, of all of them.")] = 50.0,
    fault: Annotated[float, typer.Option("--fault", min=0.1, help="Seconds that each fault lasts.")] = 4.0,
    rest: Annotated[float, typer.Option("--rest", min=0, help="Seconds from one fault to the next.")] = 6.0,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Faults whose name has this in it.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of what devices do.")] = 1,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FOLDER", help="Leave data and logs there.")
    ] = None,
) -> None:
    """Two servers, PostgreSQL and Redis; each killed, each way between them cut, and then silent, in turn."""
    notes = Console(stderr=True)

    def say(text: str) -> None:
        notes.print(text, style="dim", markup=False, highlight=False)

    plan = Plan(seconds, devices, rate, fault, rest, tuple(only or ()), seed, say)
    try:
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            outcome = uvloop.run(campaign(keep.resolve(), plan))
        else:
            with tempfile.TemporaryDirectory(prefix="mg-campaign-") as folder:
                outcome = uvloop.run(campaign(Path(folder), plan))
    except NotStarted as failure:
        notes.print(f"The campaign could not begin: {failure}", style="red", markup=False)
        raise typer.Exit(2) from failure
    show(Console(highlight=False), outcome)
    raise typer.Exit(0 if outcome.verdict.clean else 1)


def show(console: Console, outcome: Outcome) -> None:
    verdict = outcome.verdict
    console.print(
        f"{len(outcome.broken)} faults in {outcome.seconds:.0f} s; {verdict.acknowledged:,} changes "
        f"acknowledged, {verdict.deliveries:,} deliveries due"
    )
    for name in ("lost", "duplicated", "late", "refused", "apart"):
        found = getattr(verdict, name)
        console.print(f"{name:>12} {len(found)}")
        for line in found[:SHOWN]:
            console.print(f"             {line}", markup=False, soft_wrap=True)
    for name, times in (("calm", verdict.calm), ("under faults", verdict.stormy)):
        if times:
            ordered = sorted(times)
            p50, p95, p99 = (percentile(ordered, share) for share in (0.5, 0.95, 0.99))
            console.print(
                f"{name:>12} device to device: p50 {1000 * p50:,.0f} ms, p95 {1000 * p95:,.0f} ms, "
                f"p99 {1000 * p99:,.0f} ms, longest {ordered[-1]:.1f} s",
                soft_wrap=True,
            )
    for name, seconds in sorted(verdict.healed.items(), key=itemgetter(1), reverse=True)[:SHOWN]:
        console.print(f"{name:>20}: the last device knew {seconds:.1f} s after all was whole", soft_wrap=True)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
