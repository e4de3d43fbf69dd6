"""What those who run the server see of it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.server import Server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, verify=False) as client:
        yield client


async def test_it_says_that_it_lives_and_what_it_depends_on(client: httpx.AsyncClient) -> None:
    alive = await client.get("/livez")
    ready = await client.get("/readyz")

    assert alive.json()["status"] == "alive"
    found = {part["name"]: part for part in ready.json()["components"]}
    assert found["postgres"]["critical"] is True
    assert {"vectors", "encoder"} <= set(found)
    assert not any(found[name]["critical"] for name in ("vectors", "encoder"))


async def test_operations_are_counted_by_name_only_where_the_name_is_known(client: httpx.AsyncClient) -> None:
    for document in ("query Known { __typename }", "query Surprise { __typename }", "{ __typename }"):
        await client.post("/graphql", json={"query": document})
    broken = {"query": "query Known($n: Int) { contents(first: $n) { totalCount } }", "variables": {"n": 0}}
    await client.post("/graphql", json=broken)

    scraped = (await client.get("/metrics")).text

    counted = {
        (sample.labels["operation"], sample.labels["outcome"])
        for family in text_string_to_metric_families(scraped)
        if family.name == "graphql_operation_duration_seconds"
        for sample in family.samples
    }
    assert {("Known", "OK"), ("Known", "BAD_USER_INPUT"), ("other", "OK")} <= counted
    assert "Surprise" not in scraped


async def test_the_keys_of_tokens_are_published_without_their_secrets(client: httpx.AsyncClient) -> None:
    keys = (await client.get("/.well-known/jwks.json")).json()["keys"]

    assert len(keys) == 1
    assert keys[0]["kty"] == "OKP"
    assert "d" not in keys[0]


async def test_a_mistake_of_the_client_is_no_fault_in_our_log(
    server: Server, client: httpx.AsyncClient
) -> None:
    answer = await client.post("/graphql", json={"query": "{ nope }"}, headers={"x-request-id": "story-1"})

    assert answer.headers["x-request-id"] == "story-1"
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "Traceback" not in server.log.read_text()
