"""Rates kept in Redis, for several processes."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.platform.breaker import Breaker
from domain.platform.rates import Cell, RateLimiter, Verdict, verdict

log = structlog.get_logger(__name__)

PREFIX: Final = "mg:rate:"

# One text a key: when the cell is empty again, by the server's clock, in seconds. An empty cell is no key.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local debts, allowed = {}, 1
for i, key in ipairs(KEYS) do
    local due = tonumber(redis.call('GET', key) or now)
    debts[i] = math.max(0, due - now)
    if debts[i] + ARGV[2 * i - 1] > ARGV[2 * i] + 0.000001 then allowed = 0 end
end
local told = {allowed}
for i, key in ipairs(KEYS) do
    if allowed == 1 then
        debts[i] = debts[i] + ARGV[2 * i - 1]
        redis.call('SET', key, string.format('%.6f', now + debts[i]), 'PX', math.ceil(debts[i] * 1000))
    end
    told[i + 1] = string.format('%.6f', debts[i])
end
return told
"""


class RedisRates:
    """Fills `RateLimiter`. While Redis is away each process counts for itself: no outage, and no waiting."""

    def __init__(
        self, redis: "Redis", fallback: RateLimiter, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._script: Any = redis.register_script(_TAKE)
        self._fallback = fallback
        self._breaker = Breaker(clock)

    @property
    def failures(self) -> int:
        """Requests that Redis did not count."""
        return self._breaker.failures + self._breaker.refusals

    async def take(self, cells: Sequence[Cell]) -> Verdict:
        told = await self._told(cells)
        if told is None:
            return await self._fallback.take(cells)
        allowed, *debts = told
        return verdict(cells, [float(debt) for debt in debts], allowed=bool(allowed))

    async def _told(self, cells: Sequence[Cell]) -> list[Any] | None:
        if not self._breaker.admits():
            return None
        rates = [(cell.rate.interval, cell.rate.tolerance) for cell in cells]
        try:
            found: list[Any] = await self._script(
                keys=[PREFIX + cell.key for cell in cells], args=[figure for rate in rates for figure in rate]
            )
        except (RedisError, OSError) as error:
            if self._breaker.failed():
                log.warning("rates.redis_away", error=str(error))
            return None
        if self._breaker.succeeded():
            log.info("rates.redis_back")
        return found
