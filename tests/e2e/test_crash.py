"""A server killed in the middle of writing loses nothing that it acknowledged, and repeats nothing."""

import asyncio
import contextlib
from pathlib import Path

import httpx
import pytest

from tests.e2e import operations
from tests.e2e.server import Client, Failed, register, start

MOVIE = "the-matrix-1999"
KILLS = 4


@pytest.mark.timeout(180)
async def test_a_killed_server_loses_nothing_it_acknowledged(scratch: Path) -> None:
    folder = scratch / "crash"
    server = await start(folder, background_work="false")
    viewer = await register(server, "crash@example.com")
    movie = (await viewer.ask(operations.FIND, slug=MOVIE))["content"]
    cursor = (await viewer.ask(operations.CONTINUE))["viewer"]["syncCursor"]
    acknowledged: list[int] = []
    position = 0

    for kill in range(KILLS):
        writing = asyncio.create_task(_write_until_it_dies(viewer, movie["id"], position, acknowledged))
        await asyncio.sleep(0.15 + 0.1 * kill)
        server.kill()
        await server.process.wait()
        position = await writing
        server = await start(folder, background_work="false")
        viewer = Client(server, viewer.token)

    try:
        delivered = await _replay(viewer, cursor, acknowledged[-1])
        assert delivered == sorted(set(delivered))
        assert set(acknowledged) <= set(delivered)
        assert len(acknowledged) >= KILLS
        state = (await viewer.ask(operations.FIND, slug=MOVIE))["content"]["myProgress"]
        assert state["positionSeconds"] == delivered[-1]
    finally:
        await server.stop()


async def _write_until_it_dies(viewer: Client, movie: str, position: int, acknowledged: list[int]) -> int:
    """Writes rising positions; the one in the air when the server dies may or may not have been written."""
    with contextlib.suppress(httpx.TransportError):
        while True:
            position += 1
            await viewer.ask(operations.PROGRESS, content=movie, position=position)
            acknowledged.append(position)
    return position


async def _replay(viewer: Client, cursor: str, last: int) -> list[int]:
    """What a subscriber is delivered who was away all the time, until it has caught up."""
    delivered: list[int] = []
    async with viewer.follow(operations.FOLLOW_PROGRESS, after=cursor) as stream:
        while not delivered or delivered[-1] < last:
            delivered.append((await stream.next())["progress"]["progress"]["positionSeconds"])
        with contextlib.suppress(TimeoutError, Failed):
            async with asyncio.timeout(0.5):
                while True:
                    delivered.append((await stream.next())["progress"]["progress"]["positionSeconds"])
    return delivered
