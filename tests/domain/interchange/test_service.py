"""Imports over a real database: Trakt's files, matched, merged in steps, taken back."""

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from domain.interchange import service
from domain.interchange.model import Fate, ItemKind, Trouble
from domain.interchange.service import ImportState, Report
from domain.platform.errors import UserErrorCode
from domain.platform.paging import Cut
from domain.platform.postgres import Database
from domain.sync.model import MarkKind, Verdict
from domain.sync.operations import Position
from domain.sync.service import WatchlistOrder
from tests.catalogue import add_external_id, add_movie, add_series, parts_of
from tests.servers import StatementCounter
from tests.states import viewings
from tests.viewers import Living, refusal

SOLARIS = {"title": "Solaris", "year": 1972, "ids": {"trakt": 1, "imdb": "tt0069293", "tmdb": 593}}
DEKALOG = {"title": "Dekalog", "year": 1989, "ids": {"trakt": 2, "tmdb": 42699, "tvdb": 75724}}


def watched(title: Mapping[str, Any], at: str) -> dict[str, Any]:
    return {"id": 1, "watched_at": at, "action": "watch", "type": "movie", "movie": title}


def episode(season: int, number: int, at: str) -> dict[str, Any]:
    part = {"season": season, "number": number, "title": "One", "ids": {"trakt": 3, "imdb": None}}
    return {"watched_at": at, "type": "episode", "show": DEKALOG, "episode": part}


def rated(title: Mapping[str, Any], rating: int, at: str) -> dict[str, Any]:
    return {"rated_at": at, "rating": rating, "type": "movie", "movie": title}


def listed(title: Mapping[str, Any], at: str) -> dict[str, Any]:
    return {"rank": 1, "id": 9, "listed_at": at, "notes": None, "type": "movie", "movie": title}


@pytest.fixture
async def solaris(database: Database) -> int:
    movie = await add_movie(database, runtime_seconds=1000)
    await add_external_id(database, movie, "imdb", "tt0069293")
    return movie


@pytest.fixture
async def episodes(database: Database) -> list[int]:
    series = await add_series(database, seasons=[2])
    await add_external_id(database, series, "tvdb", "75724")
    (season,) = await parts_of(database, series)
    return await parts_of(database, season)


async def bring(house: Living, account: str, *records: object, dry: bool = False) -> Report:
    return await house.interchange.bring(account, "trakt.json", orjson.dumps(records), dry=dry)


def fates(report: Report) -> dict[tuple[ItemKind, Fate], int]:
    return dict(report.counts)


async def state(house: Living, account: str) -> dict[str, list[Any]]:
    """All that there is of the account, apart from the log of it."""
    tables = ("progress", "watchlist_tag", "reaction", "title_mark")
    return {
        table: [
            tuple(row)
            for row in await house.database.rows(
                f"SELECT * FROM {table} WHERE account_id = $1 ORDER BY 1, 2, 3", account
            )
        ]
        for table in tables
    }


async def test_a_file_is_brought_as_it_tells(
    house: Living, ada: str, solaris: int, episodes: list[int]
) -> None:
    report = await bring(
        house,
        ada,
        watched(SOLARIS, "2020-05-01T20:00:00.000Z"),
        watched(SOLARIS, "2019-05-01T20:00:00.000Z"),
        episode(1, 2, "2021-01-02T03:04:05.000Z"),
        rated(SOLARIS, 9, "2020-05-02T00:00:00.000Z"),
        listed(SOLARIS, "2018-01-01T00:00:00.000Z"),
    )

    assert fates(report) == {
        (ItemKind.VIEWING, Fate.NEW): 3,
        (ItemKind.OPINION, Fate.NEW): 1,
        (ItemKind.LISTING, Fate.NEW): 1,
    }
    assert report.problems == []
    first, second = await viewings(house.database, ada, solaris)
    assert (first.viewing, second.viewing) == (1, 2)
    assert first.completed_at == datetime(2019, 5, 1, 20, tzinfo=UTC)
    assert second.completed
    (seen,) = await viewings(house.database, ada, episodes[1])
    assert (seen.completed, seen.position_seconds, seen.duration_seconds) == (True, 3300, 3300)
    reaction = (await house.sync.store.reactions(ada, [solaris]))[solaris]
    assert reaction.stars == 4.5
    entry = (await house.sync.store.entries(ada, [solaris]))[solaris]
    assert entry.added_at == datetime(2018, 1, 1, tzinfo=UTC)


async def test_a_dry_run_tells_the_same_and_changes_nothing(house: Living, ada: str, solaris: int) -> None:
    records = (watched(SOLARIS, "2020-05-01T20:00:00Z"), rated(SOLARIS, 9, "2020-05-02T00:00:00Z"))
    before = await house.written()

    dry = await bring(house, ada, *records, dry=True)

    assert await house.written() == before
    assert await house.database.value("SELECT count(*) FROM import") == 0
    assert fates(dry) == fates(await bring(house, ada, *records))


async def test_a_file_brought_again_changes_nothing(
    house: Living, ada: str, solaris: int, episodes: list[int]
) -> None:
    records = (
        watched(SOLARIS, "2020-05-01T20:00:00Z"),
        episode(1, 1, "2020-05-01T20:00:00Z"),
        rated(SOLARIS, 9, "2020-05-02T00:00:00Z"),
        listed(SOLARIS, "2018-01-01T00:00:00Z"),
        {"progress": 40.0, "paused_at": "2021-01-01T00:00:00Z", "type": "movie", "movie": SOLARIS},
    )
    await bring(house, ada, *records)
    before, rows = await state(house, ada), await house.written()

    again = await bring(house, ada, *records)

    assert again.brought == 0
    assert again.import_id is None
    assert (await state(house, ada), await house.written()) == (before, rows)


async def test_what_is_newer_here_stays(house: Living, ada: str, solaris: int) -> None:
    await house.sync.record_progress(ada, solaris, Position(400))
    await house.sync.react(ada, solaris, Verdict.LIKE, 2.0)

    report = await bring(
        house,
        ada,
        watched(SOLARIS, "2020-05-01T20:00:00Z"),
        rated(SOLARIS, 9, "2020-05-02T00:00:00Z"),
        {"progress": 90.0, "paused_at": "2020-05-03T00:00:00Z", "type": "movie", "movie": SOLARIS},
    )

    assert fates(report) == {
        (ItemKind.VIEWING, Fate.NEW): 1,
        (ItemKind.VIEWING, Fate.NEWER_HERE): 1,
        (ItemKind.OPINION, Fate.NEWER_HERE): 1,
    }
    earlier, going_on = await viewings(house.database, ada, solaris)
    assert (earlier.viewing, earlier.completed) == (0, True)
    assert (going_on.viewing, going_on.position_seconds, going_on.completed) == (1, 400, False)
    latest = (await house.sync.store.progress(ada, [solaris]))[solaris]
    assert latest.position_seconds == 400
    reaction = (await house.sync.store.reactions(ada, [solaris]))[solaris]
    assert (reaction.verdict, reaction.stars) == (Verdict.LIKE, 2.0)


async def test_newer_stars_leave_the_word_that_was_said(house: Living, ada: str, solaris: int) -> None:
    await house.sync.react(ada, solaris, Verdict.LIKE, 2.0)

    await bring(house, ada, rated(SOLARIS, 9, "2026-03-02T00:00:00Z"))

    reaction = (await house.sync.store.reactions(ada, [solaris]))[solaris]
    assert (reaction.verdict, reaction.stars) == (Verdict.LIKE, 4.5)


async def test_a_viewing_that_both_services_saw_is_one(house: Living, ada: str, solaris: int) -> None:
    await house.sync.record_progress(ada, solaris, Position(1000))

    report = await bring(house, ada, watched(SOLARIS, "2026-03-01T10:30:00Z"))

    assert fates(report) == {(ItemKind.VIEWING, Fate.KNOWN): 1}
    assert len(await viewings(house.database, ada, solaris)) == 1


async def test_what_does_not_come_along_is_told_with_its_place_and_the_reason(
    house: Living, ada: str, database: Database, solaris: int
) -> None:
    for _ in range(2):
        await add_movie(database, "Twin", year=1990)
    unknown = {"title": "Nowhere", "year": 2001, "ids": {"imdb": "tt9999999"}}

    report = await bring(
        house,
        ada,
        watched(SOLARIS, "2020-05-01T20:00:00Z"),
        watched(unknown, "2020-05-01T20:00:00Z"),
        watched({"title": "Twin", "year": 1990, "ids": {}}, "2020-05-01T20:00:00Z"),
        watched(SOLARIS, "yesterday"),
        rated(SOLARIS, 11, "2020-05-01T20:00:00Z"),
        watched(SOLARIS, "2200-01-01T00:00:00Z"),
        {"collected_at": "2020-05-01T20:00:00Z", "movie": SOLARIS},
        7,
    )

    assert [(p.where, p.trouble) for p in sorted(report.problems, key=lambda p: p.where)] == [
        ("trakt.json[1]", Trouble.UNKNOWN),
        ("trakt.json[2]", Trouble.AMBIGUOUS),
        ("trakt.json[3].watched_at", Trouble.UNREADABLE),
        ("trakt.json[4].rating", Trouble.UNREADABLE),
        ("trakt.json[5]", Trouble.UNREADABLE),
        ("trakt.json[6]", Trouble.LEFT_OUT),
        ("trakt.json[7]", Trouble.UNREADABLE),
    ]
    assert report.brought == 1


async def test_series_are_not_watched_as_a_whole(house: Living, ada: str, episodes: list[int]) -> None:
    report = await bring(
        house,
        ada,
        {"watched_at": "2020-05-01T20:00:00Z", "type": "show", "show": DEKALOG},
        {"rated_at": "2020-05-01T20:00:00Z", "rating": 10, "type": "show", "show": DEKALOG},
    )

    assert [p.trouble for p in report.problems] == [Trouble.REFUSED]
    assert fates(report) == {(ItemKind.OPINION, Fate.NEW): 1}


async def test_a_thousand_entries_take_as_many_statements_as_one(
    house: Living, ada: str, database: Database, statements: StatementCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "STEP", 10_000)
    for number in range(50):
        await add_movie(database, f"Film {number}", year=2000)
    films: list[dict[str, Any]] = [{"title": f"Film {n}", "year": 2000, "ids": {}} for n in range(50)]

    statements.clear()
    await bring(house, ada, watched(films[0], "2020-05-01T20:00:00Z"))
    few = len(statements.seen)
    statements.clear()
    await bring(house, ada, *(watched(f, f"2020-06-{d:02}T20:00:00Z") for f in films for d in range(1, 21)))

    assert len(statements.seen) == few


async def test_an_import_that_was_interrupted_is_completed_by_the_file_again(
    house: Living, ada: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "STEP", 2)
    for number in range(6):
        await add_movie(database, f"Film {number}", year=2000)
    records = [
        watched({"title": f"Film {n}", "year": 2000, "ids": {}}, "2020-05-01T20:00:00Z") for n in range(6)
    ]
    step, calls = house.interchange.imports.step, []

    async def dying(*arguments: Any) -> str:
        calls.append(arguments)
        if len(calls) == 2:
            raise RuntimeError
        return await step(*arguments)

    monkeypatch.setattr(house.interchange.imports, "step", dying)
    with pytest.raises(RuntimeError):
        await bring(house, ada, *records)
    assert await database.value("SELECT count(*) FROM progress") == 2
    (begun,) = (await house.interchange.imports.page(ada, Cut.of(10, None))).nodes
    assert begun.state is ImportState.BEGUN

    report = await bring(house, ada, *records)

    assert (report.brought, report.import_id) == (4, begun.id)
    (done,) = (await house.interchange.imports.page(ada, Cut.of(10, None))).nodes
    assert (done.state, done.brought) == (ImportState.DONE, 6)


async def test_undoing_takes_back_what_was_brought_and_nothing_else(
    house: Living, ada: str, solaris: int, episodes: list[int]
) -> None:
    await house.sync.record_progress(ada, solaris, Position(400))
    await house.sync.react(ada, episodes[0], Verdict.LIKE, None)
    before = await state(house, ada)
    report = await bring(
        house,
        ada,
        watched(SOLARIS, "2020-05-01T20:00:00Z"),
        watched(SOLARIS, "2026-03-02T02:00:00Z"),
        listed(SOLARIS, "2018-01-01T00:00:00Z"),
        episode(1, 1, "2020-05-01T20:00:00Z"),
    )
    assert report.import_id is not None
    assert len(await viewings(house.database, ada, solaris)) == 3

    undone = await house.interchange.undo(ada, report.import_id)

    assert (undone.state, undone.brought, undone.left) == (ImportState.UNDONE, 4, 0)
    assert await state(house, ada) == before
    assert (await house.kinds(ada)).count("viewing_withdrawn") == 3
    assert (await house.interchange.undo(ada, report.import_id)).state is ImportState.UNDONE


async def test_undoing_leaves_what_was_changed_since(house: Living, ada: str, solaris: int) -> None:
    report = await bring(
        house,
        ada,
        rated(SOLARIS, 9, "2020-05-02T00:00:00Z"),
        listed(SOLARIS, "2018-01-01T00:00:00Z") | {"notes": "with Bob"},
        {"progress": 40.0, "paused_at": "2021-01-01T00:00:00Z", "type": "movie", "movie": SOLARIS},
    )
    assert report.import_id is not None
    await house.sync.record_progress(ada, solaris, Position(500))
    await house.sync.react(ada, solaris, None, 1.0)
    await house.sync.mark(ada, solaris, {MarkKind.NOTE: "alone"})
    await house.sync.move_on_watchlist(ada, solaris, "k")

    undone = await house.interchange.undo(ada, report.import_id)

    assert (undone.brought, undone.left) == (4, 4)
    (kept,) = await viewings(house.database, ada, solaris)
    assert kept.position_seconds == 500
    assert (await house.sync.store.reactions(ada, [solaris]))[solaris].stars == 1.0
    assert (await house.sync.store.marks(ada, [solaris]))[solaris].note == "alone"
    assert list(await house.sync.store.entries(ada, [solaris])) == [solaris]


async def test_undoing_stars_brings_back_those_of_before(house: Living, ada: str, solaris: int) -> None:
    await house.sync.react(ada, solaris, None, 2.0)
    house.clock.turn(86_400)
    report = await bring(house, ada, rated(SOLARIS, 9, "2026-03-02T10:00:00Z"))
    assert report.import_id is not None

    await house.interchange.undo(ada, report.import_id)

    assert (await house.sync.store.reactions(ada, [solaris]))[solaris].stars == 2.0


async def test_what_was_undone_can_be_brought_again(house: Living, ada: str, solaris: int) -> None:
    records = (
        watched(SOLARIS, "2020-05-01T20:00:00Z"),
        rated(SOLARIS, 9, "2020-05-02T00:00:00Z"),
        listed(SOLARIS, "2018-01-01T00:00:00Z"),
    )
    for _ in range(2):
        report = await bring(house, ada, *records)
        assert report.brought == 3
        assert report.import_id is not None
        await house.interchange.undo(ada, report.import_id)

    report = await bring(house, ada, *records)

    assert report.brought == 3
    assert (await bring(house, ada, *records)).brought == 0


async def test_what_the_viewer_took_off_the_list_stays_off(house: Living, ada: str, solaris: int) -> None:
    await bring(house, ada, listed(SOLARIS, "2018-01-01T00:00:00Z"))
    await house.sync.remove_from_watchlist(ada, solaris)

    again = await bring(house, ada, listed(SOLARIS, "2018-01-01T00:00:00Z"))
    later = await bring(house, ada, listed(SOLARIS, "2026-02-01T00:00:00Z"))

    assert fates(again) == {(ItemKind.LISTING, Fate.REMOVED_HERE): 1}
    assert fates(later) == {(ItemKind.LISTING, Fate.NEW): 1}


async def test_what_the_viewer_had_forgotten_is_not_brought_back(
    house: Living, ada: str, solaris: int
) -> None:
    house.clock.turn(1)
    await house.forgetting.forget(ada, solaris)

    report = await bring(
        house,
        ada,
        watched(SOLARIS, "2020-05-01T20:00:00Z"),
        rated(SOLARIS, 9, "2020-05-02T00:00:00Z"),
    )

    assert fates(report) == {
        (ItemKind.VIEWING, Fate.REMOVED_HERE): 1,
        (ItemKind.OPINION, Fate.NEW): 1,
    }
    assert await viewings(house.database, ada, solaris) == []


async def test_more_entries_of_a_title_than_a_life_has_are_refused(
    house: Living, ada: str, solaris: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_OF_TITLE", 2)

    report = await bring(house, ada, *(watched(SOLARIS, f"202{n}-05-01T20:00:00Z") for n in range(4)))

    assert report.brought == 2
    assert [(problem.where, problem.trouble) for problem in report.problems] == [
        ("trakt.json[2]", Trouble.REFUSED),
        ("trakt.json[3]", Trouble.REFUSED),
    ]


async def test_the_import_of_somebody_else_does_not_exist(house: Living, ada: str, solaris: int) -> None:
    report = await bring(house, ada, watched(SOLARIS, "2020-05-01T20:00:00Z"))
    assert report.import_id is not None
    bob = await house.account()

    assert await refusal(house.interchange.undo(bob, report.import_id)) is UserErrorCode.NOT_FOUND
    assert len(await viewings(house.database, ada, solaris)) == 1


HEADER = "Date,Name,Year,Letterboxd URI"
FILES = {
    "letterboxd": (
        (
            "diary.csv",
            f"{HEADER},Rating,Rewatch,Tags,Watched Date\n2021-02-04,Solaris,1972,u,4.5,,,2021-02-04",
        ),
        ("watchlist.csv", f"{HEADER}\n2020-01-03,Mirror,1975,u"),
    ),
    "simkl": (
        (
            "SimklBackup.json",
            orjson.dumps(
                {
                    "movies": [
                        {
                            "last_watched_at": "2021-05-06T07:08:09Z",
                            "user_rating": 9,
                            "status": "completed",
                            "movie": SOLARIS,
                        },
                        {
                            "status": "plantowatch",
                            "added_to_watchlist_at": "2020-01-03T00:00:00Z",
                            "movie": {"title": "Mirror", "year": 1975, "ids": {}},
                        },
                    ]
                }
            ).decode(),
        ),
    ),
    "netflix": (("NetflixViewingHistory.csv", 'Title,Date\n"Solaris","2/25/21"\n"Mirror","2/26/21"'),),
    "trakt": (
        ("history.json", orjson.dumps([watched(SOLARIS, "2020-05-01T20:00:00Z")]).decode()),
        (
            "watchlist.json",
            orjson.dumps(
                [listed({"title": "Mirror", "year": 1975, "ids": {}}, "2020-01-03T00:00:00Z")]
            ).decode(),
        ),
    ),
}


@pytest.mark.parametrize("source", FILES)
async def test_every_service_is_tried_out_brought_and_taken_back(
    house: Living, ada: str, database: Database, source: str
) -> None:
    for title, year in (("Solaris", 1972), ("Mirror", 1975)):
        film = await add_movie(database, title, year=year, runtime_seconds=1000)
        if title == "Solaris":
            await add_external_id(database, film, "imdb", "tt0069293")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in FILES[source]:
            archive.writestr(name, text)
    empty = await state(house, ada)

    dry = await house.interchange.bring(ada, "export.zip", packed.getvalue(), dry=True)
    assert (await state(house, ada), dry.import_id) == (empty, None)

    report = await house.interchange.bring(ada, "export.zip", packed.getvalue())
    assert report.file.source.value.lower() == source
    assert (report.problems, fates(report)) == ([], fates(dry))
    assert report.brought >= 2
    assert await state(house, ada) != empty
    assert (await house.interchange.bring(ada, "export.zip", packed.getvalue())).brought == 0

    assert report.import_id is not None
    undone = await house.interchange.undo(ada, report.import_id)
    assert (undone.brought, undone.left) == (report.brought, 0)
    assert await viewings(database, ada, film) == []
    assert (await house.sync.store.watchlist(ada, WatchlistOrder.MANUAL, Cut.of(9, None))).nodes == []
