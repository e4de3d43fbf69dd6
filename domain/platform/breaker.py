"""A breaker: after some failures in a row it asks no more for a while, then lets one try through."""

from collections.abc import Callable


class Breaker:
    """Closed while calls work; open, refusing, for `rest_seconds` after `tolerated` failures in a row.

    `clock` answers seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float], *, tolerated: int = 3, rest_seconds: float = 10.0) -> None:
        self._clock = clock
        self._tolerated = tolerated
        self._rest_seconds = rest_seconds
        self._failures_in_a_row = 0
        self._closed_again_at: float | None = None
        self.failures = 0
        """Failures ever, for the metrics."""
        self.refusals = 0
        """Calls that were not even tried."""

    def admits(self) -> bool:
        """Whether a call may be tried now; after the rest one is, and others wait for how it ends."""
        if self._closed_again_at is None:
            return True
        if self._clock() < self._closed_again_at:
            self.refusals += 1
            return False
        self._closed_again_at = self._clock() + self._rest_seconds
        return True

    def succeeded(self) -> bool:
        """Notes a call that worked; answers whether this ended a time of failures."""
        recovered = self._closed_again_at is not None
        self._failures_in_a_row = 0
        self._closed_again_at = None
        return recovered

    def failed(self) -> bool:
        """Notes a call that did not; answers whether this opened the breaker."""
        self.failures += 1
        self._failures_in_a_row += 1
        if self._failures_in_a_row < self._tolerated and self._closed_again_at is None:
            return False
        opened = self._closed_again_at is None
        self._closed_again_at = self._clock() + self._rest_seconds
        return opened
