"""`media-gateway serve`: the server."""

from typing import Annotated

import typer


def serve(
    host: Annotated[
        str | None, typer.Option(help="The address to listen on, instead of MEDIA_GATEWAY_HOST.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The port to listen on, instead of MEDIA_GATEWAY_PORT.")
    ] = None,
    subgraph: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Serve only this context, as an Apollo Federation subgraph: catalog, sync, …"
        ),
    ] = None,
) -> None:
    """Answer clients: GraphQL at /graphql, over HTTP, SSE and WebSocket.

    In development mode it needs nothing: it starts its own PostgreSQL, updates it and loads the demo
    catalogue. In production mode (MEDIA_GATEWAY_MODE=production) it changes no schema; run
    `media-gateway migrate up` first. SIGTERM lets requests finish, for MEDIA_GATEWAY_DRAIN_SECONDS at most.
    """
    from gateway.cli.opening import configured  # noqa: PLC0415 - `--help` must not wait for it
    from gateway.cli.server import run  # noqa: PLC0415

    run(configured(host=host, port=port, subgraph=subgraph))
