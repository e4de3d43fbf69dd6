"""Runs an import and shows how it goes: a bar with its rate, and what was refused."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from domain.ingestion import service
from domain.ingestion.model import Source
from domain.ingestion.postgres import PostgresShelf
from domain.platform.postgres import Database
from gateway.cli.screen import notes
from gateway.collector import spare_what_stays

SHOWN_REFUSALS = 20


async def import_into(
    url: str, source: Source, label: str, changed: Callable[[], Awaitable[None]] = service.nobody
) -> service.Report:
    """Everything of `source` into the database at `url`; `changed` hears of each batch that changed it."""
    spare_what_stays()
    async with Database.open(url) as database:
        with shown(label) as progress:
            report = await service.import_source(
                PostgresShelf(database), source, progress=progress, changed=changed
            )
    tell(label, report)
    return report


@contextmanager
def shown(label: str) -> Iterator[Callable[[service.Progress], None]]:
    """A bar on the screen for as long as the block runs; nothing where nobody looks."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[counted]}"),
        TimeRemainingColumn(),
        console=notes(),
        transient=True,
    )
    with bar:
        task = bar.add_task(label, total=1.0, counted="")

        def advance(now: service.Progress) -> None:
            done = now.works + now.feedback
            bar.update(task, completed=now.fraction, counted=f"{done:,} done, {now.per_second:,.0f}/s")

        yield advance


def tell(label: str, report: service.Report) -> None:
    """What the import did, and the first of what it refused, with the place and the reason."""
    screen = notes()
    counts = {
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "ratings": report.feedback,
        "refused": report.refused,
    }
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "nothing in it"
    screen.print(f"{label}: {told} in {report.seconds:.1f} s ({report.per_second:,.0f}/s)")
    for refusal in report.refusals[:SHOWN_REFUSALS]:
        place = f"{refusal.file}:{refusal.line}"
        field = f" {refusal.field}:" if refusal.field else ""
        screen.print(f"  refused {place}:{field} {refusal.reason}", markup=False)
    if report.refused > SHOWN_REFUSALS:
        screen.print(f"  … and {report.refused - SHOWN_REFUSALS:,} more")
    if report.unknown_genres:
        names = ", ".join(f"{name} ({count})" for name, count in report.unknown_genres.most_common(10))
        screen.print(f"  genres left out, for the taxonomy has none like them: {names}", markup=False)
