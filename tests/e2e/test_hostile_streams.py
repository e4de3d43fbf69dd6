"""What a client can do to sockets and streams of a running server, and that nothing of it stays."""

import asyncio
import contextlib
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.followers import Follower, Transport, following, until
from tests.e2e.server import Client, Server, register, running

PROTOCOL = Subprotocol(Transport.WEBSOCKET.value)
MOST_ON_SOCKET = 100
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
async def server(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    settings = {
        "database_url": await fresh_database(postgres_url, "media_gateway_hostile_streams"),
        "background_work": "false",
        "demo_catalogue": "false",
        "cost_mode": "off",
    }
    async with running(scratch / "hostile-streams", **settings) as server:
        yield server


@pytest.fixture
async def mallory(server: Server, request: pytest.FixtureRequest) -> Client:
    return await register(server, f"{abs(hash(request.node.name))}@example.com")


@pytest.fixture(autouse=True)
async def nothing_stays(server: Server) -> AsyncIterator[None]:
    """After each of them no socket and no stream is left, and others are served."""
    yield
    assert await comes_to_hold(server, 0)
    honest = await register(server, f"honest-{uuid4().hex}@example.com")
    one = Follower(honest.token or "", operations.FOLLOW_PROGRESS, Transport.WEBSOCKET)
    async with following(server, one):
        await until(lambda: one.status != 0, 10)


async def comes_to_hold(server: Server, connections: int) -> bool:
    """Whether that is how many others there are soon, beside the one that asks."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(15), httpx.AsyncClient(base_url=server.url) as http:
            while True:
                metrics = (await http.get("/metrics")).text
                (active,) = re.findall(r"^active_connections (\S+)$", metrics, re.MULTILINE)
                if int(float(active)) == connections + 1:
                    return True
                await asyncio.sleep(0.05)
    return False


async def opened(server: Server, client: Client) -> ClientConnection:
    url = f"ws://127.0.0.1:{server.port}/graphql"
    opening = await connect(url, subprotocols=[PROTOCOL], max_queue=None, compression=None)
    await send(opening, type="connection_init", payload={"Authorization": f"Bearer {client.token}"})
    assert orjson.loads(await opening.recv()) == {"type": "connection_ack"}
    return opening


async def send(to: ClientConnection, **message: Any) -> None:
    await to.send(orjson.dumps(message).decode())


async def subscribe(to: ClientConnection, id_: str) -> None:
    await send(to, type="subscribe", id=id_, payload={"query": operations.FOLLOW_PROGRESS})


async def closed(by: ClientConnection) -> int:
    async with asyncio.timeout(15):
        try:
            while True:
                await by.recv()
        except ConnectionClosed:
            return by.close_code or 0


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x00\xff" * 100, 4400),
        ("\x00", 4400),
        ("{" * 100_000, 4400),
        ('{"type":"ping","payload":{"a":"' + "x" * (MEBIBYTE + 1) + '"}}', 4400),
        ("x" * (3 * MEBIBYTE), 1009),
        (b"x" * (3 * MEBIBYTE), 1009),
        ('{"type":"connection_init"}', 4429),
        ('{"type":"connection_ack"}', 4400),
    ],
    ids=["binary", "garbage", "nested", "large", "huge", "huge binary", "init again", "ack"],
)
async def test_a_frame_that_is_none_closes_the_socket(
    server: Server, mallory: Client, frame: str | bytes, code: int
) -> None:
    async with await opened(server, mallory) as at:
        await subscribe(at, "1")
        with contextlib.suppress(ConnectionClosed):  # before all of it was sent
            await at.send(frame)

        assert await closed(at) == code


async def test_of_ten_thousand_subscriptions_on_a_socket_a_hundred_run(
    server: Server, mallory: Client
) -> None:
    async with await opened(server, mallory) as at:
        for number in range(10_000):
            await subscribe(at, str(number))
        await send(at, type="ping", payload={"last": True})
        found: Counter[str] = Counter()
        async with asyncio.timeout(60):
            while (message := orjson.loads(await at.recv())) != {"type": "pong", "payload": {"last": True}}:
                found[message["type"]] += 1
                if message["type"] == "error":
                    found[message["payload"][0]["extensions"]["code"]] += 1

    assert found["RATE_LIMITED"] == found["error"] == 10_000 - MOST_ON_SOCKET


async def test_a_flood_of_ends_and_of_ids_that_come_again_is_served(server: Server, mallory: Client) -> None:
    async with await opened(server, mallory) as at:
        for number in range(2_000):
            await send(at, type="complete", id=f"never-{number}")
        for _ in range(500):
            await subscribe(at, "again")
            await send(at, type="complete", id="again")
        await send(at, type="ping", payload={"last": True})
        async with asyncio.timeout(60):
            while orjson.loads(await at.recv()) != {"type": "pong", "payload": {"last": True}}:
                pass
        # So many endings may be under way that one more has to wait for its place.
        await asyncio.sleep(0.5)
        await subscribe(at, "again")
        await subscribe(at, "again")

        assert await closed(at) == 4409


async def test_subscribing_before_the_init_and_never_initialising_close_the_socket(server: Server) -> None:
    url = f"ws://127.0.0.1:{server.port}/graphql"
    async with (
        connect(url, subprotocols=[PROTOCOL]) as early,
        connect(url, subprotocols=[PROTOCOL]) as silent,
    ):
        await subscribe(early, "1")

        assert await closed(early) == 4401
        assert await closed(silent) == 4408


@pytest.mark.parametrize("transport", [Transport.EVENTS, Transport.MULTIPART])
async def test_many_who_ask_for_streams_and_read_nothing_leave_nothing_when_they_go(
    server: Server, mallory: Client, transport: Transport
) -> None:
    body = orjson.dumps({"query": operations.FOLLOW_PROGRESS})
    head = [
        "POST /graphql HTTP/1.1",
        "host: localhost",
        f"accept: {transport}",
        f"authorization: Bearer {mallory.token}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    asked = "\r\n".join(head).encode() + b"\r\n\r\n" + body
    streams = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    for number, stream in enumerate(streams):
        # Every other one never comes to the end of what it asks.
        stream.sendall(asked if number % 2 else asked[:-5])
    assert await comes_to_hold(server, len(streams))

    for stream in streams:
        stream.close()
    assert await comes_to_hold(server, 0)
