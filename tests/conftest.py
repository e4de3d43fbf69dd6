"""What tests of every folder share: a migrated database, emptied before each test that asks for it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from domain.platform.embedded import embedded_postgres
from domain.platform.postgres import Database
from migrations import run
from migrations.metadata import metadata
from tests.servers import StatementCounter, server_url


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder of this run, for data directories."""
    with tempfile.TemporaryDirectory(prefix="mg-test-") as folder:
        Path(folder).chmod(0o755)  # the embedded server runs as a user of its own where we are root
        yield Path(folder)


@pytest.fixture(scope="session")
async def postgres_url(scratch: Path) -> AsyncIterator[str]:
    """A server: `MEDIA_GATEWAY_TEST_DATABASE_URL`, or an embedded one of this run."""
    given = server_url()
    if given is not None:
        yield given
        return
    async with embedded_postgres(scratch / "postgres") as url:
        await spare_the_disk(url)
        yield url


async def spare_the_disk(server: str) -> None:
    """What a server of tests has written outlives its processes, but need not outlive the machine."""
    connection = await asyncpg.connect(server)
    try:
        for setting in ("fsync", "full_page_writes"):
            await connection.execute(f"ALTER SYSTEM SET {setting} = off")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def database_url(postgres_url: str) -> str:
    """A database with all migrations, made for this run."""
    return await fresh_database(postgres_url, "media_gateway_test")


@pytest.fixture(scope="session")
def statements() -> StatementCounter:
    """Sees every statement that `database` runs."""
    return StatementCounter()


@pytest.fixture(scope="session")
async def shared_database(database_url: str, statements: StatementCounter) -> AsyncIterator[Database]:
    async with Database.open(database_url, observe=statements) as database:
        # Nobody may empty the audit log; between tests we do.
        await database.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_table_stays")
        await database.execute("GRANT TRUNCATE ON audit_entry TO CURRENT_USER")
        yield database


@pytest.fixture
async def database(shared_database: Database) -> Database:
    """All tables empty."""
    tables = ", ".join(f'"{table.name}"' for table in metadata().sorted_tables)
    await shared_database.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return shared_database


async def fresh_database(server: str, name: str) -> str:
    """Drops and creates a database and brings it to the latest revision."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    head, _, tail = server.partition("?")
    url = f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{tail}" if tail else "")
    await run.up(url)
    return url
