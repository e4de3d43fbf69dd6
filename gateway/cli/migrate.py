"""`media-gateway migrate`: the database's schema, one numbered revision after the other."""

from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True, help="Bring the database to a revision of its schema, or tell where it is."
)


@app.command(epilog="Example: [bold]media-gateway migrate up[/bold]")
def up(
    revision: Annotated[
        str, typer.Argument(help="How far: a number as in 0002, +1 for one step, or head.")
    ] = "head",
) -> None:
    """Take the missing steps. Safe to repeat, and safe while several processes start at once."""
    _move(revision, upwards=True)


@app.command(
    epilog="Examples: [bold]media-gateway migrate down 0001[/bold], "
    "[bold]media-gateway migrate down base --yes[/bold]"
)
def down(
    revision: Annotated[str, typer.Argument(help="How far: a number as in 0001, -1 for one step, or base.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; the data of undone steps is lost.")] = False,
) -> None:
    """Undo steps, with the data that lives in them. `base` leaves an empty database."""
    if not yes:
        typer.confirm("The data of the undone steps is lost. Go on?", abort=True)
    _move(revision, upwards=False)


@app.command()
def status() -> None:
    """List every revision, and whether the database has it. Exits with 1 if steps are missing."""
    import asyncio  # noqa: PLC0415 - `--help` must not wait for it

    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.database import open_database_url  # noqa: PLC0415
    from migrations import run  # noqa: PLC0415

    async def read() -> list[run.Revision]:
        async with open_database_url(configured()) as url:
            return await run.status(url)

    revisions = asyncio.run(read())
    for revision in revisions:
        typer.echo(f"{revision.id}  {'applied' if revision.applied else 'missing':8} {revision.title}")
    if not all(revision.applied for revision in revisions):
        raise typer.Exit(1)


def _move(revision: str, *, upwards: bool) -> None:
    import asyncio  # noqa: PLC0415 - as above

    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.database import database_name, open_database_url  # noqa: PLC0415
    from migrations import run  # noqa: PLC0415

    settings = configured()

    async def move() -> str:
        async with open_database_url(settings) as url:
            await (run.up if upwards else run.down)(url, revision)
            applied = [revision.id for revision in await run.status(url) if revision.applied]
            return f"at {applied[-1]}" if applied else "empty"

    typer.echo(f"{database_name(settings)}: {asyncio.run(move())}")
