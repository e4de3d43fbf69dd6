"""What clients are told to go on from when a stream breaks, and the tokens they bring while it runs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from gateway.engine.lifetime import Lifetime
from gateway.routes.connection import DoorOptions
from gateway.routes.cursors import Reached
from gateway.routes.interrupts import end_in_turns
from gateway.routes.negotiation import EVENT_STREAM
from tests.gateway.routes.test_graphql_streams import parts
from tests.gateway.routes.test_graphql_ws import Client
from tests.gateway.serving import Shop, serving
from tests.gateway.toy import Toys


class Counted:
    """Where `count` is: its events are their own cursors."""

    began = "c0"

    def __init__(self, toys: Toys) -> None:
        self._toys = toys

    @property
    def cursor(self) -> str | None:
        return f"c{self._toys.done[-1]}" if self._toys.done else None


class Odd:
    began = "two\nlines"
    cursor = "two\nlines"


@asynccontextmanager
async def counting(course: Any = Counted, **options: Any) -> AsyncIterator[Shop]:
    async with serving(options=DoorOptions(course_of=course, **options)) as shop:
        yield shop


async def streamed(shop: Shop, query: str, accept: str = EVENT_STREAM) -> str:
    async with httpx.AsyncClient() as client:
        answer = await client.post(shop.url, json={"query": query}, headers={"accept": accept})
        return answer.text


@asynccontextmanager
async def listening(shop: Shop, token: str, query: str) -> AsyncIterator[Client]:
    async with connect(shop.ws_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        client = Client(socket)
        await client.send(type="connection_init", payload={"token": token})
        await client.next()
        await client.subscribe("s1", query)
        yield client


async def messages(client: Client) -> list[Any]:
    """All until the operation ends or the socket does."""
    found: list[Any] = []
    with suppress(ConnectionClosed):
        async with asyncio.timeout(5):
            while not found or found[-1]["type"] not in {"complete", "error"}:
                found.append(orjson.loads(await client.socket.recv()))
    return found


# -- server-sent events


async def test_each_event_carries_its_cursor() -> None:
    async with counting() as shop:
        text = await streamed(shop, "subscription { count(to: 3) }")

    ids = [line for line in text.split("\n") if line.startswith("id:")]
    assert ids == ["id: c1", "id: c2", "id: c3"]
    assert text.startswith('id: c1\nevent: next\ndata: {"data":{"count":1}}\n\n')


async def test_who_has_no_event_yet_is_told_where_the_stream_began() -> None:
    async with counting(keep_alive_seconds=0.05) as shop:
        text = await streamed(shop, "subscription { count(to: 1, every: 0.12) }")

    before, _, _ = text.partition("event:")
    assert before.startswith("id: c0\n:\n\n")


async def test_a_drained_stream_ends_with_the_cursor_of_what_was_sent() -> None:
    async with counting() as shop:
        asking = asyncio.create_task(streamed(shop, "subscription { count(to: 1000, every: 0.05) }"))
        while len(shop.context.done) < 2:  # noqa: ASYNC110 - the source has no event to wait for
            await asyncio.sleep(0.01)

        await shop.doors.drain()

        blocks = (await asking).rstrip("\n").split("\n\n")
    assert blocks[-1] == f"id: c{len(blocks) - 1}"
    assert blocks[-2].startswith(f"id: c{len(blocks) - 1}\nevent: next\n")


async def test_a_drained_stream_in_parts_ends_with_an_error_that_has_the_cursor() -> None:
    async with counting() as shop:
        asking = asyncio.create_task(
            streamed(
                shop, "subscription { count(to: 1000, every: 0.05) }", "multipart/mixed;subscriptionSpec=1.0"
            )
        )
        while len(shop.context.done) < 2:  # noqa: ASYNC110 - the source has no event to wait for
            await asyncio.sleep(0.01)

        await shop.doors.drain()

        *events, last = parts(await asking)
    assert last["payload"] is None
    assert last["errors"] == [
        {
            "message": "The server is restarting: subscribe again.",
            "extensions": {"code": "UNAVAILABLE", "reason": "RESTARTING", "cursor": f"c{len(events)}"},
        }
    ]


async def test_a_cursor_that_would_break_the_frame_is_left_out() -> None:
    async with counting(course=lambda _toys: Odd(), keep_alive_seconds=0.05) as shop:
        text = await streamed(shop, "subscription { count(to: 2, every: 0.1) }")

    assert "id:" not in text
    assert "two" not in text


def test_an_event_that_was_not_sent_does_not_count() -> None:
    toys = Toys(done=["1"])
    reached = Reached(Counted(toys))

    reached.sending()
    assert reached.cursor == "c0"
    reached.sent()
    assert reached.cursor == "c1"
    toys.done.append("2")
    assert reached.cursor == "c1"


# -- WebSocket


async def test_a_drained_socket_is_told_where_each_stream_goes_on() -> None:
    async with (
        counting() as shop,
        listening(shop, "ann", "subscription { count(to: 1000, every: 0.05) }") as client,
    ):
        last = [await client.next() for _ in range(2)][-1]["payload"]["data"]["count"]

        await shop.doors.drain()

        rest = await messages(client)
        delivered = last + sum(message["type"] == "next" for message in rest)
        assert rest[-1] == {"type": "ping", "payload": {"reconnect": {"s1": f"c{delivered}"}}}
        assert client.socket.close_code == 1012


@pytest.mark.parametrize(
    ("streams", "seconds", "pause", "took"),
    [(3, 60.0, 0.1, 0.3), (600, 60.0, 0.1, 60.0), (6000, 60.0, 0.01, 60.0)],
)
async def test_streams_are_ended_evenly_over_the_time_there_is_or_in_less_where_they_are_few(
    streams: int, seconds: float, pause: float, took: float
) -> None:
    now, ended = 0.0, list[float]()

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    await end_in_turns([lambda: ended.append(now)] * streams, seconds, lambda: now, sleep)

    assert ended == pytest.approx([place * pause for place in range(streams)])
    assert now == pytest.approx(took)


async def test_many_streams_are_ended_within_the_time_there_is() -> None:
    ended: list[int] = []

    async with asyncio.timeout(5):
        await end_in_turns([lambda: ended.append(1)] * 5_000, 0.05)

    assert len(ended) == 5_000


# -- tokens


@contextmanager
def lifetime(toys: Toys) -> Iterator[Lifetime]:
    yield Lifetime(0.4 if toys.caller == "ann" else 30.0)


def renew(_context: Toys, by: Toys) -> bool:
    return by.caller.startswith("ann")


class Taken:
    """Where `toys` is once it was asked for the first event."""

    began = "c0"
    cursor = "c1"


@pytest.mark.parametrize("accept", [EVENT_STREAM, "multipart/mixed;subscriptionSpec=1.0", "WebSocket"])
async def test_an_event_that_was_being_read_when_the_token_lapsed_is_not_said_to_have_come(
    accept: str,
) -> None:
    query = "subscription { toys { late(seconds: 5) } }"
    async with serving(options=DoorOptions(course_of=lambda _: Taken(), lifetime_of=lifetime)) as shop:
        if accept == "WebSocket":
            async with listening(shop, "ann", query) as client:
                (error,) = (await messages(client))[-1]["payload"]
        else:
            async with httpx.AsyncClient() as http:
                answer = await http.post(
                    shop.url, json={"query": query}, headers={"accept": accept, "authorization": "ann"}
                )
            assert "c1" not in answer.text
            error = errors_in(answer.text)[0]

    assert (error["extensions"]["code"], error["extensions"]["cursor"]) == ("UNAUTHENTICATED", "c0")


def errors_in(text: str) -> Any:
    (line,) = [line.removeprefix("data: ") for line in text.splitlines() if '"errors"' in line]
    return orjson.loads(line)["errors"]


@pytest.mark.parametrize("answer", ["pong", "ping"])
async def test_a_stream_goes_on_with_a_fresh_token(answer: str) -> None:
    async with (
        serving(options=DoorOptions(lifetime_of=lifetime, renew=renew)) as shop,
        listening(shop, "ann", "subscription { count(to: 6, every: 0.15) }") as client,
    ):
        while (message := await client.next())["type"] != "ping":
            assert message["type"] == "next"
        assert message["payload"] == {"needs": "accessToken", "secondsLeft": 0}

        await client.send(type=answer, payload={"accessToken": "ann-again"})

        rest = await messages(client)
        assert rest[-1] == {"id": "s1", "type": "complete"}
        assert "ann-again" not in str(rest)
        assert shop.context.done == ["1", "2", "3", "4", "5", "6"]


async def test_a_stream_whose_client_brings_none_ends() -> None:
    async with (
        serving(options=DoorOptions(lifetime_of=lifetime, renew=renew)) as shop,
        listening(shop, "ann", "subscription { count(to: 100, every: 0.15) }") as client,
    ):
        *_, last = await messages(client)

    assert (last["type"], last["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


async def test_a_question_that_is_sent_back_is_no_token() -> None:
    """Clients answer pings with what came in them."""
    async with (
        serving(options=DoorOptions(lifetime_of=lifetime, renew=renew)) as shop,
        listening(shop, "ann", "subscription { count(to: 2, every: 0.3) }") as client,
    ):
        while (message := await client.next())["type"] != "ping":
            pass
        await client.send(type="pong", payload=message["payload"])
        *_, last = await messages(client)

        assert last["type"] == "error"
        assert client.socket.close_code is None


@pytest.mark.parametrize(("token", "code"), [("bob", 4403), ("bad", 4401), ("broken", 4500)])
async def test_a_token_that_is_no_good_closes_the_socket(token: str, code: int) -> None:
    async with (
        serving(options=DoorOptions(lifetime_of=lifetime, renew=renew)) as shop,
        listening(shop, "ann", "subscription { count(to: 100, every: 0.1) }") as client,
    ):
        await client.send(type="pong", payload={"accessToken": token})

        assert (await client.closed())[0] == code


async def test_no_token_is_taken_before_the_socket_was_let_in() -> None:
    async with (
        serving(options=DoorOptions(lifetime_of=lifetime, renew=renew)) as shop,
        connect(shop.ws_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket,
    ):
        client = Client(socket)
        await client.send(type="ping", payload={"accessToken": "ann"})

        assert await client.next() == {"type": "pong", "payload": {"accessToken": "ann"}}
        assert shop.connections == []
