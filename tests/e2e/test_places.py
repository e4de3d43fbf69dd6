"""How many streams and sockets one account may have at a process, and how they come free."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import httpx
import orjson
import pytest

from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.followers import Follower, Transport, following, many_streams, until
from tests.e2e.server import Client, Server, register, running_pair, share_key, start

MOST, MOST_SOCKETS = 4, 2
REFUSED = "RATE_LIMITED"


@pytest.fixture(scope="module")
async def settings(postgres_url: str) -> dict[str, str]:
    return {
        "database_url": await fresh_database(postgres_url, "media_gateway_places"),
        "background_work": "false",
        "demo_catalogue": "false",
        "max_concurrent_subscriptions": str(MOST),
        "max_concurrent_sockets": str(MOST_SOCKETS),
    }


@pytest.fixture(scope="module")
async def servers(scratch: Path, settings: dict[str, str]) -> AsyncIterator[tuple[Server, Server]]:
    async with running_pair(scratch / "places", **settings) as pair:
        yield pair


def follower(client: Client, transport: Transport) -> Follower:
    return Follower(client.token or "", operations.FOLLOW_PROGRESS, transport)


async def refused(server: Server, client: Client, transport: Transport) -> str | None:
    """How the end of one more stream was put; nothing where it goes on for very long."""
    return await _ended(server, client, transport, seconds=10.0)


async def goes_on(server: Server, client: Client, transport: Transport) -> bool:
    """Whether one more stream is let in."""
    return await _ended(server, client, transport, seconds=0.5) is None


async def _ended(server: Server, client: Client, transport: Transport, seconds: float) -> str | None:
    one = follower(client, transport)
    async with following(server, one):
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while one.ended is None:  # noqa: ASYNC110 - another process is waited for
                    await asyncio.sleep(0.02)
    return one.ended


async def active(server: Server) -> int:
    """Requests and sockets that the process serves, but for the one that asks."""
    async with httpx.AsyncClient() as http:
        metrics = (await http.get(f"{server.url}/metrics")).text
    (found,) = re.findall(r"^active_connections (\S+)$", metrics, re.MULTILINE)
    return int(float(found)) - 1


async def until_active(server: Server, count: int) -> None:
    async with asyncio.timeout(5):
        while await active(server) != count:  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.02)


async def test_streams_of_an_account_share_its_places_over_all_transports(
    servers: tuple[Server, Server],
) -> None:
    server, other = servers
    ada, bob = await register(server, "ada@example.com"), await register(server, "bob@example.com")
    running = [follower(ada, transport) for transport in (*Transport, Transport.EVENTS)]

    async with AsyncExitStack() as stack:
        for one in running[1:]:
            await stack.enter_async_context(following(server, one))
        async with following(server, running[0]):
            await until_active(server, MOST)

            assert [await refused(server, ada, transport) for transport in Transport] == [REFUSED] * 3
            assert await goes_on(server, bob, Transport.EVENTS)
            # Places are counted by each process, as the page on streams says.
            assert await goes_on(other, ada, Transport.EVENTS)
        await until_active(server, MOST - 1)

        assert await goes_on(server, ada, Transport.MULTIPART)
        assert [one.ended for one in running[1:]] == [None] * (MOST - 1)
    await until_active(server, 0)


async def test_a_caller_that_vanishes_leaves_its_places(servers: tuple[Server, Server]) -> None:
    server, _ = servers
    ada = await register(server, "vanishing@example.com")
    gone = [begun(server, ada) for _ in range(MOST)]
    await until_active(server, MOST)
    assert await refused(server, ada, Transport.EVENTS) == REFUSED

    for each in gone:
        # As of a machine that crashed and came back: no goodbye, but a reset.
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.close()

    await until_active(server, 0)
    assert await goes_on(server, ada, Transport.EVENTS)


def begun(server: Server, client: Client) -> socket.socket:
    """A stream of events that nobody reads."""
    body = orjson.dumps({"query": operations.FOLLOW_PROGRESS})
    head = [
        "POST /graphql HTTP/1.1",
        "host: localhost",
        f"accept: {Transport.EVENTS}",
        f"authorization: Bearer {client.token}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    stream = socket.create_connection(("127.0.0.1", server.port))
    stream.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    return stream


async def test_sockets_of_an_account_are_counted_apart(servers: tuple[Server, Server]) -> None:
    server, _ = servers
    ada = await register(server, "sockets@example.com")
    one, two = (follower(ada, Transport.WEBSOCKET) for _ in range(MOST_SOCKETS))

    async with following(server, one):
        async with following(server, two):
            await until_active(server, MOST_SOCKETS)
            third = await refused(server, ada, Transport.WEBSOCKET)
        await until_active(server, MOST_SOCKETS - 1)
        assert await goes_on(server, ada, Transport.WEBSOCKET)

    assert third is not None
    assert third.startswith(f"4429 Only {MOST_SOCKETS} concurrent sockets")


async def test_all_streams_of_a_process_that_is_killed_find_places_at_another(
    scratch: Path, servers: tuple[Server, Server], settings: dict[str, str]
) -> None:
    other, _ = servers
    folder = scratch / "places" / "killed"
    share_key(other.log.parent, folder)
    killed = await start(folder, **settings)
    ada = await register(killed, "killed@example.com")
    running = [follower(ada, Transport.EVENTS) for _ in range(MOST)]

    async with many_streams() as http:
        tasks = [asyncio.create_task(one.follow(killed, http)) for one in running]
        await until_active(killed, MOST)
        killed.kill()
        await asyncio.gather(*tasks)
        async with following(other, *running):
            await until_active(other, MOST)
            await until(lambda: all(one.status == httpx.codes.OK for one in running))
            ended = [one.ended for one in running]

    assert ended == [None] * MOST
