"""The documents of this process, kept in step with those that are published."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from domain.platform.postgres import Database
from gateway.background import in_background
from gateway.documents.postgres import PostgresDocuments
from gateway.documents.postgres_usage import PostgresUsage
from gateway.engine.execution import Engine, Operation
from gateway.engine.intake import Intake, Named
from gateway.engine.persisted import Layered, LocalQueries, QueryStore
from gateway.engine.trusted import DocumentsMode, TrustedDocuments
from gateway.engine.usage import Tally, Usage, merged
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.time_and_ids import now
from gateway.worker import Job, work

log = structlog.get_logger(__name__)


class LateQueries:
    """Fills `QueryStore` by one that is opened later; until then nothing is known."""

    def __init__(self) -> None:
        self.opened: QueryStore | None = None

    async def get(self, query_hash: str) -> str | None:
        return None if self.opened is None else await self.opened.get(query_hash)

    async def put(self, query_hash: str, text: str) -> None:
        if self.opened is not None:
            await self.opened.put(query_hash, text)


class Desk:
    """Takes operations in by text, hash or id, and knows what was published and what is used."""

    def __init__(self, settings: Settings, engine: Engine, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._shared = LateQueries()
        self.trusted = TrustedDocuments()
        self.usage = Usage(engine.schema)
        near = LocalQueries(settings.persisted_queries_bytes)
        self.intake = Intake(
            engine,
            settings.documents,
            self.trusted,
            Layered(near, self._shared) if settings.persisted_queries else None,
            self._count,
        )
        self._unwritten: Tally | None = None
        self._fingerprint = ""

    def _count(self, operation: Operation, named: Named, trusted: bool) -> None:  # noqa: FBT001 - `Count`
        self.usage.count(operation, trusted=trusted)
        self._metrics.documents.add("published" if trusted else "ad_hoc", named.value)

    @asynccontextmanager
    async def in_step(self, database: Database, shared: QueryStore | None) -> AsyncIterator[None]:
        """Reads what is published, then goes on looking for more and writing down what is used."""
        published, used = PostgresDocuments(database), PostgresUsage(database)
        self._shared.opened = shared
        jobs = [Job("documents.usage", self._settings.documents_usage_seconds, lambda: self._write(used))]
        if self._settings.documents is not DocumentsMode.OFF:
            await self._refresh(published)
            seconds = self._settings.documents_refresh_seconds
            jobs.append(Job("documents.refresh", seconds, lambda: self._refresh(published)))
        async with in_background(work(jobs)):
            yield
        try:
            await self._write(used)
        except Exception:
            log.exception("documents.usage_lost")

    async def _refresh(self, published: PostgresDocuments) -> int:
        """How many documents there are, if they are others than before."""
        fingerprint = await published.fingerprint()
        if fingerprint == self._fingerprint:
            return 0
        self.trusted.replace(await published.all())
        self._fingerprint = fingerprint
        log.info("documents.loaded", count=len(self.trusted))
        return len(self.trusted)

    async def _write(self, used: PostgresUsage) -> int:
        """How many operations were written down. What cannot be is kept for the next time."""
        tally = self.usage.take()
        self._tell(tally)
        if self._unwritten is not None:
            tally = merged((self._unwritten, tally))
        if not tally.operations:
            return 0
        self._unwritten = tally
        await used.add(tally, now())
        self._unwritten = None
        return len(tally.operations)

    def _tell(self, tally: Tally) -> None:
        if self._settings.documents is DocumentsMode.OFF:
            return
        for key, (count, trusted) in tally.operations.items():
            if not trusted:
                log.info("document.ad_hoc", operation=key.name, sha256=key.hash, uses=count)
