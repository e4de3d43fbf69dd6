"""Attempts counted in Redis, for several processes."""

from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.identity.attempts import Allowance, AttemptLimit

log = structlog.get_logger(__name__)

PREFIX = "mg:identity:attempts:"

# One sorted set a key, of the attempts by the server's microseconds, so that clocks of our processes do not
# matter. Two attempts within a microsecond must not be one member: the set's own counter tells them apart.
_ATTEMPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
local made = redis.call('ZCARD', KEYS[1])
if made >= tonumber(ARGV[1]) then
    local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    return math.max(1, tonumber(oldest[2]) + window - now)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), string.format('%.0f:%d', now, made))
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return 0
"""


class RedisAttempts:
    """Fills `AttemptLimit`. While Redis is away each process counts for itself: no outage."""

    def __init__(self, redis: "Redis", fallback: AttemptLimit) -> None:
        self._redis = redis
        self._script: Any = redis.register_script(_ATTEMPT)
        self._fallback = fallback

    async def attempt(self, key: str, allowance: Allowance) -> float:
        window = int(allowance.seconds * 1_000_000)
        try:
            wait = await self._script(keys=[PREFIX + key], args=[allowance.attempts, window])
        except (RedisError, OSError) as error:
            log.warning("attempts.redis_away", error=str(error))
            return await self._fallback.attempt(key, allowance)
        return int(wait) / 1_000_000

    async def forgive(self, key: str) -> None:
        await self._fallback.forgive(key)
        try:
            await self._redis.delete(PREFIX + key)
        except (RedisError, OSError) as error:
            log.warning("attempts.redis_away", error=str(error))
