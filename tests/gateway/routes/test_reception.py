"""Who is told more than others."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.gateway.serving import Shop, serving

SCHEMA = "{ __schema { queryType { name } } }"


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """Where only Ann may see the schema."""
    async with serving(introspection=lambda context: context.caller == "ann", suggestions=False) as shop:
        yield shop


async def ask(shop: Shop, query: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(verify=False, headers=headers) as client:
        return await client.post(shop.url, json={"query": query})


async def test_the_schema_is_shown_to_those_who_may_see_it(shop: Shop) -> None:
    refused = await ask(shop, SCHEMA)
    shown = await ask(shop, SCHEMA, authorization="ann")

    assert refused.status_code == 403
    assert refused.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "data" not in refused.json()
    assert shown.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}


async def test_typename_is_no_introspection(shop: Shop) -> None:
    assert (await ask(shop, "{ __typename }")).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(("caller", "told"), [("ann", True), ("bob", False), ("bad", False)])
async def test_suggestions_are_made_to_those_who_may_see_the_schema(
    shop: Shop, caller: str, *, told: bool
) -> None:
    response = await ask(shop, "{ toi { name } }", authorization=caller)

    [error] = response.json()["errors"]
    assert error["message"].startswith("Cannot query field 'toi' on type 'Query'.")
    assert ("Did you mean" in error["message"]) is told


async def test_what_is_refused_for_its_size_is_not_validated_for_anybody(shop: Shop) -> None:
    response = await ask(shop, "{" + " ".join(f"toi{n}" for n in range(50)) + "}", authorization="ann")

    assert "Did you mean" not in response.text
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
