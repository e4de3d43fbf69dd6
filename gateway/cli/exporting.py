"""Writes what an account holds into an archive, on the command line."""

from pathlib import Path

from gateway.cli.errors import Failed
from gateway.cli.history import opened
from gateway.settings import Settings


async def archive_of(settings: Settings, account: str) -> bytes:
    """The archive of the account; raises `Failed` where there is none of this name."""
    async with opened(settings, account) as (_, archives, account_id):
        return await archives.archive(account_id)


def write(path: Path, data: bytes) -> None:
    """The file whole or not at all; raises `Failed` where there is one already."""
    if path.exists():
        raise Failed(f"{path} is there already; name another file.")
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(data)
    beside.rename(path)
