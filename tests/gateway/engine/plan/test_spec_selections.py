"""Executing selection sets, rule by rule:
https://spec.graphql.org/September2025/#sec-Executing-Selection-Sets.
"""

from typing import Annotated, Any

import pytest
import strawberry
from graphql import build_schema

from gateway.engine.plan.plan import MAX_VARIANTS, Plans
from tests.gateway.engine.plan.twins import Answer, ask, core_of


@strawberry.interface
class Animal:
    name: str

    @strawberry.field
    def friend(self) -> "Animal | None":
        return Fish(name=f"{self.name}'s friend", scales=1)


@strawberry.interface
class Walking(Animal):
    legs: int = 4


@strawberry.type
class Dog(Walking):
    barks: bool = True


@strawberry.type
class Cat(Walking):
    lives: int = 9


@strawberry.type
class Fish(Animal):
    scales: int = 100


Pet = Annotated[Dog | Fish, strawberry.union("Pet")]


@strawberry.type
class Query:
    a: int = 1
    b: int = 2
    c: int = 3

    @strawberry.field
    def dog(self) -> Dog:
        return Dog(name="Rex")

    @strawberry.field
    def animals(self) -> list[Animal]:
        return [Dog(name="Rex"), Fish(name="Nemo"), Cat(name="Tom")]

    @strawberry.field
    def pets(self) -> list[Pet]:
        return [Dog(name="Rex"), Fish(name="Nemo")]

    @strawberry.field
    def echo(self, of: str = "") -> str:
        return of


schema = strawberry.Schema(Query, types=[Dog, Cat, Fish])


async def asked(document: str, variables: dict[str, Any] | None = None) -> Answer:
    found = await ask(schema, document, variables, root=Query)
    assert found.errors == ()
    return found


async def keys(document: str, variables: dict[str, Any] | None = None) -> str:
    """The keys of the response's root object, in their order."""
    return " ".join((await asked(document, variables)).data)


# -- CollectFields: https://spec.graphql.org/September2025/#CollectFields()


@pytest.mark.parametrize(
    ("document", "order"),
    [
        ("{ c a b }", "c a b"),
        ("{ b ... { c } a }", "b c a"),
        ("{ b ...F a } fragment F on Query { c }", "b c a"),
        ("{ a ... { b a } c b }", "a b c"),
        ("{ z: a a: b b: c }", "z a b"),
        ("{ a ...F b ...F } fragment F on Query { c a }", "a c b"),
    ],
)
async def test_fields_are_answered_in_the_order_in_which_they_are_met(document: str, order: str) -> None:
    assert await keys(document) == order


async def test_an_alias_is_the_key_of_the_response() -> None:
    assert (await asked("{ x: a a y: a }")).data == {"x": 1, "a": 1, "y": 1}


async def test_a_field_selected_twice_is_answered_once() -> None:
    assert (await asked("{ a a ... { a } }")).data == {"a": 1}


async def test_a_fragment_spread_twice_counts_once() -> None:
    found = await asked(
        "{ ...F ...F dog { ...D ...D } } fragment F on Query { a } fragment D on Dog { name }"
    )

    assert found.data == {"a": 1, "dog": {"name": "Rex"}}


async def test_a_fragment_may_spread_another() -> None:
    document = "{ ...F } fragment F on Query { a ...G } fragment G on Query { b }"

    assert (await asked(document)).data == {"a": 1, "b": 2}


async def test_an_inline_fragment_without_a_condition_applies_to_all() -> None:
    assert (await asked("{ animals { ... { name } } }")).data == {
        "animals": [{"name": "Rex"}, {"name": "Nemo"}, {"name": "Tom"}]
    }


async def test_typename_names_the_object_type() -> None:
    document = """{ __typename dog { __typename } animals { kind: __typename }
      pets { __typename ... on Animal { name } } }"""

    assert (await asked(document)).data == {
        "__typename": "Query",
        "dog": {"__typename": "Dog"},
        "animals": [{"kind": "Dog"}, {"kind": "Fish"}, {"kind": "Cat"}],
        "pets": [{"__typename": "Dog", "name": "Rex"}, {"__typename": "Fish", "name": "Nemo"}],
    }


# -- DoesFragmentTypeApply: https://spec.graphql.org/September2025/#DoesFragmentTypeApply()


@pytest.mark.parametrize(
    ("condition", "chosen"),
    [
        ("Dog", ["Rex", None, None]),
        ("Fish", [None, "Nemo", None]),
        ("Walking", ["Rex", None, "Tom"]),
        ("Animal", ["Rex", "Nemo", "Tom"]),
        ("Pet", ["Rex", "Nemo", None]),
    ],
)
async def test_a_fragment_applies_to_its_type_and_what_belongs_to_it(
    condition: str, chosen: list[str | None]
) -> None:
    inline = await asked(f"{{ animals {{ ... on {condition} {{ ... on Animal {{ name }} }} }} }}")
    spread = await asked(f"{{ animals {{ ...F }} }} fragment F on {condition} {{ ... on Animal {{ name }} }}")

    assert inline.data == {"animals": [{"name": name} if name else {} for name in chosen]}
    assert spread == inline


async def test_a_fragment_on_an_interface_applies_to_an_object_of_a_known_type() -> None:
    assert (await asked("{ dog { ... on Animal { name } ... on Walking { legs } } }")).data == {
        "dog": {"name": "Rex", "legs": 4}
    }


async def test_each_type_is_answered_with_its_own_fields_in_their_order() -> None:
    document = """{ animals {
      ... on Walking { legs } ... on Dog { barks } ... on Cat { lives } name ... on Fish { scales } } }"""

    found = await asked(document)

    assert [list(animal.items()) for animal in found.data["animals"]] == [
        [("legs", 4), ("barks", True), ("name", "Rex")],
        [("name", "Nemo"), ("scales", 100)],
        [("legs", 4), ("lives", 9), ("name", "Tom")],
    ]


async def test_one_key_may_be_another_field_for_each_type() -> None:
    document = "{ animals { ... on Dog { n: legs } ... on Cat { n: lives } ... on Fish { n: scales } } }"

    assert (await asked(document)).data == {"animals": [{"n": 4}, {"n": 100}, {"n": 9}]}


async def test_conditions_within_conditions_all_have_to_hold() -> None:
    document = "{ animals { ... on Walking { ... on Pet { ... on Animal { name } } } } }"

    assert (await asked(document)).data == {"animals": [{"name": "Rex"}, {}, {}]}


# -- Merging: https://spec.graphql.org/September2025/#sec-Field-Selection-Merging


async def test_selections_of_one_key_are_merged_at_every_level() -> None:
    document = """{
      dog { name friend { name } }
      dog { legs friend { ... on Fish { scales } __typename } }
      ...F } fragment F on Query { dog { barks friend { friend { name } } } }"""

    assert (await asked(document)).data == {
        "dog": {
            "name": "Rex",
            "friend": {
                "name": "Rex's friend",
                "scales": 1,
                "__typename": "Fish",
                "friend": {"name": "Rex's friend's friend"},
            },
            "legs": 4,
            "barks": True,
        }
    }


async def test_merged_selections_of_items_are_collected_for_each_type() -> None:
    document = "{ animals { name } animals { ... on Dog { barks } } }"

    assert (await asked(document)).data == {
        "animals": [{"name": "Rex", "barks": True}, {"name": "Nemo"}, {"name": "Tom"}]
    }


async def test_the_same_field_under_two_aliases_is_executed_with_its_own_arguments() -> None:
    found = await asked('{ a: echo(of: "1") b: echo(of: "2") echo }')

    assert found.data == {"a": "1", "b": "2", "echo": ""}


# -- @skip and @include: https://spec.graphql.org/September2025/#sec--skip


@pytest.mark.parametrize(
    ("directives", "shown"),
    [
        ("@skip(if: true)", False),
        ("@skip(if: false)", True),
        ("@include(if: true)", True),
        ("@include(if: false)", False),
        ("@skip(if: false) @include(if: true)", True),
        ("@skip(if: true) @include(if: true)", False),
        ("@skip(if: false) @include(if: false)", False),
        ("@skip(if: true) @include(if: false)", False),
    ],
)
async def test_a_selection_is_shown_if_it_is_included_and_not_skipped(directives: str, shown: bool) -> None:  # noqa: FBT001
    assert await keys(f"{{ b a {directives} }}") == ("b a" if shown else "b")
    assert await keys(f"{{ b ... {directives} {{ a }} }}") == ("b a" if shown else "b")
    assert await keys(f"{{ b ...F {directives} }} fragment F on Query {{ a }}") == ("b a" if shown else "b")


@pytest.mark.parametrize("value", [True, False])
async def test_variables_decide_anew_in_each_request(value: bool) -> None:  # noqa: FBT001
    document = "query ($v: Boolean!) { c a @include(if: $v) b @skip(if: $v) }"

    assert await keys(document, {"v": value}) == ("c a" if value else "c b")
    assert await keys(document, {"v": not value}) == ("c b" if value else "c a")


async def test_a_default_of_a_variable_decides_where_it_is_not_given() -> None:
    document = "query ($v: Boolean! = false) { c a @include(if: $v) }"

    assert await keys(document) == "c"
    assert await keys(document, {"v": True}) == "c a"


async def test_a_spread_that_is_skipped_does_not_hide_a_later_one() -> None:
    assert await keys("{ ...F @skip(if: true) b ...F } fragment F on Query { a }") == "b a"


async def test_one_of_two_selections_of_a_field_is_enough() -> None:
    assert await keys("{ a @skip(if: true) b a }") == "b a"
    assert (await asked("{ dog { name @skip(if: true) ... { name } } }")).data == {"dog": {"name": "Rex"}}


async def test_an_object_all_of_whose_fields_are_skipped_is_empty() -> None:
    assert (await asked("{ dog { name @skip(if: true) } }")).data == {"dog": {}}


async def test_conditions_deep_in_fragments_are_decided_by_the_variables() -> None:
    document = """query ($v: Boolean!, $w: Boolean!) { animals { ...F } }
      fragment F on Animal { name @include(if: $v) ... on Dog @skip(if: $w) { barks } }"""

    for v, w, expected in [(True, True, [1, 1, 1]), (True, False, [2, 1, 1]), (False, False, [1, 0, 0])]:
        found = await asked(document, {"v": v, "w": w})
        assert [len(animal) for animal in found.data["animals"]] == expected


async def test_a_null_condition_is_an_error_of_the_request() -> None:
    """Validation allows a nullable variable with a default; null is refused where it is used."""
    document = "query ($v: Boolean = true) { a @include(if: $v) }"

    found = await ask(schema, document, {"v": None}, root=Query, falls_back="condition")

    assert found.data is None
    assert [error.locations for error in found.errors] == [((1, 45),)]


async def test_every_combination_of_conditions_is_answered_after_the_oldest_plans_are_gone() -> None:
    names = "abcdef"
    fields = " ".join(f"{name}: echo @include(if: ${name})" for name in names)
    document = f"query ({', '.join(f'${name}: Boolean!' for name in names)}) {{ {fields} }}"
    compiled = Plans.of(core_of(schema)).statistics

    before = compiled.compiled
    for number in range(2 * MAX_VARIANTS):
        chosen = {name: bool(number >> bit & 1) for bit, name in enumerate(names)}
        assert await keys(document, chosen) == " ".join(name for name in names if chosen[name])
    assert compiled.compiled - before >= 2 * MAX_VARIANTS


# -- Directives that plans do not express


async def test_operations_with_defer_are_left_to_graphql_core() -> None:
    native = build_schema("type Query { a: Int b: Int }")

    found = await ask(
        native, "{ a ... @defer(if: false) { b } }", root=lambda: {"a": 1, "b": 2}, falls_back="defer"
    )

    assert found.data == {"a": 1, "b": 2}
