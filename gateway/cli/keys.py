"""`media-gateway keys`: the keys that tokens are signed with."""

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Rotate the keys that tokens are signed with.")


class Algorithm(StrEnum):
    EDDSA = "EdDSA"
    RS256 = "RS256"


@app.command()
def rotate(
    *,
    algorithm: Annotated[
        Algorithm, typer.Option("--alg", help="What the new key signs with.")
    ] = Algorithm.EDDSA,
    ahead: Annotated[
        int, typer.Option(min=0, max=86_400, help="Seconds for which it is published before it signs.")
    ] = 600,
    overlap: Annotated[
        int,
        typer.Option(
            min=0, max=2_592_000, help="Seconds for which superseded keys still verify; 0 after a leak."
        ),
    ] = 86_400,
) -> None:
    """Add a new key now, and drop those that nothing is signed with any more.

    The worker does so every 90 days (MEDIA_GATEWAY_SIGNING_KEY_SECONDS). Servers know within seconds. After a
    leak, `--ahead 0 --overlap 0` makes every token of the keys before worthless; sessions are refreshed.
    """
    import asyncio  # noqa: PLC0415 - `--help` must not wait for it

    from gateway.cli import rekeying  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415

    kid = asyncio.run(rekeying.rotate(configured(), algorithm.value, ahead, overlap))
    typer.echo(f"{kid} signs in {ahead:,} seconds.")


@app.command("list")
def list_keys() -> None:
    """List the keys, those that sign last first."""
    import asyncio  # noqa: PLC0415 - as above

    from gateway.cli import rekeying  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415

    for line in asyncio.run(rekeying.described(configured())):
        typer.echo(line)
