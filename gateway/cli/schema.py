"""`media-gateway schema`: what clients are built against."""

import typer


def schema() -> None:
    """Print the schema in GraphQL's schema language; needs no database.

    The file schema.graphql of the repository is this, printed by `make schema`.
    """
    from gateway.cli.opening import configured  # noqa: PLC0415 - `--help` must not wait for it
    from schema.graph import graph  # noqa: PLC0415

    typer.echo(graph(federation_version=configured().federation_version).as_str())
