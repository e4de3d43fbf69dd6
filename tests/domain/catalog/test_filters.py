"""The filter of lists against what it says, over a small catalogue of random works."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalog.filters import MAX_VALUES, Filter, among_of
from domain.catalog.model import ContentKind, OfferKind, normalised
from domain.catalog.postgres import PostgresCatalog
from domain.catalog.service import ContentOrder
from domain.catalog.taxonomy import MaturityRating
from domain.platform.errors import BadInput
from domain.platform.paging import Cut
from domain.platform.postgres import Database
from tests import catalogue as rows

GENRES = ("drama", "science-fiction", "rnb")
PLATFORMS = ("netflix", "hulu", "spotify")
REGIONS = ("US", "DE")
LANGUAGES = ("en", "ru")
COUNTRIES = ("US", "SU", "FR")
KEYWORDS = ("space", "grief", "50% off", "a'b\"c")
NAMES = ("Ada", "Bea", "Cy")
TITLES = ("Solaris", "solaris", "Éclair", "Zed", "七人の侍", "")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Way:
    platform: str
    region: str
    kind: OfferKind
    available_from: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Work:
    id: int
    kind: ContentKind
    title: str
    genres: tuple[str, ...]
    keywords: tuple[str, ...]
    language: str | None
    countries: tuple[str, ...]
    year: int | None
    runtime_seconds: int | None
    maturity_rating: MaturityRating | None
    popularity: float
    people: frozenset[int]
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Shelf:
    catalog: PostgresCatalog
    works: list[Work]
    people: list[int]


async def a_work(database: Database, random: Random, people: dict[str, int]) -> Work:
    def some(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(values, random.randint(0, len(values) - 1)))

    now = datetime.now(UTC)
    work = Work(
        id=0,
        kind=random.choice((ContentKind.MOVIE, ContentKind.SERIES, ContentKind.ALBUM)),
        title=random.choice(TITLES),
        genres=some(GENRES),
        keywords=some(KEYWORDS),
        language=random.choice((*LANGUAGES, None)),
        countries=some(COUNTRIES),
        year=random.choice((1800, 1971, 1972, 2100, None)),
        runtime_seconds=random.choice((1, 3600, 2**31 - 1, None)),
        maturity_rating=random.choice((*MaturityRating, None)),
        popularity=random.choice((0.0, 0.1, 50.0, 99.99999)),
        people=frozenset(people[name] for name in some(NAMES)),
        ways=tuple(
            Way(
                platform,
                random.choice(REGIONS),
                random.choice(list(OfferKind)),
                random.choice((None, now - DAY, now + DAY)),
                random.choice((None, now + 2 * DAY, now - DAY / 2)),
            )
            for platform in some(PLATFORMS)
        ),
    )
    id = await rows.add_content(  # noqa: A001
        database,
        work.kind.value,
        work.title,
        genres=list(work.genres),
        keywords=list(work.keywords),
        original_language=work.language,
        countries=list(work.countries),
        year=work.year,
        runtime_seconds=work.runtime_seconds,
        maturity_rating=work.maturity_rating,
        popularity=work.popularity,
    )
    names = {key: name for name, key in people.items()}
    for person in work.people:
        await rows.add_credit(database, id, names[person], random.choice(("cast", "director")))
    for way in work.ways:
        await rows.add_offer(
            database,
            id,
            way.platform,
            region=way.region,
            kind=way.kind.value,
            available_from=way.available_from,
            expires_at=way.expires_at,
        )
    return replace(work, id=id)


@pytest.fixture
async def shelf(database: Database) -> Shelf:
    random = Random(1972)
    people = {name: await rows.add_person(database, name) for name in NAMES}
    works = [await a_work(database, random, people) for _ in range(60)]
    await rows.add_series(database, "Not shown by lists", seasons=(1,), deleted_at=datetime.now(UTC))
    return Shelf(PostgresCatalog(database), works, list(people.values()))


def fits(work: Work, wanted: Filter) -> bool:
    def among(values: Any, allowed: tuple[Any, ...] | None) -> bool:
        return allowed is None or bool(set(values) & set(allowed))

    order = list(MaturityRating)
    limit = wanted.max_maturity_rating
    return (
        among([work.kind], wanted.kinds)
        and among(work.genres, wanted.genres)
        and among([work.language], wanted.languages)
        and among(work.countries, wanted.countries)
        and among(work.keywords, wanted.keywords)
        and among(work.people, wanted.people)
        and (wanted.year_from is None or (work.year is not None and work.year >= wanted.year_from))
        and (wanted.year_to is None or (work.year is not None and work.year <= wanted.year_to))
        and _long_enough(work, wanted)
        and among([work.maturity_rating], wanted.maturity_ratings)
        and (
            limit is None
            or (work.maturity_rating is not None and order.index(work.maturity_rating) <= order.index(limit))
        )
        and _offered(work, wanted)
    )


def _long_enough(work: Work, wanted: Filter) -> bool:
    shortest, longest, length = wanted.min_runtime_seconds, wanted.max_runtime_seconds, work.runtime_seconds
    return (shortest is None or (length is not None and length >= shortest)) and (
        longest is None or (length is not None and length <= longest)
    )


def _offered(work: Work, wanted: Filter) -> bool:
    if wanted.platforms is None and wanted.offer_kinds is None:
        return True
    now = datetime.now(UTC)
    return any(
        way.region == wanted.region
        and (wanted.platforms is None or way.platform in wanted.platforms)
        and (wanted.offer_kinds is None or way.kind in wanted.offer_kinds)
        and (way.available_from is None or way.available_from <= now)
        and (way.expires_at is None or now < way.expires_at)
        for way in work.ways
    )


def ordered(works: list[Work], order: ContentOrder) -> list[Work]:
    keys: dict[ContentOrder, Any] = {
        ContentOrder.POPULARITY: lambda work: -work.popularity,
        ContentOrder.NEWEST: lambda work: -(work.year or 0),
        ContentOrder.OLDEST: lambda work: work.year or 9999,
    }
    return sorted(sorted(works, key=lambda work: work.id), key=keys[order])


def choices(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), max_size=3).map(tuple)


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "kinds": choices(tuple(ContentKind)),
    "genres": choices((*GENRES, "comedy")),
    "platforms": choices((*PLATFORMS, "peacock")),
    "offer_kinds": choices(tuple(OfferKind)),
    "languages": choices((*LANGUAGES, "fr", "EN")),
    "countries": choices((*COUNTRIES, "DE")),
    "keywords": choices((*KEYWORDS, "50% Off", "%")),
    "year_from": st.sampled_from((1800, 1972, 2100)),
    "year_to": st.sampled_from((1800, 1971, 2100)),
    "min_runtime_seconds": st.sampled_from((-(2**31), 0, 1, 3600, 2**31 - 1)),
    "max_runtime_seconds": st.sampled_from((-1, 0, 1, 3600, 2**31 - 1)),
    "maturity_ratings": choices(tuple(MaturityRating)),
    "max_maturity_rating": st.sampled_from(list(MaturityRating)),
}


async def found(shelf: Shelf, wanted: Filter, order: ContentOrder = ContentOrder.POPULARITY) -> list[int]:
    page = await shelf.catalog.browse(wanted, order, Cut(100))
    assert await page.count() == len(page.nodes)
    return [work.id for work in page.nodes]


SLOWLY = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(SLOWLY, max_examples=150)
@given(data=st.data())
async def test_each_filter_alone_shows_what_it_says(shelf: Shelf, data: st.DataObject) -> None:
    fields = FIELDS | {"people": choices((*shelf.people, 999_999))}
    name = data.draw(st.sampled_from(sorted(fields)))
    wanted = Filter(**{name: data.draw(fields[name])}, region=data.draw(st.sampled_from(REGIONS)))

    assert set(await found(shelf, wanted)) == {work.id for work in shelf.works if fits(work, wanted)}


@settings(SLOWLY, max_examples=100)
@given(data=st.data())
async def test_filters_together_show_what_all_of_them_say(shelf: Shelf, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=2, max_size=4, unique=True))
    wanted = Filter(
        **{name: data.draw(FIELDS[name]) for name in names}, region=data.draw(st.sampled_from(REGIONS))
    )
    order = data.draw(st.sampled_from([o for o in ContentOrder if o is not ContentOrder.TITLE]))

    expected = [work for work in shelf.works if fits(work, wanted)]

    assert await found(shelf, wanted, order) == [work.id for work in ordered(expected, order)]


async def test_no_filter_shows_films_series_and_albums_but_not_their_parts(shelf: Shelf) -> None:
    assert set(await found(shelf, Filter())) == {work.id for work in shelf.works}


async def test_titles_are_sorted_as_they_are_compared(shelf: Shelf, database: Database) -> None:
    page = await shelf.catalog.browse(Filter(), ContentOrder.TITLE, Cut(100))

    keys = [normalised(work.title) for work in page.nodes]
    assert keys == [
        row[0] for row in await database.rows("SELECT key FROM unnest($1::text[]) AS key ORDER BY key", keys)
    ]
    same = [work.id for work in page.nodes if normalised(work.title) == "solaris"]
    assert same == sorted(same)


@settings(SLOWLY, max_examples=20)
@given(data=st.data())
async def test_walking_every_order_both_ways_meets_every_work_once(shelf: Shelf, data: st.DataObject) -> None:
    order = data.draw(st.sampled_from(list(ContentOrder)))
    size = data.draw(st.integers(7, 40))
    whole = await found(shelf, Filter(), order)

    for backwards in (False, True):
        walked: list[int] = []
        cut = Cut(size, backwards=backwards)
        while True:
            page = await shelf.catalog.browse(Filter(), order, cut)
            ids = [work.id for work in page.nodes]
            walked = ids + walked if backwards else walked + ids
            if not (page.has_previous if backwards else page.has_next):
                break
            info = page.page_info
            after, before = (None, info.start_cursor) if backwards else (info.end_cursor, None)
            cut = Cut(size, after, before, backwards)
        assert walked == whole


async def test_a_cursor_of_another_order_is_refused(shelf: Shelf) -> None:
    page = await shelf.catalog.browse(Filter(), ContentOrder.NEWEST, Cut(1))

    with pytest.raises(BadInput, match="`after` is not a cursor of this list"):
        await shelf.catalog.browse(Filter(), ContentOrder.OLDEST, Cut(1, after=page.page_info.end_cursor))


@pytest.mark.parametrize("name", ["genres", "platforms"])
def test_a_word_that_the_taxonomy_lacks_is_named_with_those_it_has(name: str) -> None:
    given: dict[str, Any] = {name: ("Drama",)}

    with pytest.raises(BadInput, match=f"`{name}` does not know 'Drama'; it knows: "):
        Filter(**given)


@pytest.mark.parametrize("name", ["kinds", "genres", "platforms", "keywords", "people", "countries"])
def test_a_list_of_values_has_an_end(name: str) -> None:
    values: tuple[Any, ...] = ("netflix",) if name == "platforms" else ("drama",)
    few: dict[str, Any] = {name: values * MAX_VALUES}
    many: dict[str, Any] = {name: values * (MAX_VALUES + 1)}

    Filter(**few)
    with pytest.raises(BadInput, match=f"`{name}` takes up to 50 values, and has 51"):
        Filter(**many)


@pytest.mark.parametrize("year", [1799, 2101, -1, 2**31 - 1])
def test_a_year_that_cannot_be_is_refused(year: int) -> None:
    with pytest.raises(BadInput, match=f"between 1800 and 2100, and is {year}"):
        Filter(year_from=year)
    with pytest.raises(BadInput, match=f"between 1800 and 2100, and is {year}"):
        Filter(year_to=year)


def test_a_vector_index_is_asked_for_the_ratings_that_both_limits_admit() -> None:
    wanted = Filter(
        maturity_ratings=(MaturityRating.PG, MaturityRating.R), max_maturity_rating=MaturityRating.PG_13
    )

    assert among_of(wanted).maturities == ("PG",)
    assert among_of(Filter(max_maturity_rating=MaturityRating.TV_G)).maturities == ("G", "TV-Y", "TV-G")
    assert among_of(Filter()).maturities is None


def test_a_facet_counts_with_its_own_field_open() -> None:
    wanted = Filter(genres=("drama",), platforms=("netflix",), region="DE")

    assert wanted.without("genres") == Filter(platforms=("netflix",), region="DE")
    assert wanted.without("genres", "platforms") == Filter(region="DE")
