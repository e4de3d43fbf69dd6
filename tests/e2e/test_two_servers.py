"""Two server processes joined by Redis: what one writes reaches the clients of the other."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.server import Client, Server, register, running

MOVIE = "the-matrix-1999"


@pytest.fixture(scope="module")
async def servers(scratch: Path, postgres_url: str, redis_url: str) -> AsyncIterator[tuple[Server, Server]]:
    shared = {
        "database_url": await fresh_database(postgres_url, "media_gateway_pair"),
        "redis_url": redis_url,
        "background_work": "false",
    }
    key = scratch / "pair-1"
    async with running(key, **shared) as first:
        second_folder = scratch / "pair-2"
        second_folder.mkdir()
        (second_folder / "signing-key.json").write_bytes((key / "signing-key.json").read_bytes())
        (second_folder / "signing-key.json").chmod(0o600)
        async with running(second_folder, **shared) as second:
            yield first, second


async def test_a_change_reaches_the_other_process(servers: tuple[Server, Server]) -> None:
    first, second = servers
    phone = await register(first, "pair@example.com")
    tv = Client(second, phone.token)
    movie = (await phone.ask(operations.FIND, slug=MOVIE))["content"]

    cursor = (await phone.ask(operations.CONTINUE))["viewer"]["syncCursor"]

    seen: list[int] = []
    delays: list[float] = []
    async with tv.follow(operations.FOLLOW_PROGRESS, after=cursor) as stream:
        await phone.ask(operations.PROGRESS, content=movie["id"], position=1)
        await stream.next()  # from here on the subscription is known to listen
        for position in range(100, 130):
            began = time.perf_counter()
            await phone.ask(operations.PROGRESS, content=movie["id"], position=position)
            seen.append((await stream.next())["progress"]["progress"]["positionSeconds"])
            delays.append(time.perf_counter() - began)
        counted = await metrics(second)

    assert seen == list(range(100, 130))
    # Well below the second that the look into the log would take: the message came through Redis.
    assert sorted(delays)[len(delays) // 2] < 0.5
    assert counted["sync_listeners"] == 1
    assert counted["sync_changes_relayed"] >= 30
    # All but those that the look into the log found first, on a busy machine.
    assert 15 < counted["sync_delivery_seconds_count"] <= 31
    assert counted["sync_delivery_seconds_sum"] < 31 * 0.5


async def metrics(server: Server) -> dict[str, float]:
    """Those without labels."""
    async with httpx.AsyncClient() as client:
        shown = (await client.get(f"{server.url}/metrics")).text
    lines = (line.split(" ") for line in shown.splitlines() if line[:1] != "#" and "{" not in line)
    return {name: float(value) for name, value in lines}


async def test_presence_is_shared(servers: tuple[Server, Server]) -> None:
    first, second = servers
    phone = await register(first, "presence@example.com")
    await phone.ask(operations.REGISTER_DEVICE, name="Phone", kind="PHONE")

    devices = (await Client(second, phone.token).ask("{ viewer { devices { name online } } }"))["viewer"]

    assert devices["devices"] == [{"name": "Phone", "online": True}]


async def test_a_change_of_the_catalogue_is_shown_by_both_within_a_second(
    servers: tuple[Server, Server], postgres_url: str
) -> None:
    text = 'query { content(by: {slug: "the-matrix-1999"}) { title } }'
    clients = [Client(server) for server in servers]
    before = [(await client.ask(text))["content"]["title"] for client in clients for _ in range(2)]
    head, _, tail = postgres_url.partition("?")
    address = f"{head.rsplit('/', 1)[0]}/media_gateway_pair" + (f"?{tail}" if tail else "")
    connection = await asyncpg.connect(address)

    try:
        await connection.execute("UPDATE content SET title = 'Matrix' WHERE slug = 'the-matrix-1999'")
        changed = time.perf_counter()
        after = [await until(client, text, "Matrix") - changed for client in clients]
    finally:
        await connection.execute("UPDATE content SET title = $1 WHERE slug = $2", before[0], MOVIE)
        await connection.close()

    assert before == ["The Matrix"] * 4
    assert max(after) < 1.0


async def until(client: Client, text: str, title: str) -> float:
    """When it is shown."""
    async with asyncio.timeout(5):
        while (await client.ask(text))["content"]["title"] != title:  # noqa: ASYNC110 - as a client asks
            await asyncio.sleep(0.01)
    return time.perf_counter()
