"""Accounts, clients and keys as they were a moment ago: what every request of theirs looks at."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeAlias, TypeVar

from domain.identity.clients import OAuthClient
from domain.identity.model import Account

FRESH_SECONDS = 4.0
"""With what remembers callers, no more than the five seconds in which each change counts."""
MAX_KEPT = 10_000

T = TypeVar("T")


class Recent(Generic[T]):
    """Reads a value at most once in four seconds; requests that come meanwhile share the reading."""

    def __init__(
        self,
        read: Callable[[Sequence[str]], Awaitable[Mapping[str, T]]],
        clock: Callable[[], float] = time.monotonic,
        max_kept: int = MAX_KEPT,
    ) -> None:
        self._read = read
        self._clock = clock
        self._max_kept = max_kept
        self.version = 0
        """Another one whenever something was forgotten."""
        self._readings: OrderedDict[str, tuple[float, asyncio.Task[T | None]]] = OrderedDict()

    async def get(self, key: str) -> T | None:
        """The value as it was at most four seconds ago; nothing where there is none."""
        now = self._clock()
        stale_at, reading = self._readings.get(key, (now, None))
        if reading is None or stale_at <= now:
            reading = asyncio.create_task(self._one(key))
            self._readings[key] = (now + FRESH_SECONDS, reading)
            self._readings.move_to_end(key)
            if len(self._readings) > self._max_kept:
                self._readings.popitem(last=False)
        if reading.done():
            return reading.result()
        # Shielded, as others may wait for the same reading when this request is given up.
        return await asyncio.shield(reading)

    def forget(self, key: str) -> None:
        """The next request reads it anew; a reading under way is not kept."""
        self.version += 1
        self._readings.pop(key, None)

    async def _one(self, key: str) -> T | None:
        try:
            return (await self._read([key])).get(key)
        except BaseException:
            self.forget(key)
            raise


RecentAccounts: TypeAlias = Recent[Account]
RecentClients: TypeAlias = Recent[OAuthClient]
