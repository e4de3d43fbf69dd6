"""The catalogue's reads, gathered: requests that ask at the same time are answered by the same statements."""

import asyncio
from collections.abc import Callable, Hashable
from typing import TypeVar

from domain.catalog.filters import Filter
from domain.catalog.model import Content
from domain.catalog.service import CatalogStore, ContentOrder
from domain.platform.gathering import Gathered, Question
from domain.platform.paging import Cut, Page

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class GatheredCatalog:
    """Fills `CatalogStore` from another; the values are shared, nobody writes on them."""

    def __init__(self, store: CatalogStore, apart: Callable[[], bool], most_wide: int) -> None:
        """Whoever is `apart` asks for themselves; `most_wide` questions of many keys are asked at a time."""
        slots = asyncio.Semaphore(most_wide)

        def gathered(question: Question[K, V]) -> Gathered[K, V]:
            return Gathered(question, apart, slots)

        self._store = store
        self.contents = gathered(store.contents)
        self.seasons = gathered(store.seasons)
        self.episodes = gathered(store.episodes)
        self.tracks = gathered(store.tracks)
        self.credits = gathered(store.credits)
        self.people = gathered(store.people)
        self.works_of = gathered(store.works_of)
        self.external_ids = gathered(store.external_ids)
        self.ratings = gathered(store.ratings)
        self.artwork = gathered(store.artwork)
        self.offers = gathered(store.offers)
        self.by_external_id = gathered(store.by_external_id)
        self.by_slug = gathered(store.by_slug)
        self.by_link = gathered(store.by_link)

    async def browse(self, wanted: Filter, order: ContentOrder, cut: Cut) -> Page[Content]:
        return await self._store.browse(wanted, order, cut)
