"""The queue of a device, merged at once, over a real database."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from domain.platform.errors import UserErrorCode
from domain.platform.paging import Cut
from domain.platform.postgres import Database
from domain.sync.clock import Timestamp
from domain.sync.model import ConflictKind, Device, MarkKind, Verdict
from domain.sync.operations import (
    MAX_NOTE,
    Act,
    Added,
    Marked,
    Operation,
    Origin,
    Position,
    Reacted,
    Removed,
    Watched,
)
from domain.sync.push import MAX_OPERATIONS, OperationFate, Outcome
from domain.sync.service import CONFLICT, WatchlistOrder
from tests.accounts import new_id
from tests.catalogue import add_movie, add_series
from tests.servers import StatementCounter
from tests.states import viewings
from tests.viewers import Living, living, refusal

DURATION = 1000
APPLIED, SUPERSEDED, REPEATED, _, REFUSED = OperationFate

over_one_database = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def movie(database: Database) -> int:
    return await add_movie(database, runtime_seconds=DURATION)


@pytest.fixture
async def phone(house: Living, ada: str) -> Device:
    return await house.device(ada)


def operation(
    house: Living, act: Act, seconds: float = -10.0, *, base: Timestamp | None = None, counter: int = 0
) -> Operation:
    return Operation(new_id(), act, house.version(seconds, "whatever", counter), base)


async def push(house: Living, device: Device, *operations: Operation) -> list[Outcome]:
    return await house.pushing.push(house.accounts[0], device.id, operations)


def fates(outcomes: list[Outcome]) -> list[OperationFate]:
    return [outcome.fate for outcome in outcomes]


async def tombstones(database: Database) -> int:
    found: int = await database.value("SELECT count(*) FROM watchlist_tag WHERE removed")
    return found


async def test_a_queue_becomes_part_of_the_state(house: Living, ada: str, phone: Device, movie: int) -> None:
    other = await add_movie(house.database, "Stalker")
    tag = new_id()
    queue = [
        operation(house, Watched(movie, Position(300))),
        operation(house, Reacted(movie, Verdict.LIKE, 4.5)),
        operation(house, Added(movie, tag)),
        operation(house, Added(other, new_id())),
        operation(house, Removed(other, None)),
        operation(house, Marked(movie, MarkKind.NOTE, " with Ada ")),
        operation(house, Marked(movie, MarkKind.PLACE, "k")),
        operation(house, Marked(other, MarkKind.HIDDEN, value=True)),
    ]

    outcomes = await push(house, phone, *queue)

    assert [outcome.operation_id for outcome in outcomes] == [each.id for each in queue]
    assert fates(outcomes) == [APPLIED] * len(queue)
    store = house.sync.store
    progress = (await store.progress(ada, [movie]))[movie]
    assert (progress.position_seconds, progress.device_id) == (300, phone.id)
    assert progress.version == Timestamp(queue[0].version.clock, phone.id)
    assert (await store.reactions(ada, [movie]))[movie].stars == 4.5
    entries = await store.entries(ada, [movie, other])
    assert [(entry.tags, entry.place, entry.device_id) for entry in entries.values()] == [
        ((tag,), "k", phone.id)
    ]
    marks = await store.marks(ada, [movie, other])
    assert (marks[movie].note, marks[other].hidden) == ("with Ada", True)


async def test_a_queue_is_told_in_one_write_of_the_log(
    house: Living, ada: str, phone: Device, movie: int
) -> None:
    moves = [operation(house, Watched(movie, Position(n)), -20 + n) for n in range(10)]

    await push(house, phone, *moves, operation(house, Reacted(movie, Verdict.LIKE, None)))

    assert await house.kinds(ada) == ["device", "progress", "reaction"]
    last = (await house.journal.log.since(ada, 1, 1))[0]
    assert last.payload["position"] == 9


async def test_a_queue_sent_again_is_not_done_again(
    house: Living, ada: str, phone: Device, movie: int
) -> None:
    queue = [
        operation(house, Watched(movie, Position(300))),
        operation(house, Added(movie, new_id())),
        operation(house, Removed(movie, None)),
    ]
    await push(house, phone, *queue)
    await house.sync.add_to_watchlist(ada, movie)
    rows = await house.written()

    outcomes = await push(house, phone, *queue, queue[0])

    assert fates(outcomes) == [REPEATED] * 4
    assert await house.written() == rows
    assert list(await house.sync.store.entries(ada, [movie])) == [movie]


async def test_what_is_refused_is_refused_alone_and_says_why(
    house: Living, ada: str, phone: Device, movie: int
) -> None:
    series = await add_series(house.database, seasons=[1])
    tag = new_id()
    queue = [
        operation(house, Watched(movie, Position(300))),
        operation(house, Watched(987_654, Position(300))),
        operation(house, Watched(series, Position(300))),
        operation(house, Watched(movie, Position(-1))),
        operation(house, Watched(movie, Position(1), 0)),
        operation(house, Watched(movie, Position(1)), 61),
        operation(house, Reacted(movie, None, 0.3)),
        operation(house, Marked(movie, MarkKind.NOTE, "x" * (MAX_NOTE + 1))),
        operation(house, Marked(movie, MarkKind.PLACE, "a0")),
        operation(house, Added(movie, "x")),
        operation(house, Removed(movie, ["x"])),
        operation(house, Added(movie, tag)),
        operation(house, Added(series, tag)),
        Operation("x", Added(movie, new_id()), house.version(-1)),
        operation(house, Reacted(movie, Verdict.LIKE, None)),
    ]

    outcomes = await push(house, phone, *queue)

    refused = [(o.user_errors[0].code.value, o.user_errors[0].field) for o in outcomes if o.fate is REFUSED]
    assert [index for index, fate in enumerate(fates(outcomes)) if fate is APPLIED] == [0, 11, 14]
    assert refused == [
        ("NOT_FOUND", ("contentId",)),
        ("INVALID", ("contentId",)),
        ("INVALID", ("positionSeconds",)),
        ("INVALID", ("viewing",)),
        ("CLOCK_AHEAD", ("version",)),
        ("INVALID", ("stars",)),
        ("INVALID", ("note",)),
        ("INVALID", ("place",)),
        ("INVALID", ("tag",)),
        ("INVALID", ("tags",)),
        ("CONFLICT", ("tag",)),
        ("INVALID", ("id",)),
    ]
    assert (await house.sync.store.reactions(ada, [movie]))[movie].verdict is Verdict.LIKE
    assert (await house.sync.store.progress(ada, [movie]))[movie].position_seconds == 300


async def test_what_was_refused_is_done_once_it_is_mended(house: Living, phone: Device, movie: int) -> None:
    ahead = operation(house, Watched(movie, Position(300)), 61)
    assert fates(await push(house, phone, ahead)) == [REFUSED]
    house.clock.turn(5)

    assert fates(await push(house, phone, ahead)) == [APPLIED]


async def test_a_queue_that_is_too_long_or_not_ones_own_does_nothing(
    house: Living, ada: str, phone: Device, movie: int
) -> None:
    foreign = await house.device(await house.account())
    many = [operation(house, Watched(movie, Position(1)))] * (MAX_OPERATIONS + 1)

    assert await refusal(push(house, phone, *many)) is UserErrorCode.LIMIT_REACHED
    assert await refusal(push(house, foreign, many[0])) is UserErrorCode.NOT_FOUND
    await house.devices.remove(ada, phone.id)
    rows = await house.written()
    assert await refusal(push(house, phone, many[0])) is UserErrorCode.NOT_FOUND
    assert await house.written() == rows


@pytest.mark.parametrize(("seconds", "ahead"), [(-3600.0, []), (5.0, []), (5.001, [5001]), (61.0, [61_000])])
async def test_who_runs_this_is_told_of_clocks_that_are_ahead(
    house: Living, phone: Device, movie: int, seconds: float, ahead: list[int]
) -> None:
    queue = [operation(house, Watched(movie, Position(1)), at) for at in (seconds, -7200.0)]

    with capture_logs() as logged:
        await push(house, phone, *queue)

    warnings = [line for line in logged if line["event"] == "push.clock_ahead"]
    assert [line["milliseconds"] for line in warnings] == ahead
    assert [line["device_id"] for line in warnings] == [phone.id] * len(ahead)


async def test_an_empty_queue_is_taken(house: Living, phone: Device) -> None:
    assert await push(house, phone) == []


async def test_a_late_write_is_superseded_and_the_viewer_can_read_why(
    house: Living, ada: str, phone: Device, movie: int
) -> None:
    tv = await house.device(ada, "TV")
    late, later = (
        operation(house, Watched(movie, Position(40)), -20),
        operation(house, Watched(movie, Position(900)), -10),
    )
    await push(house, tv, later)

    outcomes = await push(house, phone, late)
    await push(house, phone, late)

    assert fates(outcomes) == [SUPERSEDED]
    page = await house.sync.store.conflicts(ada, Cut())
    (conflict,) = page.nodes
    assert (conflict.kind, conflict.content_id, conflict.noted_at) == (
        ConflictKind.PROGRESS,
        movie,
        house.clock.now(),
    )
    assert (conflict.lost.device_id, conflict.lost.value["positionSeconds"]) == (phone.id, 40)
    assert (conflict.won.device_id, conflict.won.value["positionSeconds"]) == (tv.id, 900)
    assert await page.count() == 1
    assert [topic for topic, _, _ in await house.outbox()].count(CONFLICT) == 1


async def test_what_was_replaced_unseen_is_noted(house: Living, ada: str, phone: Device, movie: int) -> None:
    tv = await house.device(ada, "TV")
    base = (await house.sync.react(ada, movie, None, 3.0, Origin(version=house.version(-30)))).version
    await push(house, phone, operation(house, Reacted(movie, Verdict.LIKE, None), -20, base=base))

    outcomes = await push(house, tv, operation(house, Reacted(movie, Verdict.DISLIKE, None), -10, base=base))

    assert fates(outcomes) == [APPLIED]
    (conflict,) = (await house.sync.store.conflicts(ada, Cut())).nodes
    assert (conflict.lost.device_id, conflict.won.device_id) == (phone.id, tv.id)


async def test_a_viewing_that_is_named_is_written_to(
    house: Living, ada: str, phone: Device, movie: int
) -> None:
    queue = [
        operation(house, Watched(movie, Position(50), viewing=2), -10),
        operation(house, Watched(movie, Position(1000), viewing=1), -20),
    ]

    await push(house, phone, *queue)

    kept = await viewings(house.database, ada, movie)
    assert [(known.viewing, known.completed) for known in kept] == [(1, True), (2, False)]
    assert (await house.sync.store.progress(ada, [movie]))[movie].viewing == 2


async def test_a_settled_device_leaves_no_removals_behind_and_resurrects_nothing(
    house: Living, ada: str, phone: Device, movie: int
) -> None:
    other = await add_movie(house.database, "Stalker")
    tag, never = new_id(), new_id()
    add = operation(house, Added(movie, tag), -30)
    remove = operation(house, Removed(movie, [tag]), -20)
    orphan = operation(house, Removed(other, [never]), -19)
    await push(house, phone, add, remove, orphan)
    assert await tombstones(house.database) == 2

    await house.pushing.push(ada, phone.id, [], house.version(-10))
    gone = await tombstones(house.database)
    # As from a network that delivers late; the operation itself may be forgotten by then.
    await house.database.execute("TRUNCATE sync_operation")
    outcomes = await push(house, phone, add)

    assert gone == 0
    assert fates(outcomes) == [APPLIED]
    assert await house.sync.add_to_watchlist(ada, movie, tag, Origin(phone.id, add.version)) is None
    assert await house.sync.store.entries(ada, [movie]) == {}
    assert await tombstones(house.database) == 0


async def test_one_device_does_not_settle_for_another(
    house: Living, ada: str, phone: Device, movie: int
) -> None:
    tv = await house.device(ada, "TV")
    add = operation(house, Added(movie, new_id()), -30)
    await push(house, tv, add, operation(house, Removed(movie, None), -20))

    await house.pushing.push(ada, phone.id, [], house.version(-10))
    await house.database.execute("TRUNCATE sync_operation")

    assert await tombstones(house.database) == 1
    await push(house, tv, add)
    assert await house.sync.store.entries(ada, [movie]) == {}


async def test_a_removal_of_what_we_tagged_ourselves_leaves_nothing(
    house: Living, ada: str, movie: int
) -> None:
    await house.sync.add_to_watchlist(ada, movie)

    await house.sync.remove_from_watchlist(ada, movie)

    assert await house.database.value("SELECT count(*) FROM watchlist_tag") == 0


async def test_a_device_cannot_settle_what_it_still_sends(
    house: Living, ada: str, phone: Device, movie: int
) -> None:
    queue = [operation(house, Watched(movie, Position(300)), -10)]
    rows = await house.written()

    doing = house.pushing.push(ada, phone.id, queue, house.version(-10))

    assert await refusal(doing) is UserErrorCode.INVALID
    assert await house.written() == rows


async def test_a_mark_from_the_future_is_not_taken_and_the_queue_is(
    house: Living, ada: str, phone: Device, movie: int
) -> None:
    add = operation(house, Added(movie, new_id()), -30)
    await push(house, phone, add, operation(house, Removed(movie, None), -20))

    for seconds, kept in ((61, 1), (60, 0)):
        assert await house.pushing.push(ada, phone.id, [], house.version(seconds)) == []
        assert await tombstones(house.database) == kept


@pytest.mark.parametrize("count", [1, 250])
async def test_a_queue_takes_as_many_statements_however_long_it_is(
    house: Living, ada: str, phone: Device, movie: int, statements: StatementCounter, *, count: int
) -> None:
    movies = [await add_movie(house.database, f"Film {n}", runtime_seconds=DURATION) for n in range(20)]
    acts: list[Act] = []
    for index in range(count):
        title = movies[index % 20]
        acts += [
            Watched(title, Position(index)),
            Added(title, new_id()),
            Reacted(title, Verdict.LIKE, None),
            Marked(title, MarkKind.NOTE, f"{index}"),
        ]
    statements.clear()

    await push(house, phone, *(operation(house, act, counter=n) for n, act in enumerate(acts[:1000])))

    assert len(statements.seen) == 17


@over_one_database
@given(st.data())
async def test_a_queue_cut_anywhere_and_sent_again_gives_one_state(
    database: Database, data: st.DataObject
) -> None:
    house = living(database)
    ada = await house.account()
    phone = await house.device(ada)
    movies = [await add_movie(database, f"Film {uuid4()}", runtime_seconds=DURATION) for _ in range(2)]
    titles = st.sampled_from(movies)
    acts = data.draw(
        st.lists(
            st.one_of(
                st.builds(Watched, titles, st.builds(Position, st.integers(0, DURATION))),
                st.builds(Added, titles, st.builds(new_id)),
                st.builds(Removed, titles, st.none()),
                st.builds(Reacted, titles, st.sampled_from(Verdict), st.none()),
                st.builds(Marked, titles, st.just(MarkKind.NOTE), st.text("ab", max_size=2)),
            ),
            max_size=12,
        )
    )
    queue = [operation(house, act, counter=n) for n, act in enumerate(acts)]
    twin = await house.account()
    tablet = await house.device(twin)
    await house.pushing.push(twin, tablet.id, queue)

    position = 0
    while position < len(queue):
        begin = data.draw(st.integers(0, position))
        end = data.draw(st.integers(position + 1, len(queue)))
        sent = queue[begin:end]
        again = data.draw(st.lists(st.sampled_from(sent), max_size=2))
        outcomes = await house.pushing.push(ada, phone.id, [*sent, *again])
        assert fates(outcomes[len(sent) :]) == [REPEATED] * len(again)
        position = end

    async def shown(account: str) -> list[object]:
        store = house.sync.store
        progress = await store.progress(account, movies)
        return [
            {key: (p.viewing, p.position_seconds, p.completed) for key, p in progress.items()},
            {key: r.verdict for key, r in (await store.reactions(account, movies)).items()},
            {key: e.tags for key, e in (await store.entries(account, movies)).items()},
            {key: (m.note, m.dropped, m.hidden) for key, m in (await store.marks(account, movies)).items()},
        ]

    assert await shown(ada) == await shown(twin)


# The order of the watchlist, and marks by themselves


async def order(house: Living, ada: str) -> list[int]:
    page = await house.sync.store.watchlist(ada, WatchlistOrder.MANUAL, Cut())
    return [entry.content_id for entry in page.nodes]


async def test_the_watchlist_stands_as_the_viewer_put_it(house: Living, ada: str) -> None:
    movies = [await add_movie(house.database, f"Film {n}") for n in range(4)]
    for movie in movies:
        await house.sync.add_to_watchlist(ada, movie)
        house.clock.turn(1)
    assert await order(house, ada) == movies
    a, b, c, d = movies

    place = await house.sync.place_beside(ada, a, behind=False)
    await house.sync.move_on_watchlist(ada, d, place)
    place = await house.sync.place_beside(ada, b, behind=True)
    moved = await house.sync.move_on_watchlist(ada, a, place)

    assert await order(house, ada) == [d, b, a, c]
    assert moved is not None
    assert moved == (await house.sync.store.entries(ada, [a]))[a]
    assert (await house.kinds(ada))[-2:] == ["watchlist", "watchlist"]
    pages = [
        await house.sync.store.watchlist(ada, WatchlistOrder.MANUAL, Cut(size=2)),
    ]
    pages.append(
        await house.sync.store.watchlist(
            ada, WatchlistOrder.MANUAL, Cut(size=2, after=pages[0].page_info.end_cursor)
        )
    )
    assert [entry.content_id for page in pages for entry in page.nodes] == [d, b, a, c]


async def test_a_title_that_left_and_came_back_stands_last(house: Living, ada: str) -> None:
    movies = [await add_movie(house.database, f"Film {n}") for n in range(2)]
    for movie in movies:
        await house.sync.add_to_watchlist(ada, movie)
        house.clock.turn(1)
    await house.sync.move_on_watchlist(
        ada, movies[1], await house.sync.place_beside(ada, movies[0], behind=False)
    )
    assert await order(house, ada) == movies[::-1]
    await house.sync.remove_from_watchlist(ada, movies[1])
    house.clock.turn(1)

    await house.sync.add_to_watchlist(ada, movies[1])

    assert await order(house, ada) == movies


async def test_what_is_not_on_the_list_has_no_place(house: Living, ada: str, movie: int) -> None:
    assert await refusal(house.sync.move_on_watchlist(ada, movie, "k")) is UserErrorCode.NOT_FOUND
    assert await refusal(house.sync.place_beside(ada, movie, behind=True)) is UserErrorCode.NOT_FOUND
    assert await house.written() == 0


async def test_a_mark_is_taken_back_and_the_others_stay(house: Living, ada: str, movie: int) -> None:
    await house.sync.mark(ada, movie, {MarkKind.NOTE: "Soon", MarkKind.DROPPED: True})

    marks = await house.sync.mark(ada, movie, {MarkKind.NOTE: "  "})

    assert (marks.note, marks.dropped, marks.hidden) == (None, True, False)
    assert await house.kinds(ada) == ["marks", "marks"]


async def test_a_dropped_title_is_not_gone_on_with_until_it_is_watched_again(house: Living, ada: str) -> None:
    series = await add_series(house.database, seasons=[1])
    movie = await add_movie(house.database, runtime_seconds=DURATION)
    season = await house.database.value("SELECT id FROM content WHERE parent_id = $1", series)
    episode = await house.database.value("SELECT id FROM content WHERE parent_id = $1", season)
    for title in (movie, episode):
        await house.sync.record_progress(ada, title, Position(100))
        house.clock.turn(1)

    async def offered() -> list[int]:
        page = await house.sync.store.continuing(ada, house.clock.now(), Cut())
        assert await page.count() == len(page.nodes)
        return [entry.content_id for entry in page.nodes]

    await house.sync.mark(ada, series, {MarkKind.DROPPED: True})
    await house.sync.mark(ada, movie, {MarkKind.HIDDEN: True})
    dropped = await offered()
    await house.sync.record_progress(ada, episode, Position(200))
    await house.sync.mark(ada, movie, {MarkKind.HIDDEN: False})

    assert dropped == []
    assert await offered() == [episode, movie]
