"""Notes what is news, and tells those who listen."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from domain.catalog.changes import Notifier

TRENDS_EVERY = timedelta(hours=1)
TRENDS = 100
"""Works of a list of trends."""
KEPT = timedelta(days=30)

Trending: TypeAlias = Callable[[datetime], Awaitable[Sequence[int]]]
"""The works that are watched and wanted most, best first."""


class Noting(Protocol):
    """Writes news into their log; of several processes at once only one does."""

    async def note_availability(self, now: datetime) -> int:
        """What arrived, leaves or left since the last call of any process; how many entries that are."""
        ...

    async def note_trends(self, content_ids: list[int], now: datetime) -> int:
        """The list, where it is not the last one that was noted; how many entries that are."""
        ...

    async def trends_noted_at(self) -> datetime | None: ...

    async def forget(self, before: datetime) -> int:
        """Drops some of what is older; how many entries that were."""
        ...


@dataclass(frozen=True)
class Newsroom:
    """The work behind the news."""

    noting: Noting
    trending: Trending
    notifier: Notifier
    now: Callable[[], datetime]

    async def note_availability(self) -> int:
        return await self._tell(await self.noting.note_availability(self.now()))

    async def note_trends(self) -> int:
        """Once an hour, by whichever process finds it due."""
        now, noted_at = self.now(), await self.noting.trends_noted_at()
        if noted_at is not None and now - noted_at < TRENDS_EVERY:
            return 0
        best = await self.trending(now)
        return await self._tell(await self.noting.note_trends(list(best[:TRENDS]), now))

    async def forget(self) -> int:
        return await self.noting.forget(self.now() - KEPT)

    async def _tell(self, noted: int) -> int:
        if noted:
            await self.notifier.notify()
        return noted
