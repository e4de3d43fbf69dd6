"""The shelf in PostgreSQL: what a batch of works leaves in the tables."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.catalog.model import (
    ArtworkKind,
    ContentKind,
    CreditRole,
    ExternalId,
    Image,
    OfferKind,
    Rating,
)
from domain.ingestion.model import Feedback, NamedCredit, NotStored, Origin, Work, WorkOffer
from domain.ingestion.postgres import PostgresShelf
from domain.ingestion.rules import named
from domain.ingestion.service import Written
from domain.platform.postgres import Database

ORIGIN = Origin("f", 1)


def film(title: str = "Solaris", year: int | None = 1972, **known: Any) -> Work:
    return Work(ContentKind.MOVIE, title, ORIGIN, year=year, **known)


def ids(**known: str) -> tuple[ExternalId, ...]:
    return tuple(ExternalId(source, value) for source, value in known.items())


def credit(name: str, role: CreditRole = CreditRole.CAST, character: str | None = None) -> NamedCredit:
    return NamedCredit(named(name), role, character)


async def put(database: Database, *works: Work, fills_gaps: bool = False) -> Written:
    return await PostgresShelf(database).put(works, fills_gaps=fills_gaps)


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the catalogue."""
    tables = ("content", "person", "credit", "external_id", "rating", "artwork", "offer", "search_word")
    return {
        table: sorted((tuple(row) for row in await database.rows(f"SELECT * FROM {table}")), key=repr)
        for table in tables
    }


FULL = film(
    original_title="Солярис",
    synopsis="A psychologist travels to a station above a living ocean.",
    release_date=date(1972, 3, 20),
    genres=("science-fiction", "drama"),
    keywords=("grief", "ocean"),
    original_language="ru",
    countries=("SU",),
    popularity=61.5,
    runtime_seconds=10_020,
    credits=(
        credit("Andrei Tarkovsky", CreditRole.DIRECTOR),
        credit("Natalya Bondarchuk", character="Hari"),
        credit("Donatas Banionis", character="Kris Kelvin"),
    ),
    external_ids=ids(imdb="tt0069293", tmdb="593"),
    ratings=(Rating("tmdb", 7.7, 10, 900),),
    artwork=(Image(ArtworkKind.POSTER, "https://example.com/p.jpg", 500, 750),),
    offers=(
        WorkOffer("netflix", "US", OfferKind.SUBSCRIPTION, "link"),
        WorkOffer("youtube", "US", OfferKind.RENTAL, "link", "HD", Decimal("3.99"), "USD"),
    ),
)


async def test_a_work_is_stored_with_all_that_is_known_of_it(database: Database) -> None:
    written = await put(database, FULL)

    assert written == Written(created=1)
    row = await database.row("SELECT * FROM content")
    assert row is not None
    assert {name: row[name] for name in ("kind", "slug", "title", "title_key", "original_title", "year")} == {
        "kind": "movie",
        "slug": "solaris-1972",
        "title": "Solaris",
        "title_key": "solaris",
        "original_title": "Солярис",
        "year": 1972,
    }
    assert (row["genres"], row["keywords"], row["countries"]) == (
        ["science-fiction", "drama"], ["grief", "ocean"], ["SU"],
    )  # fmt: skip
    credited = await database.rows(
        """SELECT name, role, position, character FROM credit JOIN person p ON p.id = person_id
            ORDER BY role, position"""
    )
    assert [tuple(row) for row in credited] == [
        ("Natalya Bondarchuk", "cast", 0, "Hari"),
        ("Donatas Banionis", "cast", 1, "Kris Kelvin"),
        ("Andrei Tarkovsky", "director", 0, None),
    ]
    offer = await database.row("SELECT price, currency, quality FROM offer WHERE kind = 'rental'")
    assert tuple(offer or ()) == (Decimal("3.99"), "USD", "HD")


async def test_the_same_works_again_change_nothing(database: Database) -> None:
    await put(database, FULL, film("Stalker", 1979))
    before = await everything(database)

    written = await put(database, FULL, film("Stalker", 1979))

    assert written == Written(unchanged=2)
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("query", "weight"),
    [
        ("solaris", "A"), ("солярис", "A"), ("tarkovsky", "B"), ("ocean", "C"), ("grief", "C"),
        ("travel", "D"),
    ],
)  # fmt: skip
async def test_words_are_found_by_where_they_stand(database: Database, query: str, weight: str) -> None:
    await put(database, FULL)

    found = await database.value(
        "SELECT count(*) FROM content WHERE search @@ to_tsquery('simple', $1)", f"{query}:{weight}"
    )

    assert found == 1


async def test_accents_and_case_of_a_query_do_not_matter(database: Database) -> None:
    await put(database, film("Amélie", credits=(credit("Sönke Wortmann"),)))

    for query in ("amelie", "amélie", "sonke", "sönke"):
        assert await database.value(
            "SELECT count(*) FROM content WHERE search @@ to_tsquery('simple', $1)", query
        )


async def test_the_words_of_titles_and_names_are_learnt_with_their_trigrams(database: Database) -> None:
    await put(database, film("Moon", credits=(credit("Sam Rockwell"),)))

    rows = await database.rows("SELECT word, trigrams FROM search_word ORDER BY word")

    assert [row["word"] for row in rows] == ["moon", "rockwell", "sam"]
    assert rows[0]["trigrams"] == ["  m", " mo", "moo", "on ", "oon"]


async def test_a_later_source_corrects_what_it_knows_and_erases_nothing(database: Database) -> None:
    await put(database, FULL)
    told = film(
        synopsis="Another text.", external_ids=ids(imdb="tt0069293", movielens="307"), runtime_seconds=9900
    )

    written = await put(database, told)

    assert written == Written(updated=1)
    row = await database.row("SELECT synopsis, runtime_seconds, keywords, popularity FROM content")
    assert tuple(row or ()) == ("Another text.", 9900, ["grief", "ocean"], 61.5)
    assert await database.value("SELECT count(*) FROM credit") == 3
    values = await database.rows("SELECT source, value FROM external_id ORDER BY source")
    assert [tuple(row) for row in values] == [("imdb", "tt0069293"), ("movielens", "307"), ("tmdb", "593")]


async def test_a_source_that_fills_gaps_leaves_what_is_known(database: Database) -> None:
    await put(database, film(genres=("drama",), external_ids=ids(imdb="tt0069293")))
    told = film("Solyaris", 1973, genres=("war",), countries=("SU",), external_ids=ids(imdb="tt0069293"))

    await put(database, told, fills_gaps=True)

    row = await database.row("SELECT title, year, genres, countries FROM content")
    assert tuple(row or ()) == ("Solaris", 1972, ["drama"], ["SU"])


async def test_meaning_is_computed_again_only_when_it_changed(database: Database) -> None:
    await put(database, FULL)
    await database.execute("UPDATE content SET embedded_as = 'model'")

    await put(database, film(popularity=80.0, external_ids=ids(imdb="tt0069293")))
    after_popularity = await database.value("SELECT embedded_as FROM content")
    await put(database, film(synopsis="New.", external_ids=ids(imdb="tt0069293")))
    after_synopsis = await database.value("SELECT embedded_as FROM content")

    assert (after_popularity, after_synopsis) == ("model", None)


async def test_search_follows_a_change_of_credits(database: Database) -> None:
    await put(database, FULL)

    told = film(credits=(credit("Somebody Else"),), external_ids=ids(imdb="tt0069293"))
    written = await put(database, told)

    assert written == Written(updated=1)
    cast = await database.rows("SELECT name FROM credit JOIN person p ON p.id = person_id ORDER BY 1")
    assert [row[0] for row in cast] == ["Andrei Tarkovsky", "Somebody Else"]
    found = [
        await database.value("SELECT count(*) FROM content WHERE search @@ to_tsquery('simple', $1)", word)
        for word in ("somebody:B", "tarkovsky:B", "banionis")
    ]
    assert found == [1, 1, 0]


@pytest.mark.parametrize(
    ("known", "told", "one"),
    [
        (film(), film(), True),
        (film(), film("SOLARIS!", 1973), True),
        (film(), film(year=1974), False),
        (film(), film(year=None), False),
        (film(year=None), film(year=None), True),
        (film(), film(external_ids=ids(imdb="tt0307479")), True),
        (film(external_ids=ids(imdb="tt0069293")), film(external_ids=ids(imdb="tt0307479")), False),
        (film(external_ids=ids(imdb="tt0069293")), film(external_ids=ids(tmdb="593")), True),
        (film(external_ids=ids(imdb="tt1000001")), film("X", 2002, external_ids=ids(imdb="tt1000001")), True),
        (film(), Work(ContentKind.SERIES, "Solaris", ORIGIN, year=1972), False),
        (
            film(external_ids=ids(imdb="tt1000001")),
            Work(ContentKind.SERIES, "X", ORIGIN, external_ids=ids(imdb="tt1000001")),
            False,
        ),
        (
            Work(ContentKind.ALBUM, "Blue", ORIGIN, credits=(credit("A", CreditRole.ARTIST),)),
            Work(ContentKind.ALBUM, "Blue", ORIGIN, credits=(credit("B", CreditRole.ARTIST),)),
            False,
        ),
        (
            Work(ContentKind.ALBUM, "Blue", ORIGIN, credits=(credit("A", CreditRole.ARTIST),)),
            Work(ContentKind.ALBUM, "Blue", ORIGIN, credits=(credit("a", CreditRole.ARTIST),)),
            True,
        ),
    ],
)
async def test_two_works_are_one_by_id_or_by_title_and_year(
    database: Database, known: Work, told: Work, *, one: bool
) -> None:
    await put(database, known)
    await put(database, told)

    assert await database.value("SELECT count(*) FROM content") == (1 if one else 2)


async def test_works_of_one_batch_are_told_apart_as_works_of_two(database: Database) -> None:
    works = [
        film(external_ids=ids(imdb="tt1000001")),
        film("Other", 1999, external_ids=ids(imdb="tt1000001", tmdb="5")),
        film(year=1973),
        film("Other", 1999, external_ids=ids(tmdb="5")),
    ]

    written = await put(database, *works)

    assert written == Written(created=2, updated=1, unchanged=1)
    rows = await database.rows("SELECT title, year FROM content ORDER BY id")
    assert [tuple(row) for row in rows] == [("Other", 1999), ("Solaris", 1973)]


async def test_slugs_that_are_taken_get_a_number(database: Database) -> None:
    await put(database, film(external_ids=ids(imdb="tt1000001")))

    await put(
        database,
        film(external_ids=ids(imdb="tt1000002")),
        film("Solaris?", external_ids=ids(imdb="tt1000003")),
        film("…", None),
    )

    rows = await database.rows("SELECT slug FROM content ORDER BY id")
    assert [row[0] for row in rows] == ["solaris-1972", "solaris-1972-2", "solaris-1972-3", "movie"]


def series(*episodes: str, count: int | None = None) -> Work:
    parts = tuple(
        Work(ContentKind.EPISODE, title, ORIGIN, number=number) for number, title in enumerate(episodes, 1)
    )
    season = Work(ContentKind.SEASON, "Season 1", ORIGIN, number=1, episode_count=count, parts=parts)
    return Work(ContentKind.SERIES, "Dark", ORIGIN, year=2017, parts=(season,))


async def test_episodes_are_known_by_season_and_number(database: Database) -> None:
    await put(database, series("Secrets", "Lies"))
    first = await database.rows("SELECT id FROM content ORDER BY id")

    written = await put(database, series("Geheimnisse", "Lies", "Past and Present", count=10))

    assert written == Written(updated=1)
    rows = await database.rows(
        """SELECT c.title, c.number, whole.title
             FROM content c LEFT JOIN content whole ON whole.id = c.parent_id ORDER BY c.id"""
    )
    assert [tuple(row) for row in rows] == [
        ("Dark", None, None),
        ("Season 1", 1, "Dark"),
        ("Geheimnisse", 1, "Season 1"),
        ("Lies", 2, "Season 1"),
        ("Past and Present", 3, "Season 1"),
    ]
    assert len(first) == 4
    assert await database.value("SELECT count(*) FROM content WHERE listed") == 1


async def test_tracks_are_known_by_disc_and_number(database: Database) -> None:
    tracks = tuple(
        Work(ContentKind.TRACK, f"{disc}-{number}", ORIGIN, disc=disc, number=number, runtime_seconds=60)
        for disc in (1, 2)
        for number in (1, 2)
    )
    album = Work(
        ContentKind.ALBUM, "Exile", ORIGIN, credits=(credit("Band", CreditRole.ARTIST),), parts=tracks
    )

    await put(database, album)
    again = await put(database, album)

    assert again == Written(unchanged=1)
    assert await database.value("SELECT count(*) FROM content WHERE kind = 'track'") == 4


async def test_offers_of_a_platform_and_region_are_replaced_and_others_stay(database: Database) -> None:
    await put(database, FULL)
    told = film(
        external_ids=ids(imdb="tt0069293"),
        offers=(WorkOffer("youtube", "US", OfferKind.PURCHASE, "link", "UHD", Decimal("9.99"), "USD"),),
    )

    written = await put(database, told)

    assert written == Written(updated=1)
    rows = await database.rows("SELECT platform, kind FROM offer ORDER BY platform")
    assert [tuple(row) for row in rows] == [("netflix", "subscription"), ("youtube", "purchase")]


async def test_offers_that_were_made_up_go_when_they_are_made_up_anew(database: Database) -> None:
    made_up = (
        WorkOffer("hulu", "US", OfferKind.SUBSCRIPTION, "demo", demonstration=True),
        WorkOffer("hulu", "GB", OfferKind.SUBSCRIPTION, "demo", demonstration=True),
    )
    await put(database, film(offers=(*made_up, WorkOffer("netflix", "US", OfferKind.SUBSCRIPTION, "true"))))

    await put(
        database, film(offers=(WorkOffer("peacock", "US", OfferKind.FREE, "demo", demonstration=True),))
    )

    rows = await database.rows("SELECT platform FROM offer ORDER BY platform")
    assert [row[0] for row in rows] == ["netflix", "peacock"]


async def test_what_an_editor_deleted_stays_deleted(database: Database) -> None:
    await put(database, FULL)
    await database.execute("UPDATE content SET deleted_at = now()")

    await put(database, FULL)

    assert await database.value("SELECT count(*) FROM content") == 1
    assert await database.value("SELECT deleted_at IS NOT NULL FROM content")


async def test_data_the_database_cannot_hold_is_not_stored_and_breaks_nothing(database: Database) -> None:
    with pytest.raises(NotStored):
        await put(database, film("Good"), film("Bad", synopsis="a\0b"))

    assert await database.value("SELECT count(*) FROM content") == 0
    assert await put(database, film("Good")) == Written(created=1)


async def test_titles_that_grow_when_normalised_still_fit_their_index(database: Database) -> None:
    written = await put(database, film("\ufdfa" * 500, credits=(credit("각" * 255),)), film("한" * 500, 1999))

    assert written == Written(created=2)


async def test_imports_at_once_make_each_work_once_and_do_not_deadlock(database: Database) -> None:
    works = [
        film(f"Film {i % 40}", 1950 + i % 40, credits=(credit(f"P{i % 7}"), credit(f"P{i % 5}")))
        for i in range(120)
    ]

    async def run(order: Sequence[Work]) -> None:
        for start in range(0, len(order), 30):
            await put(database, *order[start : start + 30])

    async with asyncio.timeout(60):
        await asyncio.gather(run(works), run(works[::-1]), run(works[60:] + works[:60]))

    assert await database.value("SELECT count(*) FROM content") == 40
    assert await database.value("SELECT count(*) FROM person") == 7


def stars(value: float, *, movie: str = "1", at: int = 2000) -> Feedback:
    return Feedback(
        account_id="6f9619ff-8b86-4d01-b42d-00c04fc964ff",
        display_name="MovieLens 17",
        external_id=ExternalId("movielens", movie),
        stars=value,
        at=datetime(at, 1, 1, tzinfo=UTC),
        origin=Origin("ratings.csv", 9),
    )


async def test_ratings_become_reactions_of_an_account_without_credentials(database: Database) -> None:
    await put(database, film(external_ids=ids(movielens="1")))

    written = await PostgresShelf(database).put_feedback([stars(4.5)])
    again = await PostgresShelf(database).put_feedback([stars(4.5)])

    assert written == again == Written(feedback=1)
    account = await database.row("SELECT display_name, email, password_hash FROM account")
    assert tuple(account or ()) == ("MovieLens 17", None, None)
    reaction = await database.row("SELECT stars, verdict, hlc, hlc_device FROM reaction")
    assert tuple(reaction or ()) == (4.5, None, 946_684_800_000 << 16, "import")


async def test_of_two_ratings_of_one_work_the_later_counts(database: Database) -> None:
    await put(database, film(external_ids=(*ids(movielens="1"), ExternalId("movielens", "2"))))

    await PostgresShelf(database).put_feedback([stars(1, movie="2", at=2005), stars(5, at=2001)])
    await PostgresShelf(database).put_feedback([stars(2, at=1999)])

    assert await database.value("SELECT array_agg(stars) FROM reaction") == [1.0]


async def test_a_rating_of_an_unknown_film_is_refused_by_its_line(database: Database) -> None:
    written = await PostgresShelf(database).put_feedback([stars(4)])

    assert written.feedback == 0
    assert [(r.file, r.line, r.field) for r in written.refused] == [("ratings.csv", 9, "movieId")]
    assert await database.value("SELECT count(*) FROM reaction") == 0
