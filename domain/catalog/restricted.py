"""The catalogue as somebody sees it from whom a part is hidden."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from domain.catalog.filters import Filter
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
from domain.catalog.restriction import Restriction
from domain.catalog.service import Catalog, CatalogStore, ContentOrder
from domain.platform.paging import Cut, Page

C = TypeVar("C", bound=Content)
N = TypeVar("N")


@dataclass(frozen=True)
class RestrictedCatalog:
    """Fills `CatalogStore` from another; what is hidden is missing from its answers."""

    store: CatalogStore
    restriction: Restriction

    async def contents(self, ids: Sequence[int]) -> Mapping[int, Content]:
        found = await self.store.contents(ids)
        shown = await self._shown(found.values())
        return {key: content for key, content in found.items() if key in shown}

    async def seasons(self, series_ids: Sequence[int]) -> Mapping[int, list[Season]]:
        return await self._parts(await self.store.seasons(series_ids))

    async def episodes(self, season_ids: Sequence[int]) -> Mapping[int, list[Episode]]:
        return await self._parts(await self.store.episodes(season_ids))

    async def tracks(self, album_ids: Sequence[int]) -> Mapping[int, list[Track]]:
        return await self._parts(await self.store.tracks(album_ids))

    async def works_of(self, person_ids: Sequence[int]) -> Mapping[int, list[int]]:
        found = await self.store.works_of(person_ids)
        shown = await self.contents(_distinct(key for keys in found.values() for key in keys))
        return {person: [key for key in keys if key in shown] for person, keys in found.items()}

    async def offers(self, places: Sequence[Place]) -> Mapping[Place, list[Offer]]:
        shown = await self.contents(_distinct(place.content_id for place in places))
        return await self.store.offers([place for place in places if place.content_id in shown])

    async def credits(self, content_ids: Sequence[int]) -> Mapping[int, list[Credit]]:
        return await self.store.credits(await self._of_shown(content_ids))

    async def external_ids(self, content_ids: Sequence[int]) -> Mapping[int, list[ExternalId]]:
        return await self.store.external_ids(await self._of_shown(content_ids))

    async def ratings(self, content_ids: Sequence[int]) -> Mapping[int, list[Rating]]:
        return await self.store.ratings(await self._of_shown(content_ids))

    async def artwork(self, content_ids: Sequence[int]) -> Mapping[int, list[Image]]:
        return await self.store.artwork(await self._of_shown(content_ids))

    async def people(self, ids: Sequence[int]) -> Mapping[int, Person]:
        return await self.store.people(ids)

    async def by_external_id(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        return await self._named(await self.store.by_external_id(keys))

    async def by_slug(self, slugs: Sequence[str]) -> Mapping[str, int]:
        return await self._named(await self.store.by_slug(slugs))

    async def by_link(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        return await self._named(await self.store.by_link(keys))

    async def browse(self, wanted: Filter, order: ContentOrder, cut: Cut) -> Page[Content]:
        return await self.store.browse(replace(wanted, within=self.restriction), order, cut)

    async def _parts(self, found: Mapping[int, list[C]]) -> Mapping[int, list[C]]:
        shown = await self._shown(part for parts in found.values() for part in parts)
        return {key: [part for part in parts if part.id in shown] for key, parts in found.items()}

    async def _of_shown(self, content_ids: Sequence[int]) -> list[int]:
        return list(await self.contents(content_ids))

    async def _named(self, found: Mapping[N, int]) -> Mapping[N, int]:
        shown = await self.contents(_distinct(found.values()))
        return {name: key for name, key in found.items() if key in shown}

    async def _shown(self, contents: Iterable[Content]) -> set[int]:
        """Those that are shown, by their keys; their wholes are asked for, two questions at most."""
        lines = {content.id: [content] for content in contents}
        while wholes := {
            key: whole for key, line in lines.items() if (whole := whole_of(line[-1])) is not None
        }:
            found = await self.store.contents(_distinct(wholes.values()))
            for key, whole in wholes.items():
                if whole in found:
                    lines[key].append(found[whole])
                else:
                    del lines[key]
        return {key for key, line in lines.items() if self.restriction.admits(line)}


def seen_by(restriction: Restriction | None, catalog: Catalog) -> Catalog:
    """The catalogue without what is hidden from somebody."""
    if restriction is None:
        return catalog
    return replace(catalog, store=RestrictedCatalog(catalog.store, restriction))


def whole_of(content: Content) -> int | None:
    """What a part is a part of."""
    match content:
        case Season(series_id=whole) | Episode(season_id=whole) | Track(album_id=whole):
            return whole
    return None


def _distinct(keys: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(keys))
