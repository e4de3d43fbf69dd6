"""Any interleaving of reads, writes, failures, evictions and pauses, against a model of what is allowed."""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from domain.platform.cache import Cache, Kind, Tag

KEYS = range(3)
ABSENT_EVERY = 4
"""Of the versions of a key, every fourth is that it has nothing."""
ALL = "all"


def value_of(version: int) -> int | None:
    return None if version % ABSENT_EVERY == 0 else version


def of_key(key: int, _value: int | None) -> tuple[Tag]:
    return (key,)


def of_value(key: int, value: int | None) -> tuple[Tag]:
    """As of a look-up by name: what is not there depends on everything."""
    return (ALL if value is None else key,)


KINDS: tuple[Kind[int, int], ...] = (
    Kind("plain", 10.0, lambda _key, _value: 200, of_key),
    Kind("named", 3.0, lambda _key, _value: 100, of_value),
)


@dataclass(eq=False)
class Load:
    """A question that reached the store: it reads either when it is asked, or when it is answered."""

    keys: list[int]
    read: dict[int, int]
    kind: str
    era: tuple[int, int]
    answer: "asyncio.Future[dict[int, int] | None]"


@dataclass
class Read:
    """A reader; `floor` has the version of each key that it must see at least."""

    keys: list[int]
    floor: dict[int, int]
    task: "asyncio.Task[Mapping[int, int]]"
    checked: bool = False


class Broken(Exception):
    pass


@dataclass
class World:
    cache: Cache
    now: float = 0.0
    versions: dict[int, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 1))
    told: dict[int, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 1))
    loads: list[Load] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    pauses: int = 0

    @property
    def paused(self) -> bool:
        return self.pauses % 2 == 1

    async def read(self, kind: Kind[int, int], keys: list[int]) -> None:
        async def load(missing: Sequence[int]) -> Mapping[int, int]:
            future = asyncio.get_running_loop().create_future()
            era = (self.pauses, self.cache.generation)
            asked = Load(list(missing), dict(self.versions), kind.name, era, future)
            if not self.paused:
                self._is_asked_once(asked)
            self.loads.append(asked)
            late = await future
            versions = asked.read if late is None else late
            return {key: value for key in missing if (value := value_of(versions[key])) is not None}

        async def reading() -> Mapping[int, int]:
            return await self.cache.many(kind, keys, load)

        task = asyncio.create_task(reading())
        self.reads.append(Read(keys, dict(self.versions if self.paused else self.told), task))
        await settle()

    def _is_asked_once(self, asked: Load) -> None:
        """Nobody asks what another is asking, unless an invalidation or a pause lies between them."""
        for other in self.loads:
            if other.era == asked.era and other.kind == asked.kind and not other.answer.done():
                assert not set(other.keys) & set(asked.keys)

    async def answer(self, place: int, *, late: bool, broken: bool) -> None:
        """One of the questions under way is answered by what was there when it was asked, or by what is."""
        waiting = [load for load in self.loads if not load.answer.done()]
        if not waiting:
            return
        load = waiting[place % len(waiting)]
        if broken:
            load.answer.set_exception(Broken())
        else:
            load.answer.set_result(dict(self.versions) if late else None)
        await settle()

    async def cancel(self, place: int) -> None:
        running = [read for read in self.reads if not read.task.done()]
        if running:
            running[place % len(running)].task.cancel()
            await settle()

    def write(self, keys: set[int], *, told: bool) -> None:
        for key in keys:
            self.versions[key] += 1
        if told:
            self.tell(keys)

    def tell(self, keys: set[int]) -> None:
        """What was written becomes known here."""
        self.told |= {key: self.versions[key] for key in keys}
        self.cache.invalidate({ALL, *keys})

    def tell_all(self) -> None:
        self.told = dict(self.versions)
        self.cache.clear()

    def check(self) -> None:
        for read in self.reads:
            if read.checked or not read.task.done():
                continue
            read.checked = True
            if read.task.cancelled() or isinstance(read.task.exception(), Broken):
                continue
            found = read.task.result()
            for key in read.keys:
                since = range(read.floor[key], self.versions[key] + 1)
                assert found.get(key) in {value_of(version) for version in since}
        usage = self.cache.usage().values()
        assert sum(used.bytes for used in usage) <= self.cache.bytes <= CACHE_BYTES


async def settle() -> None:
    """Until nobody can go on: every step here takes a few turns of the loop."""
    for _ in range(12):
        await asyncio.sleep(0)


CACHE_BYTES = 2_800
"""Room for some of the six entries there can be."""

STEPS = 400
SEEDS = range(12)
"""Each is a story of its own. Long ones find the rare interleavings that short ones, however many, do not."""


def story(seed: int) -> Iterator[tuple[object, ...]]:
    chance = random.Random(seed)

    def some() -> set[int]:
        return set(chance.sample(KEYS, chance.randint(1, len(KEYS))))

    def broken() -> bool:
        return chance.random() < 0.1

    kinds: dict[str, tuple[float, Callable[[], tuple[object, ...]]]] = {
        "read": (8, lambda: (chance.choice(KINDS), sorted(some()))),
        "answer": (8, lambda: (chance.randrange(20), chance.random() < 0.3, broken())),
        "cancel": (1, lambda: (chance.randrange(20),)),
        "write": (3, lambda: (some(), chance.random() < 0.7)),
        "tell": (1, lambda: (some(),)),
        "tell all": (0.8, tuple),
        "wait": (1, lambda: (chance.choice([0.01, 0.5, 4.0]),)),
        "lose touch": (0.6, tuple),
    }
    names = list(kinds)
    for name in chance.choices(names, [kinds[name][0] for name in names], k=STEPS):
        yield name, *kinds[name][1]()


async def run(
    steps: Iterable[tuple[object, ...]],
) -> World:
    world = World(Cache(CACHE_BYTES, lambda: world.now))
    for step in steps:
        match step:
            case ("read", Kind() as kind, list() as wanted):
                await world.read(kind, wanted)
            case ("answer", int() as place, bool() as late, bool() as broken):
                await world.answer(place, late=late, broken=broken)
            case ("cancel", int() as place):
                await world.cancel(place)
            case ("write", set() as written, bool() as told):
                world.write(written, told=told)
            case ("tell", set() as known):
                world.tell(known)
            case ("tell all",):
                world.tell_all()
            case ("wait", float() as seconds):
                world.now += seconds
            case ("lose touch",):
                await lose_touch(world)
        world.check()
    return world


async def lose_touch(world: World) -> None:
    """A pause, or the end of one: what was written meanwhile is told first."""
    if world.paused:
        world.tell({key for key in KEYS if world.told[key] != world.versions[key]})
        world.cache.resume()
    else:
        world.cache.pause()
    world.pauses += 1


@pytest.mark.parametrize("seed", SEEDS)
def test_no_read_that_began_after_an_invalidation_is_answered_with_what_was_before(seed: int) -> None:
    async def told() -> None:
        world = await run(story(seed))
        while any(not load.answer.done() for load in world.loads):
            await world.answer(0, late=False, broken=False)
            world.check()
        assert all(read.task.done() for read in world.reads)

    asyncio.run(told())


def test_the_model_knows_an_answer_that_is_too_old() -> None:
    """A property that cannot fail shows nothing."""

    class Forgetful(Cache):
        def invalidate(self, tags: object) -> None:
            """Drops nothing."""

    async def told() -> None:
        world = World(Forgetful(CACHE_BYTES, lambda: 0.0))
        await world.read(KINDS[0], [1])
        await world.answer(0, late=False, broken=False)
        world.versions[1] += 1
        world.tell({1})
        await world.read(KINDS[0], [1])
        with pytest.raises(AssertionError):
            world.check()

    asyncio.run(told())
