"""Budgets kept in Redis, for several processes."""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.platform.breaker import Breaker
from domain.platform.budgets import Balance, Bucket, Budgets

log = structlog.get_logger(__name__)

PREFIX: Final = "mg:budget:"

# One hash a key: what the bucket held, and when, by the server's clock. A full bucket is no key at all.
_SPEND: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local capacity, per_second, amount = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = capacity
if kept[1] then
    tokens = math.min(capacity, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * per_second)
end
if ARGV[4] == 'if enough' and tokens < amount then
    return {0, string.format('%.6f', tokens)}
end
tokens = math.min(capacity, tokens - amount)
if tokens < capacity then
    redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
    redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - tokens) / per_second * 1000))
else
    redis.call('DEL', KEYS[1])
end
return {1, string.format('%.6f', tokens)}
"""


class RedisBudgets:
    """Fills `Budgets`. While Redis is away each process keeps budgets of its own: no outage, and no waiting
    for a server that does not answer.
    """

    def __init__(
        self, redis: "Redis", fallback: Budgets, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._script: Any = redis.register_script(_SPEND)
        self._fallback = fallback
        self._breaker = Breaker(clock)

    @property
    def failures(self) -> int:
        """Payments that Redis did not take."""
        return self._breaker.failures + self._breaker.refusals

    async def pay(self, key: str, bucket: Bucket, amount: float) -> Balance:
        found = await self._spend(key, bucket, amount, "if enough")
        return await self._fallback.pay(key, bucket, amount) if found is None else found

    async def settle(self, key: str, bucket: Bucket, amount: float) -> Balance:
        found = await self._spend(key, bucket, -amount, "always")
        return await self._fallback.settle(key, bucket, amount) if found is None else found

    async def _spend(self, key: str, bucket: Bucket, amount: float, when: str) -> Balance | None:
        if not self._breaker.admits():
            return None
        try:
            paid, left = await self._script(
                keys=[PREFIX + key], args=[bucket.capacity, bucket.per_second, amount, when]
            )
        except (RedisError, OSError) as error:
            if self._breaker.failed():
                log.warning("budgets.redis_away", error=str(error))
            return None
        if self._breaker.succeeded():
            log.info("budgets.redis_back")
        return Balance(paid=bool(paid), left=float(left))
