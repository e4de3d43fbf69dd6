"""What several processes share: within one process it needs nothing, between several it is Redis."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from domain.catalog.changes import LocalNotifier, Notifier
from domain.identity.attempts import AttemptLimit, LocalAttempts
from domain.platform.budgets import Budgets, LocalBudgets
from domain.platform.rates import LocalRates, RateLimiter
from domain.playback.inprocess import LocalPrivateSessions
from domain.playback.service import PrivateSessions
from domain.sync.devices import Presence
from domain.sync.inprocess import LocalFanout, LocalPresence
from domain.sync.journal import Fanout
from gateway.engine.persisted import QueryStore
from gateway.routes.health import Probe
from gateway.settings import Settings


@dataclass(frozen=True)
class Shared:
    """The ports that a shared store fills; `listeners` are those of this process."""

    fanout: Fanout
    listeners: LocalFanout
    presence: Presence
    private_sessions: PrivateSessions
    attempts: AttemptLimit
    catalog_changes: Notifier
    news: Notifier
    budgets: Budgets
    rates: RateLimiter
    probes: tuple[Probe, ...] = ()
    queries: QueryStore | None = None
    """Automatic persisted queries that other processes know."""
    lost_queries: Callable[[], int] = lambda: 0
    """How often these could not be asked."""
    budget_failures: Callable[[], int] = lambda: 0
    """Payments that the shared store did not take."""
    rate_failures: Callable[[], int] = lambda: 0
    """Requests that the shared store did not count."""
    relayed: Callable[[], int] = lambda: 0
    """Changes that other processes told."""


@asynccontextmanager
async def open_shared(
    settings: Settings, delayed: Callable[[float], None] = lambda _: None
) -> AsyncIterator[Shared]:
    """Redis by URL, else what one process needs. The loss of Redis degrades, each user says how.

    `delayed` hears how many seconds after it was written a listener here got each change.
    """
    listeners = LocalFanout(delayed=delayed)
    if settings.redis_url is None:
        yield Shared(
            listeners,
            listeners,
            LocalPresence(),
            LocalPrivateSessions(),
            LocalAttempts(),
            LocalNotifier(),
            LocalNotifier(),
            LocalBudgets(),
            LocalRates(),
        )
        return
    # Not loaded where no Redis is named: it takes its share of every start.
    from gateway.shared_redis import open_over_redis  # noqa: PLC0415

    opening = open_over_redis(str(settings.redis_url), settings.persisted_queries_seconds, listeners)
    async with opening as shared:
        yield shared
