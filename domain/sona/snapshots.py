"""What was computed a moment ago, kept for a while in this process."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from domain.catalog.filters import Filter
from domain.sona.model import Trended

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

KEPT_SECONDS = 3_600.0
KEPT = 256
KEPT_TRENDS = 16


class Kept(Generic[K, V]):
    """Up to `most` values, the least recently used dropped first, each for `seconds`.

    `clock` answers seconds that never go back.
    """

    def __init__(
        self, clock: Callable[[], float], *, most: int = KEPT, seconds: float = KEPT_SECONDS
    ) -> None:
        self._clock = clock
        self._most = most
        self._seconds = seconds
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._running: dict[K, asyncio.Task[V]] = {}

    def get(self, key: K) -> V | None:
        found = self._values.get(key)
        if found is None:
            return None
        if found[0] <= self._clock():
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return found[1]

    async def once(self, key: K, compute: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Computes and keeps the value; whoever asks for it meanwhile waits for the same."""
        running = self._running.get(key)
        if running is None:
            running = asyncio.create_task(self._compute(key, compute))
            self._running[key] = running
        # One that gives up waiting must not take the answer from the others.
        return await asyncio.shield(running)

    async def _compute(self, key: K, compute: Callable[[], Coroutine[Any, Any, V]]) -> V:
        try:
            value = await compute()
            self.put(key, value)
            return value
        finally:
            del self._running[key]

    def put(self, key: K, value: V) -> None:
        self._values[key] = (self._clock() + self._seconds, value)
        self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)


Trending = Callable[[Filter, str | None, datetime], Coroutine[Any, Any, Sequence[Trended]]]
"""The works watched and wanted most up to a moment, hottest first; by viewers of a region, if given."""

TrendKey = tuple[Filter, str | None, datetime]


@dataclass(frozen=True)
class KeptTrends:
    """Fills `Trending` by asking another once for what everybody is told."""

    ask: Trending
    kept: Kept[TrendKey, Sequence[Trended]] = field(repr=False)

    async def __call__(self, wanted: Filter, region: str | None, as_of: datetime) -> Sequence[Trended]:
        key = (wanted, region, as_of)
        found = self.kept.get(key)
        if found is None:
            return await self.kept.once(key, lambda: self.ask(wanted, region, as_of))
        return found
