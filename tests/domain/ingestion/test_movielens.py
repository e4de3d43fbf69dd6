from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.catalog.model import ExternalId
from domain.ingestion.model import BadSource, Feedback, Refusal, Work
from domain.ingestion.movielens import MovieLens, title_and_year

MOVIES = 'movieId,title,genres\n1,Toy Story (1995),Adventure|Children\n2,"Matrix, The (1999)",Action|IMAX\n'
LINKS = "movieId,imdbId,tmdbId\n1,0114709,862\n2,0133093,\n"
RATINGS = "userId,movieId,rating,timestamp\n17,1,4.5,964982703\n"


def folder(path: Path, movies: str = MOVIES, links: str = LINKS, ratings: str = RATINGS) -> Path:
    for name, text in {"movies": movies, "links": links, "ratings": ratings}.items():
        (path / f"{name}.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def test_films_carry_the_ids_that_links_give_them(tmp_path: Path) -> None:
    films = [item for item in MovieLens(folder(tmp_path)).items() if isinstance(item, Work)]

    assert [(film.title, film.year, film.genres) for film in films] == [
        ("Toy Story", 1995, ("adventure", "family")),
        ("The Matrix", 1999, ("action",)),
    ]
    assert films[0].external_ids == (
        ExternalId("movielens", "1"),
        ExternalId("imdb", "tt0114709"),
        ExternalId("tmdb", "862"),
    )
    assert films[1].external_ids == (ExternalId("movielens", "2"), ExternalId("imdb", "tt0133093"))


def test_a_rating_is_of_a_pseudonymous_account_always_the_same(tmp_path: Path) -> None:
    source = MovieLens(folder(tmp_path))

    first, again = ([i for i in source.items() if isinstance(i, Feedback)] for _ in range(2))

    assert first == again
    assert first[0].display_name == "MovieLens 17"
    assert (first[0].stars, first[0].external_id) == (4.5, ExternalId("movielens", "1"))
    assert first[0].at == datetime(2000, 7, 30, 18, 45, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("17,1,4.7,964982703", "rating"),
        ("17,1,5.5,964982703", "rating"),
        ("17,1,nan,964982703", "rating"),
        ("0,1,4,964982703", "userId"),
        ("x,1,4,964982703", "userId"),
        ("17,-1,4,964982703", "movieId"),
        ("17,1,4,99999999999999999999", "timestamp"),
        ("17,1,4", ""),
        ('17,"1,4,964982703', ""),
        ("17,1,4\udcff,964982703", ""),
        ("17,1,4\0,964982703", "rating"),
    ],
)
def test_a_broken_rating_is_refused_and_the_next_is_read(tmp_path: Path, row: str, field: str) -> None:
    ratings = f"userId,movieId,rating,timestamp\n{row}\n18,1,3.0,964982703\n"

    items = [i for i in MovieLens(folder(tmp_path, ratings=ratings)).items() if not isinstance(i, Work)]

    refusal, good = items
    assert isinstance(refusal, Refusal)
    assert (refusal.file, refusal.line, refusal.field) == ("ratings.csv", 2, field)
    assert isinstance(good, Feedback)


def test_a_malformed_link_is_left_out_and_the_film_kept(tmp_path: Path) -> None:
    links = "movieId,imdbId,tmdbId\n1,abc,12x\n"

    films = [i for i in MovieLens(folder(tmp_path, links=links)).items() if isinstance(i, Work)]

    assert films[0].external_ids == (ExternalId("movielens", "1"),)


def test_a_folder_without_its_files_is_a_bad_source(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"movies\.csv"):
        MovieLens(tmp_path)


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Toy Story (1995)", "Toy Story", 1995),
        ("Matrix, The (1999)", "The Matrix", 1999),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            "The City of Lost Children",
            1995,
        ),
        ("Avventura, L' (Adventure, The) (1960)", "L'Avventura", 1960),
        ("Babylon 5", "Babylon 5", None),
        ("96 Minutes (2011) ", "96 Minutes", 2011),
        ("Fawlty Towers (1975-1979)", "Fawlty Towers", 1975),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", 2009),
        ("Ghosts (0001)", "Ghosts", None),
    ],
)
def test_a_title_is_put_in_reading_order(text: str, title: str, year: int | None) -> None:
    assert title_and_year(text) == (title, year)
