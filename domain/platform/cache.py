"""Values kept in this process: bounded by bytes, asked for once at a time, invalidated by tags."""

import math
import sys
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Generic, TypeAlias, TypeVar

from domain.platform.flights import Flight
from domain.platform.sieve import Entry, Sieve

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Tag: TypeAlias = Hashable
Load: TypeAlias = Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]

ENTRY_BYTES = 240
"""Of an entry beside its key and value: itself, its number of bytes, its places in two dictionaries."""
TAG_BYTES = 112
"""Of a tag beside the dictionary of its entries: itself and its place in the index."""
GROUP_BYTES = sys.getsizeof({None: None})
"""Of the dictionary that the first entry makes for its tag."""
SWEEP_SECONDS = 0.05
"""How long after its time an entry may still be answered."""


@dataclass(frozen=True, eq=False, slots=True)
class Kind(Generic[K, V]):
    """What is kept of one kind of values, and for how long.

    `size_of` estimates the bytes of a key with its value, `tags_of` names what an entry depends on; both are
    told `None` for a key that has nothing, and give the same whenever they are asked; tags are distinct.
    """

    name: str
    seconds: float
    size_of: Callable[[K, V | None], int]
    tags_of: Callable[[K, V | None], Sequence[Tag]]


@dataclass(slots=True)
class Usage:
    """What was done with the keys of one kind, and what it holds now."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    invalidations: int = 0
    entries: int = 0
    bytes: int = 0


class Table:
    """The entries of one kind, the oldest first, and the questions under way for others."""

    __slots__ = ("entries", "flying", "kind", "usage")

    def __init__(self, kind: Kind[Any, Any]) -> None:
        self.kind = kind
        self.usage = Usage()
        self.entries: dict[Any, Entry] = {}
        self.flying: dict[Any, Flight] = {}


class Cache:
    """Answers what it holds at once, and asks for the rest; that a key has nothing is kept, too.

    What is read after an invalidation was loaded after it. `clock` answers seconds that never go back.
    """

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._tables: dict[Kind[Any, Any], Table] = {}
        self._queue = Sieve()
        self._tagged: dict[Tag, dict[Entry, None]] = {}
        self._flights: set[Flight] = set()
        self._generation = time.time_ns()
        self._bytes = 0
        self._sweep_at = math.inf
        self._paused = False

    @classmethod
    def without_room(cls) -> "Cache":
        """One that holds nothing, and hears of nothing."""
        cache = cls(0)
        cache.pause()
        return cache

    @property
    def generation(self) -> int:
        """Grows with every invalidation; no two processes, and no two runs of one, come by the same."""
        return self._generation

    @property
    def bytes(self) -> int:
        """The estimate of all that is held, the index of tags included."""
        return self._bytes

    @property
    def paused(self) -> bool:
        return self._paused

    def usage(self) -> Mapping[str, Usage]:
        """By the names of the kinds."""
        return {table.kind.name: table.usage for table in self._tables.values()}

    async def many(self, kind: Kind[K, V], keys: Sequence[K], load: Load[K, V]) -> Mapping[K, V]:
        """The values of the keys that have one; `load` is asked for those that are not held, in one question.

        Whoever misses the same key meanwhile waits for that question, and is told if it fails; a failure is
        not kept. The values are shared by all who ask: nobody may write on them.
        """
        if self._paused:
            return await load(keys)
        found = self.glance(kind, keys)
        return await self._filled(self._tables[kind], keys, load) if found is None else found

    def glance(self, kind: Kind[K, V], keys: Sequence[K]) -> Mapping[K, V] | None:
        """What `many` answers where all of it is held, at once; else nothing, as while paused."""
        if self._paused:
            return None
        if self._clock() >= self._sweep_at:
            self._sweep()
        table = self._tables.get(kind) or self._table(kind)
        entries = table.entries
        found: dict[K, V] = {}
        try:
            for key in keys:
                entry = entries[key]
                entry.visited = True
                if (value := entry.value) is not None:
                    found[key] = value
        except KeyError:
            return None
        table.usage.hits += len(keys)
        return found

    def held(self, kind: Kind[K, V], key: K) -> V | None:
        """What is held for a key, at once; while paused nothing is."""
        if self._paused:
            return None
        if self._clock() >= self._sweep_at:
            self._sweep()
        table = self._tables.get(kind)
        entry = None if table is None else table.entries.get(key)
        if table is None or entry is None or entry.value is None:
            return None
        entry.visited = True
        table.usage.hits += 1
        value: V = entry.value
        return value

    async def renew(self, kind: Kind[K, V], key: K, load: Callable[[], Awaitable[V | None]]) -> V | None:
        """Loads one value, whatever is held and whoever asks for it meanwhile; `None` is not kept."""
        table = self._tables.get(kind) or self._table(kind)
        flight = Flight((key,), self._generation)
        self._flights.add(flight)
        table.usage.misses += 1
        try:
            value = await load()
        finally:
            self._flights.discard(flight)
        if value is not None and not self._paused:
            self._keep(table, (key,), {key: value}, flight)
        return value

    def invalidate(self, tags: Iterable[Tag]) -> None:
        """Drops what depends on one of the tags; what does and is being loaded is answered, and not kept."""
        self._generation += 1
        tags = frozenset(tags)
        for flight in self._flights:
            flight.barred |= tags
        for tag in tags:
            for entry in list(self._tagged.get(tag, ())):
                entry.table.usage.invalidations += 1
                self._drop(entry)

    def clear(self) -> None:
        """Drops everything, as if all tags were invalidated."""
        self._generation += 1
        for flight in self._flights:
            flight.stale = True
        for table in self._tables.values():
            table.usage.invalidations += len(table.entries)
            table.usage.entries = table.usage.bytes = 0
            table.entries.clear()
        self._tagged.clear()
        self._queue.clear()
        self._bytes = 0

    def pause(self) -> None:
        """Until `resume` everything is asked for anew, and not kept: for whoever cannot hear of changes."""
        self._paused = True

    def resume(self) -> None:
        """What was held before the pause counts again; invalidate first what changed meanwhile."""
        self._paused = False

    async def _filled(self, table: Table, keys: Sequence[K], load: Load[K, V]) -> Mapping[K, V]:
        found: dict[K, V] = {}
        wanted = frozenset(keys)
        left: Iterable[K] = dict.fromkeys(keys)
        table.usage.hits += sum(key in table.entries for key in left)
        while left:
            missing, flights = self._look(table, left, found)
            if missing:
                table.usage.misses += len(missing)
                _take(found, missing, await self._ask(table, missing, load))
            left = []
            for flight, shared in flights.items():
                answer = await flight.outcome(wanted)
                if answer is None:
                    left += shared
                else:
                    _take(found, shared, answer)
        return found

    def _look(
        self, table: Table, keys: Iterable[K], found: dict[K, V]
    ) -> tuple[list[K], dict[Flight, list[K]]]:
        """Adds what is held to `found`; what has to be asked for, and the flights that will tell the rest.

        A flight that began before the latest invalidation is no answer for who comes after it.
        """
        missing: list[K] = []
        flights: dict[Flight, list[K]] = {}
        for key in keys:
            if (entry := table.entries.get(key)) is not None:
                entry.visited = True
                if entry.value is not None:
                    found[key] = entry.value
            elif (flight := table.flying.get(key)) is not None and flight.generation == self._generation:
                flights.setdefault(flight, []).append(key)
            else:
                missing.append(key)
        return missing, flights

    async def _ask(self, table: Table, keys: list[K], load: Load[K, V]) -> Mapping[K, V]:
        """Asked by the task that misses, so that its deadline and its transaction hold for the question."""
        flight = Flight(keys, self._generation)
        self._flights.add(flight)
        table.flying.update(dict.fromkeys(keys, flight))
        try:
            answer = await load(keys)
        except Exception as error:
            flight.land(error=error)
            raise
        else:
            self._keep(table, keys, answer, flight)
            flight.land(answer)
            return answer
        finally:
            if not flight.landed:
                flight.land()
            self._flights.discard(flight)
            for key in keys:
                if table.flying.get(key) is flight:
                    del table.flying[key]

    def _keep(self, table: Table, keys: Sequence[K], answer: Mapping[K, V], flight: Flight) -> None:
        if flight.stale:
            return
        expires = self._clock() + table.kind.seconds
        for key in keys:
            value = answer.get(key)
            tags = table.kind.tags_of(key, value)
            if flight.barred.isdisjoint(tags):
                self._put(
                    Entry(table, key, value, ENTRY_BYTES + table.kind.size_of(key, value), expires), tags
                )

    def _put(self, entry: Entry, tags: Sequence[Tag]) -> None:
        table: Table = entry.table
        if (known := table.entries.get(entry.key)) is not None:
            self._drop(known)
        room = self._max_bytes - entry.size - len(tags) * (TAG_BYTES + GROUP_BYTES)
        if room < 0:
            return
        self._evict(room)
        table.entries[entry.key] = entry
        table.usage.entries += 1
        table.usage.bytes += entry.size
        self._bytes += entry.size
        self._queue.push(entry)
        for tag in tags:
            self._tag(tag, entry)
        self._sweep_at = min(self._sweep_at, entry.expires)
        self._evict(self._max_bytes)  # the group of a tag may have grown by more than its new member

    def _evict(self, room: int) -> None:
        while self._bytes > room:
            victim = self._queue.victim()
            victim.table.usage.evictions += 1
            self._drop(victim)

    def _drop(self, entry: Entry) -> None:
        table: Table = entry.table
        del table.entries[entry.key]
        table.usage.entries -= 1
        table.usage.bytes -= entry.size
        self._bytes -= entry.size
        self._queue.remove(entry)
        for tag in table.kind.tags_of(entry.key, entry.value):
            self._untag(tag, entry)

    def _tag(self, tag: Tag, entry: Entry) -> None:
        group = self._tagged.get(tag)
        if group is None:
            group = self._tagged[tag] = {}
            self._bytes += TAG_BYTES + sys.getsizeof(group)
        before = sys.getsizeof(group)
        group[entry] = None
        self._bytes += sys.getsizeof(group) - before

    def _untag(self, tag: Tag, entry: Entry) -> None:
        group = self._tagged[tag]
        del group[entry]
        if not group:
            del self._tagged[tag]
            self._bytes -= TAG_BYTES + sys.getsizeof(group)

    def _sweep(self) -> None:
        """Drops what has been held for its time; entries of one kind lapse in the order they came."""
        now = self._clock()
        nearest = math.inf
        for table in self._tables.values():
            for entry in list(takewhile(lambda entry: entry.expires <= now, table.entries.values())):
                self._drop(entry)
            if (oldest := next(iter(table.entries.values()), None)) is not None:
                nearest = min(nearest, oldest.expires)
        self._sweep_at = max(nearest, now + SWEEP_SECONDS)

    def _table(self, kind: Kind[K, V]) -> Table:
        return self._tables.setdefault(kind, Table(kind))


def _take(found: dict[K, V], keys: Iterable[K], answer: Mapping[K, V]) -> None:
    for key in keys:
        if (value := answer.get(key)) is not None:
            found[key] = value


class Cached(Generic[K, V]):
    """A bulk question that asks a cache first."""

    __slots__ = ("_ask", "_cache", "_kind")

    def __init__(self, cache: Cache, kind: Kind[K, V], ask: Load[K, V]) -> None:
        self._cache = cache
        self._kind = kind
        self._ask = ask

    @property
    def __name__(self) -> str:
        return self._kind.name

    def __call__(self, keys: Sequence[K], /) -> Awaitable[Mapping[K, V]]:
        return self._cache.many(self._kind, keys, self._ask)

    def at_hand(self, keys: Sequence[K]) -> Mapping[K, V] | None:
        """The answer where nothing has to be waited for."""
        return self._cache.glance(self._kind, keys)
