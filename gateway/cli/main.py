"""The command `media-gateway`."""

from typing import Annotated

import typer

from gateway.cli import (
    clients,
    config,
    device,
    documents,
    export,
    grant,
    imports,
    keys,
    migrate,
    schema,
    serve,
    token,
    worker,
)
from gateway.cli.errors import Commands
from gateway.collector import look_seldom

app = typer.Typer(
    name="media-gateway",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Settings come from the environment (MEDIA_GATEWAY_…) and from .env; "
    "[bold]media-gateway config[/bold] shows all of them.",
)
app.command()(serve.serve)
app.command()(worker.worker)
app.add_typer(migrate.app, name="migrate")
app.add_typer(imports.app, name="import")
app.command()(export.export)
app.add_typer(documents.app, name="documents")
app.add_typer(clients.app, name="clients")
app.add_typer(keys.app, name="keys")
app.add_typer(schema.app, name="schema")
app.command()(device.device)
app.command()(token.token)
app.command()(grant.grant)
app.command()(config.config)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer's signature
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - `--help` must not wait for it

        typer.echo(version("media-gateway"))
        raise typer.Exit


@app.callback()
def root(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """One GraphQL graph over everything a viewer does with films, series and music."""


def main() -> None:
    look_seldom()
    app()
