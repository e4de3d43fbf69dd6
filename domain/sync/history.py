"""For how long a viewer wants their history kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.platform.errors import UserErrorCode, refuse
from domain.sync.abandoned import AT_ONCE, Left, withdraw
from domain.sync.service import Sync

MOST_DAYS = 3_650


class HistoryLimits(Protocol):
    """What accounts chose, and what has become older than that."""

    async def days(self, account_id: str) -> int | None: ...
    async def limit(self, account_id: str, days: int | None, at: datetime) -> None:
        """`None` takes the limit away."""
        ...

    async def overdue(self, at: datetime, limit: int) -> Sequence[Left]:
        """Up to `limit` viewings of all accounts that are to go, those of one account together."""
        ...


@dataclass(frozen=True)
class History:
    """The history of accounts that chose for how long it is kept; of all others it is kept for good."""

    limits: HistoryLimits
    sync: Sync
    now: Callable[[], datetime]

    async def keep(self, account_id: str, days: int | None) -> None:
        """What was watched longer ago than so many days is withdrawn from now on."""
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise refuse(
                f"A history is kept for 1 to {MOST_DAYS:,} days, or for good.", UserErrorCode.INVALID, "days"
            )
        await self.limits.limit(account_id, days, self.now())

    async def forget(self) -> int:
        """One round; how many viewings were withdrawn. Devices hear of it."""
        return await withdraw(self.sync, await self.limits.overdue(self.now(), AT_ONCE))
