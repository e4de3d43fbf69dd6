"""`media-gateway documents`: what clients publish before they send it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.documents.postgres import Listed

app = typer.Typer(
    no_args_is_help=True,
    help="Publish the documents of clients, and see what is used.",
)

Days = Annotated[int, typer.Option("--days", min=1, max=3650, help="How far back to look.")]


@app.command(
    epilog="Example: [bold]media-gateway documents publish persisted-query-manifest.json "
    "--client web --client-version 1.4.0[/bold]"
)
def publish(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Apollo's persisted-query-manifest.json, Relay's persisted_queries.json, or .graphql files.",
        ),
    ],
    client: Annotated[str | None, typer.Option(metavar="NAME", help="Whose documents these are.")] = None,
    client_version: Annotated[str | None, typer.Option(metavar="VERSION", help="Of that client.")] = None,
) -> None:
    """Publish all documents of the files, or none if one of them is not valid against this schema.

    Safe to repeat: publishing again says that a document is still wanted. Servers know new documents within
    MEDIA_GATEWAY_DOCUMENTS_REFRESH_SECONDS.
    """
    import asyncio  # noqa: PLC0415 - `--help` must not wait for it

    from gateway.cli.errors import Failed  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.cli.publishing import publish_files  # noqa: PLC0415

    if client_version is not None and client is None:
        raise Failed("A version needs a client: add --client NAME.")
    name = f"{client}@{client_version}" if client_version else client
    typer.echo(asyncio.run(publish_files(configured(), files, name)))


@app.command("list")
def list_documents() -> None:
    """List the published documents, those used last first."""
    from gateway.cli.screen import results  # noqa: PLC0415 - as above

    documents = _listed()
    screen = results()
    for document in documents:
        screen.print(_line(document), markup=False)
    if not documents:
        screen.print("Nothing is published.")


@app.command()
def usage(
    *,
    days: Days = 30,
    as_json: Annotated[
        bool, typer.Option("--json", help="The use of each field, for `media-gateway schema check --usage`.")
    ] = False,
) -> None:
    """Print how often each operation ran in these days, or how often each field was asked for."""
    import asyncio  # noqa: PLC0415 - as above

    import orjson  # noqa: PLC0415

    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.cli.publishing import coordinates_since, operations_since  # noqa: PLC0415

    if as_json:
        coordinates = asyncio.run(coordinates_since(configured(), days))
        typer.echo(orjson.dumps({"coordinates": coordinates}, option=orjson.OPT_INDENT_2).decode())
        return
    for operation in asyncio.run(operations_since(configured(), days)):
        name = operation.name or ("(without a name)" if operation.hash else "(all others)")
        kind = "published" if operation.trusted else "ad hoc"
        typer.echo(f"{operation.uses:>12,}  {kind:9}  {operation.hash[:12]:12}  {name}")


@app.command(epilog="Example: [bold]media-gateway documents prune --days 90 --yes[/bold]")
def prune(
    *,
    days: Days = 90,
    yes: Annotated[bool, typer.Option("--yes", help="Delete them; without it they are only listed.")] = False,
) -> None:
    """Delete the documents that nobody ran or published for so many days, and counts as old."""
    import asyncio  # noqa: PLC0415 - as above

    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.cli.publishing import prune_unused  # noqa: PLC0415
    from gateway.cli.screen import notes, results  # noqa: PLC0415

    unused = asyncio.run(prune_unused(configured(), days, delete=yes))
    screen = results()
    for document in unused:
        screen.print(_line(document), markup=False)
    done = "deleted" if yes else "would be deleted; --yes does it"
    notes().print(f"{len(unused):,} unused for {days:,} days, {done}.")


def _listed() -> "list[Listed]":
    import asyncio  # noqa: PLC0415 - as above

    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.cli.publishing import listed  # noqa: PLC0415

    return asyncio.run(listed(configured()))


def _line(document: "Listed") -> str:
    used = "never" if document.last_used_at is None else f"{document.last_used_at:%Y-%m-%d}"
    clients = ", ".join(document.clients) or "—"
    return (
        f"{document.id}  {document.operation_name or '—'}  {clients}  "
        f"published {document.first_published_at:%Y-%m-%d}  used {used}  {document.uses:,} times"
    )
