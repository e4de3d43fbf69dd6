"""What was measured: times in order, figures, and the rows they become."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
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

    @classmethod
    def median(cls, rounds: Sequence["Timing"]) -> "Timing":
        """Of several rounds, figure by figure: what disturbed one of them does not count."""
        return cls(*map(statistics.median, zip(*map(astuple, rounds), strict=True)))

    @classmethod
    def together(cls, parts: Sequence["Timing"]) -> "Timing":
        """Of servers that share a load: their answers a second, the longer times, the mean cost."""
        per_second = sum(part.per_second for part in parts)
        p50, p95, p99 = (
            max(getattr(part, name) for part in parts) for name in ("p50_ms", "p95_ms", "p99_ms")
        )
        costs = [part.per_second * part.cpu_ms for part in parts if part.cpu_ms is not None]
        return cls(per_second, p50, p95, p99, sum(costs) / per_second if costs else None)


@dataclass(frozen=True, slots=True)
class Result:
    """One row: either a timing, or a figure with its unit."""

    name: str
    timing: Timing | None = None
    figure: float | None = None
    unit: str = ""
    note: str = ""
    of_floor: float | None = None
    """Answers a second, as a multiple of those of the same answer without GraphQL."""
    of_best_peer: float | None = None
    """Answers a second, as a multiple of those of the fastest other server."""

    def as_json(self) -> dict[str, Any]:
        """Without what is not known."""
        return {name: value for name, value in asdict(self).items() if value is not None and value != ""}


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that `share` of all do not exceed (nearest rank), of values in rising order."""
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(0, rank - 1)]
