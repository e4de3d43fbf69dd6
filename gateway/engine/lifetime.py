"""For how long somebody may listen: until a moment that is known, or until somebody says that it is over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

EXPIRED: Final = "The sign-in has expired: subscribe again with a new one."


class Lifetime:
    """Of one listener, made and used within one event loop.

    `reason` says why it is over, in words for the listener.
    """

    def __init__(self, seconds: float | None = None) -> None:
        """Over after so many seconds; None: when `end` is called."""
        self.reason = EXPIRED
        self._until = _in(seconds)
        self._waiting: asyncio.Timeout | None = None
        self._ended = False
        self._told: Callable[[str], None] | None = None

    @property
    def seconds_left(self) -> float | None:
        """None where no end is known."""
        return None if self._until is None else max(0.0, self._until - asyncio.get_running_loop().time())

    def renew(self, seconds: float | None) -> None:
        """Over after so many seconds from now instead, unless it was ended."""
        if not self._ended:
            self._set(_in(seconds))

    def end(self, reason: str) -> None:
        """It is over now, whatever is waited for."""
        self.reason, self._ended = reason, True
        self._set(asyncio.get_running_loop().time())
        if self._told is not None:
            self._told(reason)

    def tell(self, told: Callable[[str], None]) -> None:
        """Calls `told` with the reason when `end` is called, at once where it was called before."""
        self._told = told
        if self._ended:
            told(self.reason)

    def _set(self, until: float | None) -> None:
        self._until = until
        if self._waiting is not None:
            self._waiting.reschedule(until)

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """A block that TimeoutError ends when it is over; one at a time."""
        async with asyncio.timeout_at(self._until) as waiting:
            self._waiting = waiting
            try:
                yield
            finally:
                self._waiting = None


def _in(seconds: float | None) -> float | None:
    return None if seconds is None else asyncio.get_running_loop().time() + seconds
