"""`media-gateway import`: catalogues people really have."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from domain.ingestion.model import Source

app = typer.Typer(
    no_args_is_help=True,
    help="Read a catalogue into the database. Safe to repeat; a bad line is reported and left out.",
)

File = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="JSON Lines, plain or gzipped.")
]
Folder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Has movies, links and ratings, .csv or .csv.gz.",
    ),
]


@app.command()
def demo() -> None:
    """The demo catalogue that comes with the gateway, with offers made up to show them, and demo accounts."""
    import asyncio  # noqa: PLC0415 - `--help` must not wait for it

    from gateway.cli.demo import load_demo  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.database import open_database_url  # noqa: PLC0415
    from gateway.shared import open_shared  # noqa: PLC0415

    async def run() -> None:
        settings = configured()
        async with open_database_url(settings) as url, open_shared(settings) as shared:
            await load_demo(url, shared.catalog_changes.notify)

    asyncio.run(run())


@app.command(epilog="Example: [bold]media-gateway import tmdb5000 tmdb5000.jsonl.gz[/bold]")
def tmdb5000(file: File) -> None:
    """The TMDB 5000 films, one record a line."""
    from domain.ingestion.tmdb5000 import Tmdb5000  # noqa: PLC0415 - as above

    _import(Tmdb5000(file), file)


@app.command(epilog="Example: [bold]media-gateway import movielens ml-latest-small[/bold]")
def movielens(folder: Folder) -> None:
    """A MovieLens set: its films, and its ratings as feedback of pseudonymous accounts."""
    from domain.ingestion.movielens import MovieLens  # noqa: PLC0415 - as above

    _import(MovieLens(folder), folder)


@app.command(epilog="Example: [bold]media-gateway import tvmaze shows.jsonl.gz[/bold]")
def tvmaze(file: File) -> None:
    """TVmaze shows, one record a line."""
    from domain.ingestion.tvmaze import TvMaze  # noqa: PLC0415 - as above

    _import(TvMaze(file), file)


def _import(source: "Source", path: Path) -> None:
    import asyncio  # noqa: PLC0415 - as above

    from gateway.cli.importing import import_into  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.database import open_database_url  # noqa: PLC0415
    from gateway.shared import open_shared  # noqa: PLC0415

    async def run() -> None:
        settings = configured()
        async with open_database_url(settings) as url, open_shared(settings) as shared:
            await import_into(url, source, path.name, shared.catalog_changes.notify)

    asyncio.run(run())
