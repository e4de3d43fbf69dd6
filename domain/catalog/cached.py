"""The catalogue's reads, kept in this process; see `changes.py` for how they stay true."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias, TypeVar

from domain.catalog import sizes
from domain.catalog.changes import CATALOGUE, person_tag, work_tag
from domain.catalog.filters import OFFERED_LIST_SECONDS, SOME_REGION, Filter
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
from domain.catalog.service import CatalogStore, ContentOrder
from domain.platform.cache import Cache, Cached, Kind, Tag
from domain.platform.paging import Cut, Page

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Name: TypeAlias = tuple[str, str]
Listing: TypeAlias = tuple[Filter, ContentOrder, Cut]

# How old an answer may be. A change of the catalogue is heard of within a second and drops what it touches;
# the times here bound what no change tells, and give back the memory of what nobody asks for. Offers are
# judged by the time of each answer (`Catalog.availability`), so that none outlives its end. A list filtered
# by offers is not, and is kept for `OFFERED_LIST_SECONDS`.
MINUTES = 60.0
WORK_SECONDS = 10 * MINUTES
PERSON_SECONDS = 10 * MINUTES
NAME_SECONDS = 10 * MINUTES
OFFER_SECONDS = 5 * MINUTES
LIST_SECONDS = 5 * MINUTES

FILTER_BYTES = 400


def _of_work(key: int, _value: object) -> tuple[Tag]:
    return (work_tag(key),)


def _of_person(key: int, _value: object) -> tuple[Tag]:
    return (person_tag(key),)


def _of_place(key: Place, _value: object) -> tuple[Tag]:
    return (work_tag(key.content_id),)


def _of_named(_key: object, value: int | None) -> tuple[Tag]:
    """A name that nobody has may become any work's."""
    return (CATALOGUE if value is None else work_tag(value),)


def _of_all(_key: object, _value: object) -> tuple[Tag]:
    return (CATALOGUE,)


def _sized(key_size: Callable[[K], int], value_size: Callable[[V], int]) -> Callable[[K, V | None], int]:
    def size(key: K, value: V | None) -> int:
        return key_size(key) + (0 if value is None else value_size(value))

    return size


def _hanging(name: str, value_size: Callable[[V], int]) -> Kind[int, list[V]]:
    """What hangs on a work, a list for each."""
    return Kind(name, WORK_SECONDS, _sized(sizes.number, sizes.several(value_size)), _of_work)


CONTENTS: Kind[int, Content] = Kind("content", WORK_SECONDS, _sized(sizes.number, sizes.content), _of_work)
SEASONS: Kind[int, list[Season]] = _hanging("seasons", sizes.content)
EPISODES: Kind[int, list[Episode]] = _hanging("episodes", sizes.content)
TRACKS: Kind[int, list[Track]] = _hanging("tracks", sizes.content)
CREDITS: Kind[int, list[Credit]] = _hanging("credits", sizes.credit)
EXTERNAL_IDS: Kind[int, list[ExternalId]] = _hanging("external_ids", sizes.external_id)
RATINGS: Kind[int, list[Rating]] = _hanging("ratings", sizes.rating)
ARTWORK: Kind[int, list[Image]] = _hanging("artwork", sizes.image)
OFFERS: Kind[Place, list[Offer]] = Kind(
    "offers", OFFER_SECONDS, _sized(sizes.place, sizes.several(sizes.offer)), _of_place
)
PEOPLE: Kind[int, Person] = Kind("people", PERSON_SECONDS, _sized(sizes.number, sizes.person), _of_person)
WORKS_OF: Kind[int, list[int]] = Kind(
    "works_of", PERSON_SECONDS, _sized(sizes.number, sizes.several(sizes.number)), _of_person
)
BY_SLUG: Kind[str, int] = Kind("by_slug", NAME_SECONDS, _sized(sizes.text, sizes.number), _of_named)
BY_EXTERNAL_ID: Kind[Name, int] = Kind(
    "by_external_id", NAME_SECONDS, _sized(sizes.name, sizes.number), _of_named
)
# Of several works with one link the best known counts, which any other may become.
BY_LINK: Kind[Name, int] = Kind("by_link", NAME_SECONDS, _sized(sizes.name, sizes.number), _of_all)


def _size_of_listing(_key: Listing, value: Page[Content] | None) -> int:
    return FILTER_BYTES + (0 if value is None else sizes.page(value))


def _size_of_count(_key: Filter, _value: int | None) -> int:
    return FILTER_BYTES + sizes.KEY_BYTES


LISTS: Kind[Listing, Page[Content]] = Kind("lists", LIST_SECONDS, _size_of_listing, _of_all)
OFFERED_LISTS: Kind[Listing, Page[Content]] = Kind(
    "offered_lists", OFFERED_LIST_SECONDS, _size_of_listing, _of_all
)
COUNTS: Kind[Filter, int] = Kind("counts", LIST_SECONDS, _size_of_count, _of_all)
OFFERED_COUNTS: Kind[Filter, int] = Kind("offered_counts", OFFERED_LIST_SECONDS, _size_of_count, _of_all)


class CachedCatalog:
    """Fills `CatalogStore` from a cache in front of another; the values are shared, nobody writes on them."""

    def __init__(self, store: CatalogStore, cache: Cache) -> None:
        self._store = store
        self._cache = cache
        self.contents = Cached(cache, CONTENTS, store.contents)
        self.seasons = Cached(cache, SEASONS, store.seasons)
        self.episodes = Cached(cache, EPISODES, store.episodes)
        self.tracks = Cached(cache, TRACKS, store.tracks)
        self.credits = Cached(cache, CREDITS, store.credits)
        self.people = Cached(cache, PEOPLE, store.people)
        self.works_of = Cached(cache, WORKS_OF, store.works_of)
        self.external_ids = Cached(cache, EXTERNAL_IDS, store.external_ids)
        self.ratings = Cached(cache, RATINGS, store.ratings)
        self.artwork = Cached(cache, ARTWORK, store.artwork)
        self.offers = Cached(cache, OFFERS, store.offers)
        self.by_external_id = Cached(cache, BY_EXTERNAL_ID, store.by_external_id)
        self.by_slug = Cached(cache, BY_SLUG, store.by_slug)
        self.by_link = Cached(cache, BY_LINK, store.by_link)

    async def browse(self, wanted: Filter, order: ContentOrder, cut: Cut) -> Page[Content]:
        offered = wanted.platforms is not None or wanted.offer_kinds is not None
        if not offered and wanted.region != SOME_REGION:
            wanted = replace(wanted, region=SOME_REGION)  # it plays no part, and would make a list for each
        key = (wanted, order, cut)

        async def load(_keys: Sequence[Listing]) -> Mapping[Listing, Page[Content]]:
            page = await self._store.browse(wanted, order, cut)
            count = partial(self._count, OFFERED_COUNTS if offered else COUNTS, wanted, page.count)
            return {key: replace(page, count=count)}

        found = await self._cache.many(OFFERED_LISTS if offered else LISTS, [key], load)
        return found[key]

    async def _count(
        self, kind: Kind[Filter, int], wanted: Filter, count: Callable[[], Awaitable[int]]
    ) -> int:
        async def load(_keys: Sequence[Filter]) -> Mapping[Filter, int]:
            return {wanted: await count()}

        return (await self._cache.many(kind, [wanted], load))[wanted]
