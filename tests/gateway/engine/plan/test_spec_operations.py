"""Executing operations: https://spec.graphql.org/September2025/#sec-Executing-Operations, rule by rule."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, GraphQLString, build_schema
from graphql.type import GraphQLField
from strawberry.types import Info

from gateway.engine.plan.plan import Plans
from tests.gateway.engine.plan.twins import Answer, Told, answered, ask, core_of, events, twin


@dataclass
class Diary:
    """The context: what was done, in order, and where fields wait for each other."""

    lines: list[str] = field(default_factory=list)
    met: asyncio.Event = field(default_factory=asyncio.Event)


@strawberry.type
class Step:
    name: str

    @strawberry.field
    async def later(self, info: Info[Diary, None]) -> str:
        info.context.lines.append(f"{self.name}.later begins")
        await asyncio.sleep(0)
        info.context.lines.append(f"{self.name}.later ends")
        return self.name

    @strawberry.field
    def failing(self) -> int:
        raise ValueError(f"{self.name} fails")


@strawberry.type
class Query:
    name: str = "root"

    @strawberry.field
    def own(self: Any) -> str:
        return "nobody" if self is None else str(self.name)

    @strawberry.field
    async def waits(self, info: Info[Diary, None]) -> str:
        await asyncio.wait_for(info.context.met.wait(), 5)
        return "met"

    @strawberry.field
    async def meets(self, info: Info[Diary, None]) -> str:
        info.context.met.set()
        return "there"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def now(self, info: Info[Diary, None], name: str) -> Step:
        info.context.lines.append(name)
        return Step(name=name)

    @strawberry.mutation
    async def soon(self, info: Info[Diary, None], name: str) -> Step:
        info.context.lines.append(f"{name} begins")
        await asyncio.sleep(0)
        info.context.lines.append(f"{name} ends")
        return Step(name=name)

    @strawberry.mutation
    async def maybe(self, info: Info[Diary, None]) -> Step | None:
        info.context.lines.append("maybe fails")
        raise ValueError("maybe not")


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def steps(self, to: int = 2) -> AsyncGenerator[Step, None]:
        for number in range(to):
            yield Step(name=str(number))

    @strawberry.subscription
    async def numbers(self) -> AsyncGenerator[int | None, None]:
        for number in (1, None, 2**31, 4):
            yield number

    @strawberry.subscription
    async def breaking(self) -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("the source broke")

    @strawberry.subscription
    async def refused(self) -> AsyncGenerator[int, None]:
        raise ValueError("no source")
        yield 1


schema = strawberry.Schema(Query, Mutation, Subscription)


async def lines_of(document: str) -> list[str]:
    """What a mutation notes; the same with and without a plan."""
    notes = []
    for plans in (False, True):
        diary = Diary()
        await answered(schema, document, context=diary, plans=plans)
        notes.append(diary.lines)
    assert notes[0] == notes[1]
    return notes[1]


async def streamed(document: str, variables: dict[str, Any] | None = None) -> list[Answer]:
    """What subscribers are sent; the same with and without plans, which are used for each event."""
    statistics = Plans.of(core_of(schema)).statistics
    before = statistics.planned
    given: dict[str, Any] = {"variable_values": variables, "context_value": Diary()}
    expected = await events(twin(schema, plans=False).subscribe(document, **given))
    found = await events(twin(schema, plans=True).subscribe(document, **given))
    assert len(found) == len(expected)
    assert all(mine.is_same(theirs) for mine, theirs in zip(found, expected, strict=True)), (found, expected)
    assert statistics.planned - before == sum(event.data is not None or _of_field(event) for event in found)
    return list(found)


def _of_field(event: Answer) -> bool:
    """Whether an event without data was lost to an error of one of its fields."""
    return any(error.path and len(error.path) > 1 for error in event.errors)


# -- Query: https://spec.graphql.org/September2025/#sec-Query


async def test_fields_of_a_query_are_executed_on_the_initial_value() -> None:
    found = await ask(schema, "{ name own }", root=Query)

    assert found.data == {"name": "root", "own": "root"}


async def test_a_query_without_an_initial_value_is_executed_on_none() -> None:
    assert (await ask(schema, "{ own }")).data == {"own": "nobody"}


async def test_fields_of_a_query_wait_side_by_side() -> None:
    """Normal execution may run in any order and in parallel, so neither field waits for the other's end."""
    found = await ask(schema, "{ waits meets }", context=Diary)

    assert found.data == {"waits": "met", "meets": "there"}


async def test_the_shorthand_is_a_query() -> None:
    assert await ask(schema, "{ own }") == await ask(schema, "query { own }")


# -- Mutation: https://spec.graphql.org/September2025/#sec-Mutation


async def test_a_mutations_fields_are_executed_one_after_the_other() -> None:
    lines = await lines_of('mutation { a: soon(name: "a") { name } b: soon(name: "b") { name } }')

    assert lines == ["a begins", "a ends", "b begins", "b ends"]


async def test_all_below_a_mutations_field_is_complete_before_the_next_begins() -> None:
    lines = await lines_of(
        'mutation { a: soon(name: "a") { later } b: now(name: "b") { later } c: soon(name: "c") { name } }'
    )

    assert lines == [
        *("a begins", "a ends", "a.later begins", "a.later ends"),
        *("b", "b.later begins", "b.later ends"),
        *("c begins", "c ends"),
    ]


async def test_fields_below_a_mutations_field_wait_side_by_side() -> None:
    lines = await lines_of('mutation { a: now(name: "a") { one: later two: later } }')

    assert lines == ["a", "a.later begins", "a.later begins", "a.later ends", "a.later ends"]


async def test_mutations_are_answered_in_their_order() -> None:
    document = 'mutation { b: soon(name: "b") { name } a: now(name: "a") { name } }'

    found = await ask(schema, document, context=Diary)

    assert list(found.data.items()) == [("b", {"name": "b"}), ("a", {"name": "a"})]


async def test_a_failed_nullable_mutation_does_not_stop_the_next() -> None:
    document = 'mutation { maybe { name } now(name: "b") { name } }'

    found = await ask(schema, document, context=Diary)

    assert found.data == {"maybe": None, "now": {"name": "b"}}
    assert found.told == [("maybe not", "maybe")]
    assert await lines_of(document) == ["maybe fails", "b"]


async def test_a_failed_non_null_mutation_stops_those_after_it() -> None:
    document = 'mutation { a: now(name: "a") { failing } b: now(name: "b") { name } }'

    found = await ask(schema, document, context=Diary)

    assert found.data is None
    assert found.told == [("a fails", "a.failing")]
    assert await lines_of(document) == ["a"]


async def test_a_late_failure_of_a_non_null_mutation_stops_those_after_it() -> None:
    document = 'mutation { a: soon(name: "a") { failing } b: now(name: "b") { name } }'

    assert (await ask(schema, document, context=Diary)).data is None
    assert await lines_of(document) == ["a begins", "a ends"]


async def test_a_mutation_merged_from_two_selections_runs_once() -> None:
    document = 'mutation { now(name: "a") { name } now(name: "a") { later } }'

    found = await ask(schema, document, context=Diary)

    assert found.data == {"now": {"name": "a", "later": "a"}}
    assert (await lines_of(document))[0] == "a"
    assert (await lines_of(document)).count("a") == 1


# -- Subscription: https://spec.graphql.org/September2025/#sec-Subscription


async def test_each_event_is_executed_as_an_operation_of_its_own() -> None:
    found = await streamed("subscription ($to: Int!) { steps(to: $to) { name later } }", {"to": 3})

    assert [event.data for event in found] == [{"steps": {"name": n, "later": n}} for n in "012"]
    assert all(event.errors == () for event in found)


async def test_the_stream_ends_with_its_source() -> None:
    assert await streamed("subscription { steps(to: 0) { name } }") == []


async def test_an_error_in_one_event_does_not_touch_the_others() -> None:
    found = await streamed("subscription { numbers }")

    assert [event.data for event in found] == [
        {"numbers": 1},
        {"numbers": None},
        {"numbers": None},
        {"numbers": 4},
    ]
    message = "Int cannot represent non 32-bit signed integer value: 2147483648"
    assert [event.errors for event in found] == [(), (), (Told(message, ("numbers",), ((1, 16),)),), ()]


async def test_each_event_has_the_errors_of_its_own_fields() -> None:
    found = await streamed("subscription { steps { name failing } }")

    assert [event.data for event in found] == [None, None]
    assert [event.told for event in found] == [
        [("0 fails", "steps.failing")],
        [("1 fails", "steps.failing")],
    ]


async def test_a_source_that_breaks_is_told_and_ends_the_stream() -> None:
    found = await streamed("subscription { breaking }")

    assert found == [Answer({"breaking": 1}), Answer(None, (Told("the source broke", None, ()),))]


async def test_a_source_that_cannot_be_had_is_an_error_without_data() -> None:
    assert await streamed("subscription { refused }") == [Answer(None, (Told("no source", None, ()),))]


# -- Root types


async def test_an_operation_whose_root_type_is_missing_is_an_error() -> None:
    """`graphql-core` says so; a plan has nothing to add."""
    lonely = build_schema("type Query { a: String }")

    found = await ask(lonely, "mutation { b }", falls_back="no root type")

    assert found.data is None
    assert found.told == [("Schema is not configured to execute mutation operation.", "")]


async def test_an_operation_that_selects_nothing_is_an_empty_object() -> None:
    found = await ask(schema, "query ($no: Boolean!) { own @include(if: $no) }", {"no": False})

    assert found == Answer({})


async def test_the_root_value_may_be_a_mapping_for_the_default_resolver() -> None:
    native = GraphQLSchema(GraphQLObjectType("Query", {"a": GraphQLField(GraphQLString)}))

    assert (await ask(native, "{ a }", root=lambda: {"a": "x"})).data == {"a": "x"}


async def test_the_root_value_may_have_functions_for_the_default_resolver() -> None:
    native = build_schema("type Query { twice(n: Int): Int }")

    found = await ask(
        native, "{ twice(n: 4) }", root=lambda: {"twice": lambda info, n: len(info.field_name) + n}
    )

    assert found.data == {"twice": 9}
