"""Which titles a client asks for."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from strawberry import ID

from domain.catalog import model
from domain.catalog.filters import OFFERED_LIST_SECONDS, SOME_REGION, Filter
from domain.catalog.taxonomy import MaturityRating
from domain.platform.errors import BadInput
from domain.platform.validity import validity
from resolvers.arguments import region_or
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.ids import decode, number

T = TypeVar("T")


@entry
class ContentFilter:
    """Which titles: every given field must hold, within a field any of its values."""

    kinds: list[model.ContentKind] | None = None
    """Films, series or albums."""
    genres: list[ID] | None = None
    """Genres, by id as in `science-fiction`."""
    platforms: list[ID] | None = None
    """Offered by one of these, in `region`."""
    offer_kinds: list[model.OfferKind] | None = None
    """Offered in one of these ways, in `region`."""
    region: str | None = None
    """The region of `platforms` and `offerKinds`, ISO 3166-1 alpha-2; the viewer's if open."""
    languages: list[str] | None = None
    """Original languages, BCP 47."""
    countries: list[str] | None = None
    """Countries of origin, ISO 3166-1 alpha-2."""
    keywords: list[str] | None = None
    """Themes, as `keywords` of a title shows them."""
    people: list[ID] | None = None
    """With one of these people."""
    year_from: int | None = None
    """The first year."""
    year_to: int | None = None
    """The last year."""
    min_runtime_seconds: int | None = None
    """Not shorter than this."""
    max_runtime_seconds: int | None = None
    """Not longer than this."""
    maturity_ratings: list[MaturityRating] | None = None
    """Rated one of these."""
    max_maturity_rating: MaturityRating | None = None
    """Rated this or milder; the unrated are left out."""


def filter_of(given: ContentFilter | None, info: Info) -> Filter:
    """The domain's filter; raises `BadInput` for what it does not know.

    It has the viewer's region only where that matters, so that other answers are the same everywhere.
    """
    within = info.context.restriction
    if given is None:
        return Filter(within=within)
    offered = given.platforms is not None or given.offer_kinds is not None
    if offered and (observed := validity()) is not None:
        observed.ends(info.context.services.now() + timedelta(seconds=OFFERED_LIST_SECONDS))
    return Filter(
        kinds=_some(given.kinds),
        genres=_some(given.genres),
        platforms=_some(given.platforms),
        offer_kinds=_some(given.offer_kinds),
        languages=_some(given.languages and [_canonical(tag) for tag in given.languages]),
        countries=_some(given.countries and [country.upper() for country in given.countries]),
        keywords=_some(given.keywords),
        people=None if given.people is None else tuple(person_key(person) for person in given.people),
        year_from=given.year_from,
        year_to=given.year_to,
        min_runtime_seconds=given.min_runtime_seconds,
        max_runtime_seconds=given.max_runtime_seconds,
        maturity_ratings=_some(given.maturity_ratings),
        max_maturity_rating=given.max_maturity_rating,
        region=region_of(given.region, info) if offered or given.region is not None else SOME_REGION,
        within=within,
    )


def region_of(region: str | None, info: Info) -> str:
    """The region, or else the viewer's, who is not asked where it is given; raises `BadInput`."""
    return info.context.region if region is None else region_or(region, "")


def person_key(text: str) -> int:
    found = decode(text)
    key = number(found.key) if found is not None and found.type == "Person" else None
    if key is None:
        raise BadInput("`people` takes ids of people.", argument="people")
    return key


def _canonical(language: str) -> str:
    """A language tag as BCP 47 writes it, as far as the language itself goes: `EN` → `en`."""
    primary, dash, rest = language.partition("-")
    return f"{primary.lower()}{dash}{rest}"


def _some(values: Sequence[T] | None) -> tuple[T, ...] | None:
    return None if values is None else tuple(values)
