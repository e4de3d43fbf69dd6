import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
import strawberry
from strawberry.extensions import SchemaExtension
from structlog.testing import capture_logs

from gateway.engine.errors import ErrorFormatter, Fault
from gateway.engine.execution import Engine
from gateway.engine.lifetime import Lifetime
from gateway.engine.limits import Limits
from gateway.engine.requests import OperationRequest
from gateway.engine.results import OperationResult
from tests.gateway.toy import Toys, toy_schema


class Workbench:
    def __init__(self, limits: Limits | None = None, *, suggestions: bool = True) -> None:
        self.faults: list[Fault] = []
        self.context = Toys()
        errors = ErrorFormatter(on_fault=self.faults.append, suggestions=suggestions)
        self.engine = Engine(toy_schema(), limits, errors)

    async def run(self, query: str, variables: dict[str, Any] | None = None) -> OperationResult:
        return await self.engine.answer(OperationRequest(query, variables=variables), self.context)

    async def stream(self, query: str, lifetime: Lifetime | None = None) -> list[OperationResult]:
        operation = self.engine.prepare(OperationRequest(query))
        return [result async for result in self.engine.subscribe(operation, self.context, lifetime)]


def only(result: OperationResult) -> Mapping[str, Any]:
    [error] = result.errors
    return error


async def test_an_operation_is_answered_with_its_data() -> None:
    result = await Workbench().run(
        "query($n: String!) { toy(name: $n) { name inner { name } } }", {"n": "ape"}
    )

    assert result.payload() == {"data": {"toy": {"name": "ape", "inner": {"name": "ape+"}}}}


async def test_the_named_operation_of_several_runs() -> None:
    bench = Workbench()
    text = 'query A { caller } mutation B { buy(name: "kite") { name } }'

    result = await bench.engine.answer(OperationRequest(text, "B"), bench.context)

    assert result.data == {"buy": {"name": "kite"}}
    assert bench.context.done == ["kite"]


@pytest.mark.parametrize("name", [None, "C"])
async def test_which_operation_to_run_must_be_clear(name: str | None) -> None:
    bench = Workbench()
    text = 'mutation A { buy(name: "a") { name } } mutation B { buy(name: "b") { name } }'

    result = await bench.engine.answer(OperationRequest(text, name), bench.context)

    assert only(result)["extensions"]["code"] == "BAD_USER_INPUT"
    assert not result.executed
    assert bench.context.done == []


async def test_an_unforeseen_error_is_masked_with_an_id_that_finds_it() -> None:
    bench = Workbench()

    result = await bench.run("{ maybeToy { name broken } }")

    error = only(result)
    [fault] = bench.faults
    assert result.data == {"maybeToy": None}
    assert error["extensions"] == {"code": "INTERNAL", "errorId": fault.error_id}
    assert fault.error_id in error["message"]
    assert "secrets" not in orjson.dumps(result.payload()).decode()
    assert error["path"] == ["maybeToy", "broken"]
    assert error["locations"] == [{"line": 1, "column": 19}]
    assert str(fault.error) == "the drawer of secrets is at /etc/toys"
    assert fault.error.__traceback__ is not None


async def test_a_fault_is_logged_with_its_id_path_and_trace() -> None:
    engine = Engine(toy_schema(), errors=ErrorFormatter(new_id=lambda: "e1"))

    with capture_logs() as lines:
        await engine.answer(OperationRequest("{ maybeToy { broken } }"), Toys())

    [line] = lines
    kind, error, trace = line["exc_info"]
    assert (line["log_level"], line["error_id"], line["path"]) == ("error", "e1", "maybeToy.broken")
    assert (kind, str(error)) == (RuntimeError, "the drawer of secrets is at /etc/toys")
    assert trace is not None


async def test_each_fault_has_its_own_id() -> None:
    bench = Workbench()

    result = await bench.run("{ a: maybeToy { broken } b: maybeToy { broken } }")

    ids = {error["extensions"]["errorId"] for error in result.errors}
    assert ids == {fault.error_id for fault in bench.faults}
    assert len(ids) == 2


async def test_a_refusal_of_ours_is_shown_with_its_code_and_extensions() -> None:
    result = await Workbench().run("{ toy { forbidden } }")

    assert only(result) == {
        "message": "Not your toy.",
        "extensions": {"code": "FORBIDDEN", "owner": "somebody"},
        "locations": [{"line": 1, "column": 9}],
        "path": ["toy", "forbidden"],
    }
    assert result.data == {"toy": {"forbidden": None}}


async def test_a_graphql_error_is_shown_only_if_its_code_says_so() -> None:
    bench = Workbench()

    result = await bench.run("{ toy { coded spoken } }")

    shown, masked = sorted(result.errors, key=lambda error: len(error["message"]))
    assert (shown["message"], shown["extensions"]["code"]) == ("Shown on purpose.", "NOT_FOUND")
    assert masked["extensions"]["code"] == "INTERNAL"
    assert [str(fault.error) for fault in bench.faults] == ["A library says where it keeps its things."]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query($c: Int!) { toys(count: $c) { name } }", {}),
        ("query($c: Int!) { toys(count: $c) { name } }", {"c": "many"}),
        ("query($c: Int!) { toys(count: $c) { name } }", {"c": 2**40}),
        ("query($w: Wish!) { wish(wish: $w) }", {"w": {"name": "x", "nam": "y"}}),
    ],
)
async def test_variables_that_do_not_fit_are_the_callers_to_mend(
    query: str, variables: dict[str, Any]
) -> None:
    bench = Workbench(suggestions=False)

    result = await bench.run(query, variables)

    assert only(result)["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "Did you mean" not in only(result)["message"]
    assert "data" not in result.payload()
    assert bench.faults == []


async def test_a_null_that_only_shows_while_running_is_the_callers_to_mend() -> None:
    bench = Workbench()

    result = await bench.run("query($n: Int = 1) { doubled(number: $n) }", {"n": None})

    assert only(result)["extensions"] == {"code": "BAD_USER_INPUT"}
    assert bench.faults == []


async def test_deeply_nested_variables_are_answered() -> None:
    wish: dict[str, Any] = {"name": "x"}
    for _ in range(60):
        wish = {"name": "x", "again": wish}

    result = await Workbench().run("query($w: Wish!) { wish(wish: $w) }", {"w": wish})

    assert result.payload() == {"data": {"wish": "x"}}


async def test_a_deadline_cancels_the_operation_and_answers_timeout() -> None:
    bench = Workbench(Limits(deadline_seconds=0.05))

    result = await bench.run("{ slow(seconds: 60) }")

    assert only(result)["extensions"]["code"] == "TIMEOUT"
    assert bench.context.ended == ["slow"]


async def test_cancelling_the_caller_cancels_the_resolvers() -> None:
    bench = Workbench()
    task = asyncio.create_task(bench.run("{ a: slow(seconds: 60) b: slow(seconds: 60) }"))
    await asyncio.sleep(0.02)

    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert bench.context.ended == ["slow", "slow"]


async def test_what_is_no_json_is_masked_when_written() -> None:
    bench = Workbench()
    result = await bench.run("{ large }")

    written = orjson.loads(bench.engine.to_bytes(result))

    assert written["data"] is None
    assert written["errors"][0]["extensions"]["errorId"] == bench.faults[0].error_id


async def test_a_subscription_yields_each_event() -> None:
    results = await Workbench().stream("subscription { count(to: 3) }")

    assert [result.data for result in results] == [{"count": 1}, {"count": 2}, {"count": 3}]


async def test_errors_are_masked_in_every_payload_of_a_stream() -> None:
    bench = Workbench()

    results = await bench.stream("subscription { toys { name broken } }")

    codes = [only(result)["extensions"] for result in results]
    assert codes == [{"code": "INTERNAL", "errorId": fault.error_id} for fault in bench.faults]
    assert len(codes) == 2


async def test_a_stream_that_breaks_ends_with_a_masked_error() -> None:
    bench = Workbench()

    first, last = await bench.stream("subscription { breaking }")

    assert first.payload() == {"data": {"breaking": 1}}
    assert only(last)["extensions"]["errorId"] == bench.faults[0].error_id
    assert not last.executed


async def test_closing_a_stream_closes_its_resolver() -> None:
    bench = Workbench()
    operation = bench.engine.prepare(OperationRequest("subscription { count(to: 100) }"))
    results = bench.engine.subscribe(operation, bench.context)
    await anext(results)

    await results.aclose()

    assert bench.context.ended == ["count"]
    assert bench.context.done == ["1"]


async def test_a_stream_ends_with_the_identity_it_was_opened_with() -> None:
    bench = Workbench()

    results = await bench.stream("subscription { count(to: 100, every: 0.04) }", Lifetime(0.1))

    assert only(results[-1])["extensions"]["code"] == "UNAUTHENTICATED"
    assert bench.context.done == ["1", "2"]
    assert bench.context.ended == ["count"]


async def test_a_query_is_a_stream_of_one() -> None:
    assert [r.payload() for r in await Workbench().stream("{ doubled }")] == [{"data": {"doubled": 2}}]


class Phases(SchemaExtension):
    """Says when it ran."""

    async def on_operation(self) -> Any:
        assert self.execution_context.query == "{ caller }"
        # Prepared before: strawberry neither parses nor validates again.
        assert self.execution_context.graphql_document is not None
        assert self.execution_context.validation_rules == ()
        yield

    def get_results(self) -> dict[str, Any]:
        return {"phases": "seen"}


async def test_extensions_of_strawberry_run_on_prepared_documents() -> None:
    schema = toy_schema(Phases)

    result = await Engine(schema).answer(OperationRequest("{ caller }"), Toys())

    assert result.payload() == {"data": {"caller": "nobody"}, "extensions": {"phases": "seen"}}


class Broken(SchemaExtension):
    def on_operation(self) -> Any:
        raise RuntimeError("the drawer of secrets is at /etc/toys")
        yield


async def test_an_extension_that_breaks_is_masked() -> None:
    faults: list[Fault] = []
    engine = Engine(toy_schema(Broken), errors=ErrorFormatter(faults.append))

    result = await engine.answer(OperationRequest("{ caller }"), Toys())

    assert only(result)["extensions"] == {"code": "INTERNAL", "errorId": faults[0].error_id}
    assert not result.executed


async def test_the_schema_itself_is_left_as_it_was() -> None:
    schema = toy_schema()
    Engine(schema)

    assert type(schema) is strawberry.Schema
    assert (await schema.execute("{ caller }", context_value=Toys())).data == {"caller": "nobody"}


@pytest.mark.parametrize(
    ("query", "constant"),
    [
        ("{ __typename }", True),
        ("mutation { a: __typename b: __typename }", True),
        ("query($no: Boolean!) { __typename caller @include(if: $no) }", True),
        ("{ __typename caller }", False),
        ("{ __typename __schema { queryType { name } } }", False),
    ],
)
async def test_what_comes_to_the_same_each_time_is_executed_once(query: str, constant: bool) -> None:  # noqa: FBT001
    bench = Workbench()
    operation = bench.engine.prepare(OperationRequest(query, variables={"no": False}))

    first, second = [await bench.engine.execute(operation, Toys()) for _ in range(2)]

    assert (operation.constant is not None) is constant
    assert first.payload() == second.payload()
    assert second.to_bytes() == orjson.dumps(first.payload())
    assert sum(bench.engine.executions().values()) == 2
