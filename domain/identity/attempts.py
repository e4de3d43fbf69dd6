"""How often something may be tried: a sliding window, kept in this process."""

import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MAX_KEYS = 50_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many attempts in any stretch of so many seconds."""

    attempts: int
    seconds: float


class AttemptLimit(Protocol):
    """Counts attempts by key."""

    async def attempt(self, key: str, allowance: Allowance) -> float:
        """Takes one attempt and answers 0, or takes none and answers after how many seconds there is one."""
        ...

    async def forgive(self, key: str) -> None:
        """Forgets the attempts under a key."""
        ...


class LocalAttempts:
    """Fills `AttemptLimit` for one process.

    Of each kind (what stands before the last colon of a key) at most `max_keys` are held; the one that was
    quiet for longest is forgotten first. So who asks for much of one kind makes nobody forget another.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._kinds: defaultdict[str, OrderedDict[str, deque[float]]] = defaultdict(OrderedDict)

    async def attempt(self, key: str, allowance: Allowance) -> float:
        now, kept = self._clock(), self._kept(key)
        made = kept.setdefault(key, deque())
        kept.move_to_end(key)
        while made and made[0] <= now - allowance.seconds:
            made.popleft()
        if len(made) >= allowance.attempts:
            return made[0] + allowance.seconds - now
        made.append(now)
        if len(kept) > self._max_keys:
            kept.popitem(last=False)
        return 0.0

    async def forgive(self, key: str) -> None:
        self._kept(key).pop(key, None)

    def _kept(self, key: str) -> OrderedDict[str, deque[float]]:
        return self._kinds[key.rpartition(":")[0]]
