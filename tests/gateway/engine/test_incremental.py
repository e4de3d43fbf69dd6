"""What @defer and @stream put off comes in parts, and is an answer like any other in all else."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig

from domain.platform.budgets import Bucket, LocalBudgets, Payer
from gateway.engine.admission import CostPolicy
from gateway.engine.documents import Rejected
from gateway.engine.errors import ErrorFormatter, Fault
from gateway.engine.execution import Engine, Operation
from gateway.engine.incremental.delivery import Part
from gateway.engine.incremental.formats import Format
from gateway.engine.limits import Excess, Limit, Limits
from gateway.engine.plan import Plans
from gateway.engine.requests import OperationRequest
from gateway.engine.results import OperationResult
from tests.accounts import Clock
from tests.gateway.toy import Toys, toy_schema

CURRENT, OF_2022 = Format.CURRENT, Format.OF_2022


class Bench:
    """An engine over the toys, and what was heard of it."""

    planned = True

    def __init__(self, limits: Limits | None = None, **options: Any) -> None:
        self.faults: list[Fault] = []
        self.observed: list[tuple[Operation, OperationResult, float]] = []
        self.noted: list[tuple[Excess, bool]] = []
        self.context = Toys()
        schema = options.pop("schema", None) or toy_schema()
        options.setdefault("planned", self.planned)
        self.engine = Engine(
            schema,
            limits,
            ErrorFormatter(on_fault=self.faults.append, new_id=lambda: "e1"),
            observe=lambda *heard: self.observed.append(heard),
            note=lambda *heard: self.noted.append(heard),
            **options,
        )

    def operation(self, query: str, **variables: Any) -> Operation:
        return self.engine.prepare(OperationRequest(query, variables=variables))

    async def results(self, query: str, format_: Format = CURRENT, **variables: Any) -> list[OperationResult]:
        operation = self.operation(query, **variables)
        return [result async for result in self.engine.deliver(operation, self.context, format_)]

    async def answers(self, query: str, format_: Format = CURRENT, **variables: Any) -> list[Any]:
        results = await self.results(query, format_, **variables)
        return [orjson.loads(self.engine.to_bytes(result)) for result in results]

    def refusals(self, query: str, **variables: Any) -> list[Any]:
        with pytest.raises(Rejected) as rejected:
            self.operation(query, **variables)
        return rejected.value.errors


async def test_a_deferred_fragment_comes_after_the_rest() -> None:
    answers = await Bench().answers('{ toy { name ... @defer(label: "price") { price } } }')

    assert answers == [
        {
            "data": {"toy": {"name": "bear"}},
            "pending": [{"id": "0", "path": ["toy"], "label": "price"}],
            "hasNext": True,
        },
        {
            "incremental": [{"id": "0", "data": {"price": 3}}],
            "completed": [{"id": "0"}],
            "hasNext": False,
        },
    ]


async def test_a_streamed_list_begins_with_as_many_items_as_are_asked_for() -> None:
    answers = await Bench().answers("{ toys(count: 3) @stream(initialCount: 1) { name } }")

    assert answers == [
        {"data": {"toys": [{"name": "0"}]}, "pending": [{"id": "0", "path": ["toys"]}], "hasNext": True},
        {
            "incremental": [{"id": "0", "items": [{"name": "1"}, {"name": "2"}]}],
            "completed": [{"id": "0"}],
            "hasNext": False,
        },
    ]


@pytest.mark.parametrize("format_", Format)
async def test_a_long_list_comes_some_items_at_a_time(format_: Format) -> None:
    answers = await Bench().answers("{ toys(count: 60) @stream(initialCount: 5) { name } }", format_)

    counts = [len(part["items"]) for answer in answers for part in answer.get("incremental", ())]
    assert counts == [25, 25, 5]
    assert [toy["name"] for toy in merged(answers)["toys"]] == [str(number) for number in range(60)]


async def test_items_are_not_begun_before_those_ahead_were_taken() -> None:
    bench = Bench(schema=batching_schema(60))
    bench.context = Asked()  # type: ignore[assignment]
    operation = bench.operation("{ shelves @stream { label } }")

    async with aclosing(bench.engine.deliver(operation, bench.context)) as results:
        await anext(results)
        await anext(results)
        await asyncio.sleep(0.01)

    assert [len(names) for names in bench.context.names] == [25]  # type: ignore[attr-defined]


async def test_clients_of_2022_are_told_where_each_part_belongs() -> None:
    query = '{ toys(count: 2) @stream(label: "s") { name } ... @defer(label: "d") { slow(seconds: 0.01) } }'

    answers = await Bench().answers(query, OF_2022)

    assert answers == [
        {"data": {"toys": []}, "hasNext": True},
        {
            "incremental": [{"path": ["toys", 0], "label": "s", "items": [{"name": "0"}, {"name": "1"}]}],
            "hasNext": True,
        },
        {"incremental": [{"path": [], "label": "d", "data": {"slow": "done"}}], "hasNext": False},
    ]


async def test_what_two_fragments_share_is_told_once_and_both_are_told_to_be_there() -> None:
    query = """
    { toy { ... @defer(label: "a") { inner { name } } ... @defer(label: "b") { inner { name price } } } }
    """

    current = await Bench(planned=False).answers(query)
    of_2022 = await Bench(planned=False).answers(query, OF_2022)

    assert current[1]["incremental"] == [
        {"id": "0", "data": {"inner": {"name": "bear+"}}},
        {"id": "1", "subPath": ["inner"], "data": {"price": 3}},
    ]
    assert of_2022[1]["incremental"] == [
        {"path": ["toy"], "label": "a", "data": {"inner": {"name": "bear+"}}},
        {"path": ["toy", "inner"], "data": {"price": 3}},
        {"path": ["toy"], "label": "b", "data": {}},
    ]


async def test_a_plan_tells_at_once_what_two_fragments_share() -> None:
    query = """
    { toy { ... @defer { inner { name } price } ... @defer { inner { name price } caller: name } } }
    """

    first, last = await Bench().answers(query)

    assert first["data"] == {"toy": {"inner": {"name": "bear+", "price": 3}}}
    assert [part["data"] for part in last["incremental"]] == [{"price": 3}, {"caller": "bear"}]


async def test_a_fragment_that_goes_on_with_what_is_there_comes_at_once() -> None:
    [result] = await Bench().results("{ toy { inner { name } ... @defer { inner { price } } } }")

    assert result.data == {"toy": {"inner": {"name": "bear+", "price": 3}}}


async def test_each_part_comes_when_it_is_ready() -> None:
    bench = Bench()
    operation = bench.operation("{ caller ... @defer { slow(seconds: 30) } ... @defer { toy { name } } }")

    async with asyncio.timeout(5), aclosing(bench.engine.deliver(operation, bench.context)) as results:
        answers = [orjson.loads((await anext(results)).to_bytes()) for _ in range(2)]

    assert answers[0]["data"] == {"caller": "nobody"}
    assert answers[1]["incremental"] == [{"id": "1", "data": {"toy": {"name": "bear"}}}]
    assert answers[1]["hasNext"] is True


async def test_the_parts_make_the_answer_that_comes_in_one_piece() -> None:
    query = """
    { toys(count: 4) @stream(initialCount: 1) { name ... @defer { inner { name ... @defer { price } } } }
      maybeToy { ...Rest @defer } }
    fragment Rest on Toy { name inner { name } coded }
    """
    bench = Bench()

    whole = await bench.engine.execute(bench.operation(query), bench.context)
    current, of_2022 = [merged(await bench.answers(query, format_)) for format_ in Format]

    assert current == of_2022 == whole.data
    assert current["toys"][3] == {"name": "3", "inner": {"name": "3+", "price": 3}}


def merged(answers: list[Any]) -> Any:
    """As a client adds them up."""
    data = answers[0]["data"]
    pending: dict[str, Any] = {}
    for answer in answers:
        pending |= {new["id"]: new["path"] for new in answer.get("pending", ())}
        for part in answer.get("incremental", ()):
            path = part["path"] if "path" in part else [*pending[part["id"]], *part.get("subPath", ())]
            if "items" in part and "path" in part:
                *path, first = path
                assert first == len(at(data, path))
            target = at(data, path)
            target.extend(part["items"]) if "items" in part else target.update(part["data"])
    assert [answer["hasNext"] for answer in answers] == [True] * (len(answers) - 1) + [False]
    return data


def at(data: Any, path: list[Any]) -> Any:
    for key in path:
        data = data[key]
    return data


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ toy { name ... @defer(if: false) { price } } }", {}),
        ("query($now: Boolean!) { toy { name ... @defer(if: $now) { price } } }", {"now": False}),
        ("query($now: Boolean = false) { toy { name ... @defer(if: $now) { price } } }", {}),
    ],
)
async def test_what_nothing_is_put_off_of_is_planned_like_any_other(
    query: str, variables: dict[str, Any]
) -> None:
    bench = Bench()

    [result] = await bench.results(query, **variables)

    assert not isinstance(result, Part)
    assert result.payload() == {"data": {"toy": {"name": "bear", "price": 3}}}
    assert Plans.of(bench.engine.schema).statistics.planned == 1


@pytest.mark.parametrize(("field", "data"), [("maybeToy", {"maybeToy": None}), ("toy", None)])
async def test_what_may_not_be_put_off_fails_in_what_is_around_all_fragments(field: str, data: Any) -> None:
    query = f"{{ {field} {{ ... @defer {{ price ... @defer {{ a: name ... @defer {{ broken }} }} }} }} }}"

    [answer] = await Bench(Limits(max_deferred=0)).answers(query)

    assert answer["data"] == data
    assert [error["path"] for error in answer["errors"]] == [[field, "broken"]]


async def test_a_fragment_that_is_not_met_leaves_one_piece() -> None:
    [result] = await Bench().results("{ toy { name ... @skip(if: true) @defer { price } } }")

    assert not isinstance(result, Part)
    assert result.data == {"toy": {"name": "bear"}}


async def test_the_schema_is_not_put_off_for_who_may_not_see_it() -> None:
    bench = Bench(introspection=False)

    [result] = await bench.results("{ caller ... @defer { __schema { description } } }")

    assert result.code == "FORBIDDEN"
    assert len(bench.observed) == 1


async def test_a_whole_answer_ignores_the_directives_and_is_planned() -> None:
    bench = Bench()
    operation = bench.operation("{ toys(count: 2) @stream { name ... @defer { price } } }")
    statistics = Plans.of(bench.engine.schema).statistics

    result = await bench.engine.execute(operation, bench.context)

    assert result.payload() == {"data": {"toys": [{"name": "0", "price": 3}, {"name": "1", "price": 3}]}}
    assert statistics.planned == 1
    assert statistics.fallbacks == {}


async def test_an_operation_beside_one_that_defers_is_planned() -> None:
    bench = Bench()
    request = OperationRequest("query A { caller } query B { ... @defer { caller } }", "A")
    operation = bench.engine.prepare(request)

    [result] = [result async for result in bench.engine.deliver(operation, bench.context)]

    assert result.data == {"caller": "nobody"}
    assert Plans.of(bench.engine.schema).statistics.planned == 1


async def test_interpreted_operations_are_delivered_as_well() -> None:
    bench = Bench(planned=False)
    query = "{ toy { name ... @defer { price } } }"

    whole = await bench.engine.execute(bench.operation(query), bench.context)
    answers = await bench.answers(query)

    assert whole.data == {"toy": {"name": "bear", "price": 3}}
    assert answers[1]["incremental"] == [{"id": "0", "data": {"price": 3}}]


async def test_a_schema_with_extensions_answers_in_one_piece() -> None:
    class Watching(SchemaExtension):
        pass

    [result] = await Bench(schema=toy_schema(Watching)).results("{ toy { name ... @defer { price } } }")

    assert result.data == {"toy": {"name": "bear", "price": 3}}


@pytest.mark.parametrize("format_", Format)
async def test_errors_are_masked_in_every_part(format_: Format) -> None:
    bench = Bench()
    query = "{ maybeToy { name ... @defer { forbidden coded spoken } ... @defer { broken } } }"

    results = await bench.results(query, format_)
    text = b"".join(result.to_bytes() for result in results).decode()

    found = {error["path"][-1]: error["extensions"]["code"] for error in results[-1].errors}
    assert found == {
        "forbidden": "FORBIDDEN",
        "coded": "NOT_FOUND",
        "spoken": "INTERNAL",
        "broken": "INTERNAL",
    }
    assert all(error["path"][:-1] == ["maybeToy"] for error in results[-1].errors)
    assert "secrets" not in text
    assert "keeps its things" not in text
    assert '"owner":"somebody"' in text
    assert len(bench.faults) == 2


async def test_permissions_hold_in_what_is_put_off() -> None:
    class Never(BasePermission):
        message = "Not for you."

        def has_permission(self, *_: Any, **__: Any) -> bool:
            return False

    @strawberry.type
    class Query:
        caller: str = "nobody"
        secret: str | None = strawberry.field(permission_classes=[Never], resolver=lambda: "the drawer")

    config = StrawberryConfig(enable_experimental_incremental_execution=True)
    bench = Bench(schema=strawberry.Schema(Query, config=config))

    _, last = await bench.answers("{ __typename ... @defer { secret } }")

    [part] = last["incremental"]
    assert part["data"] == {"secret": None}
    assert part["errors"][0]["path"] == ["secret"]
    assert "drawer" not in str(last)


@pytest.mark.parametrize("format_", Format)
async def test_a_fragment_that_is_lost_says_why(format_: Format) -> None:
    answers = await Bench().answers("{ toy { name ... @defer { price broken } } }", format_)

    errors = [
        {
            "message": "Something went wrong on our side. Quote the error id e1 when you report it.",
            "extensions": {"code": "INTERNAL", "errorId": "e1"},
            "locations": [{"line": 1, "column": 33}],
            "path": ["toy", "broken"],
        }
    ]
    if format_ is CURRENT:
        assert answers[1:] == [{"completed": [{"id": "0", "errors": errors}], "hasNext": False}]
    else:
        part = {"data": None, "path": ["toy"], "errors": errors}
        assert answers[1:] == [{"incremental": [part], "hasNext": False}]


async def test_what_the_rest_loses_is_not_waited_for() -> None:
    [result] = await Bench().results("{ toy { broken ... @defer { slow: name } } }")

    assert not isinstance(result, Part)
    assert result.data is None


async def test_a_value_that_is_no_json_is_masked_before_and_after_the_rest() -> None:
    bench = Bench()

    [result] = await bench.results("{ large ... @defer { caller } }")
    first, last = await bench.answers("{ caller ... @defer { large } }")

    assert result.errors[0]["extensions"]["code"] == "INTERNAL"
    assert first["data"] == {"caller": "nobody"}
    assert last["completed"][0]["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert last["hasNext"] is False


@pytest.mark.parametrize("format_", Format)
async def test_the_deadline_is_of_all_parts_together(format_: Format) -> None:
    bench = Bench(Limits(deadline_seconds=0.1))
    query = "{ caller ... @defer { toy { name } } ... @defer { slow(seconds: 5) } }"

    *others, last = await bench.answers(query, format_)

    assert len(others) == 2
    assert bench.context.ended == ["slow"]
    [lost] = last["completed" if format_ is CURRENT else "incremental"]
    assert lost["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert last["hasNext"] is False


async def test_a_deadline_before_the_first_part_is_the_answer() -> None:
    [result] = await Bench(Limits(deadline_seconds=0.05)).results(
        "{ slow(seconds: 5) ... @defer { caller } }"
    )

    assert result.code == "TIMEOUT"


async def test_who_leaves_ends_what_runs() -> None:
    bench = Bench()
    operation = bench.operation("{ caller ... @defer { slow(seconds: 30) } ... @defer { toy { name } } }")

    async with aclosing(bench.engine.deliver(operation, bench.context)) as results:
        await anext(results)
        await anext(results)
        assert bench.context.ended == []

    assert bench.context.ended == ["slow"]
    assert len(bench.observed) == 1


async def test_what_was_put_off_is_not_begun_for_who_leaves_before() -> None:
    bench = Bench()
    operation = bench.operation("{ caller ... @defer { slow(seconds: 30) } }")

    async with aclosing(bench.engine.deliver(operation, bench.context)) as results:
        await anext(results)
        await asyncio.sleep(0.01)

    assert bench.context.ended == []


async def test_an_operation_is_observed_once_with_all_its_errors() -> None:
    bench = Bench()

    await bench.results("{ maybeToy { coded ... @defer { forbidden } } ... @defer { slow(seconds: 0.05) } }")

    [(operation, result, seconds)] = bench.observed
    assert operation.name is None
    assert [error["extensions"]["code"] for error in result.errors] == ["NOT_FOUND", "FORBIDDEN"]
    assert seconds > 0.05


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("{ toys(count: 1) @stream(initialCount: -1) { name } }", "0 or more"),
        ("{ toys(count: 1) @stream(initialCount: null) { name } }", "0 or more"),
        ("query($n: Int) { toys(count: 1) @stream(initialCount: $n) { name } }", "0 or more"),
        ("{ toy @stream { name } }", "list"),
        ("{ toy { ... @defer(label: 1) { name } } }", "label"),
        ('{ toy { ... @defer(label: "a") { name } ... @defer(label: "a") { price } } }', "unique"),
        ("query($l: String) { toy { ... @defer(label: $l) { name } } }", "static"),
        ("{ toy @defer { name } }", "not be used on field"),
        ('mutation { ... @defer { buy(name: "kite") { name } } }', "root"),
        ("subscription { toys { ... @defer { name } } }", "subscription"),
    ],
)
def test_misuse_is_refused_with_the_place(query: str, told: str) -> None:
    [error, *_] = Bench().refusals(query, n=-1)

    assert told in error["message"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["locations"]


def test_a_count_that_is_no_number_is_left_to_the_variables() -> None:
    bench = Bench()

    operation = bench.operation(
        "query($n: Int) { toys(count: 1) @stream(initialCount: $n) { name } }", n="many"
    )

    assert operation.variables == {"n": "many"}


async def test_variables_that_do_not_fit_are_a_request_error() -> None:
    [result] = await Bench().results("query($n: Int!) { doubled(number: $n) ... @defer { caller } }", n="x")

    assert result.code == "BAD_USER_INPUT"


async def test_nothing_is_put_off_beyond_the_limit() -> None:
    bench = Bench(Limits(max_deferred=6))

    first, second = await bench.answers(
        "{ toys(count: 5) { name ... @defer { price ... @defer { inner { name } } } } }"
    )

    assert len(first["pending"]) == 5
    assert "pending" not in second
    assert second["incremental"][4] == {"id": "4", "data": {"price": 3, "inner": {"name": "4+"}}}
    assert [(excess.limit, refused) for excess, refused in bench.noted] == [(Limit.DEFERRED, True)]


async def test_nothing_is_put_off_beyond_the_limit_where_there_is_no_plan() -> None:
    bench = Bench(Limits(max_deferred=6), planned=False)

    first, *others = await bench.answers(
        "{ toys(count: 5) { name ... @defer { price ... @defer { inner { name } } } } }"
    )

    assert len(first["pending"]) == 3
    assert first["data"]["toys"][3:] == [
        {"name": "3", "price": 3, "inner": {"name": "3+"}},
        {"name": "4", "price": 3, "inner": {"name": "4+"}},
    ]
    assert merged([first, *others])["toys"][0] == {"name": "0", "price": 3, "inner": {"name": "0+"}}
    assert [(excess.limit, refused) for excess, refused in bench.noted] == [(Limit.DEFERRED, True)]


async def test_a_list_is_not_streamed_beyond_the_limit() -> None:
    [result] = await Bench(Limits(max_deferred=0)).results("{ toys(count: 2) @stream { name } }")

    assert result.data == {"toys": [{"name": "0"}, {"name": "1"}]}


async def test_a_limit_that_only_warns_lets_all_be_put_off() -> None:
    bench = Bench(Limits(max_deferred=1, warn_only=frozenset({Limit.DEFERRED})))

    first, *_ = await bench.answers("{ toys(count: 4) { name ... @defer { price } } }")

    assert len(first["pending"]) == 4
    assert [(excess.limit, refused) for excess, refused in bench.noted] == [(Limit.DEFERRED, False)]


# -- costs


@dataclass
class Till:
    """The context of one operation that is paid for."""

    payer: Payer
    done: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    caller: str = "nobody"


BUCKET = Bucket(capacity=1_000, per_second=1)


@pytest.fixture
def budgets() -> LocalBudgets:
    return LocalBudgets(Clock().seconds)


async def left(budgets: LocalBudgets) -> float:
    return (await budgets.settle("a", BUCKET, 0)).left


async def told(budgets: LocalBudgets, query: str, *, limit: float = 500.0) -> list[Any]:
    policy = CostPolicy(limit=limit, budgets=lambda: budgets, payer_of=lambda context: context.payer)
    bench = Bench(costs=policy)
    till = Till(Payer("a", BUCKET, reports=True))
    results = bench.engine.deliver(bench.operation(query), till)
    return [orjson.loads(result.to_bytes()) async for result in results]


@pytest.mark.parametrize(
    "query",
    [
        "{ toys(count: 2) { name ... @defer { inner { name } } } }",
        "{ toys(count: 2) @stream(initialCount: 1) { name inner { name } } }",
    ],
)
async def test_parts_are_charged_what_they_cost_in_one_piece(budgets: LocalBudgets, query: str) -> None:
    plain = query.replace("@stream(initialCount: 1)", "").replace("@defer", "")
    [whole] = await told(budgets, plain)
    before = await left(budgets)

    *others, last = await told(budgets, query)

    cost = dict(last["extensions"]["cost"])
    expected = dict(whole["extensions"]["cost"])
    assert (
        cost.pop("throttleStatus")["currentlyAvailable"]
        < expected.pop("throttleStatus")["currentlyAvailable"]
    )
    assert cost == expected
    assert cost["requestedQueryCost"] > cost["actualQueryCost"] > 0
    assert before - await left(budgets) == cost["actualQueryCost"]
    assert others
    assert not any("extensions" in other for other in others)


async def test_what_is_put_off_counts_for_the_limit(budgets: LocalBudgets) -> None:
    [refused] = await told(budgets, "{ caller ... @defer { toys(count: 2) { inner { name } } } }", limit=20)

    assert refused["errors"][0]["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert await left(budgets) == BUCKET.capacity


async def test_who_has_nothing_left_gets_no_part(budgets: LocalBudgets) -> None:
    await budgets.settle("a", BUCKET, 0)
    await budgets.pay("a", BUCKET, BUCKET.capacity)

    [refused] = await told(budgets, "{ caller ... @defer { toys(count: 2) { inner { name } } } }")

    assert refused["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


# -- batched fields


@dataclass
class Asked:
    names: list[list[str]] = field(default_factory=list)


async def test_fields_of_streamed_items_are_asked_for_together() -> None:
    bench = Bench(schema=batching_schema())
    bench.context = Asked()  # type: ignore[assignment]

    _, last = await bench.answers("{ shelves @stream(initialCount: 1) { name label } }")

    assert [item["label"] for item in last["incremental"][0]["items"]] == ["<1>", "<2>", "<3>"]
    assert bench.context.names == [["0"], ["1", "2", "3"]]  # type: ignore[attr-defined]


async def test_fields_of_deferred_fragments_are_asked_for_together() -> None:
    bench = Bench(schema=batching_schema())
    bench.context = Asked()  # type: ignore[assignment]

    await bench.answers("{ shelves { name ... @defer { label } } }")

    assert bench.context.names == [["0", "1", "2", "3"]]  # type: ignore[attr-defined]


def batching_schema(count: int = 4) -> strawberry.Schema:
    waiting: dict[str, asyncio.Future[str]] = {}

    async def label(name: str, asked: Asked) -> str:
        if not waiting:
            asyncio.get_running_loop().call_soon(answer, asked)
        return await waiting.setdefault(name, asyncio.get_running_loop().create_future())

    def answer(asked: Asked) -> None:
        asked.names.append(list(waiting))
        for name, future in waiting.items():
            future.set_result(f"<{name}>")
        waiting.clear()

    @strawberry.type
    class Shelf:
        name: str

        @strawberry.field
        async def label(self, info: strawberry.Info[Asked, None]) -> str:
            return await label(self.name, info.context)

    @strawberry.type
    class Query:
        @strawberry.field
        def shelves(self) -> list[Shelf]:
            return [Shelf(name=str(number)) for number in range(count)]

    return strawberry.Schema(Query, config=StrawberryConfig(enable_experimental_incremental_execution=True))
