"""The graph in parts: what comes of it is what comes in one piece, for as many statements."""

from typing import Any

import orjson
import pytest

from domain.identity.policy import Policy
from domain.platform.postgres import Database
from gateway.engine.execution import Engine
from gateway.engine.incremental.formats import Format
from gateway.engine.requests import OperationRequest
from resolvers.ids import encode
from schema.graph import graph
from tests.accounts import somebody
from tests.asking import Asker
from tests.resolvers.test_catalog import EVERYTHING, add_full_movie
from tests.servers import StatementCounter

PUT_OFF = (
    """query ($first: Int!, $later: Boolean!) {
      contents(first: $first) {
        totalCount
        nodes @stream(initialCount: 1, if: $later) { id title ...Everything @defer(if: $later) }
      }
    }"""
    + EVERYTHING
)
LATER = {"first": 10, "later": True}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(graph())


@pytest.fixture
def asker(database: Database, engine: Engine) -> Asker:
    return Asker(graph(), database, {"policy": Policy()})


async def parts_of(engine: Engine, asker: Asker, query: str, format_: Format, **variables: Any) -> list[Any]:
    operation = engine.prepare(OperationRequest(query, variables=variables))
    parts = engine.deliver(operation, asker.context(), format_)
    return [orjson.loads(engine.to_bytes(part)) async for part in parts]


def added_up(parts: list[Any]) -> Any:
    """As a client of the current format adds parts up."""
    data = parts[0]["data"]
    pending: dict[str, list[Any]] = {}
    for part in parts:
        pending |= {new["id"]: new["path"] for new in part.get("pending", ())}
        for piece in part.get("incremental", ()):
            target = data
            for key in [*pending[piece["id"]], *piece.get("subPath", ())]:
                target = target[key]
            if "items" in piece:
                target.extend(piece["items"])
            else:
                target.update(piece["data"])
    return data


async def test_titles_in_parts_are_the_titles_in_one_piece(
    engine: Engine, asker: Asker, database: Database
) -> None:
    for number in range(10):
        await add_full_movie(database, number)

    [whole] = await parts_of(engine, asker, PUT_OFF, Format.CURRENT, first=10, later=False)
    parts = await parts_of(engine, asker, PUT_OFF, Format.CURRENT, **LATER)

    assert len(parts[0]["data"]["contents"]["nodes"]) == 1
    assert "credits" not in parts[0]["data"]["contents"]["nodes"][0]
    assert added_up(parts) == whole["data"]
    assert len(whole["data"]["contents"]["nodes"][9]["credits"]["nodes"]) == 8


async def test_what_is_put_off_of_many_titles_takes_as_many_statements_as_of_one(
    engine: Engine, asker: Asker, database: Database, statements: StatementCounter
) -> None:
    for number in range(10):
        await add_full_movie(database, number)
    query = "query ($first: Int!) { contents(first: $first) { nodes { title ...Everything @defer } } }"

    counts = []
    for first in (1, 10):
        statements.clear()
        parts = await parts_of(engine, asker, query + EVERYTHING, Format.OF_2022, first=first)
        assert sum(len(part.get("incremental", ())) for part in parts) == first
        counts.append(len(statements.seen))

    assert counts[0] == counts[1]


async def test_who_asks_may_see_no_more_later_than_at_once(
    engine: Engine, asker: Asker, database: Database
) -> None:
    asker.caller = somebody("01890000-0000-7000-8000-000000000001")
    another = encode("Account", "01890000-0000-7000-8000-000000000002")
    query = "query ($id: ID!) { __typename ... @defer { node(id: $id) { ... on Account { email } } } }"

    _, last = await parts_of(engine, asker, query, Format.CURRENT, id=another)

    assert last["incremental"] == [{"id": "0", "data": {"node": None}}]
