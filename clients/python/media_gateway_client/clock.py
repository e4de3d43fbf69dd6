"""Versions: hybrid logical clocks, as the server prints and reads them."""

import re
from dataclasses import dataclass

COUNTER_BITS = 16
_TEXT = re.compile(r"([0-9a-f]{16})@([\w.:-]{1,64})")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """When something was written, and by which device; totally ordered, also between devices."""

    clock: int
    device: str

    def __str__(self) -> str:
        return f"{self.clock:016x}@{self.device}"

    @staticmethod
    def parse(text: str) -> "Version":
        """ValueError where it is none."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a version")
        return Version(int(match[1], 16), match[2])


def tick(last: int, milliseconds: int) -> int:
    """The clock of the next write: that of the wall, or one more than the last where that stands still."""
    return max(milliseconds << COUNTER_BITS, last + 1)
