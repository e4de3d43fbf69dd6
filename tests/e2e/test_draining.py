"""A server with hundreds of streams is told to stop, or killed meanwhile: nobody misses anything."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.followers import PATIENCE_SECONDS, Follower, Transport, many_streams, until
from tests.e2e.server import Client, Server, register, running_pair

MOVIE = "the-matrix-1999"
ON_EACH, SILENT_ON_EACH = 120, 10
DRAIN_SECONDS = 8.0
WRITE_SECONDS = 0.3
FOLLOW_WATCHLIST = (
    """subscription ($after: String) { watchlist(after: $after) { cursor content { title } } }"""
)
SENT_AWAY = {
    Transport.WEBSOCKET: "1012 The server is restarting: subscribe again",
    Transport.EVENTS: "silence",
    Transport.MULTIPART: "UNAVAILABLE RESTARTING",
}


@dataclass
class House:
    """A server that is about to stop, one that stays, and those who follow an account on the first."""

    leaving: Server
    staying: Server
    client: Client
    movie: str
    watching: list[Follower]
    """They follow its progress, which is written all the time."""
    silent: list[Follower]
    """They follow its watchlist, to which nothing happens before the first is told to stop."""
    written: int = 0
    enough: bool = False
    moved: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def followers(self) -> list[Follower]:
        return [*self.watching, *self.silent]

    async def write(self) -> None:
        """Rising positions, by the server that stays, until there is enough."""
        while not self.enough:
            await self.client.ask(operations.PROGRESS, content=self.movie, position=self.written + 1)
            self.written += 1
            await asyncio.sleep(WRITE_SECONDS)

    async def move(self, follower: Follower, http: httpx.AsyncClient) -> float:
        """Follows on the first until that ends it, and goes on at the other by the next transport.

        When it was ended.
        """
        await follower.follow(self.leaving, http)
        ended_at = follower.ended_at
        following = Follower(
            follower.token, follower.document, follower.transport.next, follower.told or follower.cursor
        )
        following.events = follower.events
        self.moved.append(asyncio.create_task(following.follow(self.staying, http)))
        return ended_at


@asynccontextmanager
async def crowded(
    folder: Path, postgres_url: str, redis_url: str, *, silent_know: bool = False
) -> AsyncIterator[House]:
    """The silent followers begin with a cursor where they are to `know` one."""
    settings = {
        "database_url": await fresh_database(postgres_url, f"media_gateway_{folder.name}"),
        "redis_url": redis_url,
        "background_work": "false",
        "drain_seconds": str(DRAIN_SECONDS),
        "cost_mode": "off",
    }
    async with running_pair(folder, **settings) as (leaving, staying):
        client = await register(staying, "crowd@example.com")
        movie = (await client.ask(operations.FIND, slug=MOVIE))["content"]["id"]
        cursor = (await client.ask(operations.CONTINUE))["viewer"]["syncCursor"]
        token = client.token or ""
        watching = [
            Follower(token, operations.FOLLOW_PROGRESS, over, cursor)
            for over in Transport
            for _ in range(ON_EACH)
        ]
        silent = [
            Follower(token, FOLLOW_WATCHLIST, over, cursor if silent_know else None)
            for over in Transport
            for _ in range(SILENT_ON_EACH)
        ]
        house = House(leaving, staying, client, movie, watching, silent)
        try:
            yield house
        finally:
            for task in house.moved:
                task.cancel()
            await asyncio.gather(*house.moved, return_exceptions=True)


async def until_followed(house: House) -> None:
    """All listen: those who watch have two positions, the silent ones their answer."""
    await until(lambda: all(len(each.events) >= 2 for each in house.watching))
    await until(lambda: all(each.status for each in house.silent))
    await asyncio.sleep(1.0)  # where the silent ones begin is told by their first sign of life


async def nothing_was_missed(house: House, writing: "asyncio.Task[None]") -> None:
    """By anybody, nor told twice: neither what is written all the time, nor what came in between."""
    house.enough = True
    await writing
    everything = list(range(1, house.written + 1))
    await until(lambda: all(positions(each)[-1] == house.written for each in house.watching))
    await until(lambda: all(each.events for each in house.silent))
    await asyncio.sleep(1.0)  # for what might be told twice
    assert [each for each in house.watching if positions(each) != everything] == []
    assert [len(each.events) for each in house.silent] == [1] * len(house.silent)


def positions(follower: Follower) -> list[int]:
    return [event["progress"]["positionSeconds"] for event in follower.events]


@pytest.mark.timeout(240)
async def test_streams_of_a_server_that_stops_go_on_elsewhere(
    scratch: Path, postgres_url: str, redis_url: str
) -> None:
    async with crowded(scratch / "draining", postgres_url, redis_url) as house, many_streams() as http:
        moving = [asyncio.create_task(house.move(follower, http)) for follower in house.followers]
        writing = asyncio.create_task(house.write())
        await until_followed(house)

        began = time.monotonic()
        house.leaving.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(DRAIN_SECONDS / 3)
        await house.client.ask(operations.ADD, content=house.movie)
        assert await asyncio.wait_for(house.leaving.process.wait(), PATIENCE_SECONDS) == 0
        took = time.monotonic() - began
        ended = [ended_at - began for ended_at in await asyncio.gather(*moving)]

        assert took < DRAIN_SECONDS + 4.0
        for follower in house.followers:
            assert follower.ended == SENT_AWAY[follower.transport]
            assert follower.told is not None
        for transport in Transport:
            evenly_spread(
                [at for at, each in zip(ended, house.followers, strict=True) if each.transport is transport]
            )
        await nothing_was_missed(house, writing)


def evenly_spread(ended: list[float]) -> None:
    """Over the time that there is for it, or that a busy machine took for it."""
    ended.sort()
    whole = max(DRAIN_SECONDS, ended[-1])
    shares = [ended[len(ended) * tenth // 10] / whole for tenth in range(1, 10)]
    assert shares == pytest.approx([tenth / 10 for tenth in range(1, 10)], abs=0.2)


@pytest.mark.timeout(240)
async def test_nothing_is_missed_where_a_stopping_server_is_killed(
    scratch: Path, postgres_url: str, redis_url: str
) -> None:
    folder = scratch / "killed_draining"
    async with (
        crowded(folder, postgres_url, redis_url, silent_know=True) as house,
        many_streams() as http,
    ):
        moving = [asyncio.create_task(house.move(follower, http)) for follower in house.followers]
        writing = asyncio.create_task(house.write())
        await until_followed(house)

        house.leaving.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(DRAIN_SECONDS / 2)
        house.leaving.kill()
        await house.leaving.process.wait()
        await asyncio.gather(*moving)
        await house.client.ask(operations.ADD, content=house.movie)

        sent_away = [each.ended == SENT_AWAY[each.transport] for each in house.followers]
        assert 0 < sent_away.count(True) < len(sent_away)
        await nothing_was_missed(house, writing)
