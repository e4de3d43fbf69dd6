from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.engine.limits import Limits
from gateway.routes.negotiation import JSON, RESPONSE_JSON
from tests.gateway.serving import Shop, serving


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with serving(Limits(max_batch_size=4, deadline_seconds=0.5)) as shop:
        yield shop


async def post(shop: Shop, batch: Any, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(verify=False) as client:
        return await client.post(shop.url, json=batch, headers=headers)


async def test_a_batch_is_answered_in_its_order(shop: Shop) -> None:
    response = await post(
        shop,
        [
            {"query": "{ slow(seconds: 0.1) }"},
            {"query": "query($n: Int!) { doubled(number: $n) }", "variables": {"n": 4}},
            {"query": "query A { caller } query B { doubled }", "operationName": "A"},
        ],
    )

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{JSON}; charset=utf-8"
    assert response.json() == [
        {"data": {"slow": "done"}},
        {"data": {"doubled": 8}},
        {"data": {"caller": "nobody"}},
    ]


async def test_queries_run_at_the_same_time(shop: Shop) -> None:
    response = await post(shop, [{"query": "{ slow(seconds: 0.3) }"}] * 3)

    assert [answer["data"] for answer in response.json()] == [{"slow": "done"}] * 3


async def test_mutations_run_in_the_order_they_are_written_in(shop: Shop) -> None:
    def buy(name: str) -> dict[str, Any]:
        query = "mutation($name: String!) { rest(seconds: 0.05) buy(name: $name) { name } }"
        return {"query": query, "variables": {"name": name}}

    response = await post(shop, [buy("a"), {"query": "{ caller }"}, buy("b"), buy("c")])

    assert shop.context.done == ["rested", "a", "rested", "b", "rested", "c"]
    assert [answer["data"].get("buy") for answer in response.json()] == [
        {"name": "a"},
        None,
        {"name": "b"},
        {"name": "c"},
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": "{ nothing }"},
        {"query": 1},
        {},
        [],
        None,
        {"query": "subscription { count }"},
        {"documentId": "x"},
        {"query": "{ caller }", "operationName": "Other"},
    ],
)
async def test_what_is_wrong_with_one_operation_is_its_own_answer(shop: Shop, wrong: Any) -> None:
    response = await post(shop, [{"query": "{ caller }"}, wrong, {"query": "{ doubled }"}])

    first, second, third = response.json()
    assert (first, third) == ({"data": {"caller": "nobody"}}, {"data": {"doubled": 2}})
    assert second["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "data" not in second


@pytest.mark.parametrize("batch", [[], [{"query": 'mutation { buy(name: "x") { name } }'}] * 5])
async def test_a_batch_that_is_empty_or_too_long_is_refused_whole(shop: Shop, batch: Any) -> None:
    response = await post(shop, batch)

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert shop.context.done == []


async def test_a_batch_has_one_deadline_for_all(shop: Shop) -> None:
    response = await post(shop, [{"query": "mutation { rest(seconds: 0.3) }"}] * 3)

    assert [answer.get("data") for answer in response.json()] == [{"rest": 1}, None, None]
    assert response.json()[2]["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert shop.context.done == ["rested"]


async def test_a_batch_takes_as_many_places_as_it_has_operations() -> None:
    async with serving(Limits(max_concurrent_operations=2)) as shop:
        fits = await post(shop, [{"query": "{ caller }"}] * 2)
        refused = await post(shop, [{"query": 'mutation { buy(name: "x") { name } }'}] * 3)

    assert fits.status_code == 200
    assert refused.status_code == 429
    assert shop.context.done == []


@pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"])
async def test_a_batch_is_not_answered_as_a_stream(shop: Shop, accept: str) -> None:
    response = await post(shop, [{"query": "{ caller }"}], accept=accept)

    assert response.status_code == 406


async def test_a_batch_is_answered_in_the_type_asked_for(shop: Shop) -> None:
    response = await post(shop, [{"query": "{ caller }"}], accept=RESPONSE_JSON)

    assert response.headers["content-type"] == f"{RESPONSE_JSON}; charset=utf-8"


async def test_a_caller_who_may_not_come_in_is_told_once(shop: Shop) -> None:
    response = await post(shop, [{"query": "{ caller }"}] * 2, authorization="bad")

    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_batches_can_be_turned_off() -> None:
    async with serving(Limits(max_batch_size=1)) as shop:
        response = await post(shop, [{"query": "{ caller }"}] * 2)

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["limit"] == "batch_size"


async def test_operations_of_a_batch_have_a_context_each(shop: Shop) -> None:
    await post(shop, [{"query": "{ caller }"}] * 2)

    assert len(shop.connections) == 2
