"""What happens in the database when an operation takes too long."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from domain.platform.postgres import Database
from gateway.engine.execution import Engine
from gateway.engine.limits import Limits
from gateway.engine.requests import OperationRequest
from gateway.engine.results import OperationResult
from loaders.loader import one

RUNNING = """SELECT count(*) FROM pg_stat_activity
              WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"""


class Slow:
    """A context whose database takes its time."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.naps = one(self._nap)

    async def _nap(self, keys: Sequence[int]) -> Mapping[int, str]:
        await self.database.rows("SELECT pg_sleep(60)")
        return {key: str(key) for key in keys}


SlowInfo = Info[Slow, None]


@strawberry.type
class Query:
    @strawberry.field
    async def nap(self, info: SlowInfo) -> str:
        return str(await info.context.database.value("SELECT pg_sleep(60)"))

    @strawberry.field
    async def loaded(self, info: SlowInfo, key: int) -> str:
        return str(await info.context.naps.load(key))


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def nap(self, info: SlowInfo) -> str:
        async with info.context.database.transaction() as session:
            return str(await session.fetchval("SELECT pg_sleep(60)"))


@pytest.mark.parametrize(
    "text",
    ["{ nap }", "{ a: nap b: nap }", "{ loaded(key: 1) }", "{ a: loaded(key: 1) nap }", "mutation { nap }"],
)
async def test_the_statements_of_a_late_operation_are_cancelled_in_the_server(
    database: Database, text: str
) -> None:
    engine = Engine(strawberry.Schema(Query, Mutation), Limits(deadline_seconds=0.5))
    answer = asyncio.create_task(engine.answer(OperationRequest(text), Slow(database)))
    await asyncio.sleep(0.25)
    during = await database.value(RUNNING)

    result = await answer

    assert during >= 1
    # Whichever notices first: the engine, or the door to the database.
    assert {error["extensions"]["code"] for error in result.errors} == {"TIMEOUT"}
    assert await nothing_runs(database)


async def test_what_was_put_off_is_cancelled_in_the_server_when_it_is_late(database: Database) -> None:
    engine = incremental_engine(Limits(deadline_seconds=0.5))
    text = "{ __typename ... @defer { nap } ... @defer { loaded(key: 1) } }"
    parts = engine.deliver(engine.prepare(OperationRequest(text)), Slow(database))
    collecting = asyncio.create_task(collected(parts))
    await asyncio.sleep(0.25)
    during = await database.value(RUNNING)

    _, *late = await collecting

    assert during == 2
    assert {error["extensions"]["code"] for part in late for error in part.errors} == {"TIMEOUT"}
    assert await nothing_runs(database)


async def test_who_leaves_cancels_what_was_put_off_in_the_server(database: Database) -> None:
    engine = incremental_engine(Limits())
    text = "{ __typename ... @defer { again: __typename } ... @defer { nap } }"

    async with aclosing(engine.deliver(engine.prepare(OperationRequest(text)), Slow(database))) as parts:
        await anext(parts)
        await anext(parts)
        async with asyncio.timeout(5):
            while not await database.value(RUNNING):  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.01)

    assert await nothing_runs(database)


def incremental_engine(limits: Limits) -> Engine:
    config = StrawberryConfig(enable_experimental_incremental_execution=True)
    return Engine(strawberry.Schema(Query, Mutation, config=config), limits)


async def collected(results: AsyncGenerator[OperationResult, None]) -> list[OperationResult]:
    return [result async for result in results]


async def nothing_runs(database: Database) -> bool:
    """Whether what still does ends within five seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            # Neither the server nor the pool has an event to wait for.
            while await database.value(RUNNING) or database.connections_in_use:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            return True
    return False
