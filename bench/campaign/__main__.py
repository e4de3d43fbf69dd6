"""`python -m bench.campaign`: kills and cuts everything while devices write, and counts what came of it."""

import tempfile
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from bench.campaign.obedience import Obedience
from bench.campaign.run import Outcome, Plan, campaign
from bench.campaign.verdict import Verdict
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
    households: Annotated[
        int,
        typer.Option(min=1, help="How many households there are, of two televisions and a remote control."),
    ] = 12,
    presses: Annotated[
        float, typer.Option("--presses", min=0.1, help="Commands a second, of all households.")
    ] = 4.0,
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

    plan = Plan(seconds, devices, rate, households, presses, fault, rest, tuple(only or ()), seed, say)
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
    raise typer.Exit(0 if outcome.clean else 1)


def show(console: Console, outcome: Outcome) -> None:
    verdict, obedience = outcome.verdict, outcome.obedience
    console.print(
        f"{len(outcome.broken)} faults in {outcome.seconds:.0f} s; {verdict.acknowledged:,} changes "
        f"acknowledged, {verdict.deliveries:,} deliveries due"
    )
    _show_findings(console, verdict, ("lost", "duplicated", "late", "refused", "apart"))
    _show_times(console, "device to device", verdict)
    for name, seconds in sorted(verdict.healed.items(), key=itemgetter(1), reverse=True)[:SHOWN]:
        console.print(f"{name:>20}: the last device knew {seconds:.1f} s after all was whole", soft_wrap=True)
    ends = ", ".join(f"{count:,} {state}" for state, count in obedience.ends.most_common())
    console.print(
        f"{obedience.accepted:,} commands accepted: {ends}; {obedience.handed_over:,} sessions handed over, "
        f"{obedience.tellings:,} states to be told",
        soft_wrap=True,
    )
    _show_findings(
        console,
        obedience,
        ("lost", "duplicated", "disordered", "lapsed", "stuck", "late", "refused", "apart"),
    )
    _show_times(console, "button to television", obedience)


def _show_findings(console: Console, found: Verdict | Obedience, names: Sequence[str]) -> None:
    for name in names:
        lines = getattr(found, name)
        console.print(f"{name:>12} {len(lines)}")
        for line in lines[:SHOWN]:
            console.print(f"             {line}", markup=False, soft_wrap=True)


def _show_times(console: Console, way: str, found: Verdict | Obedience) -> None:
    for name, times in (("calm", found.calm), ("under faults", found.stormy)):
        if times:
            ordered = sorted(times)
            p50, p95, p99 = (percentile(ordered, share) for share in (0.5, 0.95, 0.99))
            console.print(
                f"{name:>12} {way}: p50 {1000 * p50:,.0f} ms, p95 {1000 * p95:,.0f} ms, "
                f"p99 {1000 * p99:,.0f} ms, longest {ordered[-1]:.1f} s",
                soft_wrap=True,
            )


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
