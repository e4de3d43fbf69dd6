"""How fast works come into an empty database."""

from collections.abc import Callable

from bench.catalogue import SyntheticCatalogue
from bench.measures import Result
from bench.stage import Stage, drop_database, fresh_database, import_into
from domain.ingestion.model import Source

DATABASE = "media_gateway_bench_import"


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    for source in (SyntheticCatalogue(stage.options.works), *stage.options.sources):
        stage.say(f"import, {source.name} …")
        report(await _import(stage, source))


async def _import(stage: Stage, source: Source) -> Result:
    url = await fresh_database(stage.server_url, DATABASE)
    try:
        done = await import_into(url, source)
    finally:
        await drop_database(stage.server_url, DATABASE)
    refused = f", {done.refused:,} refused" if done.refused else ""
    return Result(
        f"import, {source.name}",
        figure=done.per_second,
        unit="works/s",
        note=f"{done.works:,} works in {done.seconds:.1f} s{refused}",
    )
