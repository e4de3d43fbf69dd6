"""The entity cache of a process: values of the catalogue, which hears of changes wherever they are made."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from domain.catalog.cached import CachedCatalog
from domain.catalog.changes import ChangeWatch, Notifier
from domain.catalog.gathered import GatheredCatalog
from domain.catalog.postgres import PostgresCatalog
from domain.catalog.postgres_changes import PostgresChangeRecord
from domain.catalog.service import CatalogStore
from domain.platform.cache import Cache
from domain.platform.postgres import Database
from gateway.background import in_background
from gateway.metrics import Metrics

WIDE_SHARE: Final = 6
"""Of the connections, one in so many may answer a question of many keys."""


class Entities(NamedTuple):
    """What is kept of the catalogue: nothing where it may hold nothing."""

    cache: Cache | None
    catch_up: Callable[[], Awaitable[None]]
    """Whatever was committed by now is true of the cache afterwards."""


async def _nothing_to_catch_up() -> None: ...


@asynccontextmanager
async def open_entity_cache(
    url: str, max_bytes: int, notifier: Notifier, metrics: Metrics
) -> AsyncIterator[Entities]:
    """The loss of the database silences it: it could not hear of changes."""
    if max_bytes == 0:
        yield Entities(None, _nothing_to_catch_up)
        return
    cache = Cache(max_bytes)
    metrics.watch_cache(cache)
    # A connection of its own: looks must not wait for their turn while requests hold all others.
    async with Database.open(url, min_connections=1, max_connections=1) as database:
        watch = ChangeWatch(cache, PostgresChangeRecord(database), notifier)
        await watch.look()
        async with in_background(watch.run()):
            yield Entities(cache, watch.catch_up)


def catalog_store(database: Database, cache: Cache | None) -> CatalogStore:
    most_wide = max(1, database.max_connections // WIDE_SHARE)
    store = GatheredCatalog(PostgresCatalog(database), database.in_transaction, most_wide)
    return store if cache is None else CachedCatalog(store, cache)
