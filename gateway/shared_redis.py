"""The shared ports over Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from domain.catalog.redis import RedisNotifier
from domain.identity.attempts import LocalAttempts
from domain.identity.redis import RedisAttempts
from domain.platform.budgets import LocalBudgets
from domain.platform.rates import LocalRates
from domain.platform.redis import RedisBudgets
from domain.platform.redis_connections import client_of
from domain.platform.redis_rates import RedisRates
from domain.playback.inprocess import LocalPrivateSessions
from domain.playback.redis import RedisPrivateSessions
from domain.sync.inprocess import LocalFanout, LocalPresence
from domain.sync.redis import RedisFanout, RedisPresence
from gateway.background import in_background
from gateway.documents.redis import RedisQueries
from gateway.routes.health import Probe
from gateway.shared import Shared

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
NEWS = "mg:news"


@asynccontextmanager
async def open_over_redis(url: str, queries_seconds: int, listeners: LocalFanout) -> AsyncIterator[Shared]:
    """Two clients: one that answers soon or fails, one that waits for messages as long as it takes."""
    async with (
        client_of(url, connect_seconds=CONNECT_SECONDS, answer_seconds=ANSWER_SECONDS) as redis,
        Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS) as patient,
    ):
        fanout = RedisFanout(redis, patient, listeners)
        catalog_changes = RedisNotifier(redis, patient)
        news = RedisNotifier(redis, patient, NEWS)
        queries = RedisQueries(redis, queries_seconds)

        async def ping() -> None:
            await redis.ping()

        budgets = RedisBudgets(redis, LocalBudgets())
        rates = RedisRates(redis, LocalRates())

        async with (
            in_background(fanout.run()),
            in_background(catalog_changes.run()),
            in_background(news.run()),
        ):
            yield Shared(
                fanout=fanout,
                listeners=listeners,
                presence=RedisPresence(redis, LocalPresence()),
                private_sessions=RedisPrivateSessions(redis, LocalPrivateSessions()),
                attempts=RedisAttempts(redis, LocalAttempts()),
                catalog_changes=catalog_changes,
                news=news,
                budgets=budgets,
                rates=rates,
                probes=(Probe("redis", ping),),
                queries=queries,
                lost_queries=queries.failures,
                budget_failures=lambda: budgets.failures,
                rate_failures=lambda: rates.failures,
                relayed=lambda: fanout.relayed,
            )
