"""What requests leave behind for Python's garbage collector."""

import gc
from collections.abc import Iterator

import pytest

from domain.platform.postgres import Database
from gateway.engine.execution import Engine
from gateway.engine.plan.plan import Plans
from gateway.engine.requests import OperationRequest
from schema.graph import graph
from tests import catalogue as rows
from tests.asking import Asker
from tests.gateway.toy import Toys, toy_schema

SHOWN = """{ contents(first: 5) { totalCount pageInfo { endCursor } nodes { id title genres { name }
  credits(first: 3) { nodes { person { id name works(first: 2) { nodes { title } } } } }
  availability { platform { name } price { amount } } artwork { url } } } }"""


class Cycle:
    """Refers to itself."""

    itself: "Cycle"


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """What only the collector could free since the test began; call `gc.collect()` to fill it."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def test_what_refers_to_itself_is_noticed(garbage: list[object]) -> None:
    cycle = Cycle()
    cycle.itself = cycle
    del cycle

    gc.collect()

    assert any(isinstance(left, Cycle) for left in garbage)


async def test_an_answer_leaves_nothing_for_the_collector(
    database: Database, database_url: str, request: pytest.FixtureRequest
) -> None:
    for _ in range(3):
        await rows.add_movie(database)
    schema = graph()
    # One connection, which has prepared all statements by then: the driver leaves something when it does.
    async with Database.open(database_url, min_connections=1, max_connections=1) as only:
        asker, engine = Asker(schema, only), Engine(schema)
        asked = OperationRequest(SHOWN)
        first = await engine.answer(asked, asker.context())  # what is kept is made now
        garbage: list[object] = request.getfixturevalue("garbage")

        second = await engine.answer(asked, asker.context())

        assert first.errors == second.errors == []
        assert second.data is not None
        assert len(second.data["contents"]["nodes"]) == 3
        gc.collect()
        assert [type(left) for left in garbage] == []


@pytest.mark.parametrize(
    "text",
    [
        "{ toy { name inner { name } } toys(count: 2) { price inner { late(seconds: 0) } } }",
        "query($at: Boolean!) { toy { name ...F @include(if: $at) } } fragment F on Toy { inner { name } }",
        'mutation { buy(name: "x") { name } }',
        "{ toy { ... @defer { inner { name } } } }",
    ],
)
async def test_a_document_that_is_let_go_of_leaves_nothing_for_the_collector(
    text: str, request: pytest.FixtureRequest
) -> None:
    """It looks at old objects seldom: whoever sends ever new documents would fill the memory until then."""
    engine = Engine(toy_schema())
    operation = engine.prepare(OperationRequest(text, variables={"at": True}))
    assert all([not result.errors async for result in engine.deliver(operation, Toys())])
    garbage: list[object] = request.getfixturevalue("garbage")

    engine.documents._kept.drop(text)
    Plans.of(engine.schema)._operations.clear()
    del operation

    gc.collect()
    assert [type(left) for left in garbage] == []
