"""The gateway's own SQL, overheard on its way to the database, for whoever answers the same without it."""

import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bench.catalogue import REGION
from domain.catalog.filters import Filter
from domain.catalog.model import Place
from domain.catalog.postgres import PostgresCatalog
from domain.catalog.service import ContentOrder
from domain.platform.paging import Cut
from domain.platform.postgres import Database
from domain.sync.postgres import PostgresSync
from domain.sync.service import WatchlistOrder

NOBODY = str(uuid.UUID(int=0))


@dataclass(frozen=True, slots=True)
class Statements:
    """What stands behind the operations; the arguments of each are those of the method that sends it."""

    by_slug: str
    """Of slugs."""
    contents: str
    """Of ids."""
    credits: str
    """Of ids."""
    offers: str
    """Of ids, and as many regions."""
    artwork: str
    """Of ids."""
    browse: str
    """Of nothing: the best known, one more than a page."""
    continue_watching: str
    """Of an account and a moment."""
    watchlist: str
    """Of an account."""

    @classmethod
    async def overheard(cls, url: str, page: int) -> "Statements":
        """As sent for a `page` of titles, and for the usual page of an account's lists."""
        last: list[str] = []
        found: list[str] = []
        async with Database.open(url, observe=lambda query, *_: last.append(query)) as database:
            for question in _questions(PostgresCatalog(database), PostgresSync(database), page):
                await question
                # The driver may have asked about types first.
                found.append(last[-1])
        return cls(*found)


def _questions(catalog: PostgresCatalog, sync: PostgresSync, page: int) -> tuple[Awaitable[Any], ...]:
    """In the order of the fields of `Statements`."""
    return (
        catalog.by_slug(["bench-1"]),
        catalog.contents([1]),
        catalog.credits([1]),
        catalog.offers([Place(1, REGION)]),
        catalog.artwork([1]),
        catalog.browse(Filter(region=REGION), ContentOrder.POPULARITY, Cut(page)),
        sync.continuing(NOBODY, datetime.now(UTC), Cut()),
        sync.watchlist(NOBODY, WatchlistOrder.NEWEST, Cut()),
    )
