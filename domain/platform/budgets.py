"""What callers may spend: a bucket of tokens each, that refills as time goes by."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.platform.values import value

MAX_KEYS = 20_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """How much somebody can spend at once, and how fast that comes back."""

    capacity: float
    per_second: float

    def __post_init__(self) -> None:
        if not (self.capacity > 0 and self.per_second > 0):
            raise ValueError("a bucket holds something, and refills")


@dataclass(frozen=True, slots=True)
class Balance:
    """What became of a payment, and what is left now; less than nothing after more was used than was paid."""

    paid: bool
    left: float

    def wait_seconds(self, bucket: Bucket, amount: float) -> float:
        """Until the bucket holds `amount`, if nobody spends from it meanwhile."""
        return max(0.0, (min(amount, bucket.capacity) - self.left) / bucket.per_second)


class Budgets(Protocol):
    """Keeps the buckets, by key. A bucket that was never spent from is full."""

    async def pay(self, key: str, bucket: Bucket, amount: float) -> Balance:
        """Takes `amount` if the bucket holds as much, else nothing."""
        ...

    async def settle(self, key: str, bucket: Bucket, amount: float) -> Balance:
        """Puts `amount` back, or takes it where it is negative, whether the bucket holds as much or not."""
        ...


@value
class Charge:
    """What an operation was charged."""

    cost: float
    balance: Balance | None = None
    """None where nothing is budgeted."""


@dataclass(slots=True)
class Payer:
    """Who pays for the operations of one request."""

    key: str = ""
    bucket: Bucket | None = None
    """None for whoever has no budget to keep to."""
    reports: bool = False
    """Whether the answer tells what it cost."""
    charge: Charge | None = None
    """Of the operation that runs."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A budget as its owner sees it; amounts in whole units of cost."""

    limit: int
    cost: int
    remaining: int
    used: int
    reset_at: datetime

    @classmethod
    def of(cls, payer: Payer, now: datetime) -> "RateLimit | None":
        """None where nothing is budgeted."""
        bucket, charge = payer.bucket, payer.charge
        if bucket is None or charge is None or charge.balance is None:
            return None
        limit = math.floor(bucket.capacity)
        remaining = max(0, math.floor(charge.balance.left))
        full_in = charge.balance.wait_seconds(bucket, bucket.capacity)
        return cls(
            limit, math.ceil(charge.cost), remaining, limit - remaining, now + timedelta(seconds=full_in)
        )


@dataclass(slots=True)
class _Level:
    tokens: float
    at: float


class LocalBudgets:
    """Fills `Budgets` for one process.

    At most `max_keys` buckets are held; the quietest one is forgotten first, and is full then.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._levels: OrderedDict[str, _Level] = OrderedDict()

    async def pay(self, key: str, bucket: Bucket, amount: float) -> Balance:
        level = self._level(key, bucket)
        if level.tokens < amount:
            return Balance(paid=False, left=level.tokens)
        level.tokens -= amount
        return Balance(paid=True, left=level.tokens)

    async def settle(self, key: str, bucket: Bucket, amount: float) -> Balance:
        level = self._level(key, bucket)
        level.tokens = min(bucket.capacity, level.tokens + amount)
        return Balance(paid=True, left=level.tokens)

    def _level(self, key: str, bucket: Bucket) -> _Level:
        now = self._clock()
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = _Level(bucket.capacity, now)
            if len(self._levels) > self._max_keys:
                self._levels.popitem(last=False)
            return level
        self._levels.move_to_end(key)
        level.tokens = min(bucket.capacity, level.tokens + (now - level.at) * bucket.per_second)
        level.at = now
        return level
