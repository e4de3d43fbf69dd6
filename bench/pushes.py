"""What it takes to send the queue of a device that was offline: ten operations, and the thousand it may."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bench.account import content_id, films_among, make_account
from bench.client import Client
from bench.measures import Result, Timing
from bench.processes import Running, busy_seconds
from bench.stage import Stage

PUSH = """mutation Push($input: PushChangesInput!) { pushChanges(input: $input) {
  results { operationId fate userErrors { message } } userErrors { message } } }"""
TITLES = 200
DURATION_SECONDS = 6000
ROUNDS = {10: 60, 1000: 6}
"""Of each size."""
SETTLING = 3


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    """One device, one push at a time; six of ten operations are positions, each of a viewing of its own."""
    async with stage.gateway() as server:
        token = await make_account(server.port, stage.options.works)
        async with Client.open(server.port, token) as client:
            devices = (await client.ask("{ viewer { devices { id } } }"))["viewer"]["devices"]
            films = [await content_id(client, film) for film in films_among(stage.options.works)[:TITLES]]
            for size, rounds in ROUNDS.items():
                stage.say(f"pushChanges of {size:,} operations …")
                timing = await _pushed(client, server, stage, devices[0]["id"], films, size, rounds)
                report(Result(f"pushChanges of {size:,} operations", timing))


async def _pushed(  # noqa: PLR0913, PLR0917 - what is pushed where
    client: Client,
    server: Running,
    stage: Stage,
    device: str,
    films: Sequence[str],
    size: int,
    rounds: int,
) -> Timing:
    """CPU is that of the server and of the database."""
    times: list[float] = []
    busy = 0.0
    for number in range(SETTLING + rounds):
        told = {"deviceId": device, "operations": [_operation(place, films) for place in range(size)]}
        if number == SETTLING:
            busy = _busy(server, stage)
        began = time.perf_counter()
        payload = (await client.ask(PUSH, input=told))["pushChanges"]
        times.append(time.perf_counter() - began)
        _check(payload)
    counted = times[SETTLING:]
    spent = _busy(server, stage) - busy
    return replace(Timing.of(counted, sum(counted)), cpu_ms=1000 * spent / len(counted))


def _busy(server: Running, stage: Stage) -> float:
    return busy_seconds(server.pid) + busy_seconds(stage.database_pid)


def _operation(place: int, films: Sequence[str]) -> dict[str, Any]:
    id_, film = str(uuid.uuid4()), films[uuid.uuid4().int % len(films)]
    return {"id": id_, "version": f"{time.time_ns() // 1_000_000 << 16 | place:016x}@bench"} | {
        "change": _change(place % 10, film)
    }


def _change(kind: int, film: str) -> dict[str, Any]:
    match kind:
        case 6 | 7:
            return {"added": {"contentId": film}}
        case 8:
            return {"reacted": {"contentId": film, "stars": 4.5}}
        case 9:
            return {"noted": {"contentId": film, "text": "Once more."}}
    viewing = 1 + uuid.uuid4().int % 90_000
    told = {"viewing": viewing, "positionSeconds": 1200, "durationSeconds": DURATION_SECONDS}
    return {"watched": {"contentId": film} | told}


def _check(payload: dict[str, Any]) -> None:
    fates = {result["fate"] for result in payload["results"]}
    if payload["userErrors"] or fates != {"APPLIED"}:
        raise ValueError(f"The server refuses: {payload}")
