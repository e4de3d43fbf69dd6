"""Errors and where they leave null, rule by rule:
https://spec.graphql.org/September2025/#sec-Handling-Execution-Errors and #sec-Errors.

Each rule holds wherever the failing field gets its value from.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Optional

import pytest
import strawberry
from graphql import GraphQLError
from strawberry.types import Info

from resolvers.batching import batched
from tests.gateway.engine.plan.twins import Answer, Told, answered, ask
from tests.gateway.engine.plan.ways import Asked


@dataclass
class Thing:
    """What is behind a `Node`; leaves of it are `fault`, or raise it."""

    fault: Any = 1
    node: "Thing | None" = None
    nodes: Any = ()
    ended: bool = False

    @property
    def value(self) -> Any:
        if isinstance(self.fault, Exception):
            raise self.fault
        return self.fault

    must = value

    @property
    def must_node(self) -> Any:
        return self.node

    @property
    def must_nodes(self) -> Any:
        return self.nodes

    firm_nodes = grid = firm_grid = must_nodes


async def _many(things: list[Thing], info: Info[Any, Any]) -> Sequence[int | None]:
    return [thing.fault for thing in things]


async def _must_many(things: list[Thing], info: Info[Any, Any]) -> Sequence[int]:
    return [thing.fault for thing in things]


@strawberry.type
class Node:
    value: int | None
    must: int
    node: Optional["Node"]
    must_node: "Node"
    nodes: list[Optional["Node"]] | None
    must_nodes: list["Node"]
    firm_nodes: list["Node"] | None
    grid: list[list[Optional["Node"]] | None] | None
    firm_grid: list[list["Node"]] | None
    many: int | None = strawberry.field(resolver=batched(_many))
    must_many: int = strawberry.field(resolver=batched(_must_many))

    @strawberry.field
    def called(self: Any) -> int | None:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def must_called(self: Any) -> int:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    async def awaited(self: Any) -> int | None:
        await asyncio.sleep(0)
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    async def must_awaited(self: Any) -> int:
        await asyncio.sleep(0)
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    async def later_node(self: Any) -> Optional["Node"]:
        await asyncio.sleep(0)
        return self.node  # type: ignore[no-any-return]

    @strawberry.field
    async def hangs(self: Any) -> int | None:
        try:
            await asyncio.sleep(60)
        finally:
            self.ended = True
        return 1


@strawberry.type
class Query:
    @strawberry.field
    def top(self, info: Info[Asked, None]) -> Node | None:
        return info.context.make()  # type: ignore[no-any-return]

    @strawberry.field
    def must_top(self, info: Info[Asked, None]) -> Node:
        return info.context.make()  # type: ignore[no-any-return]

    @strawberry.field
    async def later_top(self, info: Info[Asked, None]) -> Node | None:
        return info.context.make()  # type: ignore[no-any-return]


schema = strawberry.Schema(Query)
MAY_BE_NULL: Final = ("value", "called", "awaited", "many")
MUST_NOT: Final = ("must", "mustCalled", "mustAwaited", "mustMany")
BAD = ValueError("bad")


async def asked(document: str, thing: Thing) -> Answer:
    return await ask(schema, document, context=lambda: Asked(lambda: thing))


def bad(*path: str | int, at: int) -> tuple[Told, ...]:
    """The one error of a field that raised `BAD`."""
    return (Told("bad", path, ((1, at),)),)


# -- Where an error leaves null


@pytest.mark.parametrize("field", MAY_BE_NULL)
async def test_a_failed_field_that_may_be_null_is_null(field: str) -> None:
    found = await asked(f"{{ top {{ {field} hm: __typename }} }}", Thing(BAD))

    assert found == Answer({"top": {field: None, "hm": "Node"}}, bad("top", field, at=9))


@pytest.mark.parametrize("field", MUST_NOT)
async def test_a_failed_field_that_must_not_be_null_makes_its_object_null(field: str) -> None:
    found = await asked(f"{{ top {{ {field} hm: __typename }} }}", Thing(BAD))

    assert found == Answer({"top": None}, bad("top", field, at=9))


@pytest.mark.parametrize("field", MUST_NOT)
async def test_null_moves_up_to_the_first_position_that_may_have_it(field: str) -> None:
    thing = Thing(node=Thing(node=Thing(BAD)))

    found = await asked(f"{{ top {{ node {{ mustNode {{ {field} }} }} value }} }}", thing)

    assert found.data == {"top": {"node": None, "value": 1}}
    assert found.told == [("bad", f"top.node.mustNode.{field}")]


@pytest.mark.parametrize("field", MUST_NOT)
async def test_if_nothing_may_be_null_the_data_is(field: str) -> None:
    found = await asked(
        f"{{ mustTop {{ mustNode {{ {field} }} }} other: top {{ value }} }}", Thing(node=Thing(BAD))
    )

    assert found.data is None
    assert found.told == [("bad", f"mustTop.mustNode.{field}")]


@pytest.mark.parametrize("field", MUST_NOT)
async def test_a_null_where_none_may_be_is_an_error_that_names_the_field(field: str) -> None:
    found = await asked(f"{{ top {{ {field} }} }}", Thing(None))

    message = f"Cannot return null for non-nullable field Node.{field}."
    assert found == Answer({"top": None}, (Told(message, ("top", field), ((1, 9),)),))


@pytest.mark.parametrize("field", MUST_NOT)
async def test_a_leaf_of_the_wrong_type_fails_like_any_other(field: str) -> None:
    found = await asked(f"{{ top {{ {field} }} }}", Thing("x"))

    assert found.data == {"top": None}
    assert found.told == [("Int cannot represent non-integer value: 'x'", f"top.{field}")]


async def test_a_missing_object_fails_where_it_must_be() -> None:
    found = await asked("{ top { mustNode { value } value } }", Thing())

    assert found.data == {"top": None}
    assert found.told == [("Cannot return null for non-nullable field Node.mustNode.", "top.mustNode")]


async def test_each_failed_field_is_told_of() -> None:
    found = await asked("{ a: top { value called } b: top { awaited many } }", Thing(BAD))

    assert found.data == {"a": {"value": None, "called": None}, "b": {"awaited": None, "many": None}}
    assert [path for _, path in found.told] == ["a.called", "a.value", "b.awaited", "b.many"]


async def test_a_null_position_is_told_of_once() -> None:
    """Two fields fail, either of which makes the object null."""
    found = await asked("{ top { must mustCalled } }", Thing(BAD))

    assert found == Answer({"top": None}, bad("top", "must", at=9))


async def test_two_awaited_failures_under_one_null_are_told_of_once() -> None:
    found = await asked("{ top { a: mustAwaited b: mustAwaited } }", Thing(BAD))

    assert found.data == {"top": None}
    assert len(found.errors) == 1


# -- Lists


@pytest.mark.parametrize("field", MUST_NOT)
async def test_a_failed_item_that_may_be_null_is_null_in_its_place(field: str) -> None:
    things = [Thing(1), Thing(BAD), Thing(3), Thing(BAD)]

    found = await asked(f"{{ top {{ nodes {{ {field} }} }} }}", Thing(nodes=things))

    assert found.data == {"top": {"nodes": [{field: 1}, None, {field: 3}, None]}}
    assert found.told == [("bad", f"top.nodes.1.{field}"), ("bad", f"top.nodes.3.{field}")]


@pytest.mark.parametrize("field", MUST_NOT)
async def test_a_failed_item_that_must_not_be_null_makes_the_list_null(field: str) -> None:
    things = [Thing(1), Thing(BAD), Thing(3)]

    found = await asked(f"{{ top {{ firmNodes {{ {field} }} value }} }}", Thing(nodes=things))

    assert found.data == {"top": {"firmNodes": None, "value": 1}}
    assert found.told == [("bad", f"top.firmNodes.1.{field}")]


@pytest.mark.parametrize("field", MUST_NOT)
async def test_a_list_that_must_not_be_null_makes_its_object_null(field: str) -> None:
    found = await asked(f"{{ top {{ mustNodes {{ {field} }} }} }}", Thing(nodes=[Thing(1), Thing(BAD)]))

    assert found.data == {"top": None}
    assert found.told == [("bad", f"top.mustNodes.1.{field}")]


@pytest.mark.parametrize(
    ("field", "data"),
    [
        ("nodes", {"nodes": [{"value": 1}, None]}),
        ("firmNodes", {"firmNodes": None}),
        ("mustNodes", None),
    ],
)
async def test_a_null_item_is_an_error_only_where_none_may_be(field: str, data: Any) -> None:
    found = await asked(f"{{ top {{ {field} {{ value }} }} }}", Thing(nodes=[Thing(1), None]))

    assert found.data == {"top": data}
    message = f"Cannot return null for non-nullable field Node.{field}."
    assert found.told == ([] if field == "nodes" else [(message, f"top.{field}.1")])


@pytest.mark.parametrize("field", MUST_NOT)
async def test_lists_of_lists_are_null_at_the_level_that_may_be(field: str) -> None:
    rows = [[Thing(1)], [Thing(2), Thing(BAD)], None, []]

    found = await asked(f"{{ top {{ grid {{ {field} }} }} }}", Thing(nodes=rows))

    assert found.data == {"top": {"grid": [[{field: 1}], [{field: 2}, None], None, []]}}
    assert found.told == [("bad", f"top.grid.1.1.{field}")]


@pytest.mark.parametrize("field", MUST_NOT)
async def test_lists_of_lists_that_must_not_be_null_are_null_as_a_whole(field: str) -> None:
    rows = [[Thing(1)], [Thing(2), Thing(BAD)]]

    found = await asked(f"{{ top {{ firmGrid {{ {field} }} value }} }}", Thing(nodes=rows))

    assert found.data == {"top": {"firmGrid": None, "value": 1}}
    assert found.told == [("bad", f"top.firmGrid.1.1.{field}")]


async def test_a_null_row_is_an_error_of_its_place() -> None:
    found = await asked("{ top { firmGrid { value } } }", Thing(nodes=[[], None]))

    assert found.data == {"top": {"firmGrid": None}}
    assert found.told == [("Cannot return null for non-nullable field Node.firmGrid.", "top.firmGrid.1")]


@pytest.mark.parametrize("nodes", [[1, 2], [[Thing()], 3]])
async def test_a_row_that_is_no_list_is_an_error_of_its_place(nodes: Any) -> None:
    found = await asked("{ top { grid { value } } }", Thing(nodes=nodes))

    message = "Expected Iterable, but did not find one for field 'Node.grid'."
    assert (message, "top.grid.1") in found.told
    assert found.data["top"]["grid"][1] is None


async def test_an_exception_as_a_value_is_raised() -> None:
    found = await asked("{ top { node { value } nodes { value } } }", Thing(node=BAD, nodes=[BAD]))  # type: ignore[arg-type]

    assert found.data == {"top": {"node": None, "nodes": [None]}}
    assert found.told == [("bad", "top.node"), ("bad", "top.nodes.0")]


# -- What an error tells


@pytest.mark.parametrize("field", [*MAY_BE_NULL, *MUST_NOT])
async def test_a_path_has_aliases_and_indices(field: str) -> None:
    things = [Thing(nodes=[[Thing()], [Thing(), Thing(BAD)]])]

    found = await asked(f"{{ t: top {{ n: nodes {{ g: grid {{ x: {field} }} }} }} }}", Thing(nodes=things))

    assert [error.path for error in found.errors] == [("t", "n", 0, "g", 1, 1, "x")]


@pytest.mark.parametrize("field", MAY_BE_NULL)
async def test_all_merged_selections_are_located(field: str) -> None:
    document = f"{{ top {{ {field} }}\n  ...F }}\nfragment F on Query {{\n  top {{ {field} }} }}"

    found = await asked(document, Thing(BAD))

    assert [error.locations for error in found.errors] == [((1, 9), (4, 9))]


@pytest.mark.parametrize("field", MAY_BE_NULL)
async def test_extensions_of_an_error_are_kept(field: str) -> None:
    fault = GraphQLError("no", extensions={"code": "X"})

    found = await asked(f"{{ top {{ {field} }} }}", Thing(fault))

    assert found.errors == (Told("no", ("top", field), ((1, 9),), (("code", "'X'"),)),)


async def test_an_error_below_an_awaited_object_has_the_whole_path() -> None:
    things = [Thing(node=Thing(node=Thing(BAD)))]

    found = await asked(
        "{ laterTop { nodes { a: laterNode { b: laterNode { c: awaited } } } } }", Thing(nodes=things)
    )

    assert found.data == {"laterTop": {"nodes": [{"a": {"b": {"c": None}}}]}}
    assert found.told == [("bad", "laterTop.nodes.0.a.b.c")]


# -- What an error ends


async def test_what_is_lost_need_not_be_waited_for() -> None:
    """A position that became null does not wait for what is still running below it."""
    for document in (
        "{ top { hangs mustAwaited } }",
        "{ top { node { hangs } mustAwaited } }",
        "{ top { mustNode { hangs } nodes { hangs } mustCalled } }",
    ):
        thing = Thing(BAD, node=Thing(1), nodes=[Thing(1)])
        async with asyncio.timeout(20):
            found = await asked(document, thing)

        assert found.data == {"top": None}
        assert [message for message, _ in found.told] == ["bad"]


@pytest.mark.parametrize("plans", [False, True])
@pytest.mark.parametrize(
    "document", ["{ top { hangs mustAwaited } }", "{ mustTop { node { hangs } mustAwaited } }"]
)
async def test_what_is_lost_is_cancelled(document: str, plans: bool) -> None:  # noqa: FBT001
    thing = Thing(BAD, node=Thing(1))

    await answered(schema, document, context=Asked(lambda: thing), plans=plans)

    assert thing.ended or (thing.node is not None and thing.node.ended)


async def test_other_fields_are_answered_beside_a_null() -> None:
    found = await asked("{ a: top { must } b: top { __typename } c: laterTop { many } }", Thing(BAD))

    assert found.data == {"a": None, "b": {"__typename": "Node"}, "c": {"many": None}}
    assert found.told == [("bad", "a.must"), ("bad", "c.many")]
