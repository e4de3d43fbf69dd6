"""The demo data, and the check that guards it."""

import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.catalog.model import ContentKind
from domain.catalog.taxonomy import PLATFORMS
from domain.ingestion.demo import FOLDER, DemoCatalogue
from domain.ingestion.demo_check import problems
from domain.ingestion.demo_offers import lines, offers_of
from domain.ingestion.model import Work
from domain.ingestion.postgres import PostgresShelf
from domain.ingestion.service import import_source
from domain.platform.postgres import Database

FILM: dict[str, Any] = {
    "key": "solaris-1972",
    "kind": "film",
    "title": "Solaris",
    "original_title": "Солярис",
    "year": 1972,
    "release_date": "1972-03-20",
    "runtime_minutes": 167,
    "original_language": "ru",
    "countries": ["SU"],
    "genres": ["science-fiction", "drama"],
    "keywords": ["grief", "ocean"],
    "maturity_rating": "PG",
    "directors": ["Andrei Tarkovsky"],
    "cast": [{"name": "Donatas Banionis", "character": "Kris Kelvin"}],
    "imdb_id": "tt0069293",
    "tmdb_id": 593,
    "popularity": 60,
    "home": None,
    "synopsis": "A psychologist is sent to a half-abandoned station above a planet covered by an ocean "
    "that thinks. The night after his arrival somebody sits in his cabin who cannot be there.",
}
ALBUM: dict[str, Any] = {
    **{name: FILM[name] for name in ("release_date", "synopsis", "popularity", "home")},
    "key": "album-1972",
    "kind": "album",
    "title": "Album",
    "year": 1972,
    "genres": ["jazz"],
    "artists": ["Band"],
    "tracks": [{"disc": 1, "number": 1, "title": "One"}, {"disc": 1, "number": 2, "title": "Two"}],
}
SERIES: dict[str, Any] = {
    **FILM,
    "key": "series-1972",
    "kind": "series",
    "imdb_id": None,
    "seasons": [
        {
            "number": 1,
            "episode_count": 2,
            "episodes": [{"number": 1, "title": "A"}, {"number": 2, "title": "B"}],
        },
        {"number": 2, "episode_count": 9, "episodes": []},
    ],
}
ACCOUNT: dict[str, Any] = {
    "email": "demo@example.com",
    "display_name": "Demo viewer",
    "password": "Demo-password-1",
    "region": "US",
    "language": "en",
    "roles": ["viewer"],
    "tier": "free",
    "devices": [{"id": "tv", "name": "TV", "kind": "tv"}],
    "progress": [{"key": "series-1972/1/2", "position": 0.5, "days_ago": 1, "device": "tv"}],
    "watchlist": [{"key": "solaris-1972", "days_ago": 2, "device": "tv"}],
    "reactions": [{"key": "album-1972", "verdict": "like", "days_ago": 3}],
}

Files = dict[str, list[dict[str, Any]]]


def good() -> Files:
    """Three works, all platforms and an account."""
    works = json.loads(json.dumps([FILM, ALBUM, SERIES]))
    offers = [{"key": work["key"], "offers": offers_of(work)} for work in works]
    offers[0]["offers"] = [
        {"platform": name, "kind": "subscription", "regions": ["US"]} for name in PLATFORMS
    ]
    return {
        "films-a": works[:1],
        "albums": works[1:2],
        "series": works[2:],
        "offers": offers,
        "accounts": [json.loads(json.dumps(ACCOUNT))],
    }


def written(folder: Path, files: Files) -> Path:
    for name, records in files.items():
        text = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_the_demo_files_are_without_fault() -> None:
    assert problems(FOLDER) == []


def test_the_demo_catalogue_is_as_large_as_promised() -> None:
    works = [item for item in DemoCatalogue().items() if isinstance(item, Work)]
    series = [work for work in works if work.kind is ContentKind.SERIES]
    albums = [work for work in works if work.kind is ContentKind.ALBUM]

    assert len(works) >= 500
    assert len(series) >= 80
    assert sum(any(season.parts for season in work.parts) for work in series) >= 10
    assert len(albums) >= 40
    assert all(work.parts for work in albums)
    assert len({work.original_language for work in works} - {None}) >= 10
    assert (FOLDER / "offers.jsonl").stat().st_size < 1_500_000


def test_good_files_have_no_problems(tmp_path: Path) -> None:
    assert problems(written(tmp_path, good())) == []


def _set(file: str, field: str, value: object) -> Callable[[Files], None]:
    return lambda files: files[file][0].update({field: value})


def _twice(file: str) -> Callable[[Files], None]:
    return lambda files: files[file].append(files[file][0])


FAULTS: list[tuple[Callable[[Files], None], str]] = [
    (_twice("films-a"), "demo solaris-1972 stands for 2 works"),
    (_twice("films-a"), "imdb tt0069293 stands for 2 works"),
    (_set("films-a", "genres", ["blorp"]), "the genre 'blorp' is not known"),
    (_set("films-a", "genres", ["jazz"]), "mixes genres of music and screen"),
    (_set("films-a", "genres", []), "has 0 genres"),
    (_set("films-a", "genres", ["war", "drama", "crime", "horror", "action"]), "has 5 genres"),
    (_set("films-a", "year", 1973), "must end in the year 1973"),
    (_set("films-a", "year", 1492), "films-a.jsonl:1: year must be between"),
    (_set("films-a", "release_date", "1975-01-01"), "was released on 1975-01-01"),
    (_set("films-a", "maturity_rating", "X"), "maturity_rating must be one of"),
    (_set("films-a", "maturity_rating", None), "has no maturity rating"),
    (_set("films-a", "synopsis", "Short."), "the synopsis has 6 characters"),
    (_set("films-a", "synopsis", "x" * 601), "the synopsis has 601 characters"),
    (_set("films-a", "directors", ["Andrei  Tarkovsky"]), "'Andrei  Tarkovsky' is not tidy"),
    (_set("films-a", "countries", ["su"]), "must be countries of ISO 3166-1"),
    (_set("films-a", "original_language", "Russian"), "must be a language of BCP 47"),
    (_set("films-a", "imdb_id", "tt1"), "imdb_id must be"),
    (_set("films-a", "kind", "play"), "kind must be one of"),
    (_set("albums", "artists", []), "names nobody"),
    (
        _set("albums", "tracks", [{"disc": 1, "number": 2, "title": "A"}]),
        "disc 1 is not numbered from 1: [2]",
    ),
    (_set("series", "seasons", [{"number": 2}, {"number": 1}]), "seasons are not in order: [2, 1]"),
    (
        _set(
            "series",
            "seasons",
            [{"number": 1, "episode_count": 0, "episodes": [{"number": 1, "title": "A"}]}],
        ),
        "lists 1 of 0 episodes",
    ),
    (
        _set("series", "seasons", [{"number": 1, "episodes": [{"number": 3, "title": "A"}]}]),
        "is not numbered from 1: [3]",
    ),
    (_set("series", "status", "over"), "status must be one of"),
    (_twice("offers"), "solaris-1972 comes twice"),
    (_set("offers", "key", "nothing-1999"), "nothing-1999 is no work"),
    (_set("offers", "key", "nothing-1999"), "solaris-1972 has no offers"),
    (
        _set("offers", "offers", [{"platform": "vhs", "kind": "rental", "regions": ["US"]}]),
        "is not known: 'vhs'",
    ),
    (
        _set("offers", "offers", [{"platform": "hulu", "kind": "gift", "regions": ["US"]}]),
        "kind must be one of",
    ),
    (_set("offers", "offers", []), "youtube offers nothing"),
    (
        _set("offers", "offers", [{"platform": "hulu", "kind": "free", "regions": ["US"]}] * 2),
        "has 2 offers for US",
    ),
    (
        _set("offers", "offers", [{"platform": "hulu", "kind": "rental", "regions": ["US"], "price": "3"}]),
        "price comes with its currency",
    ),
    (
        _set(
            "offers",
            "offers",
            [{"platform": "hulu", "kind": "rental", "regions": ["US"], "price": "NaN", "currency": "USD"}],
        ),
        "price must be between",
    ),
    (_set("accounts", "email", "someone@elsewhere.org"), "is not of example.com"),
    (_twice("accounts"), "demo@example.com comes twice"),
    (_set("accounts", "roles", ["king"]), "unknown tier or role"),
    (
        _set("accounts", "watchlist", [{"key": "gone-1999", "device": "tv"}]),
        "refers to gone-1999, which is no work",
    ),
    (_set("accounts", "progress", [{"key": "series-1972/1/3", "device": "tv"}]), "refers to series-1972/1/3"),
    (_set("accounts", "watchlist", [{"key": "solaris-1972", "device": "fridge"}]), "uses the device fridge"),
    (
        _set("accounts", "watchlist", [{"key": "solaris-1972", "device": "tv"}] * 2),
        "has 2 entries for solaris-1972",
    ),
    (
        _set("accounts", "reactions", [{"key": "solaris-1972", "verdict": "meh"}]),
        "verdict is not known: 'meh'",
    ),
    (
        _set("accounts", "devices", [{"id": "tv", "name": "TV", "kind": "toaster"}]),
        "kind is not known: 'toaster'",
    ),
]


@pytest.mark.parametrize(("spoil", "told"), FAULTS)
def test_each_fault_is_found(tmp_path: Path, spoil: Callable[[Files], None], told: str) -> None:
    files = good()
    spoil(files)

    found = problems(written(tmp_path, files))

    assert any(told in problem for problem in found), found


def test_an_unreadable_line_is_a_problem(tmp_path: Path) -> None:
    folder = written(tmp_path, good())
    (folder / "albums.jsonl").write_bytes(b"{\n")

    assert any(problem.startswith("albums.jsonl:1:  is not JSON") for problem in problems(folder))


def test_an_offer_is_spread_over_its_regions(tmp_path: Path) -> None:
    files = good()
    files["offers"][0]["offers"] = [
        {
            "platform": "youtube",
            "kind": "rental",
            "regions": ["DE", "FR"],
            "price": "3.99",
            "currency": "EUR",
        },
        {"platform": "hulu", "kind": "subscription", "regions": ["US"], "until": "2027-03-01"},
    ]

    film, *_ = DemoCatalogue(written(tmp_path, files)).items()

    assert isinstance(film, Work)
    assert [(o.region, o.platform, o.price, o.currency) for o in film.offers] == [
        ("DE", "youtube", Decimal("3.99"), "EUR"),
        ("FR", "youtube", Decimal("3.99"), "EUR"),
        ("US", "hulu", None, None),
    ]
    assert {offer.link_id for offer in film.offers} == {"demo-solaris-1972"}
    assert all(offer.demonstration for offer in film.offers)
    assert str(film.offers[2].expires_at) == "2027-03-01 00:00:00+00:00"


async def test_closing_credits_of_films_and_episodes_are_kept(tmp_path: Path, database: Database) -> None:
    files = good()
    files["films-a"][0]["end_credits_seconds"] = 240
    files["series"][0]["seasons"][0]["episodes"][1]["end_credits_seconds"] = 30
    shelf = PostgresShelf(database)
    await import_source(shelf, DemoCatalogue(written(tmp_path, files)))
    files["films-a"][0]["end_credits_seconds"] = 250
    changed = await import_source(shelf, DemoCatalogue(written(tmp_path, files)))

    rows = await database.rows(
        "SELECT title, end_credits_seconds FROM content WHERE end_credits_seconds IS NOT NULL ORDER BY title"
    )

    assert [tuple(row) for row in rows] == [("B", 30), ("Solaris", 250)]
    assert changed.updated == 1


def test_made_up_offers_are_the_same_each_time_and_for_each_work_alone(tmp_path: Path) -> None:
    folder = written(tmp_path, good())
    before = list(lines(folder))
    shutil.copy(folder / "films-a.jsonl", folder / "films-b.jsonl")
    (folder / "films-a.jsonl").write_text(json.dumps(FILM | {"key": "new-1972"}) + "\n", encoding="utf-8")

    after = list(lines(folder))

    assert after[1:] == before
    assert json.loads(after[0])["key"] == "new-1972"


def test_a_services_own_work_is_on_it_and_its_exclusives_are_not_sold() -> None:
    offers = offers_of(FILM | {"home": "netflix"})

    assert [(o["platform"], o["kind"], len(o["regions"])) for o in offers] == [("netflix", "subscription", 7)]


async def test_the_demo_catalogue_loads_once_and_then_changes_nothing(database: Database) -> None:
    shelf = PostgresShelf(database)

    first = await import_source(shelf, DemoCatalogue())
    latest = await database.value("SELECT max(updated_at) FROM content")
    again = await import_source(shelf, DemoCatalogue())

    assert first.refusals == again.refusals == []
    assert first.unknown_genres == {}
    assert (again.created, again.updated, again.unchanged) == (0, 0, first.created)
    assert await database.value("SELECT max(updated_at) FROM content") == latest
    assert await database.value("SELECT count(*) FROM offer WHERE NOT demonstration") == 0
