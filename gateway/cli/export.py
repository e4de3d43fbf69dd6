"""`media-gateway export`: everything of an account in one archive."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write, a ZIP file.")],
    *,
    account: Annotated[
        str, typer.Option("--account", metavar="EMAIL", help="Whose: an address, or `demo` and the like.")
    ],
) -> None:
    """Write all that an account watched, listed, rated and noted; `import history` reads it again."""
    import asyncio  # noqa: PLC0415 - `--help` must not wait for it

    from gateway.cli.exporting import archive_of, write  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415

    data = asyncio.run(archive_of(configured(), account))
    write(file, data)
    typer.echo(f"{file}: {len(data):,} bytes")
