"""A server with 500 streams is told to stop, or killed in the middle of that: nobody misses anything."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.server import Client, Server, register, running, start

MOVIE = "the-matrix-1999"
SOCKETS, ON_EACH, EVENT_STREAMS = 100, 4, 100
DRAIN_SECONDS = 6.0
PATIENCE_SECONDS = 40.0


@dataclass
class Follower:
    """Somebody who follows the progress of an account, and goes on where the server said, or where it was."""

    cursor: str
    positions: list[int] = field(default_factory=list)
    told: str | None = None
    """The cursor that the server sent it away with."""
    ended_at: float = 0.0

    def take(self, data: Any) -> None:
        event = data["progress"]
        self.cursor = event["cursor"]
        self.positions.append(event["progress"]["positionSeconds"])


@dataclass
class Crowd:
    """Followers on sockets, some on each, and on streams of events."""

    client: Client
    sockets: list[list[Follower]]
    streams: list[Follower]
    codes: list[int] = field(default_factory=list)
    """With which sockets were closed."""
    completed: int = 0
    """Streams that were said to be complete, which they are not."""

    @property
    def followers(self) -> list[Follower]:
        return [*(one for socket in self.sockets for one in socket), *self.streams]

    async def follow(self, server: Server) -> None:
        """Until the server has ended all of it."""
        async with httpx.AsyncClient(
            timeout=PATIENCE_SECONDS, limits=httpx.Limits(max_connections=None), verify=False
        ) as http:
            await asyncio.gather(
                *(self._on_socket(server, followers) for followers in self.sockets),
                *(self._on_stream(http, server, follower) for follower in self.streams),
            )

    async def _on_socket(self, server: Server, followers: list[Follower]) -> None:
        url = f"ws://127.0.0.1:{server.port}/graphql"
        async with connect(url, subprotocols=["graphql-transport-ws"], compression=None) as socket:  # type: ignore[list-item]
            await socket.send(
                orjson.dumps(
                    {
                        "type": "connection_init",
                        "payload": {"Authorization": f"Bearer {self.client.token}"},
                    }
                ).decode()
            )
            await socket.recv()
            for number, follower in enumerate(followers):
                payload = {"query": operations.FOLLOW_PROGRESS, "variables": {"after": follower.cursor}}
                await socket.send(
                    orjson.dumps({"type": "subscribe", "id": str(number), "payload": payload}).decode()
                )
            with contextlib.suppress(ConnectionClosed):
                while True:
                    self._heard(followers, orjson.loads(await socket.recv()))
        self.codes.append(socket.close_code or 0)
        for follower in followers:
            follower.ended_at = time.monotonic()

    def _heard(self, followers: list[Follower], message: Any) -> None:
        if message["type"] == "next":
            followers[int(message["id"])].take(message["payload"]["data"])
        elif message["type"] == "complete":
            self.completed += 1
        elif "reconnect" in message.get("payload", {}):
            for number, cursor in message["payload"]["reconnect"].items():
                followers[int(number)].told = cursor

    async def _on_stream(self, http: httpx.AsyncClient, server: Server, follower: Follower) -> None:
        headers = {
            "accept": "text/event-stream", "authorization": f"Bearer {self.client.token}",
        }  # fmt: skip
        body = {"query": operations.FOLLOW_PROGRESS, "variables": {"after": follower.cursor}}
        with contextlib.suppress(httpx.TransportError):
            async with http.stream("POST", f"{server.url}/graphql", json=body, headers=headers) as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("id: "):
                        follower.told = line.removeprefix("id: ")
                    elif line == "event: complete":
                        self.completed += 1
                    elif line.startswith("data: {"):
                        follower.take(orjson.loads(line.removeprefix("data: "))["data"])
        follower.ended_at = time.monotonic()


@pytest.fixture
async def url(postgres_url: str) -> str:
    return await fresh_database(postgres_url, "media_gateway_draining")


@contextlib.asynccontextmanager
async def crowded(folder: Path, url: str) -> AsyncIterator[tuple[Server, Crowd, str]]:
    """A server to which all of them listen, and the film that is watched."""
    server = await start(folder, database_url=url, background_work="false", drain_seconds=str(DRAIN_SECONDS))
    try:
        client = await register(server, "crowd@example.com")
        movie = (await client.ask(operations.FIND, slug=MOVIE))["content"]["id"]
        cursor = (await client.ask(operations.CONTINUE))["viewer"]["syncCursor"]
        sockets = [[Follower(cursor) for _ in range(ON_EACH)] for _ in range(SOCKETS)]
        yield server, Crowd(client, sockets, [Follower(cursor) for _ in range(EVENT_STREAMS)]), movie
    finally:
        if server.process.returncode is None:
            server.kill()
            await server.process.wait()


async def write(client: Client, movie: str, acknowledged: list[int]) -> None:
    """Rising positions, until the server takes no more."""
    with contextlib.suppress(httpx.TransportError):
        for position in range(1, 1000):
            await client.ask(operations.PROGRESS, content=movie, position=position)
            acknowledged.append(position)
            await asyncio.sleep(0.3)


async def until_all_have(crowd: Crowd, position: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(position not in follower.positions for follower in crowd.followers):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def gone_on(folder: Path, url: str, crowd: Crowd, last: int) -> None:
    """Everybody follows another server until they have what was written last, and all that came before."""
    async with running(folder, database_url=url, background_work="false") as server:
        following = asyncio.create_task(crowd.follow(server))
        await until_all_have(crowd, last)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    for follower in crowd.followers:
        assert follower.positions == list(range(1, len(follower.positions) + 1))
        assert len(follower.positions) >= last


@pytest.mark.timeout(240)
async def test_streams_of_a_server_that_stops_go_on_elsewhere(scratch: Path, url: str) -> None:
    folder, acknowledged = scratch / "draining", list[int]()
    async with crowded(folder, url) as (server, crowd, movie):
        following = asyncio.create_task(crowd.follow(server))
        writing = asyncio.create_task(write(crowd.client, movie, acknowledged))
        await until_all_have(crowd, 2)

        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(server.process.wait(), PATIENCE_SECONDS) == 0
        took = time.monotonic() - began
        await asyncio.gather(following, writing)

        assert crowd.codes == [1012] * SOCKETS
        assert crowd.completed == 0
        assert all(follower.told == follower.cursor for follower in crowd.followers)
        ended = sorted(follower.ended_at - began for follower in crowd.followers)
        assert ended[len(ended) * 9 // 10] - ended[len(ended) // 10] > 0.2  # one after another
        assert took < DRAIN_SECONDS + 10.0
        await gone_on(folder, url, crowd, acknowledged[-1])


@pytest.mark.timeout(240)
async def test_nothing_is_missed_where_a_stopping_server_is_killed(scratch: Path, url: str) -> None:
    folder, acknowledged = scratch / "killed-draining", list[int]()
    async with crowded(folder, url) as (server, crowd, movie):
        following = asyncio.create_task(crowd.follow(server))
        writing = asyncio.create_task(write(crowd.client, movie, acknowledged))
        await until_all_have(crowd, 2)

        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not crowd.codes:  # noqa: ASYNC110 - the first has gone
                await asyncio.sleep(0.005)
        server.kill()
        await server.process.wait()
        await asyncio.gather(following, writing)

        assert 0 < crowd.codes.count(1012) < SOCKETS
        await gone_on(folder, url, crowd, acknowledged[-1])
