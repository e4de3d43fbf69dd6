"""How often something may be asked: the generic cell rate algorithm, which spreads requests evenly and lets
some come at once. Nothing doubles at the edge of a window, as there is none.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from domain.platform.values import value

MAX_KEYS = 20_000
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Rate:
    """`amount` requests in any stretch of `seconds`, of which up to `burst` may come at once."""

    amount: int
    seconds: float
    burst: int

    def __post_init__(self) -> None:
        if not (self.amount > 0 and self.seconds > 0 and self.burst > 0):
            raise ValueError("a rate lets something through")

    @cached_property
    def interval(self) -> float:
        """Seconds after which one more may come."""
        return self.seconds / self.amount

    @cached_property
    def tolerance(self) -> float:
        """How many seconds ahead of their time requests may come."""
        return self.interval * self.burst


class Cell(NamedTuple):
    """What is counted under one key, and how fast it may grow."""

    key: str
    rate: Rate


@value
class Verdict:
    """Whether a request may go on, and what its caller can expect of the rate that is nearest to its end."""

    allowed: bool
    rate: Rate
    remaining: int
    """How many more may come at once."""
    retry_seconds: float
    """Until one may come again; 0 where one may."""
    reset_seconds: float
    """Until as many may come at once as ever, if none comes meanwhile."""


class RateLimiter(Protocol):
    """Counts requests in cells. A cell that was never asked for is empty."""

    async def take(self, cells: Sequence[Cell]) -> Verdict:
        """Counts one request in every cell if all of them have room, else in none; there is one at least."""
        ...


def verdict(cells: Sequence[Cell], debts: Sequence[float], *, allowed: bool) -> Verdict:
    """By the cell that decides. A debt is how many seconds a cell is ahead of its time now."""
    asked = [(cell.rate, debt) for cell, debt in zip(cells, debts, strict=True)]
    rate, debt = min(asked, key=lambda one: (-_wait(*one), _remaining(*one)))
    return Verdict(
        allowed, rate, _remaining(rate, debt), 0.0 if allowed else _wait(rate, debt), max(0.0, debt)
    )


def _wait(rate: Rate, debt: float) -> float:
    return max(0.0, debt + rate.interval - rate.tolerance)


def _remaining(rate: Rate, debt: float) -> int:
    # Microseconds of rounding must not take a request away.
    left = int((rate.tolerance - debt) / rate.interval + 1e-3)
    return max(0, left)


class LocalRates:
    """Fills `RateLimiter` for one process.

    At most `max_keys` cells are held; the one that was quiet for longest is forgotten first.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._due: OrderedDict[str, float] = OrderedDict()
        """By key, when the cell is empty again."""

    async def take(self, cells: Sequence[Cell]) -> Verdict:
        now = self._clock()
        if len(cells) == 1:
            return self._taken(cells[0], now)
        debts = [max(0.0, self._due.get(cell.key, now) - now) for cell in cells]
        after = [debt + cell.rate.interval for cell, debt in zip(cells, debts, strict=True)]
        for cell, debt in zip(cells, after, strict=True):
            if debt > cell.rate.tolerance + _ROUNDING:
                return verdict(cells, debts, allowed=False)
        for cell, debt in zip(cells, after, strict=True):
            self._due[cell.key] = now + debt
            self._due.move_to_end(cell.key)
        self._forget()
        return verdict(cells, after, allowed=True)

    def _taken(self, cell: Cell, now: float) -> Verdict:
        """The same of one cell, as every request by an API key takes: a third of the time."""
        key, rate = cell
        due = self._due.get(key, now)
        debt = (due - now if due > now else 0.0) + rate.interval
        if debt > rate.tolerance + _ROUNDING:
            debt -= rate.interval
            return Verdict(False, rate, _remaining(rate, debt), _wait(rate, debt), debt)  # noqa: FBT003
        self._due[key] = now + debt
        self._due.move_to_end(key)
        if len(self._due) > self._max_keys:
            self._forget()
        return Verdict(True, rate, _remaining(rate, debt), 0.0, debt)  # noqa: FBT003

    def _forget(self) -> None:
        while len(self._due) > self._max_keys:
            self._due.popitem(last=False)
