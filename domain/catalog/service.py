"""What the catalogue can answer, and the ports it asks."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Protocol

from domain.catalog.filters import Filter
from domain.catalog.model import (
    Content,
    Credit,
    Episode,
    ExternalId,
    Image,
    Offer,
    OfferKind,
    Person,
    Place,
    Rating,
    Season,
    Track,
    VideoQuality,
)
from domain.platform.paging import Cut, Page
from domain.platform.validity import validity


class ContentOrder(StrEnum):
    """How a list of works is sorted."""

    POPULARITY = "popularity"
    """Best known first."""
    TITLE = "title"
    """By title, from A."""
    NEWEST = "newest"
    """By year, latest first."""
    OLDEST = "oldest"
    """By year, earliest first."""


class CatalogStore(Protocol):
    """Bulk reads; a key that is missing from an answer has nothing."""

    def contents(self, ids: Sequence[int], /) -> Awaitable[Mapping[int, Content]]: ...
    def seasons(self, series_ids: Sequence[int], /) -> Awaitable[Mapping[int, list[Season]]]: ...
    def episodes(self, season_ids: Sequence[int], /) -> Awaitable[Mapping[int, list[Episode]]]: ...
    def tracks(self, album_ids: Sequence[int], /) -> Awaitable[Mapping[int, list[Track]]]: ...
    def credits(self, content_ids: Sequence[int], /) -> Awaitable[Mapping[int, list[Credit]]]: ...
    def people(self, ids: Sequence[int], /) -> Awaitable[Mapping[int, Person]]: ...
    def works_of(self, person_ids: Sequence[int], /) -> Awaitable[Mapping[int, list[int]]]: ...
    def external_ids(self, content_ids: Sequence[int], /) -> Awaitable[Mapping[int, list[ExternalId]]]: ...
    def ratings(self, content_ids: Sequence[int], /) -> Awaitable[Mapping[int, list[Rating]]]: ...
    def artwork(self, content_ids: Sequence[int], /) -> Awaitable[Mapping[int, list[Image]]]: ...
    def offers(self, places: Sequence[Place], /) -> Awaitable[Mapping[Place, list[Offer]]]:
        """Those that lapsed or are to begin as well, in the order of `cheapest_first`."""
        ...

    def by_external_id(
        self, keys: Sequence[tuple[str, str]], /
    ) -> Awaitable[Mapping[tuple[str, str], int]]: ...
    def by_slug(self, slugs: Sequence[str], /) -> Awaitable[Mapping[str, int]]: ...
    def by_link(self, keys: Sequence[tuple[str, str]], /) -> Awaitable[Mapping[tuple[str, str], int]]: ...
    async def browse(self, wanted: Filter, order: ContentOrder, cut: Cut) -> Page[Content]: ...


@dataclass(frozen=True)
class Catalog:
    """What exists and where it can be watched."""

    store: CatalogStore
    now: Callable[[], datetime]

    async def availability(self, places: Sequence[Place]) -> Mapping[Place, list[Offer]]:
        """The offers that stand now, cheapest way first."""
        return self.standing(await self.store.offers(places))

    def standing(self, found: Mapping[Place, list[Offer]]) -> Mapping[Place, list[Offer]]:
        """Of what the store has, the offers that stand now."""
        changing = [
            offer
            for offers in found.values()
            for offer in offers
            if offer.available_from is not None or offer.expires_at is not None
        ]
        if not changing:
            return found
        now = self.now()
        if (observed := validity()) is not None:
            for change in (offer.next_change(now) for offer in changing):
                if change is not None:
                    observed.ends(change)
        return {place: [offer for offer in offers if offer.stands(now)] for place, offers in found.items()}


def cheapest_first(place: Place, offers: Sequence[Offer]) -> list[Offer]:
    """Free, by subscription, to rent, to buy; and within each the least to pay."""
    if len(offers) < 2:  # noqa: PLR2004 - there is nothing to sort
        return list(offers)
    return sorted(offers, key=partial(_cheapest_first, place.content_id))


_KINDS = {OfferKind.FREE: 0, OfferKind.SUBSCRIPTION: 1, OfferKind.RENTAL: 2, OfferKind.PURCHASE: 3}
_QUALITIES = {VideoQuality.UHD: 0, VideoQuality.HD: 1, VideoQuality.SD: 2, None: 3}
_UNKNOWN = Decimal("Infinity")


def _cheapest_first(content_id: int, offer: Offer) -> tuple[int, Decimal, str, bool, int]:
    """At one price a platform's link to the part comes before that to the whole, then the best picture."""
    return (
        _KINDS[offer.kind],
        offer.price.amount if offer.price else _UNKNOWN,
        offer.platform_id,
        offer.content_id != content_id,
        _QUALITIES[offer.quality],
    )
