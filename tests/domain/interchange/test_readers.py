"""What the files of each service tell, as its documentation shapes them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from domain.catalog.model import ContentKind, ExternalId
from domain.interchange import letterboxd, netflix, simkl, trakt
from domain.interchange.files import Member
from domain.interchange.formats import recognised
from domain.interchange.model import (
    UNKNOWN_MOMENT,
    Act,
    Entry,
    Listing,
    Noted,
    Opinion,
    Problem,
    Reference,
    Source,
    Trouble,
    Viewing,
)
from domain.sync.model import MarkKind, Verdict

MOVIE, EPISODE = ContentKind.MOVIE, ContentKind.EPISODE


def day(year: int, month: int, date: int, hour: int = 12) -> datetime:
    return datetime(year, month, date, hour, tzinfo=UTC)


def told(found: Iterable[Entry | Problem]) -> list[tuple[str, Act]]:
    """The entries, by the title that they mean first; fails where something did not come along."""
    entries = list(found)
    assert [one for one in entries if isinstance(one, Problem)] == []
    return [(str(one.titles[0]), one.act) for one in entries if isinstance(one, Entry)]


def problems(found: Iterable[Entry | Problem]) -> list[tuple[str, Trouble]]:
    return [(one.where, one.trouble) for one in found if isinstance(one, Problem)]


def text_file(name: str, *lines: str) -> Member:
    return Member(name, "\n".join(lines).encode())


def json_file(name: str, document: Any) -> Member:
    return Member(name, orjson.dumps(document))


# Letterboxd

DIARY = text_file(
    "diary.csv",
    "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date",
    '2021-02-03,"Good, the Bad",1966,https://boxd.it/1,4.5,Yes,"a, b",2021-02-01',
    "2021-02-04,Solaris,1972,https://boxd.it/2,,,,2021-02-04",
)
HEADER = "Date,Name,Year,Letterboxd URI"


def test_letterboxd_tells_viewings_ratings_likes_and_a_watchlist() -> None:
    members = [
        DIARY,
        text_file("watched.csv", HEADER, "2020-01-01,Stalker,1979,https://boxd.it/3"),
        text_file("ratings.csv", f"{HEADER},Rating", "2020-01-02,Stalker,1979,https://boxd.it/3,5"),
        text_file("watchlist.csv", HEADER, "2020-01-03,Mirror,1975,https://boxd.it/4"),
        text_file("likes/films.csv", HEADER, "2020-01-04,Stalker,1979,https://boxd.it/3"),
    ]

    assert recognised(members) is Source.LETTERBOXD
    assert told(letterboxd.read(members)) == [
        ("Good, the Bad (1966)", Viewing(day(2021, 2, 1), day_only=True)),
        ("Good, the Bad (1966)", Opinion(day(2021, 2, 1), stars=4.5)),
        ("Solaris (1972)", Viewing(day(2021, 2, 4), day_only=True)),
        ("Stalker (1979)", Viewing(day(2020, 1, 1), day_only=True, once=True)),
        ("Stalker (1979)", Opinion(day(2020, 1, 2), stars=5.0)),
        ("Mirror (1975)", Listing(day(2020, 1, 3))),
        ("Stalker (1979)", Opinion(day(2020, 1, 4), verdict=Verdict.LIKE)),
    ]


def test_letterboxd_tells_what_it_leaves_out() -> None:
    rating = f"{HEADER},Rating"
    members = [
        text_file("profile.csv", "Date Joined,Username", "2020-01-01,ada"),
        text_file("deleted/diary.csv", HEADER, "2020-01-01,Stalker,1979,u"),
        text_file("reviews.csv", f"{HEADER},Rating,Rewatch,Review,Tags,Watched Date"),
        text_file(
            "ratings.csv", rating, "2020-01-02,Stalker,1979,u,6", "2020-01-02,Stalker,79,u,5", ",A,,u,1"
        ),
    ]

    assert problems(letterboxd.read(members)) == [
        ("profile.csv", Trouble.LEFT_OUT),
        ("deleted/diary.csv", Trouble.LEFT_OUT),
        ("reviews.csv", Trouble.LEFT_OUT),
        ("ratings.csv:2", Trouble.UNREADABLE),
        ("ratings.csv:3", Trouble.UNREADABLE),
        ("ratings.csv:4", Trouble.UNREADABLE),
    ]


# Simkl

BACKUP = {
    "movies": [
        {
            "last_watched_at": "2021-05-06T07:08:09Z",
            "user_rating": 9,
            "status": "completed",
            "movie": {
                "title": "Solaris",
                "year": 1972,
                "ids": {"simkl": 5, "imdb": "tt0069293", "tmdb": "593"},
            },
        },
        {
            "added_to_watchlist_at": "2021-01-01T00:00:00Z",
            "status": "plantowatch",
            "movie": {"title": "Mirror", "year": 1975, "ids": {}},
        },
    ],
    "shows": [
        {
            "status": "dropped",
            "last_watched_at": "2021-01-02T00:00:00Z",
            "show": {"title": "Dekalog", "year": 1989, "ids": {"tvdb": "75724"}},
            "seasons": [
                {
                    "number": 1,
                    "episodes": [{"number": 2, "watched_at": "2021-01-02T00:00:00Z"}, {"number": 3}],
                }
            ],
        }
    ],
    "anime": [
        {
            "status": "completed",
            "anime_type": "movie",
            "last_watched_at": None,
            "show": {"title": "Akira", "year": 1988, "ids": {"mal": 47}},
        }
    ],
}


def test_simkl_tells_films_shows_and_anime_by_status() -> None:
    members = [json_file("SimklBackup.json", BACKUP)]

    assert recognised(members) is Source.SIMKL
    assert told(simkl.read(members)) == [
        ("Solaris (1972)", Opinion(day(2021, 5, 6, 7).replace(minute=8, second=9), stars=4.5)),
        ("Solaris (1972)", Viewing(day(2021, 5, 6, 7).replace(minute=8, second=9))),
        ("Mirror (1975)", Listing(day(2021, 1, 1, 0))),
        ("Dekalog (1989)", Noted(day(2021, 1, 2, 0), MarkKind.DROPPED, value=True)),
        ("Dekalog (1989) 1x02", Viewing(day(2021, 1, 2, 0))),
        ("Dekalog (1989) 1x03", Viewing(UNKNOWN_MOMENT, once=True)),
        ("Akira (1988)", Viewing(UNKNOWN_MOMENT, once=True)),
    ]


def test_simkl_gives_the_ids_that_the_catalogue_knows() -> None:
    entries = [one for one in simkl.read([json_file("b.json", BACKUP)]) if isinstance(one, Entry)]

    assert entries[0].titles[0].ids == (ExternalId("imdb", "tt0069293"), ExternalId("tmdb", "593"))
    assert entries[4].titles[0].ids == (ExternalId("tvdb", "75724"),)


def test_simkl_tells_what_it_leaves_out() -> None:
    show = {"title": "Dekalog", "year": 1989, "ids": {}}
    document = {
        "shows": [{"status": "completed", "show": show}, {"status": "watching", "show": show}, 1],
        "movies": [{"status": "completed", "movie": {"title": 7}}],
        "games": [],
    }

    assert problems(simkl.read([json_file("b.json", document), Member("c.json", b"{")])) == [
        ("b.json:shows[0]", Trouble.LEFT_OUT),
        ("b.json:shows[1]", Trouble.LEFT_OUT),
        ("b.json:shows[2]", Trouble.UNREADABLE),
        ("b.json:movies[0].movie.title", Trouble.UNREADABLE),
        ("b.json:games", Trouble.LEFT_OUT),
        ("c.json", Trouble.LEFT_OUT),
    ]


# Netflix


def netflix_file(*rows: tuple[str, str]) -> Member:
    return text_file("NetflixViewingHistory.csv", "Title,Date", *(f'"{title}","{at}"' for title, at in rows))


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        (["12/31/21", "2/1/21"], [(2021, 12, 31), (2021, 2, 1)]),
        (["31/12/2021", "2/1/2021"], [(2021, 12, 31), (2021, 1, 2)]),
        (["31.12.21", "01.02.21"], [(2021, 12, 31), (2021, 2, 1)]),
        (["2021-12-31", "2021-02-01"], [(2021, 12, 31), (2021, 2, 1)]),
        # No number is over 12, but only with the month first the latest comes first.
        (["4/1/21", "3/9/21", "3/2/21"], [(2021, 4, 1), (2021, 3, 9), (2021, 3, 2)]),
    ],
)
def test_netflix_dates_are_read_in_the_order_that_the_file_shows(
    dates: list[str], days: list[tuple[int, int, int]]
) -> None:
    member = netflix_file(*(("Solaris", at) for at in dates))

    assert recognised([member]) is Source.NETFLIX
    assert [act for _, act in told(netflix.read([member]))] == [
        Viewing(day(*found), day_only=True) for found in days
    ]


def test_netflix_dates_that_may_be_either_are_not_guessed() -> None:
    member = netflix_file(("Solaris", "3/4/21"))

    assert problems(netflix.read([member])) == [("NetflixViewingHistory.csv:2", Trouble.UNREADABLE)]
    assert told(netflix.read([member], day_first=True))[0][1].at == day(2021, 4, 3)
    assert told(netflix.read([member], day_first=False))[0][1].at == day(2021, 3, 4)


def test_one_bad_date_does_not_hide_the_others() -> None:
    member = netflix_file(
        ("A", "31/12/21"), ("B", "99/99/21"), ("C", "soon"), ("D", "1/1/21"), ("", "1/1/21")
    )

    assert problems(netflix.read([member])) == [
        (f"NetflixViewingHistory.csv:{line}", Trouble.UNREADABLE) for line in (3, 4, 6)
    ]


@pytest.mark.parametrize(
    ("title", "means"),
    [
        ("Solaris", [Reference(MOVIE, "Solaris")]),
        (
            "Dark: Season 2: Endings and Beginnings",
            [Reference(EPISODE, "Dark", part=2, part_title="Endings and Beginnings")],
        ),
        (
            "Stranger Things: Season 1: Chapter One: The Vanishing",
            [Reference(EPISODE, "Stranger Things", part=1, part_title="Chapter One: The Vanishing")],
        ),
        (
            "Dark: Staffel 1: Folge 3",
            [
                Reference(EPISODE, "Dark", part=1, part_title="Folge 3"),
                Reference(EPISODE, "Dark", part=1, number=3),
            ],
        ),
        (
            "Chernobyl: Limited Series: 1:23:45",
            [Reference(EPISODE, "Chernobyl", part=1, part_title="1:23:45")],
        ),
        (
            "Mission: Impossible",
            [Reference(MOVIE, "Mission: Impossible"), Reference(EPISODE, "Mission", part_title="Impossible")],
        ),
    ],
)
def test_netflix_titles_name_what_they_may(title: str, means: list[Reference]) -> None:
    assert list(netflix.titles_of(title)) == means


# Trakt

SHOW = {"title": "Dekalog", "year": 1989, "ids": {"tmdb": 42699, "tvdb": 75724, "imdb": "bad"}}
WATCHED_SHOW = {
    "plays": 3,
    "last_watched_at": "2021-01-03T00:00:00.000Z",
    "show": SHOW,
    "seasons": [
        {"number": 1, "episodes": [{"number": 1, "plays": 2, "last_watched_at": "2021-01-03T00:00:00.000Z"}]}
    ],
}


def test_trakt_tells_of_each_episode_that_was_watched_and_how_often() -> None:
    found = list(trakt.read([json_file("watched-shows.json", [WATCHED_SHOW])]))

    (entry,) = [one for one in found if isinstance(one, Entry)]
    assert entry.titles == (
        Reference(
            EPISODE,
            "Dekalog",
            1989,
            (ExternalId("tmdb_tv", "42699"), ExternalId("tvdb", "75724")),
            part=1,
            number=1,
        ),
    )
    assert entry.act == Viewing(day(2021, 1, 3, 0))
    assert problems(found) == [("watched-shows.json[0].seasons[0].episodes[0]", Trouble.LEFT_OUT)]


def test_trakt_says_1970_where_nobody_knows_when() -> None:
    member = json_file("history.json", [{"watched_at": "1970-01-01T00:00:00.000Z", "movie": {"title": "A"}}])

    assert told(trakt.read([member])) == [("A", Viewing(UNKNOWN_MOMENT, once=True))]


def test_trakt_seasons_are_rated_and_listed_with_notes() -> None:
    member = json_file(
        "lists.json",
        [
            {"rated_at": "2021-01-03T00:00:00Z", "rating": 7, "season": {"number": 2}, "show": SHOW},
            {"listed_at": "2021-01-03T00:00:00Z", "notes": "with Bob", "show": SHOW},
        ],
    )

    assert told(trakt.read([member])) == [
        ("Dekalog (1989) 2", Opinion(day(2021, 1, 3, 0), stars=3.5)),
        ("Dekalog (1989)", Listing(day(2021, 1, 3, 0))),
        ("Dekalog (1989)", Noted(day(2021, 1, 3, 0), MarkKind.NOTE, "with Bob")),
    ]
