"""`media-gateway schema`: what clients are built against, and what may become of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.evolution.model import Change, Level

TITLES = {
    "breaking": "Breaking",
    "unused": "Breaking, but not for what clients use",
    "dangerous": "Dangerous",
    "safe": "Safe",
}

app = typer.Typer(invoke_without_command=True)

Subgraph = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Only this context, as an Apollo Federation subgraph: catalog, sync, …"
    ),
]


@app.callback()
def schema(context: typer.Context, subgraph: Subgraph = None) -> None:
    """Print the schema in GraphQL's schema language; needs no database.

    The file schema.graphql of the repository is this, printed by `make schema`.
    """
    if context.invoked_subcommand is None:
        typer.echo(_printed(subgraph), nl=False)
    elif subgraph is not None:
        raise typer.BadParameter("It belongs behind the command: schema check --subgraph NAME", context)


@app.command(
    epilog="Example: [bold]git show v1:schema.graphql > old.graphql; "
    "media-gateway schema check --against old.graphql[/bold]"
)
def check(
    context: typer.Context,
    *,
    against: Annotated[Path, typer.Option(metavar="FILE", help="The schema before, in the schema language.")],
    usage: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What clients use: then only changes of that count as breaking. JSON, "
            '{"coordinates": {"Movie.title": count, …}}, or a list of GraphQL documents; or such things one '
            "a line. `media-gateway documents usage` writes it.",
        ),
    ] = None,
    subgraph: Subgraph = None,
) -> None:
    """Compare the schema with an older one: what breaks clients, what may surprise them, what is safe.

    Exits with 1 if something breaks, with 2 if a file cannot be read.
    """
    from gateway.evolution.comparison import compare  # noqa: PLC0415 - `--help` must not wait for it
    from gateway.evolution.model import Level  # noqa: PLC0415
    from gateway.evolution.source import Unreadable, source, text_of  # noqa: PLC0415
    from gateway.evolution.usage import read_usage  # noqa: PLC0415

    try:
        old = source(text_of(against), str(against))
        used = None if usage is None else read_usage(usage).coordinates(old.schema)
    except Unreadable as error:
        raise typer.BadParameter(str(error), context) from error
    changes = compare(old, source(_printed(subgraph), "the schema"), used)
    for level in Level:
        _show(level, [change for change in changes if change.level is level])
    if not changes:
        typer.echo("No changes.")
    if any(change.level is Level.BREAKING for change in changes):
        raise typer.Exit(1)


@app.command()
def lint() -> None:
    """Check that the schema keeps its conventions. Exits with 1 where it does not."""
    from gateway.evolution.conventions import breaches  # noqa: PLC0415 - as above
    from gateway.evolution.source import source  # noqa: PLC0415
    from schema.exceptions import EXCEPTIONS  # noqa: PLC0415

    found = breaches(source(_printed(None), "the schema").schema, EXCEPTIONS)
    for breach in found:
        typer.echo(str(breach))
    if found:
        raise typer.Exit(1)


def _printed(subgraph: str | None) -> str:
    from gateway.cli.opening import configured  # noqa: PLC0415 - as above
    from schema.graph import graph  # noqa: PLC0415
    from schema.printing import printed  # noqa: PLC0415

    return printed(graph(subgraph=subgraph, federation_version=configured().federation_version))


def _show(level: "Level", changes: "list[Change]") -> None:
    if not changes:
        return
    color = {"breaking": "red", "dangerous": "yellow"}.get(level, "green")
    typer.echo(typer.style(f"{TITLES[level]} ({len(changes)})", fg=color, bold=True))
    for change in changes:
        typer.echo(f"  {change.message}")
