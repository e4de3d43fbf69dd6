"""`media-gateway schema`: what clients are built against."""

from typing import Annotated

import typer

Subgraph = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Only this context, as an Apollo Federation subgraph: catalog, sync, …"
    ),
]


def schema(subgraph: Subgraph = None) -> None:
    """Print the schema in GraphQL's schema language; needs no database.

    The file schema.graphql of the repository is this, printed by `make schema`.
    """
    from gateway.cli.opening import configured  # noqa: PLC0415 - `--help` must not wait for it
    from schema.graph import graph  # noqa: PLC0415
    from schema.printing import printed  # noqa: PLC0415

    version = configured().federation_version
    typer.echo(printed(graph(subgraph=subgraph, federation_version=version)), nl=False)
