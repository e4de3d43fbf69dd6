import pytest

from domain.catalog.taxonomy import GENRES
from domain.ingestion.genres import NEAR, SYNONYMS, canonical, likeness


@pytest.mark.parametrize(
    ("name", "genres"),
    [
        ("Science Fiction", ("science-fiction",)),
        ("science-fiction", ("science-fiction",)),
        ("Sci-Fi", ("science-fiction",)),
        ("Sci-Fi & Fantasy", ("science-fiction", "fantasy")),
        ("Children's", ("family",)),
        ("R&B", ("rnb",)),
        ("HIP HOP", ("hip-hop",)),
        ("Advnture", ("adventure",)),
        ("Documentaries", ("documentary",)),
        ("Film-Noir", ("crime",)),
    ],
)
def test_a_name_finds_its_genre(name: str, genres: tuple[str, ...]) -> None:
    assert canonical([name]) == (genres, ())


@pytest.mark.parametrize("name", ["Blorpcore", "Xy", "", "z" * 5000])
def test_an_unknown_genre_is_reported(name: str) -> None:
    assert canonical(["Drama", name]) == (("drama",), (name,))


def test_formats_among_genres_are_neither_kept_nor_reported() -> None:
    assert canonical(["IMAX", "TV Movie", "(no genres listed)", "Foreign"]) == ((), ())


def test_genres_keep_their_order_and_come_once() -> None:
    assert canonical(["War", "Suspense", "Thriller", "Drama"])[0] == ("war", "thriller", "drama")


def test_every_synonym_leads_to_genres_that_exist() -> None:
    assert {genre for genres in SYNONYMS.values() for genre in genres} <= GENRES.keys()


def test_likeness_is_the_share_of_letters_that_agree() -> None:
    assert likeness("kitten", "sitting") == pytest.approx(1 - 3 / 7)
    assert likeness("", "") == 1.0
    assert likeness("war", "") == 0.0


def test_no_two_genres_are_so_alike_that_one_is_taken_for_the_other() -> None:
    names = [genre.name.lower() for genre in GENRES.values()]

    near = [(a, b) for a in names for b in names if a < b and likeness(a, b) >= NEAR]

    assert near == []
