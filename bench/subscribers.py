"""How many subscribers one process holds: idle ones in memory, and others with an event a second each."""

import uuid
from collections.abc import Callable
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


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    """All sockets from a process of its own, some of each account; each has one subscription."""
    async with stage.gateway(rate_limits="false") as server:
        tokens = [await _token(server.port, number) for number in range(ACCOUNTS)]
        async with Client.open(server.port) as client:
            content = await content_id(client, films_among(stage.options.works)[0])
        stage.say(f"{BUSY_SOCKETS:,} subscribers with an event a second …")
        crowd = Crowd(server.port, tokens, BUSY_SOCKETS // ACCOUNTS, BUSY, content, SECONDS)
        report(await _busy(server, crowd))
        stage.say(f"{IDLE_SOCKETS:,} idle subscribers …")
        crowd = Crowd(server.port, tokens, IDLE_SOCKETS // ACCOUNTS, IDLE, content)
        for result in await _idle(server, crowd):
            report(result)


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


async def _token(port: int, number: int) -> str:

    async with Client.open(port) as client:
        email = f"subscriber-{number}-{uuid.uuid4().hex}@example.com"
        answer = await client.ask(REGISTER, email=email, password="A-good-Passw0rd")
    token: str = answer["registerAccount"]["accessToken"]
    return token
