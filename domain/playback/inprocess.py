"""What is played incognito, within one process."""

import time
from collections.abc import Callable

from domain.playback.model import PlaybackSession

MOST = 10_000


class LocalPrivateSessions:
    """Fills `PrivateSessions`; where there are too many, the one that was silent for longest is dropped."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._held: dict[tuple[str, str], tuple[float, PlaybackSession]] = {}
        """With the moment when it lapses; the one held longest ago comes first."""

    async def get(self, account_id: str, session_id: str) -> PlaybackSession | None:
        until, session = self._held.get((account_id, session_id), (0.0, None))
        return session if until > self._clock() else None

    async def hold(self, session: PlaybackSession, seconds: float) -> None:
        key, now = (session.account_id, session.id), self._clock()
        self._held.pop(key, None)
        self._held[key] = (now + seconds, session)
        while self._held and (len(self._held) > self._most or self._oldest_until() <= now):
            del self._held[next(iter(self._held))]

    async def drop(self, account_id: str, session_id: str) -> None:
        self._held.pop((account_id, session_id), None)

    def _oldest_until(self) -> float:
        return self._held[next(iter(self._held))][0]
