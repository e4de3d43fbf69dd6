"""Hints of changes over Redis, for several processes."""

import asyncio
import time
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.catalog.changes import LocalNotifier
from domain.platform.breaker import Breaker

log = structlog.get_logger(__name__)

CHANNEL = "mg:catalog:changes"
RETRY_SECONDS = 1.0


class RedisNotifier:
    """Fills `Notifier`. A message says no more than that there is news: one that is lost costs only time."""

    def __init__(self, redis: "Redis", patient: "Redis", channel: str = CHANNEL) -> None:
        self._redis = redis
        self._patient = patient
        self._channel = channel
        self._local = LocalNotifier()
        self._breaker = Breaker(time.monotonic)

    async def notify(self) -> None:
        self._local.hint()
        if not self._breaker.admits():
            return
        try:
            await self._redis.publish(self._channel, b"")
        except (RedisError, OSError) as error:
            if self._breaker.failed():
                log.warning("notifier.redis_away", channel=self._channel, error=str(error))
        else:
            self._breaker.succeeded()

    async def wait(self) -> None:
        await self._local.wait()

    async def run(self) -> None:
        """Passes on what other processes publish, until cancelled."""
        while True:
            with suppress(RedisError, OSError):
                await self._receive()
            await asyncio.sleep(RETRY_SECONDS)

    async def _receive(self) -> None:
        async with self._patient.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(self._channel)
            self._local.hint()  # for what was published while we were not subscribed
            async for _message in channel.listen():
                self._local.hint()
