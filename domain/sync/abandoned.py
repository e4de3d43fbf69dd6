"""Viewings that were begun and never finished do not stay for good."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple, Protocol

from domain.sync.clock import Timestamp
from domain.sync.service import Sync, Wanted

KEEP_UNFINISHED = timedelta(days=180)
"""After 30 days they are no longer offered to be gone on with, after these they are forgotten."""
AT_ONCE = 500


class Left(NamedTuple):
    """A viewing that nobody went on with, as of `version`."""

    account_id: str
    content_id: int
    viewing: int
    version: Timestamp


class Unfinished(Protocol):
    """Up to `limit` viewings of all accounts that were not touched since, those of one account together."""

    async def __call__(self, before: datetime, limit: int) -> Sequence[Left]: ...


@dataclass(frozen=True)
class Abandoned:
    """Withdraws viewings that were left, so that devices forget them as well; what was finished stays."""

    unfinished: Unfinished
    sync: Sync
    now: Callable[[], datetime]

    async def forget(self) -> int:
        """One round; how many were withdrawn. One that somebody goes on with meanwhile stays."""
        return await withdraw(self.sync, await self.unfinished(self.now() - KEEP_UNFINISHED, AT_ONCE))


async def withdraw(sync: Sync, found: Sequence[Left]) -> int:
    """Takes viewings out of histories, one account after the other; how many still stood so."""
    withdrawn = 0
    for account_id, left in groupby(found, lambda each: each.account_id):
        viewings = list(left)
        wanted = Wanted(progress={each.content_id for each in viewings})
        async with sync.writing(account_id, wanted) as (_, ledger):
            withdrawn += sum(
                ledger.withdrawn(each.content_id, each.viewing, each.version) for each in viewings
            )
    return withdrawn
