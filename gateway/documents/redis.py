"""Automatic persisted queries in Redis, for several processes."""

import time
from typing import Final

from redis.asyncio import Redis

from domain.platform.breaker import Breaker
from domain.sync.redis import Guard

KEY: Final = "mg:documents:apq:{}"


class RedisQueries:
    """Fills `QueryStore`. While Redis is away nothing is found, and clients send their texts again."""

    def __init__(self, redis: "Redis", keep_seconds: int, breaker: Breaker | None = None) -> None:
        self._redis = redis
        self._keep_seconds = keep_seconds
        self._breaker = breaker or Breaker(time.monotonic)
        self._guard = Guard(self._breaker)

    def failures(self) -> int:
        """Look-ups and writes that Redis was not there for."""
        return self._breaker.failures + self._breaker.refusals

    async def get(self, query_hash: str) -> str | None:
        found = await self._guard.ask(
            lambda: self._redis.getex(KEY.format(query_hash), ex=self._keep_seconds)
        )
        # What cannot be decoded is not what we have written; its hash will not be right either.
        return found.decode(errors="replace") if isinstance(found, bytes) else found

    async def put(self, query_hash: str, text: str) -> None:
        await self._guard.ask(lambda: self._redis.set(KEY.format(query_hash), text, ex=self._keep_seconds))
