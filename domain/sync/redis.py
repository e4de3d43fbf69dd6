"""Fan-out and presence over Redis, for several processes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.sync.inprocess import LocalFanout
from domain.sync.journal import Mailbox
from domain.sync.model import Change, ChangeKind

log = structlog.get_logger(__name__)

CHANNEL = "mg:sync:changes"
LEASE = "mg:sync:presence:{}"
RETRY_SECONDS = 1.0


class RedisFanout:
    """Fills `Fanout`: listeners here are told at once, those of other processes through one channel.

    While Redis is away others learn from the log, by the poll of `Lookout`; nothing is lost.
    """

    def __init__(self, redis: "Redis", patient: "Redis", local: LocalFanout) -> None:
        self._redis = redis
        self._patient = patient
        self.local = local

    async def publish(self, changes: list[Change]) -> None:
        self.local.deliver(changes)
        if not changes:
            return
        try:
            await self._redis.publish(CHANNEL, orjson.dumps([_packed(change) for change in changes]))
        except (RedisError, OSError) as error:
            log.warning("fanout.redis_away", error=str(error))

    @asynccontextmanager
    async def listen(self, account_id: str) -> AsyncIterator[Mailbox]:
        async with self.local.listen(account_id) as box:
            yield box

    async def run(self) -> None:
        """Hands what other processes publish to the listeners here, until cancelled."""
        while True:
            with suppress(RedisError, OSError):
                await self._receive()
            await asyncio.sleep(RETRY_SECONDS)

    async def _receive(self) -> None:
        async with self._patient.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(CHANNEL)
            self.local.nudge(self.local.accounts)  # what was published while we were not subscribed
            async for message in channel.listen():
                self.local.deliver([_unpacked(entry) for entry in orjson.loads(message["data"])])


class RedisPresence:
    """Fills `Presence` with keys that lapse."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def renew(self, device_id: str, seconds: float) -> None:
        await self._redis.set(LEASE.format(device_id), b"1", px=max(1, int(seconds * 1000)))

    async def leave(self, device_id: str) -> None:
        await self._redis.delete(LEASE.format(device_id))

    async def online(self, device_ids: Sequence[str]) -> set[str]:
        if not device_ids:
            return set()
        leases = await self._redis.mget([LEASE.format(device) for device in device_ids])
        return {device for device, lease in zip(device_ids, leases, strict=True) if lease is not None}


def _packed(change: Change) -> list[object]:
    return [change.account_id, change.seq, change.kind, change.payload]


def _unpacked(entry: list[object]) -> Change:
    account_id, seq, kind, payload = entry
    return Change(str(account_id), int(str(seq)), ChangeKind(str(kind)), dict(payload))  # type: ignore[call-overload]
