"""One rule for what is hidden: for values, for statements, and for the vector index."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.catalog.filters import Filter, among_of, sql_conditions
from domain.catalog.model import Content
from domain.catalog.postgres import PostgresCatalog
from domain.catalog.restricted import RestrictedCatalog
from domain.catalog.restriction import Restriction, placing, sql_of_any
from domain.catalog.taxonomy import MaturityRating
from domain.platform.postgres import Database
from domain.platform.vectors import Traits
from tests.catalogue import add_episode, add_movie, add_season, add_series

RATINGS = (None, MaturityRating.TV_Y, MaturityRating.PG_13, MaturityRating.TV_MA, MaturityRating.NR)
RESTRICTIONS = [
    Restriction(),
    Restriction(MaturityRating.PG),
    Restriction(MaturityRating.PG, unrated=True),
    Restriction(MaturityRating.TV_14),
    Restriction(MaturityRating.NC_17),
    Restriction(blocked_genres=("horror",)),
    Restriction(MaturityRating.R, blocked_genres=("horror", "war")),
]


def work(rating: MaturityRating | None, *genres: str) -> Content:
    empty: dict[str, Any] = dict.fromkeys(("original_title", "synopsis", "release_date", "year"))
    return Content(
        id=1, title="T", genre_ids=genres, keywords=(), original_language=None, countries=(),
        maturity_rating=rating, popularity=0.0, updated_at=datetime(2026, 1, 1, tzinfo=UTC), **empty,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("restriction", "line", "shown"),
    [
        (Restriction(MaturityRating.PG), [work(MaturityRating.PG)], True),
        (Restriction(MaturityRating.PG), [work(MaturityRating.TV_Y)], True),
        (Restriction(MaturityRating.PG), [work(MaturityRating.PG_13)], False),
        (Restriction(MaturityRating.PG), [work(None)], False),
        (Restriction(MaturityRating.PG), [work(MaturityRating.NR)], False),
        (Restriction(MaturityRating.PG, unrated=True), [work(None)], True),
        (Restriction(MaturityRating.PG, unrated=True), [work(MaturityRating.NR)], True),
        (Restriction(MaturityRating.PG), [work(None), work(None), work(MaturityRating.G)], True),
        (Restriction(MaturityRating.PG), [work(MaturityRating.G), work(None), work(MaturityRating.R)], False),
        (Restriction(MaturityRating.PG), [work(MaturityRating.R), work(MaturityRating.G)], False),
        (Restriction(blocked_genres=("horror",)), [work(None, "drama", "horror")], False),
        (Restriction(blocked_genres=("horror",)), [work(None), work(None, "horror")], False),
        (Restriction(blocked_genres=("horror",)), [work(None, "drama")], True),
        (Restriction(), [work(MaturityRating.NC_17, "horror")], True),
    ],
)
def test_what_is_shown(restriction: Restriction, line: list[Content], *, shown: bool) -> None:
    assert restriction.admits(line) is shown


async def test_values_and_statements_agree_on_every_line(database: Database) -> None:
    """Of all ratings of an episode, its season and its series, and of genres of each."""
    store = PostgresCatalog(database)
    for series_rating, season_rating in itertools.product(RATINGS, RATINGS):
        for genre in ("drama", "horror"):
            series = await add_series(database, "S", maturity_rating=series_rating, genres=[genre])
            season = await add_season(database, series, maturity_rating=season_rating)
            for number, rating in enumerate(RATINGS):
                await add_episode(database, season, number, maturity_rating=rating)
    ids = [row[0] for row in await database.rows("SELECT id FROM content ORDER BY id")]

    for restriction in RESTRICTIONS:
        arguments: list[Any] = [ids]
        shown = sql_of_any(restriction, "wanted.id", placing(arguments))
        rows = await database.rows(
            f"SELECT wanted.id FROM unnest($1::bigint[]) AS wanted (id) WHERE {shown}", *arguments
        )
        by_statement = {row[0] for row in rows}
        assert by_statement == set(await RestrictedCatalog(store, restriction).contents(ids)), restriction
        assert restriction == Restriction() or len(by_statement) < len(ids)


async def test_lists_and_the_vector_index_hide_what_values_hide(database: Database) -> None:
    for rating in (*RATINGS, MaturityRating.G, MaturityRating.R):
        for genres in (["drama"], ["drama", "horror"], ["war"]):
            await add_movie(database, "M", maturity_rating=rating, genres=genres)
    works = await PostgresCatalog(database).contents(
        [row[0] for row in await database.rows("SELECT id FROM content")]
    )

    for restriction in RESTRICTIONS:
        wanted = Filter(within=restriction)
        arguments: list[Any] = []
        where = sql_conditions(wanted, arguments)
        rows = await database.rows(f"SELECT c.id FROM content c WHERE {where}", *arguments)
        shown = {key for key, found in works.items() if restriction.admits([found])}
        assert {row[0] for row in rows} == shown
        # The index may admit more, which the statement then drops; never less.
        near = {
            key
            for key, found in works.items()
            if among_of(wanted).admits(
                Traits("movie", found.genre_ids, found.year, maturity=found.maturity_rating)
            )
        }
        assert shown <= near
        assert near == shown or restriction.unrated


async def test_a_filter_of_the_caller_does_not_open_what_is_hidden(database: Database) -> None:
    await add_movie(database, "Rated R", maturity_rating="R")
    wanted = Filter(maturity_ratings=(MaturityRating.R,), within=Restriction(MaturityRating.PG))
    arguments: list[Any] = []
    where = sql_conditions(wanted, arguments)

    assert await database.value(f"SELECT count(*) FROM content c WHERE {where}", *arguments) == 0
    assert among_of(wanted).maturities == ()
