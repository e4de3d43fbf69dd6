"""Brings a database to a revision, and tells where it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from domain.platform.locks import Lock

T = TypeVar("T")

# A revision that cannot get its table must not hold up everything behind it.
LOCK_TIMEOUT = "SET lock_timeout = '10s'"


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema, and whether this database has taken it."""

    id: str
    title: str
    applied: bool


async def up(database_url: str, revision: str = "head") -> None:
    await _migrate(database_url, lambda config: command.upgrade(config, revision))


async def down(database_url: str, revision: str) -> None:
    """To `revision`; `base` drops everything, `-1` takes one step back."""
    await _migrate(database_url, lambda config: command.downgrade(config, revision))


async def status(database_url: str) -> list[Revision]:
    """Every revision, oldest first."""
    scripts = ScriptDirectory.from_config(_config())

    def read(connection: Connection) -> list[Revision]:
        heads = MigrationContext.configure(connection).get_current_heads()
        applied = {script.revision for head in heads for script in scripts.iterate_revisions(head, "base")}
        walked = reversed(list(scripts.walk_revisions()))
        return [Revision(script.revision, script.doc, script.revision in applied) for script in walked]

    return await _on_connection(database_url, read)


async def _migrate(database_url: str, act: Callable[[Config], None]) -> None:
    def run(connection: Connection) -> None:
        connection.execute(text(f"SELECT pg_advisory_lock({Lock.MIGRATE.value})"))
        connection.execute(text(LOCK_TIMEOUT))
        connection.commit()
        config = _config()
        config.attributes["connection"] = connection
        act(config)
        connection.commit()

    await _on_connection(database_url, run)


async def _on_connection(database_url: str, act: Callable[[Connection], T]) -> T:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(database_url)

    # SQLAlchemy reads URLs its own way (it knows no `sslmode`, for one), and the server would read another.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(act)
    finally:
        await engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
