"""Documents by hash and id, through every door."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.engine.documents import document_hash
from gateway.engine.persisted import LocalQueries
from gateway.engine.trusted import DocumentsMode, TrustedDocument
from gateway.routes.negotiation import JSON, RESPONSE_JSON
from tests.gateway.carriers import CARRIERS, NAMES
from tests.gateway.serving import Shop, serving

CALLER = "query Caller { caller }"
BUY = 'mutation { buy(name: "kite") { name } }'
COUNT = "subscription { count(to: 1) }"
PUBLISHED = [
    TrustedDocument(f"n{n}", document_hash(text), text) for n, text in enumerate((CALLER, BUY, COUNT))
]
CROSS = {"sec-fetch-site": "cross-site"}


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with serving(mode=DocumentsMode.ONLY, documents=PUBLISHED, queries=LocalQueries(10_000)) as shop:
        yield shop


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_published_document_runs_every_way(shop: Shop, carrier: str, name: str) -> None:
    answer = await CARRIERS[carrier](shop, NAMES[name]({"query": CALLER}))

    assert answer == {"data": {"caller": "nobody"}}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("text", "DOCUMENT_NOT_TRUSTED"),
        ("hash", "PERSISTED_QUERY_NOT_FOUND"),
        ("id", "PERSISTED_QUERY_NOT_FOUND"),
    ],
)
@pytest.mark.parametrize("carrier", CARRIERS)
async def test_any_other_is_refused_every_way(shop: Shop, carrier: str, name: str, code: str) -> None:
    answer = await CARRIERS[carrier](shop, NAMES[name]({"query": "{ doubled }"}))

    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert "data" not in answer


@pytest.mark.parametrize("carrier", ["events", "multipart", "websocket"])
async def test_a_published_subscription_runs_by_its_id(shop: Shop, carrier: str) -> None:
    answer = await CARRIERS[carrier](shop, {"documentId": "n2"})

    assert answer == {"data": {"count": 1}}


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_hash_is_learnt_through_one_door_and_known_at_every_other(carrier: str) -> None:
    text = "query($n: Int!) { doubled(number: $n) }"
    request = NAMES["hash"]({"query": text, "variables": {"n": 4}})
    async with serving(queries=LocalQueries(10_000)) as shop:
        unknown = await CARRIERS[carrier](shop, request)
        learnt = await CARRIERS[carrier](shop, request | {"query": text})
        known = {other: await CARRIERS[other](shop, request) for other in CARRIERS}

    assert unknown["errors"][0]["message"] == "PersistedQueryNotFound"
    assert learnt == {"data": {"doubled": 8}}
    assert known == {other: {"data": {"doubled": 8}} for other in CARRIERS}


@pytest.mark.parametrize(
    ("accept", "request_", "status"),
    [
        (JSON, {"documentId": "other"}, 200),
        (RESPONSE_JSON, {"documentId": "other"}, 400),
        (JSON, NAMES["hash"]({"query": "{ doubled }"}), 200),
        (RESPONSE_JSON, NAMES["hash"]({"query": "{ doubled }"}), 400),
        (JSON, {"query": "{ doubled }"}, 403),
        (RESPONSE_JSON, {"query": "{ doubled }"}, 403),
    ],
)
async def test_the_status_says_what_clients_go_by(
    shop: Shop, accept: str, request_: dict[str, Any], status: int
) -> None:
    async with httpx.AsyncClient(verify=False) as client:
        response = await client.post(shop.url, json=request_, headers={"accept": accept})

    assert response.status_code == status


async def test_get_runs_no_published_mutation(shop: Shop) -> None:
    async with httpx.AsyncClient(verify=False) as client:
        response = await client.get(shop.url, params={"documentId": "n1"})

    assert response.status_code == 405
    assert shop.context.done == []


async def test_a_published_query_may_be_asked_for_by_get_without_a_header(shop: Shop) -> None:
    async with httpx.AsyncClient(verify=False, headers=CROSS) as client:
        published = await client.get(shop.url, params={"documentId": "n0"})
        unknown = await client.get(shop.url, params={"documentId": "other"})
        text = await client.get(shop.url, params={"query": CALLER})

    assert [response.status_code for response in (published, unknown, text)] == [200, 403, 403]
