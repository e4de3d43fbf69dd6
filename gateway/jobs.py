"""The jobs of the worker, from what the contexts can do behind the scenes."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from domain.catalog.changes import Notifier
from domain.catalog.filters import Filter
from domain.catalog.postgres_changes import PostgresChangeRecord
from domain.discovery.embedding import Embedding
from domain.discovery.model import TrendWindow
from domain.discovery.postgres_embedding import PostgresPending
from domain.discovery.service import Discovery
from domain.news.postgres_noting import PostgresNoting
from domain.news.service import Newsroom
from domain.platform.late_encoder import LateEncoder
from domain.platform.postgres import Database
from domain.platform.vectors import GuardedIndex
from domain.sync.abandoned import Abandoned
from domain.sync.history import History
from domain.sync.kafka import KafkaCarrier
from domain.sync.postgres_outbox import PostgresOutbox
from domain.sync.postgres_retention import PostgresAttic, PostgresUnfinished
from domain.sync.relay import Relay
from domain.sync.retention import Retention
from domain.sync.service import Sync
from gateway.settings import Settings
from gateway.worker import Job


def embedding_jobs(database: Database, vectors: GuardedIndex, encoder: LateEncoder) -> tuple[Job, ...]:
    embedding = Embedding(PostgresPending(database), vectors)

    async def embed() -> int:
        return await embedding.work(await encoder.settled())

    async def check() -> int:
        return await embedding.check(await encoder.settled())

    return (
        Job("vectors.embed", every_seconds=5.0, run=embed, eager=True),
        Job("vectors.check", every_seconds=3600.0, run=check),
    )


def news_jobs(
    database: Database, discovery: Discovery, notifier: Notifier, now: Callable[[], datetime]
) -> tuple[Job, ...]:
    async def trending(as_of: datetime) -> Sequence[int]:
        found = await discovery.trends.trending(TrendWindow.DAY, None, Filter(), as_of)
        return [trend.id for trend in found]

    newsroom = Newsroom(PostgresNoting(database), trending, notifier, now)
    return (
        Job("news.availability", every_seconds=1.0, run=newsroom.note_availability),
        Job("news.trends", every_seconds=300.0, run=newsroom.note_trends),
        Job("news.forget", every_seconds=3600.0, run=newsroom.forget, eager=True),
    )


def forgetting_jobs(
    database: Database, sync: Sync, history: History, now: Callable[[], datetime]
) -> tuple[Job, ...]:
    """Of what viewers watched."""
    abandoned = Abandoned(PostgresUnfinished(database), sync, now)
    return (
        Job("sync.forget_unfinished", every_seconds=3600.0, run=abandoned.forget, eager=True),
        Job("sync.forget_history", every_seconds=3600.0, run=history.forget, eager=True),
    )


def jobs_of(settings: Settings, database: Database, now: Callable[[], datetime]) -> tuple[Job, ...]:
    carrier = None if settings.kafka_bootstrap is None else KafkaCarrier(settings.kafka_bootstrap)
    relay = Relay(PostgresOutbox(database), carrier)
    changes = PostgresChangeRecord(database)
    retention = Retention(PostgresAttic(database), timedelta(days=settings.change_log_days), now)

    async def tidy() -> int:
        return await relay.tidy(now())

    return (
        Job("outbox.ship", every_seconds=1.0, run=relay.run),
        Job("outbox.tidy", every_seconds=3600.0, run=tidy),
        Job("sync.forget", every_seconds=3600.0, run=retention.run, eager=True),
        Job("catalog.forget_changes", every_seconds=600.0, run=changes.forget),
    )
