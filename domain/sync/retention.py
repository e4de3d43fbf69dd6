"""How long what only serves to catch up is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

KEEP_NOTED = timedelta(days=90)
"""Conflicts, operations that were done, titles that were forgotten, removals that no device answers for."""
KEEP_COMMANDS = timedelta(days=1)
BATCH = 5_000


class Attic(Protocol):
    """What is kept for a while; each method drops up to so many that are older, and answers how many."""

    async def forget_changes(self, before: datetime, limit: int) -> int: ...
    async def forget_noted(self, before: datetime, limit: int) -> int: ...
    async def forget_commands(self, before: datetime, limit: int) -> int:
        """With the processes that handed such over."""
        ...


@dataclass(frozen=True)
class Retention:
    """Drops what is too old, a little at a time, so that nobody waits for it."""

    attic: Attic
    keep_changes: timedelta
    now: Callable[[], datetime]

    async def run(self) -> int:
        """One round; how much was dropped. There may be more where that is not nothing."""
        now = self.now()
        return (
            await self.attic.forget_changes(now - self.keep_changes, BATCH)
            + await self.attic.forget_noted(now - KEEP_NOTED, BATCH)
            + await self.attic.forget_commands(now - KEEP_COMMANDS, BATCH)
        )
