"""Progress, watchlist and reactions, over a real database."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.platform.errors import UserErrorCode
from domain.platform.paging import Cut
from domain.platform.postgres import Database
from domain.sync.clock import Timestamp
from domain.sync.model import ChangeKind, MarkKind, Verdict, WatchProgress
from domain.sync.operations import (
    MAX_DURATION_SECONDS,
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
from domain.sync.push import OperationFate
from domain.sync.service import STATE_CHANGED, WatchlistOrder
from tests.accounts import new_id
from tests.catalogue import add_movie, add_series, parts_of, retire
from tests.states import viewings
from tests.viewers import Living, living, refusal

DURATION = 1000
TAGS = [str(UUID(int=number)) for number in range(1, 7)]

over_one_database = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def movie(database: Database) -> int:
    return await add_movie(database, runtime_seconds=DURATION)


async def watch(
    house: Living, account: str, movie: int, seconds: int, version: Timestamp | None = None
) -> WatchProgress:
    progress = await house.sync.record_progress(account, movie, Position(seconds), Origin(version=version))
    assert progress is not None
    return progress


# Progress


async def test_a_later_position_replaces_an_earlier_one(house: Living, ada: str, movie: int) -> None:
    await watch(house, ada, movie, 100, house.version(-2))

    later = await watch(house, ada, movie, 40, house.version(-1, "tv"))

    assert (later.position_seconds, later.viewing, later.completed) == (40, 1, False)
    assert await house.kinds(ada) == ["progress", "progress"]


@pytest.mark.parametrize(("seconds", "position"), [(-3.0, 700), (-2.0, 100)])
async def test_an_older_or_repeated_write_changes_and_logs_nothing(
    house: Living, ada: str, movie: int, seconds: float, position: int
) -> None:
    known = await watch(house, ada, movie, 100, house.version(-2))
    rows = await house.written()

    answer = await watch(house, ada, movie, position, house.version(seconds))

    assert answer == known
    assert await house.written() == rows


@pytest.mark.parametrize("positions", [(100, 700), (700, 100)])
async def test_of_two_writes_with_one_version_the_farther_wins_in_any_order(
    house: Living, ada: str, movie: int, positions: tuple[int, int]
) -> None:
    for position in positions:
        last = await watch(house, ada, movie, position, house.version(-2))

    assert last.position_seconds == 700


async def test_a_clock_too_far_ahead_writes_nothing(house: Living, ada: str, movie: int) -> None:
    ahead = Origin(version=house.version(60.001))

    codes = [
        await refusal(house.sync.record_progress(ada, movie, Position(100), ahead)),
        await refusal(house.sync.react(ada, movie, Verdict.LIKE, None, ahead)),
        await refusal(house.sync.add_to_watchlist(ada, movie, None, ahead)),
    ]

    assert codes == [UserErrorCode.CLOCK_AHEAD] * 3
    assert await house.written() == 0
    assert await house.journal.log.latest(ada) == 0


async def test_a_clock_a_little_ahead_does_not_silence_devices_without_one(
    house: Living, ada: str, movie: int
) -> None:
    await watch(house, ada, movie, 100, house.version(50))

    later = await watch(house, ada, movie, 200)

    assert later.position_seconds == 200


async def test_an_account_ahead_of_time_does_not_date_the_writes_of_others(
    house: Living, ada: str, movie: int
) -> None:
    await watch(house, await house.account(), movie, 100, house.version(60))
    await watch(house, ada, movie, 200)
    house.clock.turn(1)

    later = await watch(house, ada, movie, 300, house.version())

    assert later.position_seconds == 300


@pytest.mark.parametrize(("seconds", "completed"), [(949, False), (950, True), (1000, True)])
async def test_a_title_is_finished_at_95_percent(
    house: Living, ada: str, movie: int, seconds: int, *, completed: bool
) -> None:
    progress = await watch(house, ada, movie, seconds)

    assert progress.completed is completed


async def test_going_on_with_a_finished_title_is_its_next_viewing(
    house: Living, ada: str, movie: int
) -> None:
    await watch(house, ada, movie, 990)

    again = await watch(house, ada, movie, 50)

    assert (again.viewing, again.completed, again.resume_seconds) == (2, False, 50)
    history = await house.sync.store.history(ada, Cut())
    assert [(entry.viewing, entry.completed) for entry in history.nodes] == [(2, False), (1, True)]


async def test_finishing_what_is_finished_is_no_viewing_of_its_own(
    house: Living, ada: str, movie: int
) -> None:
    await watch(house, ada, movie, 950)

    assert (await watch(house, ada, movie, 1000)).viewing == 1


async def test_a_late_write_from_before_the_end_does_not_begin_a_viewing(
    house: Living, ada: str, movie: int
) -> None:
    finished = await watch(house, ada, movie, 990, house.version(-1))
    rows = await house.written()

    assert await watch(house, ada, movie, 300, house.version(-5)) == finished
    assert await house.written() == rows


async def test_the_end_of_an_earlier_viewing_told_again_does_not_finish_the_next(
    house: Living, ada: str, movie: int
) -> None:
    end = house.version(-9)
    await watch(house, ada, movie, 990, end)
    again = await watch(house, ada, movie, 50, house.version(-5))
    rows = await house.written()

    answer = await watch(house, ada, movie, 990, end)

    assert answer == again
    assert await house.written() == rows


async def test_a_position_in_a_finished_viewing_told_again_does_not_begin_the_next(
    house: Living, ada: str, movie: int
) -> None:
    """A session names its viewing; what is told again may come without one."""
    await watch(house, ada, movie, 990, house.version(-9))
    back = Origin(version=house.version(-5))
    known = await house.sync.record_progress(ada, movie, Position(400), back, 1)
    rows = await house.written()

    again = await house.sync.record_progress(ada, movie, Position(400), back)

    assert again is not None
    assert again == known
    assert (again.viewing, again.completed, again.position_seconds) == (1, True, 400)
    assert await house.written() == rows


async def test_completion_stays_where_the_position_is_older(house: Living, ada: str, movie: int) -> None:
    await watch(house, ada, movie, 400, house.version(-1))

    merged = await watch(house, ada, movie, 990, house.version(-2, "tv"))

    assert (merged.position_seconds, merged.completed) == (400, True)


async def test_a_position_beyond_the_end_is_the_end(house: Living, ada: str, movie: int) -> None:
    progress = await watch(house, ada, movie, 5000)

    assert (progress.position_seconds, progress.fraction, progress.completed) == (DURATION, 1.0, True)


@pytest.mark.parametrize(
    "position",
    [
        Position(-1),
        Position(0, 0),
        Position(0, -5),
        Position(0, MAX_DURATION_SECONDS + 1),
    ],
)
async def test_an_impossible_position_writes_nothing(
    house: Living, ada: str, movie: int, position: Position
) -> None:
    assert await refusal(house.sync.record_progress(ada, movie, position)) is UserErrorCode.INVALID
    assert await house.written() == 0


async def test_a_title_of_unknown_length_needs_the_players(house: Living, ada: str) -> None:
    short = await add_movie(house.database, runtime_seconds=None)

    assert await refusal(house.sync.record_progress(ada, short, Position(10))) is UserErrorCode.INVALID
    progress = await house.sync.record_progress(ada, short, Position(10, 20))
    assert progress is not None
    assert progress.duration_seconds == 20


async def test_only_what_is_played_has_progress(house: Living, ada: str) -> None:
    series = await add_series(house.database, seasons=[1])

    assert await refusal(watch(house, ada, series, 10)) is UserErrorCode.INVALID
    assert await refusal(watch(house, ada, 987_654, 10)) is UserErrorCode.NOT_FOUND
    assert await house.written() == 0


async def test_what_is_finished_old_or_hardly_begun_is_not_continued(house: Living, ada: str) -> None:
    movies = [await add_movie(house.database, f"Film {n}", runtime_seconds=DURATION) for n in range(5)]
    await watch(house, ada, movies[0], 100)
    house.clock.turn(31 * 86_400)
    await watch(house, ada, movies[1], 29)
    await watch(house, ada, movies[2], 950)
    await watch(house, ada, movies[3], 30)
    house.clock.turn(1)
    await watch(house, ada, movies[4], 949)

    page = await house.sync.store.continuing(ada, house.clock.now(), Cut())

    assert [entry.content_id for entry in page.nodes] == [movies[4], movies[3]]
    assert await page.count() == 2


# Watchlist


async def test_an_addition_shows_where_and_when(house: Living, ada: str, movie: int) -> None:
    tv = await house.device(ada)

    entry = await house.sync.add_to_watchlist(
        ada, movie, TAGS[0], Origin(tv.id, house.version(device="another name"))
    )

    assert entry is not None
    assert (entry.tags, entry.added_at, entry.device_id) == ((TAGS[0],), house.clock.now(), tv.id)


async def test_adding_again_without_a_tag_changes_nothing(house: Living, ada: str, movie: int) -> None:
    first = await house.sync.add_to_watchlist(ada, movie)
    house.clock.turn(60)
    rows = await house.written()

    assert await house.sync.add_to_watchlist(ada, movie) == first
    assert await house.written() == rows


async def test_the_same_addition_twice_changes_nothing(house: Living, ada: str, movie: int) -> None:
    first = await house.sync.add_to_watchlist(ada, movie, TAGS[0].upper())
    rows = await house.written()

    assert await house.sync.add_to_watchlist(ada, movie, TAGS[0]) == first
    assert await house.written() == rows


async def test_an_addition_that_was_removed_does_not_come_back(house: Living, ada: str, movie: int) -> None:
    await house.sync.add_to_watchlist(ada, movie, TAGS[0])
    assert await house.sync.remove_from_watchlist(ada, movie) is True
    rows = await house.written()

    assert await house.sync.add_to_watchlist(ada, movie, TAGS[0]) is None
    assert await house.written() == rows


async def test_a_removed_title_can_be_added_anew(house: Living, ada: str, movie: int) -> None:
    await house.sync.add_to_watchlist(ada, movie, TAGS[0])
    await house.sync.remove_from_watchlist(ada, movie)

    entry = await house.sync.add_to_watchlist(ada, movie)

    assert entry is not None
    assert await house.kinds(ada) == ["watchlist"] * 3


async def test_a_removal_that_comes_before_its_addition_wins(house: Living, ada: str, movie: int) -> None:
    assert await house.sync.remove_from_watchlist(ada, movie, [TAGS[0]]) is True

    assert await house.sync.add_to_watchlist(ada, movie, TAGS[0]) is None

    assert await house.sync.store.entries(ada, [movie]) == {}
    assert await house.kinds(ada) == []


async def test_an_addition_elsewhere_survives_a_removal(house: Living, ada: str, movie: int) -> None:
    await house.sync.add_to_watchlist(ada, movie, TAGS[0])
    await house.sync.add_to_watchlist(ada, movie, TAGS[1])

    assert await house.sync.remove_from_watchlist(ada, movie, [TAGS[0]]) is False

    entry = (await house.sync.store.entries(ada, [movie]))[movie]
    assert entry.tags == (TAGS[1],)


async def test_the_tag_of_another_title_neither_adds_nor_removes(house: Living, ada: str, movie: int) -> None:
    other = await add_movie(house.database, "Stalker")
    await house.sync.add_to_watchlist(ada, movie, TAGS[0])
    rows = await house.written()

    assert await refusal(house.sync.add_to_watchlist(ada, other, TAGS[0])) is UserErrorCode.CONFLICT
    assert await house.sync.remove_from_watchlist(ada, other, [TAGS[0]]) is True

    assert await house.written() == rows
    assert list(await house.sync.store.entries(ada, [movie, other])) == [movie]


async def test_a_tag_is_each_accounts_own(house: Living, ada: str, movie: int) -> None:
    other = await house.account()
    await house.sync.add_to_watchlist(ada, movie, TAGS[0])
    await house.sync.add_to_watchlist(other, movie, TAGS[0])

    await house.sync.remove_from_watchlist(other, movie, [TAGS[0]])

    assert list(await house.sync.store.entries(ada, [movie])) == [movie]


async def test_what_is_not_on_the_list_cannot_be_removed(house: Living, ada: str, movie: int) -> None:
    assert await refusal(house.sync.remove_from_watchlist(ada, movie)) is UserErrorCode.NOT_FOUND
    assert await refusal(house.sync.remove_from_watchlist(ada, 987_654, [TAGS[0]])) is UserErrorCode.NOT_FOUND
    assert await refusal(house.sync.remove_from_watchlist(ada, movie, ["x"])) is UserErrorCode.INVALID
    assert await refusal(house.sync.add_to_watchlist(ada, movie, "x")) is UserErrorCode.INVALID
    assert await refusal(house.sync.add_to_watchlist(ada, 987_654)) is UserErrorCode.NOT_FOUND
    assert await house.written() == 0


async def test_a_title_the_catalogue_dropped_still_leaves_the_list(
    house: Living, ada: str, movie: int
) -> None:
    await house.sync.add_to_watchlist(ada, movie)
    await retire(house.database, movie)

    assert await house.sync.remove_from_watchlist(ada, movie) is True


# Reactions


async def test_the_later_reaction_wins(house: Living, ada: str, movie: int) -> None:
    await house.sync.react(ada, movie, Verdict.LIKE, 4.5, Origin(version=house.version(-1)))
    rows = await house.written()

    older = await house.sync.react(ada, movie, Verdict.DISLIKE, None, Origin(version=house.version(-2)))

    assert (older.verdict, older.stars) == (Verdict.LIKE, 4.5)
    assert await house.written() == rows


async def test_a_reaction_is_taken_back_by_saying_nothing(house: Living, ada: str, movie: int) -> None:
    await house.sync.react(ada, movie, Verdict.LIKE, None)

    taken = await house.sync.react(ada, movie, None, None)

    assert taken.given is False
    assert (await house.sync.store.reactions(ada, [movie]))[movie].given is False


@pytest.mark.parametrize("stars", [0.0, 0.25, 5.5, -1.0, float("nan"), float("inf")])
async def test_stars_go_from_a_half_to_five_in_halves(
    house: Living, ada: str, movie: int, stars: float
) -> None:
    assert await refusal(house.sync.react(ada, movie, None, stars)) is UserErrorCode.INVALID
    assert await house.written() == 0


# The outbox


async def test_each_change_of_state_is_told_outside_with_it(house: Living, ada: str, movie: int) -> None:
    await watch(house, ada, movie, 100)
    await house.sync.add_to_watchlist(ada, movie)
    await house.sync.react(ada, movie, Verdict.LIKE, None)

    told = await house.outbox()

    assert [(topic, key) for topic, key, _ in told] == [(STATE_CHANGED, ada)] * 3
    assert [payload["resource"] for _, _, payload in told] == ["progress", "watchlist", "reaction"]
    assert [payload["account"] for _, _, payload in told] == [ada] * 3
    assert told[0][2]["state"]["position"] == 100
    assert told[0][2]["state"]["content"] == movie


# Any order, any repetition


@dataclass(frozen=True)
class Write:
    """One write of a device that was offline when it happened."""

    kind: str
    movie: int
    clock: int
    device: str
    value: int
    """A position, an index into TAGS, or half stars."""
    seen: tuple[int, ...] = ()

    @property
    def tag(self) -> str:
        """Each title has tags of its own."""
        return self.tags([self.value])[0]

    def tags(self, values: list[int] | tuple[int, ...]) -> list[str]:
        return [str(UUID(int=100 * (self.movie + 1) + value)) for value in values]

    def act(self, movie: int) -> Act:
        """As it waits in a queue."""
        match self.kind:
            case "progress":
                return Watched(movie, Position(self.value))
            case "reaction":
                return Reacted(movie, None, self.value / 2)
            case "note":
                return Marked(movie, MarkKind.NOTE, str(self.value))
            case "add":
                return Added(movie, self.tag)
            case _:
                return Removed(movie, self.tags(self.seen))


writes = st.lists(
    st.one_of(
        st.builds(
            Write,
            st.just("progress"),
            st.integers(0, 1),
            st.integers(0, 50),
            st.just("tv"),
            st.integers(1, 940),
        ),
        st.builds(
            Write,
            st.just("reaction"),
            st.integers(0, 1),
            st.integers(0, 50),
            st.just("tv"),
            st.integers(1, 10),
        ),
        st.builds(
            Write,
            st.just("note"),
            st.integers(0, 1),
            st.integers(0, 50),
            st.just("tv"),
            st.integers(1, 10),
        ),
        st.builds(Write, st.just("add"), st.integers(0, 1), st.just(0), st.just("tv"), st.integers(0, 3)),
        st.builds(
            Write,
            st.just("remove"),
            st.integers(0, 1),
            st.just(0),
            st.just("tv"),
            st.just(0),
            st.lists(st.integers(0, 3), max_size=3).map(tuple),
        ),
    ),
    max_size=12,
    unique_by=lambda write: (
        (write.kind, write.movie, write.clock, write.value, write.seen)
        if write.kind in {"add", "remove"}
        else (write.kind, write.movie, write.clock)
    ),
)


def model_of(done: list[Write]) -> dict[tuple[str, int], Any]:
    """What devices agree on, whoever hears of what when."""
    state: dict[tuple[str, int], Any] = {}
    for write in sorted(done, key=lambda write: write.clock):
        place = write.movie
        if write.kind in {"progress", "reaction", "note"}:
            state[write.kind, place] = write.value
        else:
            named = {write.tag} if write.kind == "add" else set(write.tags(write.seen))
            state.setdefault((write.kind, place), set()).update(named)
    for movie in (0, 1):
        gone = state.pop(("remove", movie), set())
        state["tags", movie] = frozenset(state.pop(("add", movie), set()) - gone)
    return {key: value for key, value in state.items() if value}


async def deliver(house: Living, account: str, movies: list[int], write: Write) -> None:
    movie = movies[write.movie]
    origin = Origin(version=house.version(write.clock - 60, write.device))
    match write.kind:
        case "progress":
            await house.sync.record_progress(account, movie, Position(write.value), origin)
        case "reaction":
            await house.sync.react(account, movie, None, write.value / 2, origin)
        case "note":
            await house.sync.mark(account, movie, {MarkKind.NOTE: str(write.value)}, origin)
        case "add":
            await house.sync.add_to_watchlist(account, movie, write.tag, origin)
        case _:
            await house.sync.remove_from_watchlist(account, movie, write.tags(write.seen))


async def state_of(house: Living, account: str, movies: list[int]) -> dict[tuple[str, int], Any]:
    progress = await house.sync.store.progress(account, movies)
    reactions = await house.sync.store.reactions(account, movies)
    entries = await house.sync.store.entries(account, movies)
    marks = await house.sync.store.marks(account, movies)
    state: dict[tuple[str, int], Any] = {}
    for place, movie in enumerate(movies):
        if movie in progress:
            state["progress", place] = progress[movie].position_seconds
        if movie in reactions:
            state["reaction", place] = round((reactions[movie].stars or 0) * 2)
        if movie in marks:
            state["note", place] = int(marks[movie].note or 0)
        if movie in entries:
            state["tags", place] = frozenset(entries[movie].tags)
    return state


@pytest.fixture
async def movies(database: Database) -> list[int]:
    return [await add_movie(database, f"Film {n}", runtime_seconds=DURATION) for n in range(2)]


@over_one_database
@given(writes, st.data())
async def test_writes_delivered_in_any_order_and_again_give_one_state(
    database: Database, movies: list[int], done: list[Write], data: st.DataObject
) -> None:
    house = living(database)
    account = await house.account()
    repeated = data.draw(st.lists(st.sampled_from(done), max_size=6)) if done else []

    for write in data.draw(st.permutations([*done, *repeated])):
        await deliver(house, account, movies, write)

    assert await state_of(house, account, movies) == model_of(done)


@over_one_database
@given(writes, st.data())
async def test_the_log_alone_tells_the_state(
    database: Database, movies: list[int], done: list[Write], data: st.DataObject
) -> None:
    house = living(database)
    account = await house.account()
    device, begun = await house.device(account), await house.journal.log.latest(account)
    arriving, single = data.draw(st.permutations(done)), data.draw(st.integers(0, len(done)))
    for write in arriving[:single]:
        await deliver(house, account, movies, write)
    queue = [
        Operation(new_id(), write.act(movies[write.movie]), house.version(write.clock - 60))
        for write in arriving[single:]
    ]
    outcomes = await house.pushing.push(account, device.id, queue)
    assert OperationFate.REFUSED not in {outcome.fate for outcome in outcomes}

    told: dict[tuple[str, int], Any] = {}
    for change in await house.journal.log.since(account, begun, 1000):
        place = movies.index(change.payload["content"])
        match change.kind:
            case ChangeKind.PROGRESS:
                told["progress", place] = change.payload["position"]
            case ChangeKind.REACTION:
                told["reaction", place] = round(change.payload["stars"] * 2)
            case ChangeKind.MARKS:
                told["note", place] = int(change.payload["note"])
            case _:
                entry = change.payload["entry"]
                told["tags", place] = frozenset(entry["tags"]) if entry else frozenset()

    assert {key: value for key, value in told.items() if value} == await state_of(house, account, movies)


@over_one_database
@given(st.lists(st.integers(0, 949) | st.integers(950, 1000), min_size=1, max_size=12), st.data())
async def test_repeating_what_was_told_changes_nothing_however_often_a_title_is_watched(
    database: Database, movies: list[int], positions: list[int], data: st.DataObject
) -> None:
    house = living(database)
    account = await house.account()
    model: list[tuple[int, bool]] = []
    told: list[tuple[int, Timestamp]] = []
    for index, position in enumerate(positions):
        completed = position >= 950
        if not model or (model[-1][1] and not completed):
            model.append((position, completed))
        else:
            model[-1] = (position, completed)
        told.append((position, house.version(index - 60)))
        await watch(house, account, movies[0], *told[-1])
        for position_again, version in data.draw(st.lists(st.sampled_from(told), max_size=2)):
            await watch(house, account, movies[0], position_again, version)

    kept = await viewings(database, account, movies[0])

    assert [(known.position_seconds, known.completed) for known in kept] == model
    assert [known.viewing for known in kept] == list(range(1, len(model) + 1))


@over_one_database
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.integers(0, 1000), st.integers(0, 50), st.sampled_from(["tv", "phone"])
        ),
        max_size=10,
        unique_by=lambda write: (write[0], write[2], write[3]),
    ),
    st.data(),
)
async def test_viewings_merge_to_one_state_in_any_order(
    database: Database,
    movies: list[int],
    done: list[tuple[int, int, int, str]],
    data: st.DataObject,
) -> None:
    house = living(database)
    account = await house.account()
    title = await house.sync.existing(movies[0])
    states = [
        house.sync.written(
            title, viewing, Position(position), Origin(version=house.version(clock - 60, device))
        )
        for viewing, position, clock, device in done
    ]
    model: dict[int, WatchProgress] = {}
    for state in states:
        known = model.get(state.viewing)
        model[state.viewing] = state if known is None else known.merge(state)

    for state in data.draw(st.permutations([*states, *states])):
        await house.sync.record_progress(
            account,
            movies[0],
            Position(state.position_seconds),
            Origin(version=state.version),
            state.viewing,
        )

    kept = await viewings(database, account, movies[0])
    assert {known.viewing: known for known in kept} == model


async def test_devices_of_one_name_are_told_apart_by_nothing_but_their_clock(
    house: Living, ada: str, movie: int
) -> None:
    await watch(house, ada, movie, 100, house.version(-1, "é"))

    assert (await watch(house, ada, movie, 200, house.version(-1, "z"))).position_seconds == 100
    assert (await watch(house, ada, movie, 300, house.version(-1, "ü"))).position_seconds == 300


async def test_the_watchlist_is_sorted_both_ways(house: Living, ada: str) -> None:
    movies = [await add_movie(house.database, f"Film {n}") for n in range(3)]
    for movie in movies:
        await house.sync.add_to_watchlist(ada, movie)
        house.clock.turn(1)

    newest = await house.sync.store.watchlist(ada, WatchlistOrder.NEWEST, Cut(size=2))
    oldest = await house.sync.store.watchlist(ada, WatchlistOrder.OLDEST, Cut(size=2))

    assert [entry.content_id for entry in newest.nodes] == [movies[2], movies[1]]
    assert [entry.content_id for entry in oldest.nodes] == [movies[0], movies[1]]
    assert await newest.count() == 3


async def test_an_episode_has_progress_of_its_own(house: Living, ada: str) -> None:
    series = await add_series(house.database, seasons=[2])
    season = (await parts_of(house.database, series))[0]
    first, second = await parts_of(house.database, season)

    await watch(house, ada, first, 100)

    assert list(await house.sync.store.progress(ada, [first, second])) == [first]


async def test_an_unknown_account_writes_nothing(house: Living, movie: int) -> None:
    with pytest.raises(Exception, match="account"):
        await watch(house, str(uuid4()), movie, 10)

    assert await house.written() == 0


def test_a_model_knows_what_an_addition_is() -> None:
    add = Write("add", 0, 0, "tv", 1)
    remove = Write("remove", 0, 0, "tv", 0, (1,))

    assert model_of([add]) == {("tags", 0): frozenset({add.tag})}
    assert model_of([remove, add]) == {}
    assert model_of([add, replace(remove, movie=1)]) == {("tags", 0): frozenset({add.tag})}
