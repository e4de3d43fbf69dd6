"""What the log has dropped, and devices that were away for longer, over a real database."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.platform.errors import BadInput
from domain.platform.postgres import Database
from domain.sync.abandoned import Abandoned, Left
from domain.sync.commands import Command
from domain.sync.journal import CATCH_UP_PAGE, CatchUp, Snapshot
from domain.sync.model import Change, ChangeKind, MarkKind, Verdict
from domain.sync.operations import Act, Added, Operation, Origin, Position, Reacted, Removed
from domain.sync.postgres_retention import PostgresAttic, PostgresUnfinished
from domain.sync.postgres_snapshot import PostgresSnapshots
from domain.sync.retention import KEEP_COMMANDS, KEEP_NOTED, Retention
from tests.accounts import new_id
from tests.catalogue import add_movie
from tests.states import viewings
from tests.viewers import Living, living

DURATION = 1000
KEEP = timedelta(days=30)
BEGAN, ENDED = ChangeKind.SNAPSHOT_BEGAN, ChangeKind.SNAPSHOT_ENDED

over_one_database = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def movie(database: Database) -> int:
    return await add_movie(database, runtime_seconds=DURATION)


@pytest.fixture
def snapshots(house: Living) -> CatchUp:
    return PostgresSnapshots(house.database, house.playback.store.playing)  # type: ignore[attr-defined]


async def forget(house: Living) -> int:
    return await Retention(PostgresAttic(house.database), KEEP, house.clock.now).run()


async def age(house: Living, table: str, column: str, days: float) -> None:
    """As if all of a table had been written so long before the clock of the test."""
    at = house.clock.now() - timedelta(days=days)
    await house.database.execute(f"UPDATE {table} SET {column} = $1", at)


async def drop_log(house: Living, through: int) -> None:
    await house.database.execute("DELETE FROM change WHERE seq <= $1", through)


async def told(changes: AsyncGenerator[Change, None], until: int) -> list[Change]:
    """What is followed up to the change of this number, which stands behind any snapshot."""
    found: list[Change] = []
    async with aclosing(changes):
        async for change in changes:
            found.append(change)
            if change.seq >= until and change.kind is not BEGAN:
                break
    return found


async def fill(house: Living, account: str, movie: int) -> None:
    phone = await house.device(account)
    await house.sync.record_progress(account, movie, Position(990))
    await house.sync.record_progress(account, movie, Position(100))
    await house.sync.add_to_watchlist(account, movie)
    await house.sync.react(account, movie, Verdict.LIKE, None)
    await house.sync.mark(account, movie, {MarkKind.NOTE: "Soon"})
    await house.playback.start(account, movie, phone.id)


async def test_old_changes_go_and_young_ones_stay(house: Living, ada: str, movie: int) -> None:
    await fill(house, ada, movie)
    await age(house, "change", "created_at", 31)
    await house.database.execute(
        "UPDATE change SET created_at = $1 WHERE seq = 7", house.clock.now() - timedelta(days=29)
    )

    assert await forget(house) == 6
    assert await forget(house) == 0
    assert [change.seq for change in await house.journal.log.since(ada, 0, 10)] == [7]
    assert await house.journal.log.latest(ada) == 7


async def test_who_the_log_left_behind_gets_the_state_and_then_what_changes(
    house: Living, ada: str, movie: int, snapshots: CatchUp
) -> None:
    await fill(house, ada, movie)
    await drop_log(house, 4)
    latest = await house.journal.log.latest(ada)

    found = await told(house.journal.follow(ada, 2, snapshots), latest)

    assert [change.kind.value for change in found] == [
        "snapshot_began",
        "device",
        "progress",
        "progress",
        "watchlist",
        "reaction",
        "marks",
        "playback",
        "snapshot_ended",
    ]
    assert [change.seq for change in found] == [2] * 8 + [latest]
    viewings = [(change.payload["viewing"], change.payload["completed"]) for change in found[2:4]]
    assert sorted(viewings) == [(1, True), (2, False)]
    follower = house.journal.follow(ada, found[-1].seq, snapshots)
    await house.sync.record_progress(ada, movie, Position(200))
    assert [change.seq for change in await told(follower, latest + 1)] == [latest + 1]


async def test_who_has_seen_what_was_dropped_misses_nothing(
    house: Living, ada: str, movie: int, snapshots: CatchUp
) -> None:
    await fill(house, ada, movie)
    await drop_log(house, 4)

    found = await told(house.journal.follow(ada, 4, snapshots), 7)

    assert [change.seq for change in found] == [5, 6, 7]


async def test_an_entry_that_is_missing_in_the_middle_is_not_passed_over(
    house: Living, ada: str, movie: int, snapshots: CatchUp
) -> None:
    await fill(house, ada, movie)
    await house.database.execute("DELETE FROM change WHERE seq = 4")

    found = await told(house.journal.follow(ada, 2, snapshots), 7)

    assert [change.seq for change in found[:2]] == [3, 3]
    assert [found[1].kind, found[-1].kind] == [BEGAN, ENDED]


async def test_a_log_that_is_wholly_gone_is_made_up_for(
    house: Living, ada: str, movie: int, snapshots: CatchUp
) -> None:
    await fill(house, ada, movie)
    await drop_log(house, 100)

    found = await told(house.journal.follow(ada, 3, snapshots), 7)

    assert [found[0].kind, found[-1].kind, found[-1].seq] == [BEGAN, ENDED, 7]


async def test_a_new_device_can_begin_with_the_state(
    house: Living, ada: str, movie: int, snapshots: CatchUp
) -> None:
    await fill(house, ada, movie)

    found = await told(house.journal.follow(ada, 0, snapshots, anew=True), 7)

    assert [found[0].kind, found[-1].kind, found[-1].seq] == [BEGAN, ENDED, 7]
    assert len(found) == 9


async def test_an_account_without_anything_has_an_empty_state(
    house: Living, ada: str, snapshots: CatchUp
) -> None:
    found = await told(house.journal.follow(ada, 0, snapshots, anew=True), 0)

    assert [change.kind for change in found] == [BEGAN, ENDED]


async def test_without_a_state_to_begin_with_an_old_cursor_is_refused(
    house: Living, ada: str, movie: int
) -> None:
    await fill(house, ada, movie)
    await drop_log(house, 4)

    with pytest.raises(BadInput, match="older than the log") as caught:
        await told(house.journal.follow(ada, 2), 7)

    assert caught.value.extensions["reason"] == "CURSOR_EXPIRED"


async def test_who_needs_nothing_of_the_past_goes_on_with_what_is_left(
    house: Living, ada: str, movie: int
) -> None:
    await fill(house, ada, movie)
    await drop_log(house, 4)
    assert [change.seq for change in await told(house.journal.follow(ada, 1, house.journal.skip), 7)] == [
        5,
        6,
        7,
    ]
    await drop_log(house, 7)

    follower = house.journal.follow(ada, 1, house.journal.skip)
    await house.sync.record_progress(ada, movie, Position(200))

    assert [change.seq for change in await told(follower, 8)] == [8]


async def test_a_snapshot_is_of_one_moment(house: Living, ada: str, movie: int) -> None:
    await fill(house, ada, movie)

    async def write_meanwhile(_account: str) -> list[tuple[ChangeKind, dict[str, object]]]:
        await writer.sync.react(ada, movie, Verdict.DISLIKE, None)
        rows = await house.database.rows("SELECT verdict FROM reaction")
        seen.append(rows[0][0])
        return []

    seen: list[str] = []
    async with Database.open(await _url(house)) as elsewhere:
        writer = living(elsewhere)
        snapshot = await PostgresSnapshots(house.database, write_meanwhile)(ada, 0)

    assert seen == ["like"]
    assert snapshot.seq == 7
    assert await house.journal.log.latest(ada) == 8


async def _url(house: Living) -> str:
    row = await house.database.row(
        "SELECT current_setting('unix_socket_directories'), current_setting('port'), current_database()"
    )
    assert row is not None
    return f"postgresql://postgres@/{row[2]}?host={row[0]}&port={row[1]}"


async def test_a_snapshot_in_which_nothing_is_left_out_is_what_the_log_would_have_told(
    house: Living, ada: str, snapshots: CatchUp
) -> None:
    movies = [await add_movie(house.database, f"Film {n}", runtime_seconds=DURATION) for n in range(30)]
    for movie in movies:
        await house.sync.record_progress(ada, movie, Position(100))
        await house.sync.add_to_watchlist(ada, movie)
    for movie in movies[::3]:
        await house.sync.remove_from_watchlist(ada, movie)

    by_log = state(await told(house.journal.follow(ada, 0, snapshots), 70))
    by_snapshot = state((await snapshots(ada, 0)).changes)

    assert by_snapshot == by_log
    assert len(by_log) == 50


def state(changes: object) -> dict[tuple[str, int, int], object]:
    """What a device has that was told these changes."""
    kept: dict[tuple[str, int, int], object] = {}
    for change in changes:  # type: ignore[attr-defined]
        if change.kind in {BEGAN, ENDED}:
            continue
        key = (change.kind.value, change.payload["content"], change.payload.get("viewing", 0))
        kept[key] = change.payload
        if change.kind is ChangeKind.WATCHLIST and change.payload["entry"] is None:
            del kept[key]
    return kept


@over_one_database
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=12),
    st.lists(st.integers(0, 12), max_size=3),
    st.integers(0, 12),
)
async def test_a_device_ends_with_the_state_wherever_it_was_and_whatever_was_dropped(
    database: Database, acts: list[int], dropped: list[int], after: int
) -> None:
    house = living(database)
    account = await house.account()
    movies = [await add_movie(database, f"Film {new_id()}", runtime_seconds=DURATION) for _ in range(2)]
    for place, act in enumerate(acts):
        movie = movies[act % 2]
        if act < 2:
            await house.sync.record_progress(account, movie, Position(place + 1))
        elif movie in await house.sync.store.entries(account, [movie]):
            await house.sync.remove_from_watchlist(account, movie)
        else:
            await house.sync.add_to_watchlist(account, movie)
    latest = await house.journal.log.latest(account)
    seen = min(after, latest)
    mine = state(await house.journal.log.since(account, 0, seen)) if seen else {}
    await database.execute(
        "DELETE FROM change WHERE account_id = $1 AND seq = ANY($2::bigint[])", account, dropped
    )
    snapshots = PostgresSnapshots(database)

    if seen < latest:
        for change in await told(house.journal.follow(account, seen, snapshots), latest):
            if change.kind is BEGAN:
                mine = {}
            elif change.kind is not ENDED:
                key = next(iter(state([change])), None)
                gone = (change.kind.value, change.payload["content"], 0)
                mine.pop(gone, None) if key is None else mine.update({key: change.payload})

    assert mine == state((await snapshots(account, 0)).changes)


async def test_conflicts_operations_and_removals_go_after_ninety_days(
    house: Living, ada: str, movie: int
) -> None:
    tv, phone = await house.device(ada, "TV"), await house.device(ada)
    await house.sync.react(ada, movie, Verdict.LIKE, None, Origin(tv.id, house.version(-1, tv.id)))
    acts: list[Act] = [Reacted(movie, None, 3.0), Added(movie, new_id()), Removed(movie, None)]
    queue = [Operation(new_id(), act, house.version(-9 + n)) for n, act in enumerate(acts)]
    await house.pushing.push(ada, phone.id, queue)
    await house.sync.add_to_watchlist(ada, movie, new_id())
    await house.sync.remove_from_watchlist(ada, movie)

    for table, column in (
        ("sync_operation", "done_at"),
        ("sync_conflict", "noted_at"),
        ("watchlist_tag", "removed_at"),
    ):
        await age(house, table, column, KEEP_NOTED.days - 1)
    young = await forget(house)
    for table, column in (
        ("sync_operation", "done_at"),
        ("sync_conflict", "noted_at"),
        ("watchlist_tag", "removed_at"),
    ):
        await age(house, table, column, KEEP_NOTED.days + 1)

    assert young == 0
    assert await forget(house) == 5  # three operations, a conflict, and the removal that is no device's
    assert await house.database.value("SELECT added_by FROM watchlist_tag") == phone.id


async def test_the_removals_of_a_device_that_was_removed_go_too(house: Living, ada: str, movie: int) -> None:
    phone = await house.device(ada)
    acts: list[Act] = [Added(movie, new_id()), Removed(movie, None)]
    queue = [Operation(new_id(), act, house.version(-9 + n)) for n, act in enumerate(acts)]
    await house.pushing.push(ada, phone.id, queue)
    await age(house, "watchlist_tag", "removed_at", KEEP_NOTED.days + 1)
    assert await forget(house) == 0

    await house.devices.remove(ada, phone.id)

    assert await forget(house) == 1


async def test_commands_go_a_day_after_they_lapsed(house: Living, ada: str) -> None:
    tv = await house.device(ada, "TV")
    await house.commands.send(ada, tv.id, Command("play", {}))
    assert await forget(house) == 0

    await age(house, "device_command", "expires_at", KEEP_COMMANDS.days + 0.1)

    assert await forget(house) == 1


async def test_more_than_a_page_is_caught_up_with(house: Living, ada: str, snapshots: CatchUp) -> None:
    async with house.journal.writing(ada) as writing:
        for number in range(CATCH_UP_PAGE * 2 + 1):
            writing.record(ChangeKind.PROGRESS, {"n": number})

    found = await told(house.journal.follow(ada, 0, snapshots), CATCH_UP_PAGE * 2 + 1)

    assert [change.seq for change in found] == list(range(1, CATCH_UP_PAGE * 2 + 2))


async def test_a_state_that_is_older_than_what_was_seen_takes_nothing_back(
    house: Living, ada: str, movie: int
) -> None:
    await fill(house, ada, movie)
    await drop_log(house, 6)

    async def stale(account_id: str, seen: int) -> Snapshot:
        del account_id, seen
        return Snapshot(6, ())

    assert [change.seq for change in await told(house.journal.follow(ada, 2, stale), 7)] == [7]


# What was begun and never finished


async def forget_unfinished(house: Living) -> int:
    return await Abandoned(PostgresUnfinished(house.database), house.sync, house.clock.now).forget()


async def test_what_nobody_went_on_with_for_180_days_is_withdrawn_and_told(
    house: Living, ada: str, movie: int
) -> None:
    finished, recent = [await add_movie(house.database, runtime_seconds=DURATION) for _ in range(2)]
    bob = await house.account()
    for account in (ada, bob):
        await house.sync.record_progress(account, movie, Position(100))
    await house.sync.record_progress(ada, finished, Position(DURATION))
    await age(house, "progress", "updated_at", 180.5)
    await house.sync.record_progress(ada, recent, Position(100))

    forgotten = await forget_unfinished(house)

    assert forgotten == 2
    assert await viewings(house.database, bob, movie) == []
    assert [await viewings(house.database, ada, title) for title in (movie,)] == [[]]
    assert len(await viewings(house.database, ada, finished)) == 1
    assert len(await viewings(house.database, ada, recent)) == 1
    assert await house.kinds(bob) == ["progress", "viewing_withdrawn"]
    assert await forget_unfinished(house) == 0


async def test_a_viewing_that_somebody_goes_on_with_meanwhile_stays(
    house: Living, ada: str, movie: int
) -> None:
    await house.sync.record_progress(ada, movie, Position(100))
    await age(house, "progress", "updated_at", 181)

    async def overtaken(before: datetime, limit: int) -> Sequence[Left]:
        found = await PostgresUnfinished(house.database)(before, limit)
        house.clock.turn(1)
        await house.sync.record_progress(ada, movie, Position(200))
        return found

    forgotten = await Abandoned(overtaken, house.sync, house.clock.now).forget()

    assert forgotten == 0
    assert [progress.position_seconds for progress in await viewings(house.database, ada, movie)] == [200]


async def test_a_rewatch_that_was_left_leaves_the_viewing_before_it(
    house: Living, ada: str, movie: int
) -> None:
    await house.sync.record_progress(ada, movie, Position(DURATION))
    house.clock.turn(1)
    await house.sync.record_progress(ada, movie, Position(100))
    await age(house, "progress", "updated_at", 181)

    await forget_unfinished(house)

    assert [(p.viewing, p.completed) for p in await viewings(house.database, ada, movie)] == [(1, True)]
