"""Any interleaving of strangers who ask and give up: each is told what they would be told alone."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.platform import deadline, gathering
from domain.platform.errors import Unavailable
from domain.platform.gathering import Gathered
from domain.platform.tracing import LEFT_OUT
from domain.platform.validity import observed_validity, validity
from loaders.loader import one

KEYS = range(6)
FULL = 4
WIDE = 3
SLOTS = 2
ABSENT_EVERY = 3
"""Of the versions of a key, every third is that it has nothing."""
WAYS = ("directly", "by a loader", "apart", "traced", "traced, by a loader")
NAME: ContextVar[int | None] = ContextVar("name", default=None)
APART: ContextVar[bool] = ContextVar("apart", default=False)


class Spoilt(Exception):
    """Names the keys that nobody can be told of."""


def value_of(version: int) -> int | None:
    return None if version % ABSENT_EVERY == 0 else version


@dataclass
class Asker:
    """Somebody, and what they may be told: what there was from when they asked until they are answered."""

    name: int
    keys: list[int]
    way: str
    ends_at: float | None
    since: dict[int, int]
    spoilt: set[int]
    """Keys that could not be told in all or some of that time."""
    sound: set[int]
    away: bool
    there: bool
    cancelled: bool = False
    task: "asyncio.Task[Mapping[int, int]]" = field(init=False)

    def check(self, now: Mapping[int, int]) -> None:
        if self.task.cancelled():
            assert self.cancelled
            return
        match self.task.exception():
            case None:
                assert self.there
                self._check_found(self.task.result(), now)
            case Spoilt(args=(keys,)):
                assert self.there
                assert keys
                assert keys == [key for key in self.keys if key in keys]
                assert set(keys) <= self.spoilt
            case Unavailable():
                assert self.away
            case other:
                raise AssertionError(other)

    def _check_found(self, found: Mapping[int, int], now: Mapping[int, int]) -> None:
        assert set(found) <= set(self.keys)
        assert set(self.keys) <= self.sound
        for key in self.keys:
            assert found.get(key) in {value_of(version) for version in range(self.since[key], now[key] + 1)}


@dataclass
class World:
    """A store that changes, and who asks it; `paces` say how long it takes, and whether it reads late."""

    paces: Iterator[tuple[int, bool]]
    versions: dict[int, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 1))
    spoilt: set[int] = field(default_factory=set)
    away: bool = False
    askers: list[Asker] = field(default_factory=list)
    running: list[Asker] = field(default_factory=list)
    wide: int = 0
    """Wide questions that are being answered."""

    def __post_init__(self) -> None:
        self.question = Gathered(self.answer, APART.get, asyncio.Semaphore(SLOTS))

    async def answer(self, keys: Sequence[int]) -> Mapping[int, int]:
        self._check_surroundings(keys)
        takes_a_slot = len(keys) >= WIDE and not APART.get()
        self.wide += takes_a_slot
        assert self.wide <= SLOTS
        try:
            return await self._answer(keys)
        finally:
            self.wide -= takes_a_slot

    async def _answer(self, keys: Sequence[int]) -> Mapping[int, int]:
        turns, late = next(self.paces)
        read = None if late else self._read(keys)
        for _ in range(turns):
            await asyncio.sleep(0)
        found = self._read(keys) if read is None else read
        if isinstance(found, Exception):
            raise found
        return found

    def _read(self, keys: Sequence[int]) -> Mapping[int, int] | Exception:
        if self.away:
            return Unavailable("The store is away.")
        if spoilt := [key for key in keys if key in self.spoilt]:
            return Spoilt(spoilt)
        return {key: value for key in keys if (value := value_of(self.versions[key])) is not None}

    def _check_surroundings(self, keys: Sequence[int]) -> None:
        """Who is asked for alone has their own around them, what is asked together has nobody's."""
        assert len(set(keys)) == len(keys)
        name = NAME.get()
        if name is None:
            assert LEFT_OUT.get()
            assert validity() is None
            assert deadline.ends_at() in {asker.ends_at for asker in self.askers}
        else:
            asker = self.askers[name]
            assert keys == asker.keys
            assert deadline.ends_at() == asker.ends_at
            assert LEFT_OUT.get() is not asker.way.startswith("traced")
            assert asker.way not in {"directly", "by a loader"} or len(keys) > FULL

    def ask(self, keys: list[int], way: str, ends_at: float | None) -> None:
        asker = Asker(
            len(self.askers),
            keys,
            way,
            ends_at,
            dict(self.versions),
            self.spoilt & set(keys),
            set(keys) - self.spoilt,
            self.away,
            not self.away,
        )
        self.askers.append(asker)
        asker.task = asyncio.get_running_loop().create_task(self._serve(asker))
        self.running.append(asker)

    async def _serve(self, asker: Asker) -> Mapping[int, int]:
        NAME.set(asker.name)
        LEFT_OUT.set(not asker.way.startswith("traced"))
        APART.set(asker.way == "apart")
        deadline.move(asker.ends_at)
        with observed_validity() as observed:
            if not asker.way.endswith("loader"):
                return await self.question(asker.keys)

            def judged(found: Mapping[int, int]) -> Mapping[int, int]:
                assert set(found) <= set(asker.keys)
                assert validity() is observed
                return found

            loader = one(self.question)
            loader._judge = judged
            found = await loader.load_many(asker.keys)
        return {key: value for key, value in zip(asker.keys, found, strict=True) if value is not None}

    def cancel(self, place: int) -> None:
        if self.running:
            asker = self.running[place % len(self.running)]
            asker.cancelled = True
            asker.task.cancel()

    def write(self, key: int) -> None:
        self.versions[key] += 1

    def spoil(self, key: int) -> None:
        """Or mend it."""
        self.spoilt ^= {key}
        for asker in self.running:
            (asker.spoilt if key in self.spoilt else asker.sound).add(key)

    def lose(self) -> None:
        """Or find again."""
        self.away = not self.away
        for asker in self.running:
            asker.away |= self.away
            asker.there |= not self.away

    async def wait(self, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
            self.check()

    def check(self) -> None:
        done = [asker for asker in self.running if asker.task.done()]
        self.running = [asker for asker in self.running if not asker.task.done()]
        for asker in done:
            asker.check(self.versions)

    async def end(self) -> None:
        turns = 0
        while self.running:
            await self.wait(1)
            turns += 1
            assert turns < PATIENCE


PATIENCE = 1_000

Step: TypeAlias = tuple[Any, ...]

ASKED = st.lists(st.sampled_from(KEYS), min_size=1, max_size=FULL + 1, unique=True)
ENDS = st.none() | st.sampled_from([1e9, 2e9, 3e9])
STEPS = st.one_of(
    st.tuples(st.just(World.ask), ASKED, st.just("directly") | st.sampled_from(WAYS), ENDS),
    st.tuples(st.just(World.ask), ASKED, st.just("by a loader"), ENDS),
    st.tuples(st.just(World.wait), st.integers(1, 4)),
    st.tuples(st.sampled_from([World.write, World.spoil, World.cancel]), st.sampled_from(KEYS)),
    st.tuples(st.just(World.lose)),
)
PACES = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=5)


@pytest.fixture(autouse=True, scope="module")
def _little_is_much() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "FULL", FULL)
        patch.setattr(gathering, "WIDE", WIDE)
        yield


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(steps=st.lists(STEPS, min_size=2, max_size=30), paces=PACES)
def test_each_is_told_what_they_would_be_alone_read_after_they_had_asked(
    steps: list[Step], paces: list[tuple[int, bool]]
) -> None:
    async def unheard() -> list[Any]:
        """Of the exceptions; whoever is told something else than they should be ends the story."""
        found: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
        world = World(cycle(paces))
        for step, *arguments in steps:
            if (waiting := step(world, *arguments)) is not None:
                await waiting
        await world.end()
        return found

    assert asyncio.run(unheard()) == []
