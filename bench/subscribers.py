"""How many subscribers one process holds: idle ones in memory, and others with an event a second each."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from bench.account import REGISTER, content_id, films_among
from bench.client import Client
from bench.measures import Result
from bench.processes import Running, busy_seconds
from bench.sockets import Crowd, held
from bench.stage import Stage

IDLE = (
    "subscription { changes { __typename ... on ProgressChanged { cursor progress { positionSeconds } } } }"
)
BUSY = "subscription { progress { cursor progress { positionSeconds completed } } }"
MEBIBYTE = 2**20
ACCOUNTS = 20
IDLE_SOCKETS = 10_000
BUSY_SOCKETS = 2_000
SECONDS = 10
STREAMS = 100
"""On one socket, as many as it may have."""
SETTLING_SECONDS = 5.0


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    """All sockets from a process of its own, some of each account; a server of its own for each part, as one
    gives no memory back.
    """
    stage.say(f"{BUSY_SOCKETS:,} subscribers with an event a second …")
    async with _prepared(stage) as (server, tokens, content):
        crowd = Crowd(server.port, tokens, BUSY_SOCKETS // ACCOUNTS, BUSY, content, SECONDS)
        report(await _busy(server, crowd))
    stage.say(f"{IDLE_SOCKETS:,} idle subscribers …")
    async with _prepared(stage) as (server, tokens, content):
        for result in await _idle(
            server, Crowd(server.port, tokens, IDLE_SOCKETS // ACCOUNTS, IDLE, content)
        ):
            report(result)
    stage.say(f"{IDLE_SOCKETS:,} subscriptions on {IDLE_SOCKETS // STREAMS} sockets …")
    async with _prepared(stage) as (server, tokens, content):
        each = IDLE_SOCKETS // ACCOUNTS // STREAMS
        report(await _streams(server, Crowd(server.port, tokens, each, IDLE, content, streams=STREAMS)))


@asynccontextmanager
async def _prepared(stage: Stage) -> AsyncIterator[tuple[Running, list[str], str]]:
    """A server with accounts, their tokens, and a film."""
    async with stage.gateway(rate_limits="false") as server:
        tokens = [await _token(server.port, number) for number in range(ACCOUNTS)]
        async with Client.open(server.port) as client:
            content = await content_id(client, films_among(stage.options.works)[0])
        yield server, tokens, content


async def _busy(server: Running, crowd: Crowd) -> Result:
    async with held(crowd) as holding:
        busy = busy_seconds(server.pid)
        heard = await holding.listen()
        spent = busy_seconds(server.pid) - busy
    timing = replace(heard.timing, cpu_ms=1000 * spent / (crowd.changes * crowd.sockets))
    note = f"{heard.missing:,} missing; CPU is of one event at one socket, with its share of the change"
    return Result(f"{crowd.sockets:,} subscribers, an event a second each", timing, note=note)


async def _idle(server: Running, crowd: Crowd) -> list[Result]:
    before, busy = server.memory_bytes, busy_seconds(server.pid)
    async with held(crowd):
        grown, spent = server.memory_bytes - before, busy_seconds(server.pid) - busy
        whole = server.memory_bytes / MEBIBYTE
    name = f"{crowd.sockets:,} idle subscribers"
    return [
        Result(f"{name}: memory of the process", figure=whole, unit="MiB"),
        Result(f"{name}: memory of each", figure=grown / crowd.sockets / 1024, unit="KiB"),
        Result(f"{name}: CPU of opening one", figure=1000 * spent / crowd.sockets, unit="ms"),
    ]


async def _streams(server: Running, crowd: Crowd) -> Result:
    before = server.memory_bytes
    async with held(crowd):
        await asyncio.sleep(SETTLING_SECONDS)
        grown = server.memory_bytes - before
    count = crowd.sockets * crowd.streams
    name = f"{count:,} subscriptions, {crowd.streams} to a socket: memory of each"
    return Result(name, figure=grown / count / 1024, unit="KiB")


async def _token(port: int, number: int) -> str:

    async with Client.open(port) as client:
        email = f"subscriber-{number}-{uuid.uuid4().hex}@example.com"
        answer = await client.ask(REGISTER, email=email, password="A-good-Passw0rd")
    token: str = answer["registerAccount"]["accessToken"]
    return token
