import json
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from domain.catalog.model import ContentKind, ExternalId, Rating
from domain.ingestion.lines import Line
from domain.ingestion.model import Origin, Refusal, Work
from domain.ingestion.tmdb5000 import parse, scaled_popularity

RECORD: dict[str, Any] = {
    "tmdb_id": 62,
    "imdb_id": "tt0062622",
    "movielens_id": 924,
    "title": "2001: A Space Odyssey",
    "original_title": "2001: A Space Odyssey",
    "year": 1968,
    "release_date": "1968-04-10",
    "overview": "A monolith and a voyage.",
    "genres": ["Science Fiction", "Mystery", "Spacey"],
    "keywords": ["Moon", "moon", "artificial intelligence"],
    "cast": [{"name": "Keir Dullea", "character": "Bowman", "id": 1}, {"name": "Gary Lockwood", "id": 2}],
    "directors": ["Stanley Kubrick"],
    "writers": ["Stanley Kubrick", "Arthur C. Clarke"],
    "runtime": 149,
    "vote_average": 7.9,
    "vote_count": 2998,
    "popularity": 86.2,
    "language": "en",
    "countries": ["US", "GB"],
}


def parsed(**changes: Any) -> Work | Refusal:
    (item,) = parse([Line(Origin("f.jsonl", 7), json.dumps(RECORD | changes).encode())])
    return item


def work(**changes: Any) -> Work:
    item = parsed(**changes)
    assert isinstance(item, Work), item
    return item


def test_a_record_becomes_a_film() -> None:
    film = work()

    assert film.kind is ContentKind.MOVIE
    assert (film.title, film.original_title, film.year) == ("2001: A Space Odyssey", None, 1968)
    assert film.release_date == date(1968, 4, 10)
    assert film.runtime_seconds == 149 * 60
    assert film.genres == ("science-fiction", "mystery")
    assert film.unknown_genres == ("Spacey",)
    assert film.keywords == ("moon", "artificial intelligence")
    assert [(c.person.name, c.role.value, c.character) for c in film.credits] == [
        ("Stanley Kubrick", "director", None),
        ("Stanley Kubrick", "writer", None),
        ("Arthur C. Clarke", "writer", None),
        ("Keir Dullea", "cast", "Bowman"),
        ("Gary Lockwood", "cast", None),
    ]
    assert film.external_ids == (
        ExternalId("tmdb", "62"),
        ExternalId("imdb", "tt0062622"),
        ExternalId("movielens", "924"),
    )
    assert film.ratings == (Rating("tmdb", 7.9, 10.0, 2998),)
    assert film.origin == Origin("f.jsonl", 7)


def test_zero_stands_for_unknown() -> None:
    film = work(runtime=0, vote_average=0, vote_count=0)

    assert film.runtime_seconds is None
    assert film.ratings == ()


def test_the_year_is_read_off_the_date_where_it_is_missing() -> None:
    assert work(year=None).year == 1968


def test_codes_of_tmdb_alone_become_those_of_iso() -> None:
    assert (work(language="cn").original_language, work(language="xx").original_language) == ("zh", None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 501),
        ("overview", "x" * 5001),
        ("year", 1799),
        ("year", 2101),
        ("runtime", -1),
        ("imdb_id", "0062622"),
        ("vote_average", 10.5),
        ("countries", ["USA"]),
        ("release_date", "soon"),
        ("genres", "Drama"),
        ("tmdb_id", 0),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_field(field: str, value: object) -> None:
    refusal = parsed(**{field: value})

    assert isinstance(refusal, Refusal)
    assert (refusal.file, refusal.line, refusal.field) == ("f.jsonl", 7, field)


def test_popularity_keeps_its_order_within_the_scale() -> None:
    scaled = [scaled_popularity(p) for p in (0, 0.1, 1, 13, 150, 875, 1000, 1e6)]

    assert scaled[0] == 0
    assert scaled[-2:] == [100, 100]
    assert all(a < b for a, b in pairwise(scaled[:-1]))
