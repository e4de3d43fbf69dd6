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
        int, typer.Option(min=3_600, max=2_592_000, help="Seconds for which a superseded key still verifies.")
    ] = 86_400,
) -> None:
    """Add a new key to the file of keys, and drop those that nothing is signed with any more.

    Servers read the file again within seconds. Run it every 90 days; twice does no harm.
    """
    import time  # noqa: PLC0415 - `--help` must not wait for it

    from domain.identity.keys import rotated  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.cli.rekeying import read, write  # noqa: PLC0415

    settings = configured()
    text, kid = rotated(read(settings), algorithm.value, int(time.time()), ahead, overlap)
    write(settings, text)
    typer.echo(f"{kid} signs in {ahead:,} seconds.")


@app.command("list")
def list_keys() -> None:
    """List the keys, those that sign last first."""
    from gateway.cli.opening import configured  # noqa: PLC0415 - as above
    from gateway.cli.rekeying import described  # noqa: PLC0415

    for line in described(configured()):
        typer.echo(line)
