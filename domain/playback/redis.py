"""What is played incognito, over Redis, for several processes."""

import orjson
from redis.asyncio import Redis

from domain.playback.inprocess import LocalPrivateSessions
from domain.playback.model import PlaybackSession, of_session, to_session
from domain.sync.redis import Guard

HELD = "mg:playback:private:{}:{}"


class RedisPrivateSessions:
    """Fills `PrivateSessions` with keys that lapse. While Redis is away each process knows its own only."""

    def __init__(self, redis: "Redis", local: LocalPrivateSessions, guard: Guard | None = None) -> None:
        self._redis = redis
        self._local = local
        self._guard = guard or Guard()

    async def get(self, account_id: str, session_id: str) -> PlaybackSession | None:
        key = HELD.format(account_id, session_id)
        answer = await self._guard.ask(lambda: self._redis.mget([key]))
        if answer is None:
            return await self._local.get(account_id, session_id)
        (found,) = answer
        return None if found is None else to_session(account_id, orjson.loads(found))

    async def hold(self, session: PlaybackSession, seconds: float) -> None:
        await self._local.hold(session, seconds)
        key, value = HELD.format(session.account_id, session.id), orjson.dumps(of_session(session))
        await self._guard.ask(lambda: self._redis.set(key, value, px=int(seconds * 1000)))

    async def drop(self, account_id: str, session_id: str) -> None:
        await self._local.drop(account_id, session_id)
        key = HELD.format(account_id, session_id)
        await self._guard.ask(lambda: self._redis.delete(key))
