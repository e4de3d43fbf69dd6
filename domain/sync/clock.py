"""Hybrid logical clocks: timestamps close to wall time that respect what was seen.

After Kulkarni et al., "Logical Physical Clocks" (2014): 48 bits of milliseconds since 1970, 16 of counter,
and the device's id beside them as the last tie-break.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from domain.platform.errors import BadInput, Refused, UserErrorCode, refuse

COUNTER_BITS = 16
MAX_COUNTER = (1 << COUNTER_BITS) - 1
MAX_MILLISECONDS = (1 << 47) - 1
MAX_AHEAD_MILLISECONDS = 60_000

_TEXT = re.compile(r"([0-9a-f]{12})([0-9a-f]{4})@([\w.:-]{1,64})")


class Timestamp(NamedTuple):
    """When something was written, and by which device; totally ordered, also between devices."""

    clock: int
    device: str

    @property
    def milliseconds(self) -> int:
        return self.clock >> COUNTER_BITS

    def __str__(self) -> str:
        return f"{self.clock:016x}@{self.device}"

    @staticmethod
    def parse(text: object) -> "Timestamp":
        """From `str(timestamp)`; raises `BadInput` where it is none."""
        match = _TEXT.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise BadInput(
                "A version has 16 hexadecimal digits (48 bits of milliseconds, 16 of counter), "
                "an @ and the device."
            )
        clock = int(match[1] + match[2], 16)
        if clock >> COUNTER_BITS > MAX_MILLISECONDS:
            raise BadInput("The version lies beyond every date.")
        return Timestamp(clock, match[3])


class HybridClock:
    """The clock of one process; owned by its event loop.

    `now` tells wall time in milliseconds and may go back; the clock does not.
    """

    def __init__(self, device: str, now: Callable[[], int]) -> None:
        self._device = device
        self._now = now
        self._last = 0

    def tick(self, seen: Timestamp | None = None) -> Timestamp:
        """A timestamp after everything that was ticked, and after `seen`.

        What was seen does not move the clock: a device of one account that runs ahead must not date the
        writes of all others into the future.
        """
        wall = self._now() << COUNTER_BITS
        # One more than the last carries a full counter into the milliseconds, which borrows from the future.
        self._last = max(wall, self._last + 1)
        return Timestamp(self._last if seen is None else max(self._last, seen.clock + 1), self._device)

    def receive(self, remote: Timestamp) -> Timestamp:
        """A device's timestamp as it is; refuses one that is more than a minute ahead."""
        if not self.takes(remote):
            raise _too_far_ahead(self.ahead(remote))
        return remote

    def takes(self, remote: Timestamp) -> bool:
        """Whether it is no more than a minute ahead."""
        return self.ahead(remote) <= MAX_AHEAD_MILLISECONDS

    def ahead(self, remote: Timestamp) -> int:
        """By how many milliseconds it is ahead of wall time; negative where it is behind."""
        return remote.milliseconds - self._now()


def _too_far_ahead(milliseconds: int) -> Refused:
    return refuse(
        f"The device's clock is {milliseconds // 1000} seconds ahead; set it and try again.",
        UserErrorCode.CLOCK_AHEAD,
        "version",
    )
