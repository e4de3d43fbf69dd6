"""Batched reads of the catalogue."""

from domain.catalog.service import Catalog
from loaders.loader import many, one


class CatalogLoaders:
    def __init__(self, catalog: Catalog) -> None:
        store = catalog.store
        self.content = one(store.contents)
        self.seasons = many(store.seasons)
        self.episodes = many(store.episodes)
        self.tracks = many(store.tracks)
        self.credits = many(store.credits)
        self.person = one(store.people)
        self.works_of = many(store.works_of)
        self.external_ids = many(store.external_ids)
        self.ratings = many(store.ratings)
        self.artwork = many(store.artwork)
        self.availability = many(catalog.availability, catalog.availability_at_hand)
        self.by_external_id = one(store.by_external_id)
        self.by_slug = one(store.by_slug)
        self.by_link = one(store.by_link)
