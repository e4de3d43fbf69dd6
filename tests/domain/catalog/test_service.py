"""What stands where, cheapest way first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any, cast

import pytest

from domain.catalog.model import Money, Offer, OfferKind, Place, VideoQuality
from domain.catalog.service import Catalog, CatalogStore, cheapest_first
from domain.platform.validity import observed_validity

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = Place(7, "US")


def offer(
    platform: str = "netflix",
    kind: str = "subscription",
    price: str | None = None,
    *,
    quality: VideoQuality | None = None,
    content_id: int = 7,
    available_from: datetime | None = None,
    expires_at: datetime | None = None,
) -> Offer:
    return Offer(
        content_id=content_id,
        kind=OfferKind(kind),
        region="US",
        platform_id=platform,
        link_id="1",
        price=None if price is None else Money(Decimal(price), "USD"),
        quality=quality,
        available_from=available_from,
        expires_at=expires_at,
        last_verified_at=NOW,
        demonstration=False,
    )


@dataclass
class Offers:
    """A store that has offers alone."""

    held: Mapping[Place, list[Offer]]
    asked: list[Sequence[Place]] = field(default_factory=list)

    async def offers(self, places: Sequence[Place]) -> Mapping[Place, list[Offer]]:
        self.asked.append(places)
        return {place: self.held[place] for place in places if place in self.held}


def catalog(held: list[Offer]) -> Catalog:
    store: Any = Offers({PLACE: held})
    return Catalog(cast("CatalogStore", store), lambda: NOW)


CHEAPEST_FIRST = [
    offer("youtube", "free"),
    offer("hulu", "subscription", "7.99"),
    offer("netflix", "subscription", quality=VideoQuality.UHD),
    offer("netflix", "subscription", quality=VideoQuality.HD),
    offer("netflix", "subscription"),
    offer("netflix", "subscription", quality=VideoQuality.UHD, content_id=1),
    offer("youtube", "rental", "0.99"),
    offer("prime_video", "rental", "3.99", quality=VideoQuality.SD),
    offer("youtube", "rental", "10.00"),
    offer("apple_tv_plus", "rental"),
    offer("prime_video", "purchase", "0.50"),
]


@pytest.mark.parametrize("turn", range(len(CHEAPEST_FIRST)))
def test_the_cheapest_way_comes_first_in_whatever_order_offers_are_found(turn: int) -> None:
    held = [*CHEAPEST_FIRST[turn:], *CHEAPEST_FIRST[:turn]]

    assert cheapest_first(PLACE, held[::-1]) == CHEAPEST_FIRST


def test_the_order_of_equal_prices_does_not_depend_on_that_either() -> None:
    same = [offer("hulu", "free"), offer("netflix", "free"), offer("youtube", "free")]

    for held in permutations(same):
        assert cheapest_first(PLACE, held) == same


async def test_what_has_lapsed_or_not_begun_is_left_out() -> None:
    standing = offer(expires_at=NOW + timedelta(seconds=1))
    lapsed = offer("hulu", expires_at=NOW)

    found = await catalog([lapsed, standing]).availability([PLACE])

    assert found[PLACE] == [standing]


async def test_an_answer_says_until_when_no_offer_in_it_comes_or_goes() -> None:
    soon, later = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    held = [offer(expires_at=later), offer("hulu", available_from=soon), offer("youtube", expires_at=NOW)]

    with observed_validity() as observed:
        await catalog(held).availability([PLACE])
    with observed_validity() as of_no_end:
        await catalog([offer(), offer("youtube", expires_at=NOW)]).availability([PLACE])

    assert observed.until == soon
    assert of_no_end.until is None


async def test_places_are_asked_about_together_and_those_without_offers_are_empty() -> None:
    other = Place(8, "DE")
    shelf = catalog([offer()])

    found = await shelf.availability([PLACE, other])

    assert found.get(other, []) == []
    assert cast("Any", shelf.store).asked == [[PLACE, other]]
