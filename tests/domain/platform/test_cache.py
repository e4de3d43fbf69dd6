"""What the cache promises: one question at a time, room, age, tags, failures, pauses."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from domain.platform.cache import SWEEP_SECONDS, Cache, Kind, Tag
from domain.platform.errors import Unavailable


def of_key(key: str, _value: str | None) -> tuple[Tag]:
    return (key,)


def sized(_key: str, value: str | None) -> int:
    return 0 if value is None else len(value)


THINGS: Kind[str, str] = Kind("things", 60.0, sized, of_key)
OTHERS: Kind[str, str] = Kind("others", 10.0, sized, of_key)


@dataclass
class Store:
    """Answers what it holds, when it is let."""

    values: dict[str, str] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    failure: Exception | None = None

    async def load(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.asked.append(list(keys))
        found = {key: self.values[key] for key in keys if key in self.values}
        failure = self.failure
        if self.gate is not None:
            await self.gate.wait()
        if failure is not None:
            raise failure
        return found


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> Cache:
    return Cache(1 << 20, clock)


async def begun(reading: Coroutine[Any, Any, Mapping[str, str]]) -> "asyncio.Task[Mapping[str, str]]":
    """A reading that has got as far as it can."""
    task = asyncio.create_task(reading)
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def test_what_is_held_is_not_asked_for_again(cache: Cache) -> None:
    store = Store({"a": "1", "b": "2", "c": "3"})

    first = await cache.many(THINGS, ["a", "b"], store.load)
    second = await cache.many(THINGS, ["c", "b", "a", "b"], store.load)

    assert (first, second) == ({"a": "1", "b": "2"}, {"a": "1", "b": "2", "c": "3"})
    assert store.asked == [["a", "b"], ["c"]]


async def test_that_a_key_has_nothing_is_held_as_well(cache: Cache) -> None:
    store = Store({"a": "1"})

    answers = [await cache.many(THINGS, ["a", "none"], store.load) for _ in range(2)]

    assert answers == [{"a": "1"}] * 2
    assert store.asked == [["a", "none"]]


async def test_kinds_do_not_mix(cache: Cache) -> None:
    await cache.many(THINGS, ["a"], Store({"a": "thing"}).load)

    assert await cache.many(OTHERS, ["a"], Store({"a": "other"}).load) == {"a": "other"}


async def test_an_answer_full_of_hits_gives_no_other_task_a_turn(cache: Cache) -> None:
    store = Store({"a": "1"})
    await cache.many(THINGS, ["a"], store.load)

    reading = cache.many(THINGS, ["a"], store.load)

    with pytest.raises(StopIteration) as stopped:
        reading.send(None)
    assert stopped.value.value == {"a": "1"}


async def test_who_misses_the_same_meanwhile_waits_for_one_question(cache: Cache) -> None:
    store = Store({"a": "1", "b": "2", "c": "3"}, gate=asyncio.Event())
    readings = [
        await begun(cache.many(THINGS, keys, store.load))
        for keys in (["a", "b"], ["b", "c"], ["a", "b", "c"])
    ]

    store.gate.set()  # type: ignore[union-attr]

    assert [await reading for reading in readings] == [
        {"a": "1", "b": "2"},
        {"b": "2", "c": "3"},
        {"a": "1", "b": "2", "c": "3"},
    ]
    assert store.asked == [["a", "b"], ["c"]]


async def test_a_failure_reaches_all_who_wait_and_is_not_kept(cache: Cache) -> None:
    store = Store({"a": "1"}, gate=asyncio.Event(), failure=Unavailable("away"))
    readings = [await begun(cache.many(THINGS, ["a"], store.load)) for _ in range(3)]

    store.gate.set()  # type: ignore[union-attr]
    outcomes = await asyncio.gather(*readings, return_exceptions=True)
    store.failure = None

    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    assert store.asked == [["a"]]
    assert await cache.many(THINGS, ["a"], store.load) == {"a": "1"}


async def test_a_question_that_fails_by_another_key_does_not_fail_who_shares_a_good_one(cache: Cache) -> None:
    store = Store({"a": "1"}, gate=asyncio.Event(), failure=ValueError("bad key"))
    poisoned = await begun(cache.many(THINGS, ["a", "bad"], store.load))
    store.failure = None
    sharing = await begun(cache.many(THINGS, ["a"], store.load))

    store.gate.set()  # type: ignore[union-attr]

    with pytest.raises(ValueError, match="bad key"):
        await poisoned
    assert await sharing == {"a": "1"}
    assert store.asked == [["a", "bad"], ["a"]]


async def test_the_first_asker_may_be_cancelled_without_harm_to_the_others(cache: Cache) -> None:
    store = Store({"a": "1"}, gate=asyncio.Event())
    first, second, third = [await begun(cache.many(THINGS, ["a"], store.load)) for _ in range(3)]

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    store.gate.set()  # type: ignore[union-attr]

    assert await second == await third == {"a": "1"}
    assert store.asked == [["a"], ["a"]]  # asked again once, by one of those left


async def test_who_waits_may_be_cancelled_without_harm_to_the_others(cache: Cache) -> None:
    store = Store({"a": "1"}, gate=asyncio.Event())
    first, second, third = [await begun(cache.many(THINGS, ["a"], store.load)) for _ in range(3)]

    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    store.gate.set()  # type: ignore[union-attr]

    assert await first == await third == {"a": "1"}
    assert store.asked == [["a"]]


async def test_entries_lapse_after_the_time_of_their_kind(cache: Cache, clock: Clock) -> None:
    store = Store({"a": "1"})
    await cache.many(THINGS, ["a"], store.load)
    await cache.many(OTHERS, ["a"], store.load)

    clock.seconds += OTHERS.seconds - 0.001
    await cache.many(OTHERS, ["a"], store.load)
    held = len(store.asked)
    clock.seconds += 0.001 + SWEEP_SECONDS
    await cache.many(OTHERS, ["a"], store.load)
    await cache.many(THINGS, ["a"], store.load)

    assert held == 2
    assert len(store.asked) == 3


async def test_an_invalidation_drops_what_has_the_tag_and_nothing_else(cache: Cache) -> None:
    store = Store({"a": "1", "b": "2"})
    for kind in (THINGS, OTHERS):
        await cache.many(kind, ["a", "b", "none"], store.load)
    store.asked.clear()
    store.values["a"] = "new"

    before = cache.generation
    cache.invalidate(["a", "unheard of"])
    answers = [await cache.many(kind, ["a", "b", "none"], store.load) for kind in (THINGS, OTHERS)]

    assert answers == [{"a": "new", "b": "2"}] * 2
    assert store.asked == [["a"], ["a"]]
    assert cache.generation > before


async def test_a_load_that_began_before_an_invalidation_is_not_kept(cache: Cache) -> None:
    store = Store({"a": "old", "b": "2"}, gate=asyncio.Event())
    early = await begun(cache.many(THINGS, ["a", "b"], store.load))
    store.values["a"] = "new"

    cache.invalidate(["a"])
    late = await begun(cache.many(THINGS, ["a"], store.load))
    store.gate.set()  # type: ignore[union-attr]
    answers = await late, await early
    store.asked.clear()

    assert answers == ({"a": "new"}, {"a": "old", "b": "2"})
    assert await cache.many(THINGS, ["a", "b"], store.load) == {"a": "new", "b": "2"}
    assert store.asked == []  # what the invalidation did not touch was kept all the same


async def test_a_load_that_ends_after_an_invalidation_leaves_nothing_old_behind(cache: Cache) -> None:
    store = Store({"a": "old"}, gate=asyncio.Event())
    early = await begun(cache.many(THINGS, ["a"], store.load))
    store.values["a"] = "new"

    cache.invalidate(["a"])
    store.gate.set()  # type: ignore[union-attr]
    await early

    assert await cache.many(THINGS, ["a"], store.load) == {"a": "new"}


async def test_clearing_is_an_invalidation_of_all(cache: Cache) -> None:
    store = Store({"a": "old", "b": "2"}, gate=asyncio.Event())
    early = await begun(cache.many(THINGS, ["a"], store.load))
    store.values["a"] = "new"

    before = cache.generation
    cache.clear()
    store.gate.set()  # type: ignore[union-attr]
    await early

    assert await cache.many(THINGS, ["a"], store.load) == {"a": "new"}
    assert cache.generation > before
    cache.clear()
    assert cache.bytes == 0


async def test_while_paused_every_question_is_asked_and_nothing_is_kept(cache: Cache) -> None:
    store = Store({"a": "1", "b": "2"})
    await cache.many(THINGS, ["a"], store.load)
    store.values["a"] = "2"

    cache.pause()
    paused = [await cache.many(THINGS, ["a", "b"], store.load) for _ in range(2)]
    cache.resume()
    store.asked.clear()
    await cache.many(THINGS, ["b"], store.load)

    assert paused == [{"a": "2", "b": "2"}] * 2
    assert store.asked == [["b"]]
    assert await cache.many(THINGS, ["a"], store.load) == {"a": "1"}  # nobody said that it had changed


async def test_it_stays_within_its_bytes_and_keeps_what_is_asked_for_again(clock: Clock) -> None:
    cache = Cache(40_000, clock)
    store = Store({f"{key}": "x" * 1000 for key in range(1000)})
    largest = 0
    for key in range(1000):
        await cache.many(THINGS, ["0", f"{key}"], store.load)
        largest = max(largest, cache.bytes)
    store.asked.clear()

    await cache.many(THINGS, ["0", "999"], store.load)

    usage = cache.usage()["things"]
    assert 30_000 < largest <= 40_000
    assert store.asked == []
    assert usage.evictions == 1000 - usage.entries
    assert 15 < usage.entries < 40


async def test_what_is_larger_than_the_whole_is_answered_and_not_kept(clock: Clock) -> None:
    cache = Cache(2_000, clock)
    store = Store({"small": "x", "large": "x" * 3_000})
    await cache.many(THINGS, ["small"], store.load)

    answer = await cache.many(THINGS, ["large"], store.load)

    assert answer == {"large": "x" * 3_000}
    assert cache.usage()["things"].entries == 1


async def test_one_tag_of_many_entries_counts_its_index(clock: Clock) -> None:
    common: Kind[str, str] = Kind("common", 60.0, sized, lambda _key, _value: ("all",))
    cache = Cache(1 << 20, clock)
    store = Store({f"{key}": "" for key in range(1000)})
    await cache.many(common, list(store.values), store.load)
    held = cache.bytes

    cache.invalidate(["all"])

    assert held - cache.usage()["common"].bytes >= 1000 * 16
    assert held > 1000 * 240
    assert cache.bytes == 0


async def test_usage_counts_what_was_done(cache: Cache) -> None:
    store = Store({"a": "1", "b": "22"})
    await cache.many(THINGS, ["a", "b"], store.load)
    await cache.many(THINGS, ["a", "c"], store.load)
    await cache.many(THINGS, ["a", "c"], store.load)
    cache.invalidate(["a"])

    usage = cache.usage()["things"]
    assert (usage.hits, usage.misses, usage.invalidations) == (3, 3, 1)
    assert usage.entries == 2
    assert usage.bytes > 0


def test_generations_of_two_caches_never_meet() -> None:
    assert Cache(0).generation != Cache(0).generation


async def test_a_question_runs_in_the_task_of_its_asker(cache: Cache) -> None:
    """So that its transaction and its deadline hold for the question."""
    tasks: list[asyncio.Task[Any] | None] = []

    async def load(_keys: Sequence[str]) -> Mapping[str, str]:
        tasks.append(asyncio.current_task())
        return {}

    await cache.many(THINGS, ["a"], load)

    assert tasks == [asyncio.current_task()]


# One value at a time, for whoever shares the question by other means.


async def test_what_is_held_is_told_at_once(cache: Cache, clock: Clock) -> None:
    store = Store({"a": "1"})
    await cache.many(THINGS, ["a", "none"], store.load)

    held = [cache.held(THINGS, key) for key in ("a", "none", "unheard of")]
    cache.pause()
    paused = cache.held(THINGS, "a")
    cache.resume()
    clock.seconds += THINGS.seconds
    late = cache.held(THINGS, "a")

    assert held == ["1", None, None]
    assert (paused, late) == (None, None)
    assert cache.held(OTHERS, "a") is None
    assert cache.usage()["things"].hits == 1


async def test_a_renewal_replaces_what_is_held_and_keeps_no_absence(cache: Cache) -> None:
    async def nothing() -> None:
        return None

    async def new() -> str:
        return "new"

    await cache.many(THINGS, ["a"], Store({"a": "old"}).load)
    assert await cache.renew(THINGS, "a", nothing) is None
    absent = cache.held(THINGS, "a")
    assert await cache.renew(THINGS, "a", new) == "new"

    assert (absent, cache.held(THINGS, "a")) == ("old", "new")
    assert cache.usage()["things"].entries == 1
    assert cache.usage()["things"].misses == 3


@pytest.mark.parametrize("event", ["invalidated", "cleared", "paused", "untouched"])
async def test_what_a_renewal_read_before_a_change_is_not_kept(cache: Cache, event: str) -> None:
    async def load() -> str:
        match event:
            case "invalidated":
                cache.invalidate(["a"])
            case "cleared":
                cache.clear()
            case "paused":
                cache.pause()
            case _:
                cache.invalidate(["b"])
        return "old"

    assert await cache.renew(THINGS, "a", load) == "old"
    cache.resume()

    assert cache.held(THINGS, "a") == ("old" if event == "untouched" else None)


async def test_a_renewal_that_fails_leaves_nothing_behind(cache: Cache) -> None:
    async def fail() -> str:
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        await cache.renew(THINGS, "a", fail)

    assert cache.held(THINGS, "a") is None
    assert cache._flights == set()
