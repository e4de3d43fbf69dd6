"""Death between any two steps of a write: it happened wholly, or not at all, and is told exactly once."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.platform.postgres import Database
from domain.sync.inprocess import LocalFanout
from domain.sync.journal import Journal
from domain.sync.postgres_log import PostgresChangeLog
from tests.conftest import fresh_database

DYING = Path(__file__).parent / "dying.py"
ACCOUNT = "00000000-0000-4000-8000-000000000001"
ADD_ACCOUNT = "INSERT INTO account (id, display_name) VALUES ($1, 'Viewer')"
ADD_MOVIE = """INSERT INTO content (kind, title, title_key, runtime_seconds)
               VALUES ('movie', 'A film', 'a film', 6000) RETURNING id"""
MOST_STEPS = 40


@pytest.fixture
async def url(postgres_url: str) -> str:
    return await fresh_database(postgres_url, "media_gateway_dying")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database.open(url) as database:
        yield database


@pytest.mark.timeout(180)
async def test_a_write_is_whole_or_nothing_wherever_the_process_dies(url: str, database: Database) -> None:
    await database.execute(ADD_ACCOUNT, ACCOUNT)
    content = await database.value(ADD_MOVIE)
    deaths = 0

    for statements in range(1, MOST_STEPS):
        await database.execute("TRUNCATE progress, change, change_sequence, outbox")
        acknowledged, died = await _write(url, content, statements)
        written = await _written(database)

        assert len(set(written.values())) == 1, (statements, written)
        assert not acknowledged or written["progress"] == 1
        assert await _told(database) == list(range(1, written["change"] + 1))
        deaths += died
        if not died:
            break

    assert acknowledged
    assert deaths >= 6  # begin, turn, two reads, state, log, commit at least


async def _write(url: str, content: int, statements: int) -> tuple[bool, bool]:
    """Whether the write was acknowledged, and whether the process died."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(DYING),
        url,
        ACCOUNT,
        str(content),
        str(statements),
        stdout=asyncio.subprocess.PIPE,
        cwd=DYING.parent.parent.parent,
        env={"PYTHONPATH": str(DYING.parent.parent.parent), "PATH": ""},
    )
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode in {0, -signal.SIGKILL}
    return said == b"ACKNOWLEDGED\n", process.returncode != 0


async def _written(database: Database) -> dict[str, int]:
    return {
        table: await database.value(f"SELECT count(*) FROM {table}")
        for table in ("progress", "change", "outbox")
    }


async def _told(database: Database) -> list[int]:
    """What a subscriber is delivered that was away all the time."""
    journal = Journal(PostgresChangeLog(database), LocalFanout())
    latest = await journal.log.latest(ACCOUNT)
    told: list[int] = []
    following = journal.follow(ACCOUNT, 0)
    try:
        while len(told) < latest:
            told.append((await anext(following)).seq)
    finally:
        await following.aclose()
    return told
