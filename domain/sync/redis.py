"""Fan-out and presence over Redis, for several processes."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.platform.breaker import Breaker
from domain.sync.devices import HEARTBEAT
from domain.sync.inprocess import LocalFanout, LocalPresence
from domain.sync.journal import Mailbox
from domain.sync.model import Change, ChangeKind

T = TypeVar("T")

log = structlog.get_logger(__name__)

CHANNEL = "mg:sync:changes"
LEASE = "mg:sync:presence:{}"
RETRY_SECONDS = 1.0
PULSE_SECONDS = 5.0
"""After so long a silence Redis is asked whether it is there; after another, the connection is given up."""
RENEWED_AT_ONCE = 500
OUTGOING = 1_000
"""Changes that wait to be sent; the oldest of more are dropped."""


class Guard:
    """Asks Redis, unless it has just failed several times: then nobody waits for it."""

    def __init__(self, breaker: Breaker | None = None) -> None:
        self._breaker = breaker or Breaker(time.monotonic)

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T | None:
        """The answer; nothing while Redis is away."""
        if not self._breaker.admits():
            return None
        try:
            answer = await question()
        except (RedisError, OSError) as error:
            if self._breaker.failed():
                log.warning("redis.away", error=str(error))
            return None
        if self._breaker.succeeded():
            log.info("redis.back")
        return answer


class RedisFanout:
    """Fills `Fanout`: listeners here are told at once, those of other processes through one channel.

    Nobody waits for Redis: what is to be sent is sent behind the writer's back, and dropped where that cannot
    be done. Others learn of it from the log then, by the poll of `Lookout`; nothing is lost.
    """

    def __init__(self, redis: "Redis", patient: "Redis", local: LocalFanout) -> None:
        """`patient` is a client that waits for messages as long as it takes."""
        self._redis = redis
        self._patient = patient
        self.local = local
        self.relayed = 0
        """Changes that other processes told."""
        self._outgoing: deque[Change] = deque(maxlen=OUTGOING)
        self._something = asyncio.Event()

    async def publish(self, changes: list[Change]) -> None:
        self.local.deliver(changes)
        if changes:
            self._outgoing.extend(changes)
            self._something.set()

    @asynccontextmanager
    async def listen(self, account_id: str) -> AsyncIterator[Mailbox]:
        async with self.local.listen(account_id) as box:
            yield box

    async def run(self) -> None:
        """Sends what is published here, and hands what other processes publish to the listeners here, until
        cancelled.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send())
            tasks.create_task(self._keep_receiving())

    async def _send(self) -> None:
        away = False
        while True:
            await self._something.wait()
            self._something.clear()
            message = orjson.dumps([_packed(change) for change in self._outgoing])
            self._outgoing.clear()
            try:
                await self._redis.publish(CHANNEL, message)
            except (RedisError, OSError) as error:
                if not away:
                    log.warning("fanout.redis_away", error=str(error))
                away = True
            else:
                if away:
                    log.info("fanout.redis_back")
                away = False

    async def _keep_receiving(self) -> None:
        while True:
            with suppress(RedisError, OSError):
                await self._receive()
            await asyncio.sleep(RETRY_SECONDS)

    async def _receive(self) -> None:
        """Until the connection breaks, or Redis gives no sign of life although it was asked for one."""
        async with self._patient.pubsub(ignore_subscribe_messages=True) as channel:
            async with asyncio.timeout(PULSE_SECONDS):
                await channel.subscribe(CHANNEL)
            self.local.unsure.set()  # what was published while we were not subscribed
            asked = False
            while True:
                message = await channel.get_message(timeout=PULSE_SECONDS)
                if message is None:
                    if asked:
                        return
                    asked = True
                    await channel.ping()
                    continue
                asked = False
                if message["type"] == "message":
                    self._take(message["data"])

    def _take(self, message: bytes) -> None:
        try:
            changes = [_unpacked(entry) for entry in orjson.loads(message)]
        except (ValueError, TypeError) as error:
            # As of a later version in a rolling update; the log is read by its own version's rules.
            log.warning("fanout.message_not_understood", error=str(error))
            self.local.unsure.set()
        else:
            self.relayed += len(changes)
            self.local.deliver(changes)


# One sorted set a device, of its holders by the end of their leases in the server's milliseconds; it lapses
# with the last of them, so that a device is online while its key exists.
_SETTLE = """
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], last[2]) end
"""
_RENEW = (
    """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
"""
    + _SETTLE
)
_LEAVE = "redis.call('ZREM', KEYS[1], unpack(ARGV))" + _SETTLE


class RedisPresence:
    """Fills `Presence` with keys that lapse. While Redis is away each process knows its own devices only."""

    def __init__(self, redis: "Redis", local: LocalPresence, guard: Guard | None = None) -> None:
        self._redis = redis
        self._local = local
        self._guard = guard or Guard()
        self._renew: Any = redis.register_script(_RENEW)
        self._leave: Any = redis.register_script(_LEAVE)

    async def renew(self, device_id: str, seconds: float, holder: str = HEARTBEAT) -> None:
        await self._local.renew(device_id, seconds, holder)
        key, lasts = LEASE.format(device_id), max(1, int(seconds * 1000))
        await self._guard.ask(lambda: self._renew(keys=[key], args=[holder, lasts]))

    async def renew_all(self, holders: Mapping[str, str], seconds: float) -> None:
        await self._local.renew_all(holders, seconds)
        lasts = max(1, int(seconds * 1000))
        for some in _chunks(list(holders.items()), RENEWED_AT_ONCE):
            asked = self._redis.pipeline(transaction=False)
            for device_id, holder in some:
                await self._renew(keys=[LEASE.format(device_id)], args=[holder, lasts], client=asked)
            await self._guard.ask(asked.execute)

    async def leave(self, device_id: str, *holders: str) -> None:
        await self._local.leave(device_id, *holders)
        key = LEASE.format(device_id)
        if holders:
            await self._guard.ask(lambda: self._leave(keys=[key], args=holders))
        else:
            await self._guard.ask(lambda: self._redis.delete(key))

    async def online(self, device_ids: Sequence[str]) -> set[str]:
        if not device_ids:
            return set()
        asked = self._redis.pipeline(transaction=False)
        for device in device_ids:
            asked.exists(LEASE.format(device))
        leases = await self._guard.ask(asked.execute)
        if leases is None:
            return await self._local.online(device_ids)
        return {device for device, there in zip(device_ids, leases, strict=True) if there}


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _packed(change: Change) -> list[object]:
    return [change.account_id, change.seq, change.kind, change.payload, change.written_at]


def _unpacked(entry: list[object]) -> Change:
    # What a later version tells beside it need not be known.
    account_id, seq, kind, payload, written_at, *_ = [*entry, None]
    change = Change(str(account_id), int(str(seq)), ChangeKind(str(kind)), dict(payload))  # type: ignore[call-overload]
    return replace(change, written_at=written_at if isinstance(written_at, float) else None)
