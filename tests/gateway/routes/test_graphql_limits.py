"""Every limit through every way in, and under every name a document can have."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from gateway.engine.documents import document_hash
from gateway.engine.limits import Limit, Limits
from gateway.engine.persisted import LocalQueries
from gateway.engine.trusted import DocumentsMode, TrustedDocument
from gateway.routes.connection import DoorOptions
from tests.gateway.carriers import CARRIERS, NAMES
from tests.gateway.serving import Shop, serving


@dataclass(frozen=True)
class Case:
    """A request that exceeds one limit, by one."""

    limit: Limit
    maximum: int
    query: str
    variables: dict[str, Any] = field(default_factory=dict)

    def limits(self, *, warn: bool = False) -> Limits:
        bound: dict[str, Any] = {f"max_{self.limit}": self.maximum}
        return Limits(warn_only=frozenset({self.limit} if warn else ()), **bound)

    @property
    def request(self) -> dict[str, Any]:
        return {"query": self.query, "variables": self.variables}


CASES = [
    Case(Limit.DOCUMENT_CHARACTERS, 9, "{ caller }"),
    Case(Limit.TOKENS, 6, "{ toy { name } } #"),
    Case(Limit.OPERATIONS, 1, "query A { caller } query B { caller }"),
    Case(Limit.FRAGMENTS, 0, "{ ...F } fragment F on Query { caller }"),
    Case(Limit.DEPTH, 2, "{ toy { inner { name } } }"),
    Case(Limit.INTROSPECTION_DEPTH, 2, "{ __schema { queryType { name } } }"),
    Case(Limit.FIELDS, 3, "{ ...F ...F } fragment F on Query { toy { name } }"),
    Case(Limit.ROOT_FIELDS, 1, "{ caller doubled }"),
    Case(Limit.ALIASES, 0, "{ who: caller }"),
    Case(Limit.DIRECTIVES, 0, "{ caller @skip(if: true) }"),
    Case(Limit.REPEATED_FIELDS, 0, "{ caller caller }"),
    Case(Limit.LITERAL_DEPTH, 1, '{ wish(wish: {name: "x", again: {name: "y"}}) }'),
    Case(Limit.LIST_ITEMS, 2, "{ ids(of: [1, 2, 3]) }"),
    Case(Limit.LIST_ITEMS, 2, "query($ids: [Int!]!) { ids(of: $ids) }", {"ids": [1, 2, 3]}),
    Case(Limit.NUMBER_CHARACTERS, 2, "{ doubled(number: 123) }"),
    Case(Limit.VARIABLES_BYTES, 9, "query($n: String!) { toy(name: $n) { name } }", {"n": "abc"}),
    Case(Limit.BODY_BYTES, 90, "query($n: String!) { toy(name: $n) { name } }", {"n": "a" * 90}),
]


def told(case: Case) -> str:
    return f"{case.limit} in variables" if case.variables else case.limit


WAYS = list(itertools.product(CARRIERS, NAMES))


@pytest.mark.parametrize("case", CASES, ids=told)
async def test_what_exceeds_a_limit_is_refused_every_way(case: Case) -> None:
    async with _serving(case, case.limits()) as shop:
        answers = {way: await CARRIERS[way[0]](shop, NAMES[way[1]](case.request)) for way in WAYS}

    assert {way: answer for way, answer in answers.items() if not _refuses(case, *way, answer)} == {}


def _refuses(case: Case, carrier: str, _name: str, answer: dict[str, Any]) -> bool:
    [error] = answer["errors"]
    extensions = error["extensions"]
    if carrier == "websocket" and not extensions:
        # Closed, as what is malformed or too large has no id to answer under.
        return f"limit of {case.maximum} for {case.limit.words}" in error["message"]
    stated = (extensions["code"], extensions.get("limit"), extensions.get("maximum"))
    return "data" not in answer and stated == ("BAD_USER_INPUT", case.limit, case.maximum)


@pytest.mark.parametrize("case", CASES, ids=told)
async def test_what_exceeds_a_limit_that_warns_is_let_pass_every_way(case: Case) -> None:
    async with _serving(case, case.limits(warn=True)) as shop:
        answers = {way: await CARRIERS[way[0]](shop, NAMES[way[1]](case.request)) for way in WAYS}

    for way, answer in answers.items():
        if case.limit is Limit.OPERATIONS:
            assert "operationName" in answer["errors"][0]["message"], way
        else:
            assert "errors" not in answer, way


def _serving(case: Case, limits: Limits) -> Any:
    """A server that knows the document by its hash and by its id, from a time when it was allowed."""
    queries = LocalQueries(10_000)
    queries._kept.put(document_hash(case.query), case.query)
    published = [TrustedDocument("published", document_hash(case.query), case.query)]
    return serving(limits, mode=DocumentsMode.LOG, documents=published, queries=queries)


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_the_deadline_holds_every_way(carrier: str) -> None:
    async with serving(Limits(deadline_seconds=0.05)) as shop:
        answer = await CARRIERS[carrier](shop, {"query": "{ slow(seconds: 60) }"})

        assert answer["errors"][0]["extensions"]["code"] == "TIMEOUT"
        assert shop.context.ended == ["slow"]


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_caller_with_too_much_running_is_told_to_wait_every_way(carrier: str) -> None:
    async with serving(Limits(max_concurrent_operations=1)) as shop, _running(shop):
        answer = await CARRIERS[carrier](shop, {"query": "{ caller }"})

    [error] = answer["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["limit"] == "concurrent_operations"
    assert error["extensions"]["retryAfter"] == 1
    assert "data" not in answer


class _running:  # noqa: N801 - reads as `async with _running(shop):`
    """A slow operation of the same caller, over HTTP."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def __aenter__(self) -> None:
        self._client = httpx.AsyncClient(verify=False)
        self._slow = asyncio.create_task(
            self._client.post(self._shop.url, json={"query": "{ slow(seconds: 60) }"})
        )
        async with asyncio.timeout(5):
            while not self._shop.connections:  # noqa: ASYNC110 - the server has no event to wait for
                await asyncio.sleep(0.01)

    async def __aexit__(self, *_: object) -> None:
        self._slow.cancel()
        await asyncio.wait({self._slow})
        await self._client.aclose()


async def test_too_much_running_is_a_429_that_says_when_to_come_again() -> None:
    async with (
        serving(Limits(max_concurrent_operations=1)) as shop,
        _running(shop),
        httpx.AsyncClient(verify=False) as client,
    ):
        response = await client.post(shop.url, json={"query": "{ caller }"})

    assert response.status_code == 429
    assert response.headers["retry-after"] == "1"


async def test_accounts_have_places_of_their_own() -> None:
    options = DoorOptions(caller_of=lambda context: context.caller)
    async with (
        serving(Limits(max_concurrent_operations=1), options) as shop,
        _running(shop),
        httpx.AsyncClient(headers={"authorization": "ann"}) as client,
    ):
        response = await client.post(shop.url, json={"query": "{ caller }"})

    assert response.json() == {"data": {"caller": "ann"}}


@pytest.mark.parametrize("carrier", ["events", "multipart", "websocket"])
async def test_streams_of_one_caller_are_bounded(carrier: str) -> None:
    async with serving(Limits(max_concurrent_subscriptions=0)) as shop:
        answer = await CARRIERS[carrier](shop, {"query": "subscription { count }"})

    assert answer["errors"][0]["extensions"]["limit"] == "concurrent_subscriptions"
    assert shop.context.done == []


async def test_a_body_that_only_warns_is_bounded_all_the_same() -> None:
    limits = Limits(max_body_bytes=100, warn_only=frozenset({Limit.BODY_BYTES}))
    async with serving(limits) as shop, httpx.AsyncClient(verify=False) as client:
        passed = await client.post(shop.url, json={"query": "{ caller }" + " " * 1_500})
        refused = await client.post(shop.url, json={"query": "{ caller }" + " " * 1_600})

    assert passed.status_code == 200
    assert refused.status_code == 413
