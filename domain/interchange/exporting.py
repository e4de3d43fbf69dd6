"""Exporting what an account watched, listed, rated and noted, as files that are imported again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.interchange.archive import State, files_of, zipped


@dataclass(frozen=True)
class Archives:
    """Writes archives, as docs/interchange.md has them."""

    state: Callable[[str], Awaitable[State]]
    now: Callable[[], datetime]

    async def files(self, account_id: str) -> Mapping[str, bytes]:
        """The files of the archive by name, to be part of a larger one."""
        state = await self.state(account_id)
        return await asyncio.to_thread(lambda: files_of(state.parts(), self.now()))

    async def archive(self, account_id: str) -> bytes:
        return await asyncio.to_thread(zipped, await self.files(account_id))
