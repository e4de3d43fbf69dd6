"""Publishes documents and reads what is used, on the database of the settings."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from domain.platform.postgres import Database
from gateway.app import engine_of
from gateway.cli.errors import Failed
from gateway.cli.screen import notes
from gateway.database import open_database_url
from gateway.documents import publishing
from gateway.documents.manifests import read_documents
from gateway.documents.postgres import Listed, PostgresDocuments
from gateway.documents.postgres_usage import PostgresUsage, UsedOperation
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.time_and_ids import now

SHOWN_PROBLEMS = 20


async def publish_files(settings: Settings, files: Sequence[Path], client: str | None) -> str:
    """What was done, in words; tells each problem and raises `Failed` where nothing was."""
    documents = [document for path in files for document in read_documents(path)]
    if not documents:
        raise Failed(f"There is no document in {', '.join(map(str, files))}.")
    engine = engine_of(settings, Metrics())
    async with _database(settings) as database:
        done = await publishing.publish(documents, client, PostgresDocuments(database), engine.documents)
    if isinstance(done, publishing.Published):
        return f"{done.new + done.known:,} documents: {done.new:,} new, {done.known:,} known"
    screen = notes()
    for problem in done[:SHOWN_PROBLEMS]:
        screen.print(f"  {problem}", markup=False)
    if len(done) > SHOWN_PROBLEMS:
        screen.print(f"  … and {len(done) - SHOWN_PROBLEMS:,} more")
    problems = "1 problem" if len(done) == 1 else f"{len(done):,} problems"
    raise Failed(f"Nothing was published, because of {problems}.")


async def listed(settings: Settings) -> list[Listed]:
    async with _database(settings) as database:
        return await PostgresDocuments(database).listed()


async def operations_since(settings: Settings, days: int) -> list[UsedOperation]:
    async with _database(settings) as database:
        return await PostgresUsage(database).operations(now() - timedelta(days=days))


async def coordinates_since(settings: Settings, days: int) -> dict[str, int]:
    async with _database(settings) as database:
        return await PostgresUsage(database).coordinates((now() - timedelta(days=days)).date())


async def prune_unused(settings: Settings, days: int, *, delete: bool) -> list[Listed]:
    """The documents unused for so many days, which are gone if they are to be deleted."""
    before = now() - timedelta(days=days)
    async with _database(settings) as database:
        documents = PostgresDocuments(database)
        unused = await documents.unused_since(before)
        if delete:
            await documents.remove([document.id for document in unused])
            await PostgresUsage(database).forget(before)
        return unused


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database_url(settings) as url, Database.open(url, min_connections=1) as database:
        yield database
