"""The results as a table to read, and as JSON to compare."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from bench.measures import Result


def show(console: Console, facts: Mapping[str, str], results: Sequence[Result]) -> None:
    """The machine, then what was timed, then the figures of other kinds."""
    about = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in facts.items():
        about.add_row(f"[dim]{name}[/dim]", value)
    console.print(about)
    timed = [result for result in results if result.unit == ""]
    if timed:
        console.print(_timings(timed))
    figures = [result for result in results if result.unit]
    if figures:
        console.print(_figures(figures))


def write(path: Path, facts: Mapping[str, str], results: Sequence[Result]) -> None:
    """Times in milliseconds, other figures in their unit."""
    document = {"machine": facts, "results": [result.as_json() for result in results]}
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def _timings(results: Sequence[Result]) -> Table:
    table = Table()
    table.add_column("what", no_wrap=True)
    for name in ("per second", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "of floor", "of best peer"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("note")
    for result in results:
        table.add_row(result.name, *_figures_of(result), result.note)
    return table


def _figures_of(result: Result) -> list[str]:
    timing = result.timing
    if timing is None:
        return [""] * 7
    figures = (
        timing.p50_ms, timing.p95_ms, timing.p99_ms, timing.cpu_ms, result.of_floor, result.of_best_peer,
    )  # fmt: skip
    return [f"{timing.per_second:,.0f}", *("" if figure is None else f"{figure:.2f}" for figure in figures)]


def _figures(results: Sequence[Result]) -> Table:
    table = Table()
    table.add_column("what", no_wrap=True)
    table.add_column("figure", justify="right", no_wrap=True)
    table.add_column("note")
    for result in results:
        shown = "" if result.figure is None else f"{_rounded(result.figure)} {result.unit}"
        table.add_row(result.name, shown, result.note)
    return table


def _rounded(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.2f}"
