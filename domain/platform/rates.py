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
    debt: float
    """Seconds that what was counted is ahead of its time now."""

    @property
    def remaining(self) -> int:
        """How many more may come at once."""
        # Microseconds of rounding must not take a request away.
        left = int((self.rate.tolerance - self.debt) / self.rate.interval + 1e-3)
        return left if left > 0 else 0  # noqa: FURB136 - half as dear as `max`, in every answer to a key

    @property
    def retry_seconds(self) -> float:
        """Until one may come again; 0 where one may."""
        return 0.0 if self.allowed else _wait(self)

    @property
    def reset_seconds(self) -> float:
        """Until as many may come at once as ever, if none comes meanwhile."""
        return max(0.0, self.debt)


class RateLimiter(Protocol):
    """Counts requests in cells. A cell that was never asked for is empty."""

    async def take(self, cells: Sequence[Cell]) -> Verdict:
        """Counts one request in every cell if all of them have room, else in none; there is one at least."""
        ...


def verdict(cells: Sequence[Cell], debts: Sequence[float], *, allowed: bool) -> Verdict:
    """By the cell that decides. A debt is how many seconds a cell is ahead of its time now."""
    found = [Verdict(allowed, cell.rate, debt) for cell, debt in zip(cells, debts, strict=True)]
    return min(found, key=lambda one: (-_wait(one), one.remaining))


def _wait(found: Verdict) -> float:
    """Seconds until another one may come."""
    return max(0.0, found.debt + found.rate.interval - found.rate.tolerance)


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
        if len(cells) == 1:  # the same with less around it, as every request by an API key is one
            ((key, rate),) = cells
            due = self._due.get(key, now)
            owed = due - now if due > now else 0.0
            debt = owed + rate.interval
            if debt > rate.tolerance + _ROUNDING:
                return Verdict(False, rate, owed)  # noqa: FBT003
            self._due[key] = now + debt
            self._due.move_to_end(key)
            if len(self._due) > self._max_keys:
                self._forget()
            return Verdict(True, rate, debt)  # noqa: FBT003
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

    def _forget(self) -> None:
        while len(self._due) > self._max_keys:
            self._due.popitem(last=False)
