"""The embedded PostgreSQL, shared by processes that come and go as they like."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from domain.platform.embedded import EmbeddedPostgresError, embedded_postgres
from domain.platform.errors import Unavailable
from domain.platform.postgres import Database

# Opens the server of the folder, tells its URL, and holds on until it is told to go.
HOLDER = """
import asyncio, sys
from pathlib import Path
from domain.platform.embedded import embedded_postgres

async def hold():
    async with embedded_postgres(Path(sys.argv[1])) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(hold())
"""


async def holder(folder: Path) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOLDER,
        str(folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    assert url.startswith("postgresql://")
    return process, url


async def leave(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    await process.stdin.drain()
    assert await process.wait() == 0


async def asked(url: str, statement: str = "SELECT 42") -> object:
    async with Database.open(url, min_connections=1, max_connections=1) as database:
        return await database.value(statement)


async def is_stopped(url: str) -> bool:
    try:
        await asked(url)
    except Unavailable:
        return True
    return False


async def test_two_processes_share_a_server_and_the_last_one_stops_it(scratch: Path) -> None:
    folder = scratch / "shared"
    async with embedded_postgres(folder) as url:
        await asked(url, "CREATE TABLE kept (x int)")
        other, other_url = await holder(folder)
        assert other_url == url

    assert await asked(url, "SELECT count(*) FROM kept") == 0  # we have left; the other still holds it
    await leave(other)

    assert await is_stopped(url)


async def test_a_server_whose_owner_was_killed_is_joined_with_what_it_had(scratch: Path) -> None:
    folder = scratch / "orphaned"
    owner, url = await holder(folder)
    await asked(url, "CREATE TABLE kept (x int)")

    owner.send_signal(signal.SIGKILL)
    await owner.wait()

    async with embedded_postgres(folder) as again:
        assert again == url
        assert await asked(again, "SELECT count(*) FROM kept") == 0
    assert await is_stopped(url)


async def test_who_comes_again_while_another_holds_the_server_holds_it_as_well(scratch: Path) -> None:
    folder = scratch / "again"
    other, url = await holder(folder)
    async with embedded_postgres(folder):
        pass

    async with embedded_postgres(folder):
        await leave(other)

        assert await asked(url) == 42


async def test_two_in_one_process_share_a_server(scratch: Path) -> None:
    folder = scratch / "twice"
    async with embedded_postgres(folder) as url:
        async with embedded_postgres(folder) as other_url:
            assert other_url == url

        assert await asked(url) == 42
    assert await is_stopped(url)


async def test_a_server_that_was_stopped_starts_again_with_what_it_had(scratch: Path) -> None:
    folder = scratch / "restarted"
    async with embedded_postgres(folder) as url:
        await asked(url, "CREATE TABLE kept (x int)")

    async with embedded_postgres(folder) as url:
        assert await asked(url, "SELECT count(*) FROM kept") == 0


async def test_a_folder_that_cannot_hold_a_server_is_named(scratch: Path) -> None:
    folder = scratch / "taken"
    folder.mkdir()
    (folder / "somebody-elses-file").write_text("kept")

    with pytest.raises(EmbeddedPostgresError, match=str(folder)):
        async with embedded_postgres(folder):
            raise AssertionError("it started")

    assert (folder / "somebody-elses-file").read_text() == "kept"
