"""What was measured: times in order, figures, and the rows they become."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Timing:
    """Many repetitions of one thing; times in milliseconds, each from sending to the last byte."""

    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float | None = None
    """What one answer cost the server's process, whoever else was busy: the figure to compare by."""

    @classmethod
    def of(cls, seconds_each: Sequence[float], elapsed_seconds: float) -> "Timing":
        """Of at least one time, taken within `elapsed_seconds`."""
        ordered = sorted(seconds_each)
        p50, p95, p99 = (percentile(ordered, share) * 1000 for share in (0.50, 0.95, 0.99))
        return cls(len(ordered) / elapsed_seconds, p50, p95, p99)


@dataclass(frozen=True, slots=True)
class Result:
    """One row: either a timing, or a figure with its unit."""

    name: str
    timing: Timing | None = None
    figure: float | None = None
    unit: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Without what is not known."""
        return {name: value for name, value in asdict(self).items() if value is not None and value != ""}


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that `share` of all do not exceed (nearest rank), of values in rising order."""
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(0, rank - 1)]
