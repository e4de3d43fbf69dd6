import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from gateway.engine.limits import Limits
from gateway.routes.connection import DoorOptions
from gateway.routes.origins import Origins
from tests.gateway.serving import Shop, serving

OURS = "https://app.example.org"
PROTOCOL = Subprotocol("graphql-transport-ws")
LIMITS = Limits(max_socket_operations=3, max_body_bytes=100_000)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    options = DoorOptions(
        origins=Origins(frozenset({OURS})), keep_alive_seconds=60, init_seconds=0.3, send_seconds=0.5
    )
    async with serving(LIMITS, options) as shop:
        yield shop


class Client:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **message: Any) -> None:
        await self.socket.send(orjson.dumps(message).decode())

    async def subscribe(self, operation_id: str, query: str, **variables: Any) -> None:
        await self.send(id=operation_id, type="subscribe", payload={"query": query, "variables": variables})

    async def next(self) -> Any:
        return orjson.loads(await asyncio.wait_for(self.socket.recv(), 5))

    async def _read_on(self) -> None:
        while True:
            await self.socket.recv()

    async def closed(self) -> tuple[int, str]:
        """How the server closed, after everything it still had to say."""
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionClosed):
                await self._read_on()
        return self.socket.close_code or 0, self.socket.close_reason or ""


@asynccontextmanager
async def opened(shop: Shop, **options: Any) -> AsyncIterator[Client]:
    options.setdefault("subprotocols", [PROTOCOL])
    async with connect(shop.ws_url, **options) as socket:
        yield Client(socket)


@asynccontextmanager
async def acknowledged(shop: Shop, **payload: Any) -> AsyncIterator[Client]:
    async with opened(shop) as client:
        await client.send(type="connection_init", payload=payload)
        assert await client.next() == {"type": "connection_ack"}
        yield client


async def test_a_subscription_sends_each_event_and_says_when_it_is_complete(shop: Shop) -> None:
    async with acknowledged(shop) as client:
        await client.subscribe("1", "subscription($to: Int!) { count(to: $to) }", to=2)

        assert [await client.next() for _ in range(3)] == [
            {"id": "1", "type": "next", "payload": {"data": {"count": 1}}},
            {"id": "1", "type": "next", "payload": {"data": {"count": 2}}},
            {"id": "1", "type": "complete"},
        ]


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ caller }", {"caller": "ann"}),
        ('mutation { buy(name: "kite") { name } }', {"buy": {"name": "kite"}}),
    ],
)
async def test_queries_and_mutations_are_answered_too(shop: Shop, query: str, data: Any) -> None:
    async with acknowledged(shop, token="ann") as client:
        await client.subscribe("x", query)

        assert await client.next() == {"id": "x", "type": "next", "payload": {"data": data}}
        assert await client.next() == {"id": "x", "type": "complete"}


async def test_each_operation_has_a_context_of_its_own(shop: Shop) -> None:
    async with acknowledged(shop) as client:
        before = len(shop.connections)
        for operation_id in ("1", "2"):
            await client.subscribe(operation_id, "{ caller }")
            await client.next()
            await client.next()

        assert len(shop.connections) == before + 2


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "subscription($t: Int!) { count(to: $t) }", "subscription { refused }"]
)
async def test_what_cannot_start_is_an_error_message_and_leaves_the_socket_open(
    shop: Shop, query: str
) -> None:
    async with acknowledged(shop) as client:
        await client.subscribe("1", query)

        answer = await client.next()
        assert (answer["id"], answer["type"]) == ("1", "error")
        assert answer["payload"][0]["extensions"]["code"]
        await client.subscribe("1", "{ caller }")
        assert (await client.next())["type"] == "next"


async def test_errors_are_masked_in_every_message(shop: Shop) -> None:
    async with acknowledged(shop) as client:
        await client.subscribe("1", "subscription { toys { broken } }")
        await client.subscribe("2", "subscription { breaking }")

        messages = [await client.next() for _ in range(5)]

    text = orjson.dumps(messages).decode()
    assert "secrets" not in text
    assert len(shop.faults) == 3
    assert all(fault.error_id in text for fault in shop.faults)


async def test_complete_closes_the_source_at_once_and_frees_the_id(shop: Shop) -> None:
    async with acknowledged(shop) as client:
        await client.subscribe("1", "subscription { count(to: 1000, every: 10) }")
        await asyncio.sleep(0.05)

        await client.send(id="1", type="complete")
        await client.subscribe("1", "{ caller }")

        assert await client.next() == {"id": "1", "type": "next", "payload": {"data": {"caller": "nobody"}}}
        await eventually(lambda: shop.context.ended == ["count"])


async def test_complete_of_an_unknown_id_is_ignored(shop: Shop) -> None:
    async with acknowledged(shop) as client:
        await client.send(id="9", type="complete")
        await client.send(type="ping")

        assert await client.next() == {"type": "pong"}


async def test_leaving_closes_every_source(shop: Shop) -> None:
    async with acknowledged(shop) as client:
        await client.subscribe("1", "subscription { count(to: 1000, every: 10) }")
        await client.subscribe("2", "{ slow(seconds: 60) }")
        await asyncio.sleep(0.05)

    await eventually(lambda: len(shop.context.ended) == 2)
    assert sorted(shop.context.ended) == ["count", "slow"]


async def test_a_ping_is_answered_with_its_payload_even_before_the_init(shop: Shop) -> None:
    async with opened(shop) as client:
        await client.send(type="ping", payload={"at": 1})

        assert await client.next() == {"type": "pong", "payload": {"at": 1}}


async def test_the_server_pings() -> None:
    async with serving(options=DoorOptions(keep_alive_seconds=0.1)) as shop, acknowledged(shop) as client:
        assert await client.next() == {"type": "ping"}
        await client.send(type="pong")
        assert await client.next() == {"type": "ping"}


async def test_a_socket_that_says_nothing_is_closed(shop: Shop) -> None:
    async with opened(shop) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_a_second_init_is_too_many(shop: Shop) -> None:
    async with acknowledged(shop) as client:
        await client.send(type="connection_init")

        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_subscribing_before_the_init_is_unauthorized(shop: Shop) -> None:
    async with opened(shop) as client:
        await client.subscribe("1", "{ caller }")

        assert await client.closed() == (4401, "Unauthorized")
    assert shop.connections == []


async def test_a_refused_caller_is_closed_with_the_reason(shop: Shop) -> None:
    async with opened(shop) as client:
        await client.send(type="connection_init", payload={"token": "bad"})

        assert await client.closed() == (4401, "This token is not ours.")


async def test_a_context_that_breaks_is_masked(shop: Shop) -> None:
    async with opened(shop) as client:
        await client.send(type="connection_init", payload={"token": "broken"})

        code, reason = await client.closed()

    assert code == 4500
    assert shop.faults[0].error_id in reason
    assert "/etc/tokens" not in reason


async def test_an_id_in_use_is_a_duplicate(shop: Shop) -> None:
    async with acknowledged(shop) as client:
        await client.subscribe("1", "subscription { count(every: 10) }")
        await client.subscribe("1", "{ caller }")

        assert await client.closed() == (4409, "Subscriber for 1 already exists")


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "x",
        "[]",
        '"connection_init"',
        "1",
        "null",
        "{}",
        b"{}",
        b"\xff\xfe",
        '{"type": "nothing"}',
        '{"type": 1}',
        '{"type": "connection_init", "payload": []}',
        '{"type": "ping", "payload": 1}',
        '{"type": "complete"}',
        '{"type": "complete", "id": 1}',
        "[" * 50_000,
        '{"type": "ping", "payload": {"a": ' + "[" * 200 + "]" * 200 + "}}",
        '{"type": "ping", "payload": {"a": ' + "1" * 10_000 + "}}",
        '{"type": "ping", "payload": {"a": "' + "x" * 100_000 + '"}}',
    ],
)
async def test_a_malformed_message_closes_with_4400(shop: Shop, frame: str | bytes) -> None:
    async with opened(shop) as client:
        await client.socket.send(frame)

        code, reason = await client.closed()

    assert code == 4400
    assert reason


@pytest.mark.parametrize(
    "message",
    [
        {"payload": {"query": "{ caller }"}},
        {"id": "", "payload": {"query": "{ caller }"}},
        {"id": 1, "payload": {"query": "{ caller }"}},
        {"id": "1"},
        {"id": "1", "payload": []},
        {"id": "1", "payload": {}},
        {"id": "1", "payload": {"query": 1}},
        {"id": "1", "payload": {"query": "{ caller }", "variables": []}},
        {"id": "1", "payload": {"query": "{ caller }", "operationName": 1}},
        {"id": "1", "payload": {"query": "{ caller }", "extensions": 1}},
    ],
)
async def test_a_malformed_subscribe_closes_with_4400(shop: Shop, message: dict[str, Any]) -> None:
    async with acknowledged(shop) as client:
        await client.send(type="subscribe", **message)

        assert (await client.closed())[0] == 4400


async def test_a_socket_has_room_for_so_many_operations(shop: Shop) -> None:
    async with acknowledged(shop) as client:
        for number in range(3):
            await client.subscribe(str(number), "subscription { count(every: 10) }")

        await client.subscribe("3", 'mutation { buy(name: "x") { name } }')

        answer = await client.next()
        assert (answer["id"], answer["type"]) == ("3", "error")
        told = answer["payload"][0]
        assert told["message"] == "Only 3 operations may run on one connection at a time."
        assert told["extensions"]["code"] == "RATE_LIMITED"
        assert (told["extensions"]["limit"], told["extensions"]["maximum"]) == ("socket_operations", 3)
        assert shop.context.done == []


async def test_a_caller_has_so_many_sockets_at_a_time() -> None:
    async with serving(Limits(max_concurrent_sockets=2)) as shop:
        async with acknowledged(shop), acknowledged(shop), opened(shop) as third:
            await third.send(type="connection_init")

            code, reason = await third.closed()

        assert code == 4429
        assert reason.startswith("Only 2 concurrent sockets of one caller")
        async with acknowledged(shop):
            pass  # there is room again


async def test_another_origin_is_refused_at_the_handshake(shop: Shop) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with opened(shop, origin=Origin("https://evil.example")):
            pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", [None, OURS, "own host"])
async def test_our_own_origins_are_let_in(shop: Shop, origin: str | None) -> None:
    own = f"http://127.0.0.1:{shop.port}" if origin == "own host" else origin

    async with opened(shop, origin=own) as client:
        await client.send(type="connection_init")

        assert await client.next() == {"type": "connection_ack"}


@pytest.mark.parametrize("protocols", [None, ["graphql-ws"], ["soap", "mqtt"]])
async def test_other_subprotocols_are_refused(shop: Shop, protocols: Any) -> None:
    async with connect(shop.ws_url, subprotocols=protocols) as socket:
        assert (await Client(socket).closed())[0] == 4406


async def test_draining_tells_subscribers_to_come_again(shop: Shop) -> None:
    async with acknowledged(shop) as client, opened(shop) as idle:
        await client.subscribe("1", "subscription { count(to: 100000, every: 0.01) }")
        await eventually(lambda: bool(shop.context.done))

        await shop.doors.drain()

        assert shop.context.ended == ["count"]
        assert await client.closed() == (1012, "The server is restarting: subscribe again")
        assert (await idle.closed())[0] == 1012
    async with opened(shop) as late:
        assert (await late.closed())[0] == 1012


async def test_a_client_that_does_not_read_slows_the_source_and_is_let_go(shop: Shop) -> None:
    # Uncompressed, so that the buffers between the two fill up.
    options: dict[str, Any] = {"compression": None, "max_queue": 1, "close_timeout": 0.1}
    async with connect(shop.ws_url, subprotocols=[PROTOCOL], **options) as socket:
        client = Client(socket)
        await client.send(type="connection_init")
        await client.next()

        await client.subscribe("1", "subscription { padded(size: 100000) }")

        await eventually(lambda: shop.context.ended == ["padded"])
        # Some megabytes are in the buffers of the system; the source made no more than these hold.
        assert len(shop.context.done) < 200


async def test_one_slow_operation_does_not_hold_up_another(shop: Shop) -> None:
    async with acknowledged(shop) as client:
        await client.subscribe("1", "{ slow(seconds: 60) }")
        await client.subscribe("2", "{ caller }")

        assert (await client.next())["id"] == "2"


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the other side has no event to wait for
            await asyncio.sleep(0.01)
