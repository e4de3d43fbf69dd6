"""One filter for every list of works, compiled for each engine that answers it."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from domain.catalog.model import ContentKind, OfferKind
from domain.catalog.restriction import Restriction, placing, sql_of_works
from domain.catalog.taxonomy import GENRES, PLATFORMS, MaturityRating
from domain.platform.errors import BadInput
from domain.platform.vectors import Among

MAX_VALUES = 50
YEARS = (1800, 2100)

SOME_REGION = "US"
OFFERED_LIST_SECONDS = 0.5
"""How old a list may be that is filtered by offers: it is as if their coming and going were changes."""

OFFERED_NOW = (
    "(offer.available_from IS NULL OR offer.available_from <= now())"
    " AND (offer.expires_at IS NULL OR now() < offer.expires_at)"
)
"""That a row `offer` has begun and has not lapsed."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which works are wanted: every given field must hold, within a field any of its values.

    `platforms` and `offer_kinds` hold in `region`. `None` is "any".
    """

    kinds: tuple[ContentKind, ...] | None = None
    genres: tuple[str, ...] | None = None
    platforms: tuple[str, ...] | None = None
    offer_kinds: tuple[OfferKind, ...] | None = None
    languages: tuple[str, ...] | None = None
    countries: tuple[str, ...] | None = None
    keywords: tuple[str, ...] | None = None
    people: tuple[int, ...] | None = None
    year_from: int | None = None
    year_to: int | None = None
    min_runtime_seconds: int | None = None
    max_runtime_seconds: int | None = None
    maturity_ratings: tuple[MaturityRating, ...] | None = None
    max_maturity_rating: MaturityRating | None = None
    region: str = SOME_REGION
    within: Restriction | None = None
    """What whoever asks may not see, which no other field opens."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple) and len(value) > MAX_VALUES:
                raise BadInput(f"`{field.name}` takes up to {MAX_VALUES} values, and has {len(value)}.")
        _known("genres", self.genres, GENRES)
        _known("platforms", self.platforms, PLATFORMS)
        for year in (self.year_from, self.year_to):
            if year is not None and not YEARS[0] <= year <= YEARS[1]:
                raise BadInput(f"A year must be between {YEARS[0]} and {YEARS[1]}, and is {year}.")

    def without(self, *names: str) -> "Filter":
        """The same filter with the fields `names` open, as a facet counts."""
        opened: dict[str, Any] = dict.fromkeys(names)
        return replace(self, **opened)

    @property
    def allowed_maturity(self) -> tuple[MaturityRating, ...] | None:
        """The ratings at or below the limit; what was never rated counts as the most restricted."""
        if self.max_maturity_rating is None:
            return None
        order = list(MaturityRating)
        return tuple(order[: order.index(self.max_maturity_rating) + 1])


def sql_conditions(wanted: Filter, arguments: list[Any]) -> str:
    """The filter over `content c`; appends its values to `arguments`."""
    place = placing(arguments)
    conditions = ["c.listed"]
    conditions += [
        template.format(place(value))
        for name, template in TEMPLATES.items()
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.platforms is not None or wanted.offer_kinds is not None:
        conditions.append(_offered(wanted, place))
    if wanted.within is not None:
        conditions.append(sql_of_works(wanted.within, place))
    return " AND ".join(conditions)


TEMPLATES = {
    "kinds": "c.kind = ANY({}::text[])",
    "genres": "c.genres && {}::text[]",
    "languages": "c.original_language = ANY({}::text[])",
    "countries": "c.countries && {}::text[]",
    "keywords": "c.keywords && {}::text[]",
    "people": "EXISTS (SELECT FROM credit WHERE credit.content_id = c.id"
    " AND credit.person_id = ANY({}::bigint[]))",
    "year_from": "c.year >= {}::int",
    "year_to": "c.year <= {}::int",
    "min_runtime_seconds": "c.runtime_seconds >= {}::int",
    "max_runtime_seconds": "c.runtime_seconds <= {}::int",
    "maturity_ratings": "c.maturity_rating = ANY({}::text[])",
    "allowed_maturity": "c.maturity_rating = ANY({}::text[])",
}


def _offered(wanted: Filter, place: Callable[[object], str]) -> str:
    conditions = [f"offer.region = {place(wanted.region)}::text"]
    if wanted.platforms is not None:
        conditions.append(f"offer.platform = ANY({place(wanted.platforms)}::text[])")
    if wanted.offer_kinds is not None:
        conditions.append(f"offer.kind = ANY({place(wanted.offer_kinds)}::text[])")
    return (
        "EXISTS (SELECT FROM offer WHERE offer.content_id = c.id AND "
        + " AND ".join((*conditions, OFFERED_NOW))
        + ")"
    )


def among_of(wanted: Filter) -> Among:
    """What of a filter a vector index knows; it admits at least what the filter's statement admits."""
    within = wanted.within
    # The index cannot tell what is not rated; where that is shown, the statement does the rest.
    shown = None if within is None or within.unrated else within.allowed
    maturities = _in_all(wanted.maturity_ratings, wanted.allowed_maturity, shown)
    return Among(
        kinds=None if wanted.kinds is None else tuple(kind.value for kind in wanted.kinds),
        genres=wanted.genres,
        without_genres=() if within is None else within.blocked_genres,
        languages=wanted.languages,
        maturities=None if maturities is None else tuple(rating.value for rating in maturities),
        year_from=wanted.year_from,
        year_to=wanted.year_to,
    )


def _in_all(*choices: tuple[MaturityRating, ...] | None) -> tuple[MaturityRating, ...] | None:
    given = [choice for choice in choices if choice is not None]
    return (
        tuple(rating for rating in given[0] if all(rating in choice for choice in given)) if given else None
    )


def _known(name: str, values: tuple[str, ...] | None, known: dict[str, Any]) -> None:
    for value in values or ():
        if value not in known:
            raise BadInput(f"`{name}` does not know {value!r}; it knows: {', '.join(sorted(known))}.")
