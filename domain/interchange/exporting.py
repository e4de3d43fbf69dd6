"""Exporting everything of an account into one archive, to which each context contributes its part."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from domain.interchange.archive import Part, State, packed

Contributor: TypeAlias = Callable[[str], Awaitable[Iterable[Part]]]
"""What another context has of an account, as further files of the archive; they are not imported again."""


@dataclass(frozen=True)
class Exports:
    """Writes archives."""

    state: Callable[[str], Awaitable[State]]
    now: Callable[[], datetime]
    others: Sequence[Contributor] = ()

    async def archive(self, account_id: str) -> bytes:
        """The archive of an account, as docs/interchange.md has it."""
        parts = list((await self.state(account_id)).parts())
        for other in self.others:
            parts += await other(account_id)
        return await asyncio.to_thread(packed, parts, self.now())
