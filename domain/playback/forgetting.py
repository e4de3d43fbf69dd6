"""Having forgotten what was watched of a title."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.playback.model import PlaybackEnd, PlaybackSession
from domain.playback.service import Playback
from domain.sync.service import Wanted


class SessionsOfTitles(Protocol):
    """The sessions of an account in which one of some titles was played; within the account's turn."""

    async def playing_any(self, account_id: str, content_ids: Sequence[int]) -> list[PlaybackSession]:
        """Those that go on."""
        ...

    async def forget(self, account_id: str, content_ids: Sequence[int]) -> None: ...


@dataclass(frozen=True)
class Forgetting:
    """What it takes out comes back by no device that tells of it late: see docs/merge-rules.md."""

    sessions: SessionsOfTitles
    playback: Playback

    async def forget(self, account_id: str, content_id: int) -> int:
        """Forgets every viewing of a title with all its parts; how many there were.

        What plays of it is stopped. The watchlist, reactions and notes stay.
        """
        sync = self.playback.sync
        await sync.existing(content_id)
        parts = await sync.store.parts(content_id)
        async with sync.writing(account_id, Wanted(progress=set(parts))) as (writing, ledger):
            for session in await self.sessions.playing_any(account_id, parts):
                await self.playback.stop(writing, session, PlaybackEnd.FORGOTTEN)
            await self.sessions.forget(account_id, parts)
            return sum(ledger.forgot(part, sync.clock.tick(ledger.newest(part))) for part in parts)
