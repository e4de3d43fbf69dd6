"""Forgetting what was watched of a title, and histories that are kept for some days, over a real database."""

from datetime import timedelta

import pytest

from domain.platform.errors import UserErrorCode
from domain.platform.postgres import Database
from domain.playback.model import PlaybackState
from domain.sync.history import MOST_DAYS
from domain.sync.model import Device, Mark, MarkKind, Reaction, Verdict
from domain.sync.operations import Operation, Position, Watched
from domain.sync.postgres_retention import PostgresAttic
from domain.sync.push import OperationFate
from domain.sync.retention import KEEP_NOTED
from tests.accounts import new_id
from tests.catalogue import add_movie, add_series, parts_of
from tests.domain.playback.conftest import DURATION
from tests.states import keep, viewings
from tests.viewers import Living, refusal


async def watch_twice(house: Living, account: str, content: int) -> None:
    for seconds in (DURATION, 300):
        await house.sync.record_progress(account, content, Position(seconds))
        house.clock.turn(1)


async def pushed(house: Living, device: Device, content: int, seconds: float) -> OperationFate:
    """What becomes of a position that the device tells now, of so many seconds from now on."""
    queue = [Operation(new_id(), Watched(content, Position(400), 1), house.version(seconds))]
    return (await house.pushing.push(house.accounts[0], device.id, queue))[0].fate


async def rows_about(database: Database, content: int) -> dict[str, int]:
    """How many rows of each table of state name the title."""
    tables = ("progress", "playback_session", "sync_conflict", "reaction", "title_mark", "watchlist_tag")
    return {
        table: await database.value(f"SELECT count(*) FROM {table} WHERE content_id = $1", content)
        for table in tables
    }


# One title


async def test_everything_watched_of_a_title_is_forgotten_and_the_rest_stays(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    bob, other = await house.account(), await add_movie(house.database, runtime_seconds=DURATION)
    for account, content in ((ada, movie), (bob, movie), (ada, other)):
        await watch_twice(house, account, content)
    await house.playback.start(ada, movie, tv.id)
    await pushed(house, tv, movie, -30.0)  # lost, so a conflict is noted
    at = house.clock.now()
    await keep(
        house.database,
        ada,
        Reaction(movie, Verdict.LIKE, None, house.version(), at),
        Mark(movie, MarkKind.NOTE, "With Kris", house.version(), at),
    )
    await house.sync.add_to_watchlist(ada, movie)

    forgotten = await house.forgetting.forget(ada, movie)

    assert forgotten == 2
    assert await viewings(house.database, ada, movie) == []
    assert len(await viewings(house.database, bob, movie)) == 2
    assert len(await viewings(house.database, ada, other)) == 2
    assert await rows_about(house.database, movie) == {
        "progress": 2,
        "playback_session": 0,
        "sync_conflict": 0,
        "reaction": 1,
        "title_mark": 1,
        "watchlist_tag": 1,
    }
    assert (await house.kinds(ada))[-3:] == ["playback", "viewing_withdrawn", "viewing_withdrawn"]


async def test_what_plays_is_stopped_and_its_player_can_say_no_more(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    session = await house.playback.start(ada, movie, tv.id)

    await house.forgetting.forget(ada, movie)

    rows = await house.database.rows(
        "SELECT payload FROM change WHERE account_id = $1 AND kind = 'playback' ORDER BY seq", ada
    )
    assert rows[-1][0]["state"] == PlaybackState.STOPPED
    assert await house.playback.store.by_ids(ada, [session.id]) == {}


async def test_what_a_device_tells_late_is_not_kept_and_what_it_does_later_is(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    await watch_twice(house, ada, movie)
    await house.forgetting.forget(ada, movie)
    house.clock.turn(60)

    late = await pushed(house, tv, movie, -70.0)
    assert await viewings(house.database, ada, movie) == []
    since = await pushed(house, tv, movie, -10.0)

    assert (late, since) == (OperationFate.FORGOTTEN, OperationFate.APPLIED)
    assert [known.position_seconds for known in await viewings(house.database, ada, movie)] == [400]


async def test_a_title_begins_anew_right_after_it_was_forgotten(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    ahead = house.version(30.0)
    queue = [Operation(new_id(), Watched(movie, Position(DURATION), 1), ahead)]
    await house.pushing.push(ada, tv.id, queue)
    await house.forgetting.forget(ada, movie)

    progress = await house.sync.record_progress(ada, movie, Position(100))

    assert progress is not None
    assert (progress.viewing, progress.position_seconds) == (1, 100)
    session = await house.playback.start(ada, movie, tv.id)
    assert session.position_seconds == progress.resume_seconds


async def test_a_series_is_forgotten_with_its_episodes(house: Living, ada: str, tv: Device) -> None:
    series = await add_series(house.database, seasons=(2, 2))
    seasons = await parts_of(house.database, series)
    episodes = [part for season in seasons for part in await parts_of(house.database, season)]
    for episode in episodes[:3]:
        await house.sync.record_progress(ada, episode, Position(100, DURATION))

    forgotten = await house.forgetting.forget(ada, series)

    assert forgotten == 3
    assert [await viewings(house.database, ada, episode) for episode in episodes] == [[]] * 4
    house.clock.turn(60)
    late = Operation(new_id(), Watched(episodes[3], Position(400, DURATION), 1), house.version(-70.0))
    assert [each.fate for each in await house.pushing.push(ada, tv.id, [late])] == [OperationFate.FORGOTTEN]


async def test_that_a_title_was_forgotten_is_forgotten_after_90_days(
    house: Living, ada: str, movie: int
) -> None:
    await house.forgetting.forget(ada, movie)
    await house.forgetting.forget(ada, movie)
    assert await house.database.value("SELECT count(*) FROM forgotten_title") == 1

    await house.database.execute(
        "UPDATE forgotten_title SET forgotten_at = forgotten_at - $1::interval", KEEP_NOTED
    )
    await PostgresAttic(house.database).forget_noted(house.clock.now(), 100)

    assert await house.database.value("SELECT count(*) FROM forgotten_title") == 0


async def test_a_title_that_does_not_exist_is_refused(house: Living, ada: str) -> None:
    rows = await house.written()

    assert await refusal(house.forgetting.forget(ada, 987_654)) is UserErrorCode.NOT_FOUND
    assert await house.written() == rows


# For so many days


async def test_what_was_watched_longer_ago_than_the_account_wants_is_withdrawn(
    house: Living, ada: str, movie: int
) -> None:
    bob = await house.account()
    recent = await add_movie(house.database, runtime_seconds=DURATION)
    for account in (ada, bob):
        await watch_twice(house, account, movie)
    await house.history.keep(ada, 30)
    house.clock.turn(timedelta(days=31).total_seconds())
    await house.sync.record_progress(ada, recent, Position(100))

    withdrawn = await house.history.forget()

    assert withdrawn == 2
    assert await viewings(house.database, ada, movie) == []
    assert len(await viewings(house.database, ada, recent)) == 1
    assert len(await viewings(house.database, bob, movie)) == 2
    assert (await house.kinds(ada))[-2:] == ["viewing_withdrawn"] * 2
    assert await house.history.forget() == 0


async def test_what_was_finished_long_ago_and_told_today_goes_by_when_it_was_finished(
    house: Living, ada: str, tv: Device, movie: int
) -> None:
    await house.history.keep(ada, 30)
    days = -timedelta(days=31).total_seconds()
    queue = [Operation(new_id(), Watched(movie, Position(DURATION), 1), house.version(days))]
    await house.pushing.push(ada, tv.id, queue)

    assert await house.history.forget() == 1


async def test_sessions_go_with_the_history(house: Living, ada: str, tv: Device, movie: int) -> None:
    for _ in range(2):
        await house.playback.start(ada, movie, tv.id)
        house.clock.turn(timedelta(days=20).total_seconds())
    await house.history.keep(ada, 30)
    assert await house.playback.forget_ended() == 0
    house.clock.turn(timedelta(days=11).total_seconds())

    assert await house.playback.forget_ended() == 1

    left = await house.playback.store.of_account(ada, active=None, limit=9)
    assert [session.active for session in left] == [True]


async def test_a_limit_is_taken_away_again(house: Living, ada: str, movie: int) -> None:
    await watch_twice(house, ada, movie)
    await house.history.keep(ada, 1)
    await house.history.keep(ada, 2)
    assert await house.history.limits.days(ada) == 2

    await house.history.keep(ada, None)

    assert await house.history.limits.days(ada) is None
    house.clock.turn(timedelta(days=3_000).total_seconds())
    assert await house.history.forget() == 0


@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1])
async def test_a_limit_that_is_none_is_refused(house: Living, ada: str, days: int) -> None:
    assert await refusal(house.history.keep(ada, days)) is UserErrorCode.INVALID
    assert await house.history.limits.days(ada) is None
