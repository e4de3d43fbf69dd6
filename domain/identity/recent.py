"""Accounts as they were a moment ago: what every request of a signed-in caller looks at."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from domain.identity.model import Account

FRESH_SECONDS = 5.0
MAX_ACCOUNTS = 10_000

ReadAccounts = Callable[[Sequence[str]], Awaitable[Mapping[str, Account]]]


class RecentAccounts:
    """Reads an account at most once in five seconds; requests that come meanwhile share the reading."""

    def __init__(
        self,
        read: ReadAccounts,
        clock: Callable[[], float] = time.monotonic,
        max_accounts: int = MAX_ACCOUNTS,
    ) -> None:
        self._read = read
        self._clock = clock
        self._max_accounts = max_accounts
        self._readings: OrderedDict[str, tuple[float, asyncio.Task[Account | None]]] = OrderedDict()

    async def get(self, account_id: str) -> Account | None:
        """The account as it was at most five seconds ago; nothing where there is none."""
        now = self._clock()
        stale_at, reading = self._readings.get(account_id, (now, None))
        if reading is None or stale_at <= now:
            reading = asyncio.create_task(self._one(account_id))
            self._readings[account_id] = (now + FRESH_SECONDS, reading)
            self._readings.move_to_end(account_id)
            if len(self._readings) > self._max_accounts:
                self._readings.popitem(last=False)
        if reading.done():
            return reading.result()
        # Shielded, as others may wait for the same reading when this request is given up.
        return await asyncio.shield(reading)

    def forget(self, account_id: str) -> None:
        """The next request reads it anew; a reading under way is not kept."""
        self._readings.pop(account_id, None)

    async def _one(self, account_id: str) -> Account | None:
        try:
            return (await self._read([account_id])).get(account_id)
        except BaseException:
            self.forget(account_id)
            raise
