"""What @defer and @stream put off, on its way to clients: multipart, events, WebSocket, or in one piece."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from gateway.engine.limits import Limits
from gateway.routes.connection import DoorOptions
from gateway.routes.negotiation import EVENT_STREAM, JSON, RESPONSE_JSON
from tests.gateway.routes.test_graphql_streams import events, eventually
from tests.gateway.serving import Shop, serving

CURRENT = "multipart/mixed;incrementalSpec=v0.2"
OF_2022 = "multipart/mixed;deferSpec=20220824"
APOLLO = f"{CURRENT},{RESPONSE_JSON},{JSON};q=0.9"
URQL = f"{RESPONSE_JSON}, application/graphql+json, {JSON}, {EVENT_STREAM}, multipart/mixed"
DEFERRED = '{ toy { name ... @defer(label: "more") { price } } }'
WHOLE = {"data": {"toy": {"name": "bear", "price": 3}}}
FIRST = {
    "data": {"toy": {"name": "bear"}},
    "pending": [{"id": "0", "path": ["toy"], "label": "more"}],
    "hasNext": True,
}
LAST = {"incremental": [{"id": "0", "data": {"price": 3}}], "completed": [{"id": "0"}], "hasNext": False}
SLOW = "{ caller ... @defer { slow(seconds: 30) } }"


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    options = DoorOptions(keep_alive_seconds=0.1, send_seconds=0.5, disconnect_seconds=0.01)
    async with serving(Limits(max_concurrent_operations=1), options) as shop:
        yield shop


async def ask(shop: Shop, query: str, accept: str, variables: Any = None, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        request = {"query": query, "variables": variables}
        return await client.post(shop.url, json=request, headers={"accept": accept, **headers})


def parts(text: str) -> list[Any]:
    """By https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1, with nothing before, between or behind."""
    head, *blocks, end = text.split("\r\n---")
    assert (head, end) == ("", "--\r\n")
    bodies = [
        block.removeprefix("\r\nContent-Type: application/json; charset=utf-8\r\n\r\n") for block in blocks
    ]
    return [orjson.loads(body) for body in bodies]


async def test_parts_come_as_multipart(shop: Shop) -> None:
    response = await ask(shop, DEFERRED, APOLLO)

    assert response.status_code == 200
    assert response.headers["content-type"] == 'multipart/mixed; boundary="-"; incrementalSpec=v0.2'
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in response.headers
    assert parts(response.text) == [FIRST, LAST]


@pytest.mark.parametrize("accept", [f"{OF_2022},{JSON}", URQL, f"{JSON}, multipart/mixed"])
async def test_clients_of_2022_get_parts_as_they_were_then(shop: Shop, accept: str) -> None:
    response = await ask(shop, DEFERRED, accept)

    assert response.headers["content-type"] == 'multipart/mixed; boundary="-"; deferSpec=20220824'
    assert parts(response.text) == [
        {"data": {"toy": {"name": "bear"}}, "hasNext": True},
        {"incremental": [{"path": ["toy"], "label": "more", "data": {"price": 3}}], "hasNext": False},
    ]


@pytest.mark.parametrize("accept", [EVENT_STREAM, f"{EVENT_STREAM}, */*;q=0.1"])
async def test_parts_come_as_events(shop: Shop, accept: str) -> None:
    response = await ask(shop, DEFERRED, accept)

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert events(response.text) == [("next", FIRST), ("next", LAST), ("complete", None)]


@pytest.mark.parametrize(
    ("accept", "end"), [(APOLLO, b"\r\n---\r\n"), (OF_2022, b"\r\n---\r\n"), (EVENT_STREAM, b"\n\n")]
)
async def test_a_part_is_whole_when_it_is_ready_and_leaving_ends_the_rest(
    shop: Shop, accept: str, end: bytes
) -> None:
    read = b""
    async with (
        asyncio.timeout(5),
        httpx.AsyncClient() as client,
        client.stream("POST", shop.url, json={"query": SLOW}, headers={"accept": accept}) as response,
    ):
        chunks = response.aiter_raw()
        while not (b"hasNext" in read and read.endswith(end)):
            read += await anext(chunks)
        assert shop.context.ended == []

    assert b'"data":{"caller":"nobody"}' in read
    await eventually(lambda: shop.context.ended == ["slow"])


async def test_nothing_stands_between_the_parts_of_a_slow_answer(shop: Shop) -> None:
    response = await ask(shop, "{ caller ... @defer { slow(seconds: 0.35) } }", APOLLO)

    assert len(parts(response.text)) == 2


async def test_slow_events_show_that_they_live(shop: Shop) -> None:
    response = await ask(shop, "{ caller ... @defer { slow(seconds: 0.35) } }", EVENT_STREAM)

    assert response.text.count(":\n\n") >= 2
    assert [kind for kind, _ in events(response.text)] == ["next", "next", "complete"]


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON, "*/*", f"{JSON}, {OF_2022};q=0.5"])
async def test_a_client_of_json_gets_all_in_one_piece(shop: Shop, accept: str) -> None:
    response = await ask(shop, DEFERRED, accept)

    assert response.status_code == 200
    assert "json" in response.headers["content-type"]
    assert response.json() == WHOLE


async def test_a_batch_gets_all_in_one_piece() -> None:
    stream = "{ toys(count: 1) @stream { name } }"
    async with serving() as shop, httpx.AsyncClient(headers={"accept": APOLLO}) as client:
        response = await client.post(shop.url, json=[{"query": DEFERRED}, {"query": stream}])

    assert response.json() == [WHOLE, {"data": {"toys": [{"name": "0"}]}}]


@pytest.mark.parametrize("accept", [APOLLO, URQL])
@pytest.mark.parametrize(
    "query", ["{ toy { name price } }", "query($d: Boolean!) { toy { name ... @defer(if: $d) { price } } }"]
)
async def test_what_has_no_parts_is_plain_json(shop: Shop, accept: str, query: str) -> None:
    response = await ask(shop, query, accept, {"d": False} if "$d" in query else None)

    assert response.headers["content-type"].startswith(RESPONSE_JSON)
    assert response.json() == WHOLE


@pytest.mark.parametrize(("accept", "read"), [(CURRENT, parts), (OF_2022, parts)])
async def test_who_reads_parts_only_gets_one_of_a_plain_query(shop: Shop, accept: str, read: Any) -> None:
    response = await ask(shop, "{ caller }", accept)

    assert read(response.text) == [{"data": {"caller": "nobody"}, "hasNext": False}]


async def test_what_cannot_start_is_told_by_a_status(shop: Shop) -> None:
    query = "query($n: Int!) { doubled(number: $n) ... @defer { caller } }"

    wrong = await ask(shop, query, APOLLO, {"n": "x"})
    invalid = await ask(shop, "{ toy @stream { name } }", APOLLO)
    refused = await ask(shop, DEFERRED, APOLLO, authorization="bad")

    assert [response.status_code for response in (wrong, invalid, refused)] == [400, 400, 401]
    assert all("json" in response.headers["content-type"] for response in (wrong, invalid, refused))


async def test_a_deadline_in_the_middle_ends_the_answer_properly() -> None:
    async with serving(Limits(deadline_seconds=0.1)) as shop:
        response = await ask(shop, SLOW, APOLLO)

    first, last = parts(response.text)
    assert first["data"] == {"caller": "nobody"}
    assert last["completed"][0]["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert shop.context.ended == ["slow"]


async def test_errors_of_parts_are_masked(shop: Shop) -> None:
    response = await ask(shop, "{ maybeToy { name ... @defer { broken } } }", APOLLO)

    [error] = parts(response.text)[1]["completed"][0]["errors"]
    assert error["extensions"]["errorId"] == shop.faults[0].error_id
    assert error["path"] == ["maybeToy", "broken"]
    assert "secrets" not in response.text


async def test_a_place_is_taken_until_the_last_part(shop: Shop) -> None:
    query = "{ caller ... @defer { slow(seconds: 0.3) } }"
    asking = asyncio.create_task(ask(shop, query, APOLLO))
    await eventually(lambda: len(shop.connections) == 1)

    meanwhile = await ask(shop, "{ caller }", JSON)
    first = await asking
    after = await ask(shop, "{ caller }", JSON)

    assert meanwhile.json()["errors"][0]["extensions"]["limit"] == "concurrent_operations"
    assert len(parts(first.text)) == 2
    assert after.json() == {"data": {"caller": "nobody"}}


async def test_a_stopping_server_lets_an_answer_come_to_its_end(shop: Shop) -> None:
    asking = asyncio.create_task(ask(shop, "{ caller ... @defer { slow(seconds: 0.3) } }", APOLLO))
    await eventually(lambda: len(shop.connections) == 1)

    await shop.doors.drain()

    assert parts((await asking).text)[1]["incremental"] == [{"id": "0", "data": {"slow": "done"}}]
    assert parts((await ask(shop, DEFERRED, APOLLO)).text) == [FIRST, LAST]


async def test_parts_come_by_get_as_well(shop: Shop) -> None:
    headers = {"accept": APOLLO, "x-requested-with": "test"}
    async with httpx.AsyncClient(headers=headers) as client:
        response = await client.get(shop.url, params={"query": DEFERRED})
        head = await client.head(shop.url, params={"query": DEFERRED})

    assert parts(response.text) == [FIRST, LAST]
    assert head.headers["content-type"].startswith(RESPONSE_JSON)


async def test_a_mutation_puts_off_what_it_answers_and_not_what_it_does(shop: Shop) -> None:
    query = 'mutation { buy(name: "kite") { ... @defer { name } price } }'

    async with httpx.AsyncClient(headers={"accept": APOLLO, "x-requested-with": "test"}) as client:
        by_get = await client.get(shop.url, params={"query": query})
    by_post = await ask(shop, query, APOLLO)

    assert by_get.status_code == 405
    assert shop.context.done == ["kite"]
    first, last = parts(by_post.text)
    assert first["data"] == {"buy": {"price": 3}}
    assert last["incremental"] == [{"id": "0", "data": {"name": "kite"}}]


async def socket_messages(shop: Shop, query: str, count: int, **init: Any) -> list[Any]:
    async with connect(shop.ws_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send(orjson.dumps({"type": "connection_init", "payload": init}).decode())
        await socket.recv()
        request = {"id": "1", "type": "subscribe", "payload": {"query": query}}
        await socket.send(orjson.dumps(request).decode())
        async with asyncio.timeout(5):
            return [orjson.loads(await socket.recv()) for _ in range(count)]


async def test_parts_come_over_websocket(shop: Shop) -> None:
    messages = await socket_messages(shop, DEFERRED, 3)

    assert messages == [
        {"id": "1", "type": "next", "payload": FIRST},
        {"id": "1", "type": "next", "payload": LAST},
        {"id": "1", "type": "complete"},
    ]


async def test_a_websocket_may_ask_for_parts_of_2022(shop: Shop) -> None:
    messages = await socket_messages(shop, DEFERRED, 3, deferSpec="20220824")

    part = {"path": ["toy"], "label": "more", "data": {"price": 3}}
    assert messages[1]["payload"] == {"incremental": [part], "hasNext": False}


async def test_a_websocket_that_closes_ends_what_was_put_off(shop: Shop) -> None:
    query = "{ caller ... @defer { slow(seconds: 30) } ... @defer { toy { name } } }"

    _, second = await socket_messages(shop, query, 2)

    assert second["payload"]["hasNext"] is True
    await eventually(lambda: shop.context.ended == ["slow"])
    [after] = await socket_messages(shop, "{ caller }", 1)
    assert after["payload"] == {"data": {"caller": "nobody"}}
