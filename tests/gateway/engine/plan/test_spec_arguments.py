"""Coercing field arguments, rule by rule:
https://spec.graphql.org/September2025/#sec-Coercing-Field-Arguments.
"""

import enum
from datetime import date
from typing import Annotated, Any

import pytest
import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from tests.gateway.engine.plan.twins import Answer, ask


@strawberry.enum
class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


@strawberry.input
class Filter:
    size: Size = Size.SMALL
    words: list[str | None] | None = strawberry.UNSET
    name: str | None = strawberry.UNSET
    least: float = 0.0
    since: date | None = None

    def __str__(self) -> str:
        words = "unset" if self.words is strawberry.UNSET else self.words
        named = "" if self.name is strawberry.UNSET else f" {self.name!r}"
        return f"{self.size.name} {words} {self.since}{named}{f' {self.least!r}' if self.least else ''}"


@strawberry.type
class Item:
    name: str

    @strawberry.field
    def twice(self, of: int = 1) -> str:
        return f"{self.name}{2 * of}"

    @strawberry.field
    def growing(self, words: list[str]) -> str:
        words.append(self.name)
        return " ".join(words)

    @strawberry.field
    def filtered(self, by: Filter) -> str:
        seen, by.size = str(by), Size.LARGE
        return seen


@strawberry.type
class Query:
    @strawberry.field
    def optional(self, of: int | None = strawberry.UNSET) -> str:
        return "unset" if of is strawberry.UNSET else repr(of)

    @strawberry.field
    def nullable(self, of: int | None) -> str:
        return repr(of)

    @strawberry.field
    def defaulted(self, of: int | None = 5) -> str:
        return repr(of)

    @strawberry.field
    def firm(self, of: int = 5) -> str | None:
        return repr(of)

    @strawberry.field
    def pair(self, one: int = 1, two: float = 2.0) -> str | None:
        return f"{one!r} {two!r}"

    @strawberry.field
    def sized(self, size: Size = Size.LARGE) -> str:
        return size.name

    @strawberry.field
    def words(self, of: list[str | None] | None = None) -> str:
        return repr(of)

    @strawberry.field
    def day(self, of: date) -> str | None:
        return repr(of)

    @strawberry.field
    def filtered(self, by: Filter | None = None) -> str:
        return str(by)

    @strawberry.field
    def renamed(self, first_name: str, klass: Annotated[str, strawberry.argument(name="class")]) -> str:
        return f"{first_name} {klass}"

    @strawberry.field
    async def late(self, of: int = 3) -> str:
        return repr(of)

    @strawberry.field
    def items(self, count: int = 2) -> list[Item]:
        return [Item(name="abc"[number]) for number in range(count)]


schema = strawberry.Schema(Query)


async def asked(document: str, variables: dict[str, Any] | None = None) -> Any:
    found = await ask(schema, document, variables)
    assert found.errors == ()
    return found.data


async def failed(document: str, variables: dict[str, Any] | None = None) -> Answer:
    """An answer whose only field is null for one error of its own."""
    found = await ask(schema, document, variables)
    [(key, value)] = found.data.items()
    [error] = found.errors
    assert value is None
    assert error.path == (key,)
    return found


# -- Defaults, absence and null


ABSENT = [("optional", "unset"), ("defaulted", "5"), ("firm", "5"), ("late", "3")]


@pytest.mark.parametrize(("field", "value"), ABSENT)
async def test_an_argument_that_is_not_given_is_its_default_or_absent(field: str, value: str) -> None:
    assert await asked(f"{{ {field} }}") == {field: value}


async def test_a_nullable_argument_without_a_default_is_not_made_up() -> None:
    """A resolver that has no default of its own is called without it."""
    for document in ("{ nullable }", "query ($v: Int) { nullable(of: $v) }"):
        found = await ask(schema, document)

        assert found.data is None
        assert "missing 1 required" in found.errors[0].message


@pytest.mark.parametrize("field", ["optional", "nullable", "defaulted"])
async def test_an_explicit_null_is_null(field: str) -> None:
    assert await asked(f"{{ {field}(of: null) }}") == {field: "None"}
    assert await asked(f"query ($v: Int) {{ {field}(of: $v) }}", {"v": None}) == {field: "None"}


@pytest.mark.parametrize(("field", "value"), ABSENT)
async def test_a_variable_without_a_value_leaves_its_argument_out(field: str, value: str) -> None:
    assert await asked(f"query ($v: Int) {{ {field}(of: $v) }}") == {field: value}


@pytest.mark.parametrize("field", ["optional", "nullable", "defaulted", "firm", "late"])
async def test_a_variable_with_a_value_is_the_argument(field: str) -> None:
    assert await asked(f"query ($v: Int) {{ {field}(of: $v) }}", {"v": 0}) == {field: "0"}
    assert await asked(f"{{ {field}(of: 0) }}") == {field: "0"}


async def test_null_in_a_variable_for_a_non_null_argument_is_an_error_of_the_field() -> None:
    found = await failed("query ($v: Int) { firm(of: $v) }", {"v": None})

    assert found.errors[0].message == (
        "Argument 'of' has invalid value: "
        "Expected variable '$v' provided to non-null type 'Int!' not to be None."
    )
    assert found.errors[0].locations == ((1, 28),)


async def test_of_several_variables_each_may_be_left_out() -> None:
    document = "query ($a: Int, $b: Float) { pair(one: $a, two: $b) }"

    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "1 2.0"),
        ({"a": 3}, "3 2.0"),
        ({"b": 4.5}, "1 4.5"),
        ({"a": 3, "b": 4}, "3 4.0"),
    ]
    for given, read in cases:
        assert await asked(document, given) == {"pair": read}


async def test_a_variable_beside_a_literal_is_passed_with_it() -> None:
    assert await asked("query ($b: Float) { pair(one: 7, two: $b) }", {"b": 0.5}) == {"pair": "7 0.5"}


async def test_only_the_field_with_the_bad_argument_fails() -> None:
    found = await ask(schema, "query ($v: Int) { a: firm b: firm(of: $v) }", {"v": None})

    assert found.data == {"a": "5", "b": None}
    assert [error.path for error in found.errors] == [("b",)]


# -- Coercion by type


@pytest.mark.parametrize(
    ("document", "read"),
    [
        ("{ pair(one: 3, two: 4) }", "3 4.0"),
        ("{ pair(two: 1e3) }", "1 1000.0"),
        ("{ pair(two: 2147483648) }", "1 2147483648.0"),
    ],
)
async def test_an_int_literal_for_a_float_is_a_float(document: str, read: str) -> None:
    assert await asked(document) == {"pair": read}


async def test_an_enum_is_the_member_of_the_given_name() -> None:
    assert await asked("{ sized(size: SMALL) }") == {"sized": "SMALL"}
    assert await asked("query ($s: Size!) { sized(size: $s) }", {"s": "SMALL"}) == {"sized": "SMALL"}
    assert await asked("{ sized }") == {"sized": "LARGE"}


@pytest.mark.parametrize(
    ("defined", "literal", "read"),
    [
        ("", '["a", null]', "['a', None]"),
        ("", '"a"', "['a']"),
        ("", "[]", "[]"),
        ("", "null", "None"),
        ("($v: String)", '["a", $v]', "['a', 'x']"),
        ("($absent: String)", "[$absent]", "[None]"),
        ("($absent: [String])", "$absent", "None"),
        ("($v: [String])", "$v", "['x']"),
    ],
)
async def test_a_list_takes_single_values_and_nulls_for_absent_variables(
    defined: str, literal: str, read: str
) -> None:
    found = await asked(f"query {defined} {{ words(of: {literal}) }}", {"v": "x"})

    assert found == {"words": read}


@pytest.mark.parametrize(
    ("defined", "literal", "read"),
    [
        ("", "{}", "SMALL unset None"),
        ("", "{size: LARGE}", "LARGE unset None"),
        ("", "{words: null}", "SMALL None None"),
        ("", '{words: "a", since: "2024-02-29"}', "SMALL ['a'] 2024-02-29"),
        ("($v: String)", "{words: [$v]}", "SMALL ['x'] None"),
        ("($absent: [String])", "{words: $absent}", "SMALL unset None"),
        ("($absent: Size = LARGE)", "{size: $absent}", "LARGE unset None"),
        ("($absent: Size)", "{size: $absent}", "SMALL unset None"),
        ("($d: Date)", "{since: $d}", "SMALL unset 2024-02-29"),
        ("($v: String)", "{name: $v}", "SMALL unset None 'x'"),
        ("($v: String)", "{name: $v, size: LARGE}", "LARGE unset None 'x'"),
        ("($null: String)", "{name: $null}", "SMALL unset None None"),
        ("($absent: String)", "{name: $absent}", "SMALL unset None"),
        ('($absent: String = "d")', "{name: $absent}", "SMALL unset None 'd'"),
        ("($two: Float!)", "{least: $two}", "SMALL unset None 2.0"),
        ("($two: Float!, $v: String)", "{least: $two, name: $v}", "SMALL unset None 'x' 2.0"),
        ("($f: Filter)", "$f", "LARGE unset None"),
        ("($absent: Filter)", "$absent", "None"),
    ],
)
async def test_an_input_object_is_built_from_literals_and_variables(
    defined: str, literal: str, read: str
) -> None:
    variables = {"v": "x", "d": "2024-02-29", "f": {"size": "LARGE"}, "null": None, "two": 2}

    assert await asked(f"query {defined} {{ filtered(by: {literal}) }}", variables) == {"filtered": read}


async def test_a_custom_scalar_is_parsed_by_its_own_function() -> None:
    assert await asked('{ day(of: "2024-02-29") }') == {"day": "datetime.date(2024, 2, 29)"}
    assert await asked("query ($d: Date!) { day(of: $d) }", {"d": "2024-02-29"}) == {
        "day": "datetime.date(2024, 2, 29)"
    }


async def test_arguments_are_passed_under_their_names_in_python() -> None:
    assert await asked('{ renamed(firstName: "a", class: "b") }') == {"renamed": "a b"}
    document = "query ($a: String!, $b: String!) { renamed(firstName: $a, class: $b) }"
    assert await asked(document, {"a": "x", "b": "y"}) == {"renamed": "x y"}


# -- Each call has arguments of its own


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ('{ items { growing(words: ["x"]) } }', {}),
        ("query ($v: String!) { items { growing(words: [$v]) } }", {"v": "x"}),
    ],
)
async def test_a_resolver_that_changes_a_list_it_was_given_changes_no_other_call(
    document: str, variables: dict[str, Any]
) -> None:
    for _ in range(2):
        assert await asked(document, variables) == {"items": [{"growing": "x a"}, {"growing": "x b"}]}


async def test_a_resolver_that_changes_an_input_object_changes_no_other_call() -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("{ items { filtered(by: {}) } }", {}),
        ("query ($v: Filter!) { items { filtered(by: $v) } }", {"v": {}}),
        ("query ($v: Size) { items { filtered(by: {size: $v}) } }", {"v": "SMALL"}),
        ("query ($v: Float!) { items { filtered(by: {least: $v}) } }", {"v": 0}),
    ]
    for document, variables in cases:
        for _ in range(2):
            assert await asked(document, variables) == {"items": [{"filtered": "SMALL unset None"}] * 2}


async def test_arguments_below_a_list_are_those_of_every_item() -> None:
    document = "query ($v: Int) { items { a: twice b: twice(of: 3) c: twice(of: $v) } }"

    assert await asked(document, {"v": 4}) == {
        "items": [{"a": "a2", "b": "a6", "c": "a8"}, {"a": "b2", "b": "b6", "c": "b8"}]
    }
    assert await asked(document) == {
        "items": [{"a": "a2", "b": "a6", "c": "a2"}, {"a": "b2", "b": "b6", "c": "b2"}]
    }


# -- Schemas of graphql-core itself


def native() -> GraphQLSchema:
    arguments = {
        "plain": GraphQLArgument(GraphQLInt),
        "defaulted": GraphQLArgument(GraphQLNonNull(GraphQLInt), default_value=4),
        "renamed": GraphQLArgument(GraphQLList(GraphQLString), out_name="other"),
    }
    field = GraphQLField(
        GraphQLString, arguments, lambda _source, _info, **given: repr(sorted(given.items()))
    )
    return GraphQLSchema(GraphQLObjectType("Query", {"read": field}))


@pytest.mark.parametrize(
    ("given", "variables", "read"),
    [
        ("", {}, {"defaulted": 4}),
        ("(plain: null)", {}, {"defaulted": 4, "plain": None}),
        ("(plain: $v)", {}, {"defaulted": 4}),
        ("(plain: $v)", {"v": None}, {"defaulted": 4, "plain": None}),
        ("(plain: $v, defaulted: $w)", {"v": 1, "w": 2}, {"defaulted": 2, "plain": 1}),
        ("(plain: $v, defaulted: $w)", {"v": 1}, {"defaulted": 4, "plain": 1}),
        ('(renamed: "x")', {}, {"defaulted": 4, "other": ["x"]}),
        ("(renamed: [$v])", {}, {"defaulted": 4, "other": [None]}),
    ],
)
async def test_absent_null_and_default_are_kept_apart(given: str, variables: Any, read: Any) -> None:
    found = await ask(native(), f"query ($v: Int, $w: Int) {{ read{given} }}", variables)

    assert found.data == {"read": repr(sorted(read.items()))}


@pytest.mark.parametrize(
    "document", ["{ read(defaulted: null) }", '{ read(plain: "x") }', "{ read(plain: 1.5) }"]
)
async def test_a_literal_that_does_not_fit_is_an_error_of_the_field(document: str) -> None:
    """Only where nobody validated the document."""
    found = await ask(native(), document)

    assert found.data == {"read": None}
    assert [error.path for error in found.errors] == [("read",)]
