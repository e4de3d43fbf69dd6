"""From one client's change to the other's event: within one server, and between two joined by Redis."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench import operations
from bench.account import content_id, films_among, make_account
from bench.client import Client
from bench.measures import Result, Timing
from bench.processes import Running, redis
from bench.stage import Stage

CHANGES = 400
SETTLING = 20
EVENT_SECONDS = 10.0
PROTOCOL = Subprotocol("graphql-transport-ws")
KEY = "signing-key.json"
JOINED = "joined by Redis"
NO_REDIS = "redis-server is not installed"


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    stage.say("change → subscriber, one process …")
    async with stage.gateway() as server:
        report(Result("change → subscriber, one process", await _delays(stage, server, server)))
    async with joined(stage) as pair:
        if pair is None:
            report(Result("change → subscriber, two processes", note=NO_REDIS))
            return
        stage.say("change → subscriber, two processes …")
        report(Result("change → subscriber, two processes", await _delays(stage, *pair), note=JOINED))


@asynccontextmanager
async def joined(stage: Stage) -> AsyncIterator[tuple[Running, Running] | None]:
    """Two servers over one database, joined by Redis; nothing where that is not installed."""
    async with redis(stage.folder) as redis_url:
        if redis_url is None:
            yield None
            return
        async with stage.gateway(redis_url=redis_url) as first:
            _share_key(stage, "server", "second")
            async with stage.gateway("second", redis_url=redis_url) as second:
                yield first, second


async def _delays(stage: Stage, writing: Running, reading: Running) -> Timing:
    """From the first byte of the mutation to the whole event, one change at a time."""
    token = await make_account(writing.port, stage.options.works)
    async with (
        Client.open(writing.port, token) as phone,
        subscribed(reading.port, token, operations.FOLLOW) as events,
    ):
        content = await content_id(phone, films_among(stage.options.works)[0])
        times: list[float] = []
        for position in range(1, SETTLING + CHANGES + 1):
            began = time.perf_counter()
            change = asyncio.create_task(phone.ask(operations.REPORT, content=content, position=position))
            seen = (await next_event(events))["progress"]["progress"]["positionSeconds"]
            times.append(time.perf_counter() - began)
            _check((await change)["reportProgress"], seen, position)
    counted = times[SETTLING:]
    return Timing.of(counted, sum(counted))


@asynccontextmanager
async def subscribed(port: int, token: str, query: str, **variables: Any) -> AsyncIterator[ClientConnection]:
    """A WebSocket on which the events of a subscription arrive."""
    async with connected(port, token) as socket:
        await subscribe(socket, query, **variables)
        await asyncio.sleep(0.3)  # nothing tells a client that its subscription has begun
        yield socket


@asynccontextmanager
async def connected(port: int, token: str) -> AsyncIterator[ClientConnection]:
    """A WebSocket that is signed in."""
    async with connect(f"ws://127.0.0.1:{port}/graphql", subprotocols=[PROTOCOL]) as socket:
        await _send(socket, type="connection_init", payload={"Authorization": f"Bearer {token}"})
        await socket.recv()
        yield socket


async def subscribe(socket: ClientConnection, query: str, **variables: Any) -> None:
    await _send(socket, type="subscribe", id="1", payload={"query": query, "variables": variables})


async def next_event(socket: ClientConnection) -> dict[str, Any]:
    """The data of the next event."""
    async with asyncio.timeout(EVENT_SECONDS):
        while (message := orjson.loads(await socket.recv()))["type"] == "ping":
            await _send(socket, type="pong")
    data: dict[str, Any] = message["payload"]["data"]
    return data


async def _send(socket: ClientConnection, **message: Any) -> None:
    await socket.send(orjson.dumps(message).decode())


def _check(payload: dict[str, Any], seen: int, position: int) -> None:
    if payload["userErrors"] or seen != position:
        raise ValueError(f"Position {position} was written, {seen} arrived: {payload['userErrors']}")


def _share_key(stage: Stage, source: str, target: str) -> None:
    """Each server accepts the tokens of the other."""
    (stage.folder / target).mkdir(exist_ok=True)
    shutil.copy(stage.folder / source / KEY, stage.folder / target / KEY)
