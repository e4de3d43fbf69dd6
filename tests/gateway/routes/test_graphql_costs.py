"""Costs hold on every way in: POST, GET, server-sent events, WebSocket."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from domain.platform.budgets import Bucket, LocalBudgets, Payer
from gateway.engine.admission import CostPolicy
from gateway.routes.negotiation import EVENT_STREAM, JSON, RESPONSE_JSON
from tests.accounts import Clock
from tests.gateway.serving import Shop, serving

BUCKET = Bucket(capacity=100, per_second=4)
DEAR = "{ toys(count: 1) { inner { inner { inner { inner { inner { name } } } } } } }"
"""A list of ten is expected, each with five within each other: 1 + 1 + 10 * (1 + 5 * 2)."""
CHEAP = "{ toy { name } }"
COST_OF_DEAR, COST_OF_CHEAP = 112, 3
DEAR_STREAM = DEAR.replace("{ toys(count: 1)", "subscription { toys").replace(
    "{ name }", "{ inner { name } }"
)


@dataclass
class Till:
    """Pays for everybody who asks."""

    clock: Clock = field(default_factory=Clock)
    payer: Payer = field(default_factory=lambda: Payer("a", BUCKET))

    def __post_init__(self) -> None:
        self.budgets = LocalBudgets(self.clock.seconds)

    async def spend_all_but(self, left: float) -> None:
        now = (await self.budgets.settle("a", BUCKET, 0)).left
        await self.budgets.settle("a", BUCKET, left - now)


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
async def shop(till: Till) -> AsyncIterator[Shop]:
    policy = CostPolicy(limit=100, budgets=lambda: till.budgets, payer_of=lambda _: till.payer)
    async with serving(costs=policy) as shop:
        yield shop


async def post(shop: Shop, query: str, accept: str = RESPONSE_JSON) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(shop.url, json={"query": query}, headers={"accept": accept})


async def get(shop: Shop, query: str, accept: str = RESPONSE_JSON) -> httpx.Response:
    headers = {"accept": accept, "x-requested-with": "test"}
    async with httpx.AsyncClient() as client:
        return await client.get(shop.url, params={"query": query}, headers=headers)


def code(body: dict[str, Any]) -> str:
    return str(body["errors"][0]["extensions"]["code"])


@pytest.mark.parametrize("ask", [post, get])
async def test_what_costs_too_much_is_a_bad_request(shop: Shop, ask: Any) -> None:
    answer = await ask(shop, DEAR)

    assert answer.status_code == 400
    assert code(answer.json()) == "COST_LIMIT_EXCEEDED"
    assert answer.json()["errors"][0]["extensions"]["cost"] == COST_OF_DEAR
    assert "data" not in answer.json()
    assert "retry-after" not in answer.headers
    assert (await ask(shop, DEAR, JSON)).status_code == 200


@pytest.mark.parametrize("ask", [post, get])
async def test_an_empty_budget_says_when_to_come_again(shop: Shop, till: Till, ask: Any) -> None:
    await till.spend_all_but(COST_OF_CHEAP - 1)

    refused = await ask(shop, CHEAP)
    refused_json = await ask(shop, CHEAP, JSON)
    till.clock.turn(int(refused.headers["retry-after"]))
    served = await ask(shop, CHEAP)

    assert refused.status_code == refused_json.status_code == 429
    assert refused.headers["retry-after"] == refused_json.headers["retry-after"] == "1"
    assert code(refused.json()) == "RATE_LIMITED"
    assert refused.json()["errors"][0]["extensions"]["retryAfter"] == 1
    assert served.status_code == 200


async def test_mutations_are_charged_before_they_change_anything(shop: Shop, till: Till) -> None:
    await till.spend_all_but(1)

    refused = await post(shop, 'mutation { buy(name: "bear") { name } }')

    assert refused.status_code == 429
    assert shop.context.done == []


async def test_events_are_refused_within_their_stream(shop: Shop, till: Till) -> None:
    dear = await post(shop, DEAR_STREAM, EVENT_STREAM)
    await till.spend_all_but(0)
    late = await post(shop, "subscription { count }", EVENT_STREAM)

    assert '"code":"COST_LIMIT_EXCEEDED"' not in dear.text
    assert "event: complete" in dear.text
    assert '"code":"RATE_LIMITED"' in late.text
    assert shop.context.done == []


async def test_a_socket_is_told_by_an_error_message_and_stays_open(shop: Shop, till: Till) -> None:
    async with connect(shop.ws_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:

        async def say(**message: Any) -> None:
            await socket.send(orjson.dumps(message).decode())

        async def hear() -> Any:
            return orjson.loads(await socket.recv())

        await say(type="connection_init")
        assert (await hear())["type"] == "connection_ack"
        await say(id="1", type="subscribe", payload={"query": DEAR})
        dear = await hear()
        await till.spend_all_but(1)
        await say(id="2", type="subscribe", payload={"query": CHEAP})
        late = await hear()
        till.clock.turn(10)
        await say(id="3", type="subscribe", payload={"query": CHEAP})
        served = await hear()

    assert (dear["type"], dear["payload"][0]["extensions"]["code"]) == ("error", "COST_LIMIT_EXCEEDED")
    assert (late["type"], late["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
    assert late["payload"][0]["extensions"]["retryAfter"] == 1
    assert served["payload"]["data"] == {"toy": {"name": "bear"}}
