"""What is rare: a plan answers it as graphql-core does, or leaves it to graphql-core."""

import enum
import types
from collections.abc import Generator
from functools import partial
from typing import Any, Optional

import pytest
import strawberry
from graphql import (
    GraphQLField,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    build_schema,
    get_introspection_query,
)

from tests.gateway.engine.plan.twins import Answer, ask, twin
from tests.gateway.engine.plan.ways import WAYS, complete


@strawberry.type
class Node:
    name: str
    node: Optional["Node"] = None
    nodes: list["Node"] = strawberry.field(default_factory=list)


@strawberry.type
class Query:
    @strawberry.field
    def node(self) -> Node:
        """Without an end."""
        top = Node(name="top")
        top.node, top.nodes = top, [top]
        return top


schema = strawberry.Schema(Query)


def nested(field: str, levels: int, inside: str) -> str:
    return f"{field} {{ " * levels + inside + " }" * levels


# -- Size


@pytest.mark.parametrize("levels", [5, 30, 60, 100])
async def test_however_deep_an_operation_is_it_is_answered(levels: int) -> None:
    """Python indents text at most 100 times; what is deeper is interpreted."""
    falls_back = "size" if levels >= 60 else None

    found = await ask(schema, f"{{ node {{ {nested('node', levels, 'name')} }} }}", falls_back=falls_back)

    at: Any = found.data["node"]
    for _ in range(levels):
        at = at["node"]
    assert at == {"name": "top"}


@pytest.mark.parametrize("levels", [5, 6, 7, 12, 20, 30])
async def test_however_deep_lists_are_nested_they_are_answered(levels: int) -> None:
    """Python nests at most 20 blocks, so there is a function for every few loops."""
    found = await ask(schema, f"{{ node {{ {nested('nodes', levels, 'name')} }} }}")

    at: Any = found.data["node"]
    for _ in range(levels):
        (at,) = at["nodes"]
    assert at == {"name": "top"}


async def test_an_operation_with_more_fields_than_are_written_out_is_interpreted() -> None:
    fields = " ".join(f"f{number}: name" for number in range(4_001))

    found = await ask(schema, f"{{ node {{ {fields} }} }}", falls_back="size")

    assert len(found.data["node"]) == 4_001


# -- Leaves


@strawberry.enum
class Letters(enum.Flag):
    A = 1
    B = 2


async def test_members_put_together_are_no_members_of_an_enum() -> None:
    found = await complete(list[Letters | None], lambda: [Letters.A, Letters.A | Letters.B, Letters.B])

    assert found.data == {"v": ["A", None, "B"]}
    assert [error.path for error in found.errors] == [("v", 1)]


@types.coroutine
def old_coroutine() -> Generator[Any, Any, int]:
    yield from ()
    return 3


async def test_a_coroutine_of_the_old_kind_is_awaited() -> None:
    ways = [way for way in WAYS if way in {"attribute", "def", "guarded"}]

    assert await complete(int, old_coroutine, ways=ways) == Answer({"v": 3})


# -- Resolvers of every kind


class Adder:
    def __init__(self, by: int) -> None:
        self.by = by

    def __call__(self, number: int = 1) -> int:
        return number + self.by


def added(number: int, by: int = 1) -> int:
    return number + by


@strawberry.type
class Kinds:
    @strawberry.field
    @staticmethod
    def still(number: int = 1) -> int:
        return number

    @strawberry.field
    @classmethod
    def classy(cls, number: int = 1) -> str:
        return f"{cls.__name__} {number}"

    free: int = strawberry.field(resolver=lambda: 4)
    parted: int = strawberry.field(resolver=partial(added, 5))


async def test_whatever_can_be_called_is_a_resolver() -> None:
    found = await ask(
        strawberry.Schema(Kinds), "query ($n: Int! = 3) { still(number: $n) classy free parted }"
    )

    assert found == Answer({"still": 3, "classy": "Kinds 1", "free": 4, "parted": 6})


# -- Types that are found out in other ways


def shapes(resolve_type: Any = None, is_type_of: Any = None) -> GraphQLSchema:
    """A schema of graphql-core with an interface of two types."""
    fields = {"name": GraphQLField(GraphQLString), "sides": GraphQLField(GraphQLInt)}
    shape = GraphQLInterfaceType("Shape", fields, resolve_type=resolve_type)
    circle, square = (
        GraphQLObjectType(
            name,
            fields,
            interfaces=[shape],
            is_type_of=is_type_of and (lambda value, info, name=name: is_type_of(name, value)),
        )
        for name in ("Circle", "Square")
    )
    query = GraphQLObjectType("Query", {"shape": GraphQLField(shape)})
    return GraphQLSchema(query, types=[circle, square])


async def later(value: Any) -> Any:
    return value


class Odd:
    """Unlike any name, and not even hashable."""

    __hash__ = None  # type: ignore[assignment]


def fail() -> Any:
    raise ValueError("no type")


ASKED = "{ shape { __typename name ... on Square { sides } } }"
SQUARE = {"name": "s", "sides": 4, "__typename": "Square"}


@pytest.mark.parametrize(
    "resolve_type",
    [
        lambda *_: "Square",
        lambda *_: later("Square"),
        None,
    ],
)
async def test_a_type_may_be_awaited_or_told_by_the_value(resolve_type: Any) -> None:
    found = await ask(shapes(resolve_type), ASKED, root=lambda: {"shape": SQUARE})

    assert found == Answer({"shape": {"__typename": "Square", "name": "s", "sides": 4}})


async def test_a_type_may_be_a_coroutine_functions_to_tell() -> None:
    async def resolve_type(value: Any, _info: Any, _type: Any) -> str:
        return str(value["__typename"])

    found = await ask(shapes(resolve_type), ASKED, root=lambda: {"shape": SQUARE})

    assert found.data == {"shape": {"__typename": "Square", "name": "s", "sides": 4}}


@pytest.mark.parametrize(
    "resolve_type",
    [
        lambda *_: "Query",
        lambda *_: "Triangle",
        lambda *_: None,
        lambda *_: 5,
        lambda *_: Odd(),
        lambda *_: fail(),
        lambda *_: later("Triangle"),
        lambda *_: later(None),
    ],
)
async def test_a_type_that_is_not_to_be_had_is_an_error(resolve_type: Any) -> None:
    found = await ask(shapes(resolve_type), ASKED, root=lambda: {"shape": SQUARE})

    assert found.data == {"shape": None}
    assert [error.path for error in found.errors] == [("shape",)]


@pytest.mark.parametrize(
    ("is_type_of", "name"),
    [
        (lambda name, _value: name == "Square", "Square"),
        (lambda name, _value: later(name == "Circle"), "Circle"),
        (lambda _name, _value: False, None),
        (lambda _name, _value: later(value=False), None),
        (lambda _name, _value: fail(), None),
    ],
)
async def test_each_type_may_say_whether_a_value_is_its_own(is_type_of: Any, name: str | None) -> None:
    untold = {"name": "s", "sides": 4}

    found = await ask(shapes(None, is_type_of), "{ shape { __typename } }", root=lambda: {"shape": untold})

    assert found.data == {"shape": name and {"__typename": name}}
    assert bool(found.errors) == (name is None)


async def test_a_type_that_denies_a_value_it_was_given_is_an_error() -> None:
    denied = shapes(lambda *_: "Square", lambda name, _value: name == "Circle")

    found = await ask(denied, ASKED, root=lambda: {"shape": {"name": "s"}})

    assert found.data == {"shape": None}
    assert found.errors[0].message == "Expected value of type 'Square' but got: {'name': 's'}."


async def test_objects_of_one_class_may_be_of_several_types() -> None:
    told = shapes(lambda value, *_: value["__typename"])
    for name in ("Square", "Circle", "Square"):
        found = await ask(told, ASKED, root=partial(dict, shape=SQUARE | {"__typename": name}))

        assert found.data["shape"]["__typename"] == name
        assert ("sides" in found.data["shape"]) == (name == "Square")


# -- Documents that nobody validated


async def test_a_field_that_does_not_exist_is_left_out() -> None:
    plain = build_schema("type Query { a: Int }")

    found = await ask(plain, "{ a b }", root=lambda: {"a": 1}, falls_back="unknown field")

    assert found == Answer({"a": 1})


async def test_an_argument_that_does_not_exist_is_ignored_or_refused_alike() -> None:
    plain = build_schema("type Query { a: Int b(x: Int): Int }")

    found = await ask(plain, "{ a(y: 1) b(y: 1) }", root=lambda: {"a": 1, "b": 2})

    assert found == Answer({"a": 1, "b": 2})


async def test_a_spread_of_a_fragment_that_does_not_exist_adds_nothing() -> None:
    plain = build_schema("type Query { a: Int }")

    assert await ask(plain, "{ a ...F }", root=lambda: {"a": 1}) == Answer({"a": 1})


# -- Introspection


async def test_the_schema_describes_itself_alike() -> None:
    found = await ask(schema, get_introspection_query())

    assert found.errors == ()
    assert {type_["name"] for type_ in found.data["__schema"]["types"]} >= {"Query", "Node", "String"}


async def test_a_type_is_described_beside_other_fields() -> None:
    found = await ask(
        schema, '{ node { name } __type(name: "Node") { kind fields { name type { ofType { name } } } } }'
    )

    assert found.data["node"] == {"name": "top"}
    assert found.data["__type"]["fields"][0] == {"name": "name", "type": {"ofType": {"name": "String"}}}


# -- Without an event loop


def test_what_needs_no_waiting_is_answered_at_once() -> None:
    for plans in (False, True):
        assert twin(schema, plans=plans).execute_sync("{ node { name } }").data == {"node": {"name": "top"}}
