"""What every scenario stands on: an embedded PostgreSQL with the synthetic catalogue, kept between runs."""

import hashlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench import catalogue, words
from bench.catalogue import SyntheticCatalogue
from bench.processes import ROOT, Running, gateway
from domain.ingestion.model import Source
from domain.ingestion.postgres import PostgresShelf
from domain.ingestion.service import Report, import_source
from domain.platform import minilm
from domain.platform.embedded import embedded_postgres
from domain.platform.postgres import Database
from gateway.collector import spare_what_stays
from migrations import run

CATALOGUE = "media_gateway_bench"
FOLDER = ROOT / "var" / "bench"
MODELS = ROOT / "var" / "model"


@dataclass(frozen=True)
class Options:
    """How much is measured, and of what."""

    works: int
    seconds: float
    """Of each load."""
    connections: int
    say: Callable[[str], None]
    """Tells whoever waits what is going on."""
    fresh: bool = False
    """Whether the catalogue is built anew."""
    sources: tuple[Source, ...] = ()
    """Real files whose import is measured too."""
    log_rows: int = 1_000_000
    """How far the change log grows."""


@dataclass(frozen=True)
class Stage:
    """The running database server, with the catalogue in it."""

    folder: Path
    server_url: str
    options: Options

    @property
    def url(self) -> str:
        return database_url(self.server_url, CATALOGUE)

    @property
    def model(self) -> Path | None:
        """The sentence encoder, where it was built."""
        model = MODELS / minilm.NAME
        return model if minilm.is_complete(model) else None

    @property
    def database_pid(self) -> int:
        """Of the process that started all others of the database server."""
        [file] = (self.folder / "postgres").rglob("postmaster.pid")
        return int(file.read_text().split()[0])

    def say(self, text: str) -> None:
        self.options.say(text)

    def gateway(self, name: str = "server", **settings: str) -> AbstractAsyncContextManager[Running]:
        """A server over the catalogue that does nothing but answer."""
        given = {
            "database_url": self.url,
            "background_work": "false",
            "demo_catalogue": "false",
            "cost_budgets": "{}",  # a load is no caller who should wait
            **({} if self.model is None else {"encoder_dir": str(self.model)}),
        }
        return gateway(self.folder / name, **(given | settings))


@asynccontextmanager
async def open_stage(options: Options) -> AsyncIterator[Stage]:
    """Fills the catalogue where it is not there, or is another one than asked for."""
    if options.fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with embedded_postgres(FOLDER / "postgres") as server_url:
        stage = Stage(FOLDER, server_url, options)
        await _fill(stage)
        yield stage


async def _fill(stage: Stage) -> None:
    note = stage.folder / "catalogue.txt"
    wanted = _fingerprint(stage.options.works)
    if note.exists() and note.read_text() == wanted and await _exists(stage.server_url, CATALOGUE):
        await run.up(stage.url)
        return
    stage.say(f"Building the synthetic catalogue of {stage.options.works:,} works …")
    note.unlink(missing_ok=True)
    # The vectors of another catalogue would be found under the ids of this one.
    shutil.rmtree(stage.folder / "server" / "qdrant", ignore_errors=True)
    await fresh_database(stage.server_url, CATALOGUE)
    await import_into(stage.url, SyntheticCatalogue(stage.options.works))
    note.write_text(wanted)


async def import_into(url: str, source: Source) -> Report:
    """Everything of `source`, as the command does it; afterwards the planner knows what is there."""
    spare_what_stays()
    async with Database.open(url) as database:
        report = await import_source(PostgresShelf(database), source)
        await database.execute("ANALYZE")
    return report


async def fresh_database(server_url: str, name: str) -> str:
    """An empty database of the latest revision, and its URL."""
    await drop_database(server_url, name)
    await _run(server_url, f'CREATE DATABASE "{name}"')
    url = database_url(server_url, name)
    await run.up(url)
    return url


async def drop_database(server_url: str, name: str) -> None:
    await _run(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def database_url(server_url: str, name: str) -> str:
    head, _, tail = server_url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{tail}" if tail else "")


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _exists(server_url: str, name: str) -> bool:
    connection = await asyncpg.connect(server_url)
    try:
        return bool(await connection.fetchval("SELECT TRUE FROM pg_database WHERE datname = $1", name))
    finally:
        await connection.close()


def _fingerprint(works: int) -> str:
    """Of everything that the catalogue follows from."""
    sources = [Path(str(module.__file__)).read_bytes() for module in (catalogue, words)]
    return f"{works} {hashlib.sha256(b''.join(sources)).hexdigest()}"
