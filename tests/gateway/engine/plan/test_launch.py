"""Launchers answer as strawberry's own `execute` does, without its ceremony."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, GraphQLError
from strawberry.types import Info

from gateway.engine.plan.executor import PlannedExecutor
from gateway.engine.plan.launch import Launch, Launcher, finished
from gateway.engine.plan.plan import Plans
from tests.gateway.engine.plan.twins import answer, answered, core_of, parsed


@dataclass
class Diary:
    lines: list[str] = field(default_factory=list)


@strawberry.type
class Query:
    @strawberry.field
    def now(self, info: Info[Diary, None], of: int = 1) -> int:
        info.context.lines.append("now")
        return of

    @strawberry.field
    async def later(self, info: Info[Diary, None], of: int = 1) -> int:
        info.context.lines.append("later")
        await asyncio.sleep(0)
        return of

    @strawberry.field
    def broken(self) -> int | None:
        raise ValueError("broken")

    @strawberry.field
    def told(self, info: Info[Diary, None]) -> str:
        raw: Any = info._raw_info
        return f"{raw.operation_extensions} {sorted(info.variable_values.items())} {raw.path.as_list()}"


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def write(self, info: Info[Diary, None], line: str) -> str:
        info.context.lines.append(f"{line} begins")
        await asyncio.sleep(0)
        info.context.lines.append(f"{line} ends")
        return line


schema = strawberry.Schema(Query, Mutation)


@pytest.fixture
def diary() -> Diary:
    return Diary()


def launcher(document: str, name: str | None = None) -> Launcher:
    return Launcher(core_of(schema), parsed(document), name)


def launched(found: "Launch | ExecutionResult") -> Launch:
    assert isinstance(found, Launch)
    return found


async def data(launch: Launch, given: dict[str, Any] | None = None) -> Any:
    result = await finished(launch.run(given))
    assert result.errors is None
    return result.data


async def test_the_named_operation_is_launched(diary: Diary) -> None:
    document = "query A { now } query B { later }"

    assert await data(launched(launcher(document, "B").launch(None, diary, None))) == {"later": 1}
    assert await data(launched(launcher(document, "A").launch(None, diary, None))) == {"now": 1}
    assert diary.lines == ["later", "now"]


async def test_what_needs_no_waiting_is_a_result_at_once(diary: Diary) -> None:
    run = launched(launcher("{ now }").launch(None, diary, None)).run()

    assert isinstance(run, ExecutionResult)
    assert run.data == {"now": 1}


@pytest.mark.parametrize("variables", [{}, {"v": "x"}, {"v": None}, {"v": 2**31}, None])
async def test_variables_that_do_not_fit_are_a_result_without_data(
    diary: Diary, variables: dict[str, Any] | None
) -> None:
    document = "query ($v: Int!) { now(of: $v) }"

    found = launcher(document).launch(variables, diary, None)

    assert isinstance(found, ExecutionResult)
    assert answer(found) == await answered(schema, document, variables, diary, plans=False)
    assert found.data is None
    assert diary.lines == []


async def test_a_launcher_keeps_nothing_of_one_execution_for_the_next(diary: Diary) -> None:
    of = launcher("query ($v: Int) { now(of: $v) later broken }")

    for value in (3, 4):
        result = await finished(launched(of.launch({"v": value}, diary, None)).run())
        assert result.data == {"now": value, "later": 1, "broken": None}
        assert [error.message for error in result.errors or ()] == ["broken"]


async def test_resolvers_are_told_what_strawberry_would_tell(diary: Diary) -> None:
    document = "query ($v: Int = 2) { a: told now(of: $v) }"
    expected = (await schema.execute(document, context_value=Diary(), operation_extensions={"x": 1})).data

    for _ in range(2):
        assert await data(launched(launcher(document).launch({}, diary, {"x": 1}))) == expected
    assert expected is not None
    assert expected["a"] == "{'x': 1} [('v', 2)] ['a']"


async def test_fields_that_are_known_are_not_executed(diary: Diary) -> None:
    launch = launched(launcher("{ a: now(of: 1) b: later(of: 2) c: now(of: 3) }").launch(None, diary, None))

    found = await data(launch, {"b": 20, "x": 5})

    assert list(found.items()) == [("a", 1), ("b", 20), ("c", 3)]
    assert diary.lines == ["now", "now"]


async def test_if_all_fields_are_known_nothing_is_executed(diary: Diary) -> None:
    launch = launched(launcher("{ now later }").launch(None, diary, None))

    run = launch.run({"later": 4, "now": 3})

    assert isinstance(run, ExecutionResult)
    assert run.data == {"now": 3, "later": 4}
    assert diary.lines == []


async def test_a_launch_may_run_in_anothers_name(diary: Diary) -> None:
    launch = launched(launcher("query ($v: Int) { now(of: $v) }").launch({"v": 7}, diary, None))
    other = Diary()

    assert await data(launch.by(other)) == {"now": 7}
    assert (diary.lines, other.lines) == ([], ["now"])


async def test_a_mutations_fields_take_turns(diary: Diary) -> None:
    of = launcher('mutation { a: write(line: "a") b: write(line: "b") }')

    for _ in range(2):
        assert await data(launched(of.launch(None, diary, None))) == {"a": "a", "b": "b"}
    assert of.serial
    assert diary.lines == ["a begins", "a ends", "b begins", "b ends"] * 2


async def test_each_launch_of_a_plan_is_counted(diary: Diary) -> None:
    statistics = Plans.of(core_of(schema)).statistics
    of = launcher("{ counted: now }")
    planned, compiled = statistics.planned, statistics.compiled

    for _ in range(3):
        of.launch(None, diary, None)

    assert (statistics.planned - planned, statistics.compiled - compiled) == (3, 1)


async def test_what_has_no_plan_is_interpreted(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise GraphQLError("no plan")

    monkeypatch.setattr("gateway.engine.plan.plan.compile_plan", fail)
    launch = launched(launcher("{ unplanned: now waits: later }").launch(None, diary, None))

    assert launch.plan is None
    assert launch.policy is None
    assert await data(launch) == {"unplanned": 1, "waits": 1}


async def test_an_executor_is_made_only_where_something_is_odd(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = PlannedExecutor.__init__

    def noted(self: Any, *args: Any, **options: Any) -> None:
        made.append("executor")
        make(self, *args, **options)

    even, odd = launcher("{ now even: later }"), launcher("{ now odd: broken }")
    for of in (even, odd):
        await finished(launched(of.launch(None, diary, None)).run())
    monkeypatch.setattr(PlannedExecutor, "__init__", noted)

    await finished(launched(even.launch(None, diary, None)).run())
    assert made == []
    await finished(launched(odd.launch(None, diary, None)).run())
    assert made == ["executor"]
