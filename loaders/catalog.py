"""Batched reads of the catalogue."""

from domain.catalog.model import (
    Content,
    Credit,
    Episode,
    ExternalId,
    Image,
    Offer,
    Person,
    Place,
    Rating,
    Season,
    Track,
)
from domain.catalog.service import Catalog
from domain.platform.lazily import lazily
from loaders.loader import Loader, many, one


class CatalogLoaders:
    """A request uses few of them, so each is made when it is first asked."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._store = catalog.store

    @lazily
    def content(self) -> Loader[int, Content | None]:
        return one(self._store.contents)

    @lazily
    def seasons(self) -> Loader[int, list[Season]]:
        return many(self._store.seasons)

    @lazily
    def episodes(self) -> Loader[int, list[Episode]]:
        return many(self._store.episodes)

    @lazily
    def tracks(self) -> Loader[int, list[Track]]:
        return many(self._store.tracks)

    @lazily
    def credits(self) -> Loader[int, list[Credit]]:
        return many(self._store.credits)

    @lazily
    def person(self) -> Loader[int, Person | None]:
        return one(self._store.people)

    @lazily
    def works_of(self) -> Loader[int, list[int]]:
        return many(self._store.works_of)

    @lazily
    def external_ids(self) -> Loader[int, list[ExternalId]]:
        return many(self._store.external_ids)

    @lazily
    def ratings(self) -> Loader[int, list[Rating]]:
        return many(self._store.ratings)

    @lazily
    def artwork(self) -> Loader[int, list[Image]]:
        return many(self._store.artwork)

    @lazily
    def availability(self) -> Loader[Place, list[Offer]]:
        return many(self._store.offers, self._catalog.standing)

    @lazily
    def by_external_id(self) -> Loader[tuple[str, str], int | None]:
        return one(self._store.by_external_id)

    @lazily
    def by_slug(self) -> Loader[str, int | None]:
        return one(self._store.by_slug)

    @lazily
    def by_link(self) -> Loader[tuple[str, str], int | None]:
        return one(self._store.by_link)
