"""`media-gateway import`: catalogues people really have, and what viewers bring from elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from domain.ingestion.model import Source

app = typer.Typer(
    no_args_is_help=True,
    help="Read a catalogue, or a viewer's history, into the database. Safe to repeat; a bad line is reported "
    "and left out.",
)

File = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="JSON Lines, plain or gzipped.")
]
Account = Annotated[
    str, typer.Option("--account", metavar="EMAIL", help="Whose: an address, or `demo` and the like.")
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


@app.command(
    epilog="Example: [bold]media-gateway import history trakt-export.zip --account ada@example.org "
    "--dry-run[/bold]"
)
def history(  # noqa: PLR0913 - what there is to say of a file
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="As the service exports it.")
    ],
    *,
    account: Account,
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option(help="trakt, letterboxd, simkl, netflix or archive; told by the file if open."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come of it, and stop.")] = False,
    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first", help="How dates like 3/4/2021 are meant, where the file is unsure."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show all of a long list.")] = False,
) -> None:
    """What a viewer watched, rated and listed elsewhere: Trakt, Letterboxd, Simkl, Netflix, or an archive.

    Nothing newer is overwritten, and importing a file again changes nothing.
    """
    import asyncio  # noqa: PLC0415 - as above

    from domain.interchange.files import read_file  # noqa: PLC0415
    from domain.interchange.formats import Hints, source_of  # noqa: PLC0415
    from gateway.cli.history import import_history, tell  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415

    source = None if format is None else source_of(format)
    report = asyncio.run(
        import_history(
            configured(),
            file.name,
            read_file(file),
            account,
            source=source,
            hints=Hints(day_first),
            dry=dry_run,
        )
    )
    tell(report, account, everything=everything)


@app.command()
def undo(
    import_id: Annotated[str, typer.Argument(metavar="ID", help="As `import history` printed it.")],
    *,
    account: Account,
) -> None:
    """Take back what an import of a viewer's history brought; what was changed since stays."""
    import asyncio  # noqa: PLC0415 - as above

    from gateway.cli.history import undo_import  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415

    undone = asyncio.run(undo_import(configured(), account, import_id))
    stays = f"; {undone.left:,} were changed since and stay" if undone.left else ""
    typer.echo(f"{undone.name}: {undone.brought - undone.left:,} of {undone.brought:,} taken back{stays}.")


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
