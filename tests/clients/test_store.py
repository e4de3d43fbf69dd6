"""What a device keeps on its disk, and how it sends and follows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_gateway_client import (
    Offline,
    Operation,
    Rejected,
    Store,
    Synchroniser,
    Version,
    added,
    moved,
    noted,
    reacted,
    removed,
    watched,
)
from media_gateway_client.clock import COUNTER_BITS
from media_gateway_client.store import CAPACITY
from media_gateway_client.sync import BATCH, LONGEST_PAUSE_SECONDS
from tests.clients.house import Disk, Killed

FILM = "TW92aWU6MQ"

Do = Callable[[Store], object]


@dataclass
class Wall:
    milliseconds: int = 1_772_366_400_000

    def __call__(self) -> int:
        return self.milliseconds


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def store(tmp_path: Path, wall: Wall) -> Store:
    store = Store(tmp_path / "device.sqlite", wall)
    store.name("RGV2aWNlOjE")
    return store


def again(store: Store, tmp_path: Path, wall: Wall) -> Store:
    """As after the process was killed: nobody closed anything."""
    del store
    return Store(tmp_path / "device.sqlite", wall)


@dataclass
class Telling:
    """A server that is told, and answers as a test says."""

    fates: dict[str, str] = field(default_factory=dict)
    failures: int = 0
    retry: float = 0.0
    """Seconds that a failure asks to wait."""
    told: list[list[str]] = field(default_factory=list)
    settled: list[str | None] = field(default_factory=list)
    events: list[Mapping[str, Any]] = field(default_factory=list)
    cursors: list[str | None] = field(default_factory=list)
    milliseconds: int | None = None
    ahead: int | None = None
    """Whose clock is later than this is refused."""
    versions: list[Version] = field(default_factory=list)
    """Of what was accepted."""

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Sequence[Mapping[str, Any]]:
        self.told.append([operation.id for operation in operations])
        self.settled.append(settled_through)
        if self.failures:
            self.failures -= 1
            raise Offline("No.", self.retry)
        if self.ahead is not None and any(
            operation.version.clock >> COUNTER_BITS > self.ahead for operation in operations
        ):
            refusal = [{"message": "It lies ahead.", "code": "CLOCK_AHEAD"}]
            return [
                {"operationId": operation.id, "fate": "REFUSED", "userErrors": refusal}
                for operation in operations
            ]
        self.versions += [operation.version for operation in operations]
        return [
            {
                "operationId": operation.id,
                "fate": self.fates.get(operation.id, "APPLIED"),
                "userErrors": [{"message": "No.", "code": "NOT_FOUND"}],
            }
            for operation in operations
        ]

    async def changes(self, cursor: str | None) -> AsyncIterator[Mapping[str, Any]]:
        self.cursors.append(cursor)
        for event in self.events:
            yield event
        raise Offline("No more.")


def progress(seconds: int, cursor: str = "c", **more: Any) -> dict[str, Any]:
    told = {"content": {"id": FILM}, "viewing": 1, "positionSeconds": seconds, "durationSeconds": 1000}
    version = "019ca9c9e0000000@tv"
    return {
        "__typename": "ProgressChanged",
        "cursor": cursor,
        "progress": told | {"completed": False, "version": version} | more,
    }


# The queue


def test_what_was_done_is_kept_in_order_when_the_process_is_killed(
    store: Store, tmp_path: Path, wall: Wall
) -> None:
    done = [store.do(noted(FILM, f"{number}")) for number in range(10)]

    kept = again(store, tmp_path, wall).waiting()

    assert kept == done
    assert [operation.version for operation in kept] == sorted(operation.version for operation in kept)


def test_versions_rise_though_the_clock_goes_back_and_the_device_restarts(
    store: Store, tmp_path: Path, wall: Wall
) -> None:
    first = store.do(noted(FILM, "a"))
    wall.milliseconds -= 3_600_000

    second = again(store, tmp_path, wall).do(noted(FILM, "b"))

    assert second.version > first.version


def test_of_positions_in_one_viewing_the_last_waits_and_those_that_finish_it(store: Store) -> None:
    for viewing, seconds in ((1, 100), (1, 200), (1, 950), (1, 990), (2, 10), (2, 20)):
        store.do(watched(FILM, viewing, seconds, 1000))

    waiting = [operation.change.arguments for operation in store.waiting()]

    assert [(told["viewing"], told["positionSeconds"]) for told in waiting] == [(1, 950), (1, 990), (2, 20)]


def test_who_comes_to_the_closing_credits_has_finished(store: Store) -> None:
    store.do(watched(FILM, 1, 899, 1000, 100))
    assert store.viewing(FILM) == 1
    store.do(watched(FILM, 1, 900, 1000, 100))
    assert store.viewing(FILM) == 2
    store.do(watched(FILM, 1, 10, 1000, 100))
    store.do(watched(FILM, 2, 10, 1000, 100))

    sent = [operation.change.input()["watched"] for operation in store.waiting()]

    assert [(told["viewing"], told["positionSeconds"]) for told in sent] == [(1, 900), (1, 10), (2, 10)]
    assert set(sent[0]) == {"contentId", "viewing", "positionSeconds", "durationSeconds"}


def test_a_full_queue_drops_nothing_and_says_so(store: Store) -> None:
    for _ in range(CAPACITY):
        store.do(reacted(FILM))

    with pytest.raises(Rejected, match="connect first"):
        store.do(reacted(FILM))

    assert len(store) == CAPACITY


def test_the_mark_of_what_is_settled_stays_below_what_waits(store: Store) -> None:
    first, second, last = [store.do(noted(FILM, text)) for text in ("a", "b", "c")]
    marks = [store.settled_through]
    for operation in (second, first, last):
        store.settle([{"operationId": operation.id, "fate": "APPLIED"}])
        marks.append(store.settled_through)

    assert marks[0] is None
    assert marks[1] is not None
    assert marks[1] < first.version
    assert marks[2:] == [second.version, last.version]


def test_the_mark_of_what_is_settled_stays_below_what_was_never_taken(store: Store, wall: Wall) -> None:
    """A clock that runs ahead is set right one day, and what is done then is not to count as settled."""
    taken = store.do(noted(FILM, "a"))
    store.settle([{"operationId": taken.id, "fate": "APPLIED"}])
    wall.milliseconds += 3_600_000

    refused = store.do(noted(FILM, "b"))

    assert store.settled_through == taken.version
    error = {"message": "It lies ahead.", "code": "CLOCK_AHEAD"}
    store.settle([{"operationId": refused.id, "fate": "REFUSED", "userErrors": [error]}])
    assert store.settled_through == taken.version


def test_what_is_refused_is_put_aside_and_can_be_done_again(store: Store, tmp_path: Path, wall: Wall) -> None:
    refused = store.do(noted(FILM, "a"))
    error = {"message": "There is no such title.", "code": "NOT_FOUND"}
    store.settle([{"operationId": refused.id, "fate": "REFUSED", "userErrors": [error]}])

    (letter,) = again(store, tmp_path, wall).dead_letters()
    retried = store.retry(letter.id)

    assert (letter.change, letter.reason) == (refused.change, "There is no such title.")
    assert retried.id != refused.id
    assert retried.version > refused.version
    assert store.dead_letters() == []
    with pytest.raises(KeyError):
        store.retry(letter.id)


# What the user sees


def test_what_waits_is_shown_over_what_the_server_told(store: Store) -> None:
    store.apply([progress(100)])
    entry = {"tags": ["t"], "place": "V"}
    store.apply([{"__typename": "WatchlistChanged", "cursor": "d", "content": {"id": FILM}, "entry": entry}])

    store.do(watched(FILM, 1, 960, 1000))
    store.do(removed(FILM, store.tags(FILM)))

    (known,) = store.progress()
    assert (known.position_seconds, known.completed) == (960, True)
    assert store.viewing(FILM) == 2
    assert store.watchlist() == []
    added_again = store.do(added(FILM))
    assert [entry.tags for entry in store.watchlist()] == [(added_again.id,)]


def test_a_change_names_what_it_replaces_and_is_later(store: Store, wall: Wall) -> None:
    store.apply([progress(100)])
    wall.milliseconds = 1

    operation = store.do(watched(FILM, 1, 200, 1000))

    assert operation.base == progress(100)["progress"]["version"]
    assert operation.version > Version.parse(operation.base or "")
    assert "base" not in store.do(noted(FILM, "a")).input()


@given(st.integers(-(10**12), 10**12), st.integers(0, 5), st.integers(0, 4))
def test_what_a_device_writes_is_later_than_what_it_shows_there(ahead: int, count: int, which: int) -> None:
    wall = Wall()
    store = Store(":memory:", wall)
    shown = Version((wall.milliseconds + ahead << COUNTER_BITS) + count, "tv")
    of_title = {"content": {"id": FILM}, "version": str(shown)}
    told = [
        {"__typename": "ProgressChanged", "progress": of_title | {"viewing": 1, "completed": False}},
        {"__typename": "ReactionChanged", "reaction": of_title | {"verdict": None, "stars": None}},
        {"__typename": "TitleMarksChanged", "marks": of_title | {"note": None, "hidden": False}},
        {
            "__typename": "WatchlistChanged",
            "content": {"id": FILM},
            "entry": {"tags": ["a"], "place": "V", "version": str(shown)},
        },
    ]
    store.apply([event | {"cursor": "c"} for event in told])
    change = [
        watched(FILM, 1, 200, 1000),
        reacted(FILM, "LIKE"),
        noted(FILM, "a"),
        moved(FILM, "k"),
        removed(FILM, ["a"]),
    ][which]

    operation = store.do(change)
    store.close()

    assert operation.version.clock > shown.clock
    assert operation.version.clock >> COUNTER_BITS >= wall.milliseconds


def test_a_snapshot_takes_the_place_of_all_that_was_known(store: Store, tmp_path: Path, wall: Wall) -> None:
    store.apply([progress(100)])

    store.apply(
        [{"__typename": "SnapshotBegan", "cursor": "c"}, {"__typename": "SnapshotEnded", "cursor": "e"}]
    )

    kept = again(store, tmp_path, wall)
    assert kept.progress() == []
    assert kept.cursor == "e"


# Sending and following


def settled(store: Store) -> Any:
    """Of what an answer changes, all that can be seen."""
    letters = [letter.id for letter in store.dead_letters()]
    return [operation.id for operation in store.waiting()], letters, store.settled_through


def killed_after(statements: int, path: Path, wall: Wall, prepare: Do, act: Do) -> tuple[Store, bool]:
    """What lies on the disk of a device that was killed behind so many statements; and whether it was."""
    store = Store(path, wall)
    prepare(store)
    store._database = Disk(store._database, statements)  # type: ignore[assignment]
    try:
        act(store)
    except Killed:
        return Store(path, wall), True
    return Store(path, wall), False


def test_a_position_takes_the_place_of_the_last_as_a_whole_wherever_the_process_is_killed(
    tmp_path: Path, wall: Wall
) -> None:
    found, deaths = list[int](), 0
    for statements in range(20):
        store, killed = killed_after(
            statements,
            tmp_path / f"{statements}.sqlite",
            wall,
            lambda store: store.do(watched(FILM, 1, 100, 1000)),
            lambda store: store.do(watched(FILM, 1, 200, 1000)),
        )
        deaths += killed
        found += [operation.change.arguments["positionSeconds"] for operation in store.waiting()]

    assert 5 < deaths < 20
    assert found == [100] * deaths + [200] * (20 - deaths)


def test_what_is_tried_again_is_put_aside_or_waits_wherever_the_process_is_killed(
    tmp_path: Path, wall: Wall
) -> None:
    def put_aside(store: Store) -> None:
        error = {"message": "No.", "code": "INVALID"}
        refused = store.do(noted(FILM, "a"))
        store.settle([{"operationId": refused.id, "fate": "REFUSED", "userErrors": [error]}])

    found, deaths = list[tuple[int, int]](), 0
    for statements in range(20):
        store, killed = killed_after(
            statements,
            tmp_path / f"{statements}.sqlite",
            wall,
            put_aside,
            lambda store: store.retry(store.dead_letters()[0].id),
        )
        deaths += killed
        found.append((len(store.dead_letters()), len(store)))

    assert 5 < deaths < 20
    assert found == [(1, 0)] * deaths + [(0, 1)] * (20 - deaths)


def test_an_answer_is_taken_as_a_whole_wherever_the_process_is_killed(tmp_path: Path, wall: Wall) -> None:
    seen, killed = list[bool](), 0
    for statements in range(40):
        store = Store(tmp_path / f"{statements}.sqlite", wall)
        made = [store.do(noted(FILM, text)).id for text in ("a", "b", "c")]
        error = {"message": "No.", "code": "INVALID"}
        results: list[dict[str, Any]] = [
            {"operationId": made[0], "fate": "APPLIED", "userErrors": []},
            {"operationId": made[1], "fate": "REFUSED", "userErrors": [error]},
            {"operationId": made[2], "fate": "APPLIED", "userErrors": []},
        ]
        before = settled(store)
        disk = Disk(store._database, statements)
        store._database = disk  # type: ignore[assignment]
        try:
            store.settle(results)
        except Killed:
            killed += 1

        after = settled(Store(tmp_path / f"{statements}.sqlite", wall))

        assert after == before or after[:2] == ([], [made[1]])
        seen.append(after == before)

    assert 5 < killed < 40
    assert seen == sorted(seen, reverse=True)


def test_events_that_come_together_are_taken_in_together_wherever_the_process_is_killed(
    tmp_path: Path, wall: Wall
) -> None:
    told = [
        {
            "__typename": "ReactionChanged",
            "cursor": content,
            "reaction": {"content": {"id": content}, "verdict": "LIKE", "stars": None, "version": "1"},
        }
        for content in ("a", "b", "c")
    ]
    found, killed = set[tuple[int, str | None]](), 0
    for statements in range(12):
        store = Store(tmp_path / f"{statements}.sqlite", wall)
        disk = Disk(store._database, statements)
        store._database = disk  # type: ignore[assignment]
        try:
            store.apply(told)
        except Killed:
            killed += 1

        store = Store(tmp_path / f"{statements}.sqlite", wall)

        found.add((len(store.reactions()), store.cursor))

    assert 3 < killed < 12
    assert found == {(0, None), (3, "c")}


async def test_a_queue_is_sent_in_order_and_then_settled(store: Store) -> None:
    server = Telling()
    done = [store.do(noted(FILM, f"{number}")).id for number in range(BATCH + 5)]

    report = await Synchroniser(store, server).push()

    assert report.done == len(done)
    assert server.told == [done[:BATCH], done[BATCH:], []]
    assert server.settled[-1] == str(store.settled_through)
    assert await Synchroniser(store, server).push() == type(report)(0, ())


async def test_a_failure_of_the_way_stops_and_loses_nothing(store: Store) -> None:
    server = Telling(failures=1)
    done = [store.do(noted(FILM, f"{number}")).id for number in range(3)]

    with pytest.raises(Offline):
        await Synchroniser(store, server).push()
    assert [operation.id for operation in store.waiting()] == done
    await Synchroniser(store, server).push()

    assert server.told[:2] == [done, done]
    assert len(store) == 0


async def test_what_is_refused_does_not_hold_up_the_rest(store: Store) -> None:
    done = [store.do(noted(FILM, f"{number}")).id for number in range(3)]

    report = await Synchroniser(store, Telling(fates={done[1]: "REFUSED"})).push()

    assert (report.done, [letter.id for letter in report.refused]) == (2, [done[1]])
    assert len(store) == 0


async def test_what_a_clock_that_runs_ahead_dated_is_dated_by_the_server_and_sent_again(
    store: Store, wall: Wall
) -> None:
    right, hour = wall.milliseconds, 3_600_000
    wall.milliseconds += hour
    store.do(noted(FILM, "a"))
    store.do(noted(FILM, "b"))
    wall.milliseconds += 10_000
    store.do(noted(FILM, "c"))
    server = Telling(milliseconds=right + 10_000, ahead=right + 70_000)

    report = await Synchroniser(store, server).push()

    assert (report.done, report.refused, store.dead_letters()) == (3, (), [])
    assert [version.clock >> COUNTER_BITS for version in server.versions] == [right, right, right + 10_000]
    assert server.versions == sorted(set(server.versions))
    wall.milliseconds = right + 20_000  # somebody has set it right
    assert store.do(noted(FILM, "d")).version.clock >> COUNTER_BITS == right + 20_000


async def test_what_was_dated_ahead_before_the_clock_was_set_right_counts_as_of_now(
    store: Store, wall: Wall
) -> None:
    right = wall.milliseconds
    wall.milliseconds += 3_600_000
    store.do(noted(FILM, "a"))
    wall.milliseconds = right
    server = Telling(milliseconds=right, ahead=right + 60_000)

    await Synchroniser(store, server).push()

    assert [version.clock >> COUNTER_BITS for version in server.versions] == [right]


async def test_where_the_server_tells_no_time_what_lies_ahead_is_put_aside(store: Store, wall: Wall) -> None:
    wall.milliseconds += 3_600_000
    store.do(noted(FILM, "a"))

    await Synchroniser(store, Telling(ahead=wall.milliseconds - 1)).push()

    assert [letter.code for letter in store.dead_letters()] == ["CLOCK_AHEAD"]


class Clocked:
    """A clock that goes on by what is paused, and notes it; `tries` may take time as well."""

    def __init__(self, enough: int = 10**6) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self._enough = enough

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)
        if len(self.pauses) == self._enough:
            raise ZeroDivisionError


@pytest.mark.parametrize("jitter", [0.0, 1.0])
async def test_pauses_grow_with_the_outage_and_differ(store: Store, jitter: float) -> None:
    clock = Clocked()
    store.do(noted(FILM, "a"))
    sender = Synchroniser(store, Telling(failures=200), clock.pause, lambda: jitter, clock)

    await sent_all(sender)

    share = (1 + jitter) / 2
    assert clock.pauses[0] == 0.5 * share
    outage = 0.0
    for pause in clock.pauses:
        assert pause == pytest.approx(share * min(60.0, max(0.5, outage / 8)))
        outage += pause
    assert max(clock.pauses) == share * LONGEST_PAUSE_SECONDS


async def test_pauses_begin_anew_after_a_success(store: Store) -> None:
    clock, server, wake = Clocked(), Telling(), asyncio.Event()
    sender = Synchroniser(store, server, clock.pause, lambda: 1.0, clock)
    sending = asyncio.create_task(sender.keep_pushing(wake))

    for _ in range(2):
        server.failures = 40
        store.do(noted(FILM, "a"))
        wake.set()
        async with asyncio.timeout(5):
            while len(store):  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0)

    await until_sent(store, sending)
    assert clock.pauses[39] > 2 * clock.pauses[0]
    assert clock.pauses[40:] == pytest.approx(clock.pauses[:40])


async def test_who_does_something_does_not_wait_for_the_end_of_a_pause(store: Store) -> None:
    server, wake = Telling(failures=1), asyncio.Event()
    store.do(noted(FILM, "a"))
    sending = asyncio.create_task(Synchroniser(store, server, for_ever).keep_pushing(wake))
    while server.failures:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(store) == 1

    wake.set()

    await until_sent(store, sending)


async def test_a_server_that_asks_to_wait_is_not_asked_before(store: Store) -> None:
    clock, wake = Clocked(), asyncio.Event()
    store.do(noted(FILM, "a"))
    wake.set()

    await sent_all(Synchroniser(store, Telling(failures=2, retry=7.0), clock.pause, clock=clock), wake)

    assert clock.pauses == [7.0, 7.0]


async def test_what_was_sent_ends_the_pause_before_following(store: Store) -> None:
    server = Telling(failures=0, events=[])
    sync = Synchroniser(store, server, for_ever)
    following = asyncio.create_task(sync.keep_following())
    for _ in range(5):
        await asyncio.sleep(0)
    assert server.cursors == [None]

    store.do(noted(FILM, "a"))
    await sent_all(sync)
    for _ in range(5):
        await asyncio.sleep(0)

    assert server.cursors == [None, None]
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def for_ever(_seconds: float) -> None:
    await asyncio.Event().wait()


async def sent_all(sender: Synchroniser, wake: asyncio.Event | None = None) -> None:
    sending = asyncio.create_task(sender.keep_pushing(wake or asyncio.Event()))
    await until_sent(sender.store, sending)


async def until_sent(store: Store, sending: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(5):
        while len(store):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_following_goes_on_behind_what_was_taken_in(store: Store) -> None:
    server = Telling(events=[progress(100, "one"), progress(200, "two")])

    for _ in range(2):
        with pytest.raises(Offline):
            await Synchroniser(store, server).follow()

    assert server.cursors == [None, "two"]
    assert store.progress()[0].position_seconds == 200


@pytest.mark.parametrize(("stood", "last"), [(1.0, 2.2), (3.0, 0.5)])
async def test_a_stream_that_stood_for_a_while_ends_the_growth_of_pauses(
    store: Store, stood: float, last: float
) -> None:
    """Also where nothing happened to it: else a quiet device would come back later after every restart."""
    clock = Clocked(enough=10)

    class Standing(Telling):
        async def changes(self, cursor: str | None) -> AsyncIterator[Mapping[str, Any]]:
            clock.now += stood
            async for event in super().changes(cursor):
                yield event

    quiet = Synchroniser(store, Standing(events=[]), clock.pause, lambda: 1.0, clock)

    with pytest.raises(ZeroDivisionError):
        await quiet.keep_following()

    assert clock.pauses[0] == 0.5
    assert clock.pauses[-1] == pytest.approx(last, abs=0.05)
