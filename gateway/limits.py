"""API keys, rate limits and budgets, kept in step with the other processes for as long as they are open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.identity.api_keys import ApiKeys
from domain.identity.audit import Audit
from domain.identity.limits import RateLimits
from domain.identity.postgres_keys import PostgresApiKeys
from domain.identity.postgres_limits import PostgresRateLimits
from domain.identity.postgres_spending import PostgresCostBudgets
from domain.identity.sessions import Sessions
from domain.identity.spending import Spending
from domain.platform.postgres import Database
from gateway.background import in_background
from gateway.metrics import Metrics
from gateway.payers import buckets_of
from gateway.settings import Settings
from gateway.shared import Shared


@asynccontextmanager
async def open_keys(database: Database, sessions: Sessions) -> AsyncIterator[ApiKeys]:
    """The API keys; when they were used is written down in the background."""
    keys = ApiKeys(
        store=PostgresApiKeys(database),
        accounts=sessions.recent,
        revocations=sessions.revocations,
        audit=sessions.audit,
        now=sessions.now,
        new_id=sessions.new_id,
    )
    async with keys.noting_use():
        yield keys


@asynccontextmanager
async def open_limits(
    settings: Settings, database: Database, shared: Shared, audit: Audit, metrics: Metrics
) -> AsyncIterator[RateLimits]:
    """The rate limits, with what administrators set. The loss of Redis degrades: each process counts for
    itself.
    """
    limits = RateLimits(
        PostgresRateLimits(database), shared.rates, audit, audit.now, enforced=settings.rate_limits
    )
    metrics.watch("rate_limit_fallbacks", "Requests that Redis did not count.", shared.rate_failures)
    async with in_background(limits.run()):
        yield limits


@asynccontextmanager
async def open_spending(settings: Settings, database: Database, audit: Audit) -> AsyncIterator[Spending]:
    """The budgets of cost, with what administrators set."""
    defaults = buckets_of(settings.cost_budgets)
    spending = Spending(PostgresCostBudgets(database), defaults, audit, audit.now)
    async with in_background(spending.run()):
        yield spending
