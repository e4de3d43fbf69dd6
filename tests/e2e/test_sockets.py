"""What one WebSocket takes: messages of a bounded size, and as much work as its account may spend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.conftest import fresh_database
from tests.e2e import operations
from tests.e2e.server import Client, Server, register, running

MOVIE = "the-matrix-1999"
BUDGET = 6_000
MAX_BODY = 1 << 20
PUSH = """mutation ($device: ID!, $operations: [OperationInput!]!) {
  pushChanges(input: {deviceId: $device, operations: $operations}) {
    results { fate } userErrors { message } } }"""


@pytest.fixture(scope="module")
async def server(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    budgets = {"free": {"capacity": BUDGET, "per_second": 1.0}}
    async with running(
        scratch / "sockets",
        database_url=await fresh_database(postgres_url, "media_gateway_sockets"),
        background_work="false",
        cost_budgets=orjson.dumps(budgets).decode(),
    ) as server:
        yield server


@asynccontextmanager
async def socket_of(client: Client) -> AsyncIterator[ClientConnection]:
    url = f"ws://127.0.0.1:{client.server.port}/graphql"
    async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
        await say(socket, type="connection_init", payload={"Authorization": f"Bearer {client.token}"})
        assert (await hear(socket))["type"] == "connection_ack"
        yield socket


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(orjson.dumps(message).decode())


async def hear(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = orjson.loads(await socket.recv())
    return message


async def ask(socket: ClientConnection, document: str, **variables: Any) -> dict[str, Any]:
    """The result, or the error message, of one operation."""
    key = str(uuid4())
    await say(socket, id=key, type="subscribe", payload={"query": document, "variables": variables})
    answer = await hear(socket)
    if answer["type"] == "next":
        assert (await hear(socket))["type"] == "complete"
    return answer


async def test_a_full_queue_goes_over_a_socket_and_more_than_a_body_may_have_does_not(server: Server) -> None:
    viewer = await register(server, "large@example.com")
    movie = (await viewer.ask(operations.FIND, slug=MOVIE))["content"]["id"]
    device = (await viewer.ask(operations.REGISTER_DEVICE, name="TV", kind="TV"))["registerDevice"]["device"]
    queue = [
        {
            "id": str(uuid4()),
            "version": f"{number:016x}@TV",
            "change": {"watched": {"contentId": movie, "positionSeconds": number, "viewing": 1}},
        }
        for number in range(1, 1001)
    ]
    async with socket_of(viewer) as socket:
        answer = await ask(socket, PUSH, device=device["id"], operations=queue)
        assert len(orjson.dumps(queue)) > 2 * 64 * 1024
        assert answer["type"] == "next", answer
        results = answer["payload"]["data"]["pushChanges"]["results"]
        assert [result["fate"] for result in results] == ["APPLIED"] * 1000
        await say(socket, type="ping", payload={"padding": "x" * MAX_BODY})
        with pytest.raises(ConnectionClosed) as closed:
            await hear(socket)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400
    assert "1,048,576" in closed.value.rcvd.reason


async def test_who_writes_without_end_is_stopped_over_all_their_sockets_and_nobody_else(
    server: Server,
) -> None:
    busy, calm = [await register(server, f"{name}@example.com") for name in ("busy", "calm")]
    movie = (await calm.ask(operations.FIND, slug=MOVIE))["content"]["id"]
    taken, codes = 0, []
    async with socket_of(busy) as one, socket_of(busy) as other:
        for number in range(100):
            answer = await ask(
                one if number % 2 else other, operations.PROGRESS, content=movie, position=number
            )
            if answer["type"] == "next":
                taken += 1
            else:
                codes += [error["extensions"]["code"] for error in answer["payload"]]
    async with socket_of(calm) as socket:
        theirs = await ask(socket, operations.PROGRESS, content=movie, position=1)

    assert taken < 20
    assert codes == ["RATE_LIMITED"] * (100 - taken)
    assert theirs["payload"]["data"]["reportProgress"]["userErrors"] == []


async def test_messages_are_compressed_where_the_client_can_read_that(server: Server) -> None:
    client = await register(server, "compressed@example.com")

    async with socket_of(client) as socket:
        agreed = [extension.name for extension in socket.protocol.extensions]
        answer = await ask(socket, "{ __typename }")

    assert agreed == ["permessage-deflate"]
    assert answer["payload"] == {"data": {"__typename": "Query"}}
