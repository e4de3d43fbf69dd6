"""The part of the day in which a profile may watch."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

MINUTES_OF_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """From a minute of the day until another, which is not in it; past midnight where it is the earlier one.

    What the clocks on the wall show in `time_zone` counts, also on the days on which they are changed.
    """

    start: int
    end: int
    time_zone: str

    def open_at(self, at: datetime) -> bool:
        local = at.astimezone(ZoneInfo(self.time_zone))
        minute = local.hour * 60 + local.minute
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def __str__(self) -> str:
        return f"from {clock(self.start)} to {clock(self.end)} ({self.time_zone})"


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
