"""The process of a device, killed while it sends and started again on the same file."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from media_gateway_client import Gateway
from tests.e2e.server import Client, Server, register

WATCHING = Path(__file__).parent / "watching.py"
MOVIES = "{ contents(first: 1, filter: {kinds: [MOVIE]}) { nodes { id } } }"
CURSOR = "{ viewer { syncCursor } }"
KILLS = (
    (3, 0.0),
    (5, 0.003),
    (4, 0.006),
    (7, 0.01),
    (3, 0.015),
    (5, 0.02),
)
"""At which request of its life, and how many seconds after it began to send it."""
PATIENCE_SECONDS = 30.0


async def life(
    server: Server, client: Client, file: Path, content: str, first: int, death: tuple[int, float] | None
) -> tuple[list[int], bool]:
    """The viewings that its user saw done, and whether it came to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        WATCHING,
        *(server.url, client.token or "", str(file), content, str(first)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    done, sent, ended = list[int](), 0, False
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for line in process.stdout:
            word, number = line.split()
            if word == b"DID":
                done.append(int(number))
            elif word == b"SENDING":
                sent += 1
                if death is not None and sent == death[0]:
                    await asyncio.sleep(death[1])
                    process.kill()
            else:
                ended = int(number) == 0
        await process.wait()
    return done, ended


@pytest.mark.timeout(180)
async def test_a_device_killed_while_it_sends_loses_nothing_and_doubles_nothing(
    server: Server, tmp_path: Path
) -> None:
    client = await register(server, "killed@example.com")
    content = (await client.ask(MOVIES))["contents"]["nodes"][0]["id"]
    before = (await client.ask(CURSOR))["viewer"]["syncCursor"]
    file, done = tmp_path / "tv.sqlite", list[int]()
    for number, death in enumerate(KILLS, start=1):
        seen, ended = await life(server, client, file, content, 1000 * number, death)
        assert not ended
        done += seen

    _, ended = await life(server, client, file, content, 0, None)

    assert ended
    told = await viewings_told(server, client, before)
    assert len(done) > 100
    assert set(done) <= told.keys()
    # What it was doing when it was killed may have been done, though nobody saw it.
    assert len(told.keys() - set(done)) <= len(KILLS)
    assert set(told.values()) == {1}


async def viewings_told(server: Server, client: Client, cursor: str) -> Counter[int]:
    """How often the log tells of each viewing."""
    latest = (await client.ask(CURSOR))["viewer"]["syncCursor"]
    events = list[dict[str, object]]()
    async with httpx.AsyncClient(base_url=server.url) as http:
        async for event in Gateway(http, client.token or "").changes(cursor):
            events.append(dict(event))
            if event["cursor"] == latest:
                break
    return Counter(positions(events))


def positions(events: Sequence[dict[str, object]]) -> list[int]:
    return [
        progress["viewing"]
        for event in events
        if event["__typename"] == "ProgressChanged" and isinstance(progress := event["progress"], dict)
    ]
