import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import httpx
import orjson
import pytest

from gateway.engine.lifetime import Lifetime
from gateway.engine.limits import Limits
from gateway.routes.connection import DoorOptions
from gateway.routes.negotiation import EVENT_STREAM
from tests.gateway.serving import Shop, serving
from tests.gateway.toy import Toys

URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)
APOLLO = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    options = DoorOptions(keep_alive_seconds=0.1, send_seconds=0.5)
    async with serving(Limits(), options) as shop:
        yield shop


async def ask(shop: Shop, query: str, accept: str = EVENT_STREAM, **headers: str) -> httpx.Response:
    """The whole answer; for streams that end."""
    async with httpx.AsyncClient() as client:
        return await client.post(shop.url, json={"query": query}, headers={"accept": accept, **headers})


def events(text: str) -> list[tuple[str, Any]]:
    """By the grammar of https://html.spec.whatwg.org/#parsing-an-event-stream, comments left out."""
    found = []
    for block in text.split("\n\n"):
        lines = [line.partition(":") for line in block.split("\n") if line and not line.startswith(":")]
        fields = {name: value.removeprefix(" ") for name, _, value in lines}
        if fields:
            found.append((fields["event"], orjson.loads(fields["data"]) if fields["data"] else None))
    return found


def parts(text: str) -> list[Any]:
    body, closing, rest = text.partition("--graphql--\r\n")
    assert (closing, rest) == ("--graphql--\r\n", "")
    blocks = body.split("--graphql\r\nContent-Type: application/json\r\n\r\n")
    assert blocks[0] == ""
    return [orjson.loads(block.removesuffix("\r\n")) for block in blocks[1:]]


@pytest.mark.parametrize("accept", [EVENT_STREAM, URQL, "*/*"])
async def test_a_subscription_is_answered_by_events(shop: Shop, accept: str) -> None:
    response = await ask(shop, "subscription { count(to: 2) }", accept)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["x-accel-buffering"] == "no"
    assert events(response.text) == [
        ("next", {"data": {"count": 1}}),
        ("next", {"data": {"count": 2}}),
        ("complete", None),
    ]


async def test_no_event_has_a_carriage_return(shop: Shop) -> None:
    response = await ask(shop, 'subscription { count(to: 2) } # "\\r\\n"')

    assert b"\r" not in response.content


async def test_a_query_of_urql_is_answered_by_json_although_it_lists_events(shop: Shop) -> None:
    response = await ask(shop, "{ caller }", URQL)

    assert response.headers["content-type"].startswith("application/graphql-response+json")
    assert response.json() == {"data": {"caller": "nobody"}}


async def test_a_query_of_a_client_that_reads_events_only_is_a_stream_of_one(shop: Shop) -> None:
    response = await ask(shop, "{ caller }")

    assert events(response.text) == [("next", {"data": {"caller": "nobody"}}), ("complete", None)]


@pytest.mark.parametrize(
    "query",
    ["{", "subscription { nothing }", "subscription($t: Int!) { count(to: $t) }", "subscription { refused }"],
)
async def test_what_cannot_start_is_told_in_the_stream(shop: Shop, query: str) -> None:
    response = await ask(shop, query)

    (kind, payload), end = events(response.text)
    assert (kind, end) == ("next", ("complete", None))
    assert payload["errors"][0]["message"]


async def test_errors_are_masked_in_every_event(shop: Shop) -> None:
    response = await ask(shop, "subscription { toys { broken } }")

    ids = [
        event["errors"][0]["extensions"]["errorId"] for kind, event in events(response.text) if kind == "next"
    ]
    assert ids == [fault.error_id for fault in shop.faults]
    assert len(ids) == 2
    assert "secrets" not in response.text


async def test_a_stream_that_breaks_ends_with_a_masked_error(shop: Shop) -> None:
    response = await ask(shop, "subscription { breaking }")

    assert [kind for kind, _ in events(response.text)] == ["next", "next", "complete"]
    assert shop.faults[0].error_id in response.text
    assert "secrets" not in response.text


async def test_a_refused_caller_gets_401_and_no_stream(shop: Shop) -> None:
    response = await ask(shop, "subscription { count }", authorization="bad")

    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_subscription_by_get_is_answered(shop: Shop) -> None:
    async with httpx.AsyncClient(headers={"accept": EVENT_STREAM}) as client:
        response = await client.get(shop.url, params={"query": "subscription { count(to: 1) }"})

    assert events(response.text)[0] == ("next", {"data": {"count": 1}})


async def test_a_mutation_by_get_is_not_run_as_a_stream_either(shop: Shop) -> None:
    async with httpx.AsyncClient(headers={"accept": EVENT_STREAM}) as client:
        response = await client.get(shop.url, params={"query": 'mutation { buy(name: "x") { name } }'})

    assert response.status_code == 405
    assert shop.context.done == []


async def test_a_quiet_stream_shows_that_it_lives(shop: Shop) -> None:
    response = await ask(shop, "subscription { count(to: 1, every: 0.35) }")

    assert 2 <= response.text.count(":\n\n") <= 5
    assert events(response.text) == [("next", {"data": {"count": 1}}), ("complete", None)]


async def test_multipart_is_answered_to_clients_of_its_protocol(shop: Shop) -> None:
    response = await ask(shop, "subscription { count(to: 2, every: 0.15) }", APOLLO)

    assert response.headers["content-type"] == 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0'
    payloads = [part for part in parts(response.text) if part != {}]
    assert payloads == [{"payload": {"data": {"count": 1}}}, {"payload": {"data": {"count": 2}}}]
    assert {} in parts(response.text)


async def test_multipart_tells_beside_the_payload_why_a_stream_ends(shop: Shop) -> None:
    response = await ask(shop, "subscription { breaking }", APOLLO)

    first, last = parts(response.text)
    assert first == {"payload": {"data": {"breaking": 1}}}
    assert last["payload"] is None
    assert last["errors"][0]["extensions"]["code"] == "INTERNAL"


async def test_leaving_closes_the_source_at_once(shop: Shop) -> None:
    async with (
        httpx.AsyncClient() as client,
        client.stream(
            "POST",
            shop.url,
            json={"query": "subscription { count(to: 1000, every: 10) }"},
            headers={"accept": EVENT_STREAM},
        ) as response,
    ):
        assert response.status_code == 200
        await asyncio.sleep(0.05)

    await eventually(lambda: shop.context.ended == ["count"])


async def test_a_client_that_does_not_read_slows_the_source_and_is_let_go(shop: Shop) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port, limit=1024)
    body = orjson.dumps({"query": "subscription { padded(size: 100000) }"})
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\naccept: {EVENT_STREAM}\r\ncontent-length: {len(body)}\r\n"
    writer.write(head.encode() + b"content-type: application/json\r\n\r\n" + body)
    await eventually(lambda: shop.context.ended == ["padded"])

    # Some megabytes are in the buffers of the system; the source made no more than these hold.
    assert len(shop.context.done) < 200
    writer.close()
    del reader


async def test_draining_ends_streams_without_saying_they_are_complete(shop: Shop) -> None:
    asking = asyncio.create_task(ask(shop, "subscription { count(to: 1000, every: 0.05) }"))
    await eventually(lambda: len(shop.context.done) > 1)

    await shop.doors.drain()

    response = await asking
    kinds = {kind for kind, _ in events(response.text)}
    assert kinds == {"next"}
    assert shop.context.ended == ["count"]
    late = await ask(shop, "subscription { count }")
    assert late.status_code == 503
    assert late.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_a_stream_ends_when_its_sign_in_does() -> None:
    def lifetime(context: Toys) -> AbstractContextManager[Lifetime]:
        return nullcontext(Lifetime(0.15))

    async with serving(options=DoorOptions(lifetime_of=lifetime)) as shop:
        response = await ask(shop, "subscription { count(to: 1000, every: 0.1) }")

    *_, (_, payload), end = events(response.text)
    assert payload["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert end == ("complete", None)


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the other side has no event to wait for
            await asyncio.sleep(0.01)
