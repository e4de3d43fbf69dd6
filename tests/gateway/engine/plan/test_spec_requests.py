"""Executing requests: https://spec.graphql.org/September2025/#sec-Executing-Requests, rule by rule."""

import enum
from typing import Any

import pytest
import strawberry
from strawberry.types import Info

from tests.gateway.engine.plan.twins import Answer, ask


@strawberry.enum
class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


@strawberry.input
class Box:
    width: int
    height: int = 2
    label: str | None = strawberry.UNSET
    inner: "Box | None" = None


@strawberry.type
class Query:
    @strawberry.field
    def whole(self, of: int | None = 7) -> str:
        return repr(of)

    @strawberry.field
    def real(self, of: float) -> str:
        return repr(of)

    @strawberry.field
    def text(self, of: str | None = strawberry.UNSET) -> str:
        return "unset" if of is strawberry.UNSET else repr(of)

    @strawberry.field
    def truth(self, of: bool) -> str:  # noqa: FBT001 - the graph passes by name
        return repr(of)

    @strawberry.field
    def id(self, of: strawberry.ID) -> str:
        return repr(of)

    @strawberry.field
    def colour(self, of: Colour) -> str:
        return of.name

    @strawberry.field
    def many(self, of: list[int | None] | None) -> str:
        return repr(of)

    @strawberry.field
    def grid(self, of: list[list[int]]) -> str:
        return repr(of)

    @strawberry.field
    def box(self, of: Box) -> str:
        return repr(of).replace(f"{__name__}.", "")

    @strawberry.field
    def variables(self, info: Info) -> str:
        return repr(info.variable_values)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def touch(self) -> str:
        return "touched"


schema = strawberry.Schema(Query, Mutation)


async def asked(document: str, variables: dict[str, Any] | None = None) -> Answer:
    return await ask(schema, document, variables)


async def given(type_: str, field: str, value: Any) -> Any:
    """What `field` makes of a variable of this type."""
    found = await asked(f"query ($v: {type_}) {{ {field}(of: $v) }}", {"v": value})
    assert found.errors == ()
    return found.data[field]


async def refused(type_: str, field: str, variables: dict[str, Any]) -> str:
    """The one message of a request that fails for its variables, before any field is executed."""
    document = f"query ($v: {type_}) {{ {field}(of: $v) }}"
    found = await ask(schema, document, variables, executed=False)
    assert found.data is None
    [error] = found.errors
    assert error.path is None
    assert error.locations == ((1, 8),)
    return error.message


# -- GetOperation: https://spec.graphql.org/September2025/#GetOperation()

TWO = "query A { text } query B { whole }"


async def test_the_only_operation_runs_without_a_name() -> None:
    assert (await asked("{ text }")).data == {"text": "unset"}


@pytest.mark.parametrize(("name", "data"), [("A", {"text": "unset"}), ("B", {"whole": "7"})])
async def test_of_several_operations_the_named_one_runs(name: str, data: Any) -> None:
    assert (await ask(schema, TWO, name=name)).data == data


async def test_a_query_and_a_mutation_in_one_document_are_told_apart_by_name() -> None:
    document = "query A { text } mutation B { touch }"

    assert (await ask(schema, document, name="B")).data == {"touch": "touched"}


# -- CoerceVariableValues: https://spec.graphql.org/September2025/#CoerceVariableValues()


async def test_a_default_of_a_variable_stands_in_for_a_value_that_is_not_given() -> None:
    document = "query ($v: Int = 3) { whole(of: $v) variables }"

    assert (await asked(document)).data == {"whole": "3", "variables": "{'v': 3}"}


async def test_an_explicit_null_is_not_replaced_by_the_default_of_the_variable() -> None:
    document = "query ($v: Int = 3) { whole(of: $v) variables }"

    assert (await asked(document, {"v": None})).data == {"whole": "None", "variables": "{'v': None}"}


async def test_a_variable_without_value_and_default_has_no_entry() -> None:
    document = "query ($v: Int) { whole(of: $v) variables }"

    assert (await asked(document)).data == {"whole": "7", "variables": "{}"}


async def test_a_non_null_variable_with_a_default_may_be_left_out() -> None:
    assert (await asked("query ($v: Int! = 4) { whole(of: $v) }")).data == {"whole": "4"}


async def test_a_non_null_variable_that_is_left_out_fails_the_request() -> None:
    message = await refused("Int!", "whole", {})

    assert (
        message == "Variable '$v' has invalid value: Expected a value of non-null type 'Int!' to be provided."
    )


async def test_null_for_a_non_null_variable_fails_the_request() -> None:
    message = await refused("Int!", "whole", {"v": None})

    assert (
        message == "Variable '$v' has invalid value: Expected value of non-null type 'Int!' not to be None."
    )


async def test_null_for_a_non_null_variable_with_a_default_fails_the_request() -> None:
    assert "non-null type 'Int!' not to be None" in await refused("Int! = 4", "whole", {"v": None})


async def test_values_of_variables_that_are_not_defined_are_ignored() -> None:
    document = "query ($v: Int) { whole(of: $v) variables }"

    assert (await asked(document, {"v": 1, "w": 2})).data == {"whole": "1", "variables": "{'v': 1}"}


@pytest.mark.parametrize("value", [2**31 - 1, -(2**31), 0])
async def test_an_int_may_be_any_of_32_bits(value: int) -> None:
    assert await given("Int", "whole", value) == repr(value)


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 1.5, "1", True, [1], {"v": 1}])
async def test_what_is_no_int_fails_the_request(value: Any) -> None:
    assert (await refused("Int", "whole", {"v": value})).startswith("Variable '$v' has invalid value")


async def test_a_float_without_a_fraction_is_an_int() -> None:
    assert await given("Int", "whole", 3.0) == "3"


async def test_an_int_is_a_float() -> None:
    assert await given("Float!", "real", 3) == "3.0"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1.0", True])
async def test_what_is_no_finite_number_is_no_float(value: Any) -> None:
    assert (await refused("Float!", "real", {"v": value})).startswith("Variable '$v' has invalid value")


@pytest.mark.parametrize("value", [1, 1.5, True, ["a"]])
async def test_only_a_string_is_a_string(value: Any) -> None:
    assert (await refused("String", "text", {"v": value})).startswith("Variable '$v' has invalid value")


@pytest.mark.parametrize("value", [0, 1, "true", 1.0])
async def test_only_a_boolean_is_a_boolean(value: Any) -> None:
    assert (await refused("Boolean!", "truth", {"v": value})).startswith("Variable '$v' has invalid value")


@pytest.mark.parametrize(("value", "read"), [("a", "'a'"), (12, "'12'")])
async def test_an_id_may_be_given_as_a_string_or_an_int(value: Any, read: str) -> None:
    assert await given("ID!", "id", value) == read


@pytest.mark.parametrize("value", [1.5, True])
async def test_nothing_else_is_an_id(value: Any) -> None:
    assert (await refused("ID!", "id", {"v": value})).startswith("Variable '$v' has invalid value")


async def test_an_enum_is_given_by_the_name_of_its_value() -> None:
    assert await given("Colour!", "colour", "BLUE") == "BLUE"


@pytest.mark.parametrize("value", ["b", "GREEN", 1, "blue"])
async def test_a_name_that_the_enum_lacks_fails_the_request(value: Any) -> None:
    assert (await refused("Colour!", "colour", {"v": value})).startswith("Variable '$v' has invalid value")


@pytest.mark.parametrize(
    ("value", "read"), [([1, None], "[1, None]"), (1, "[1]"), ([], "[]"), (None, "None")]
)
async def test_a_single_value_for_a_list_is_a_list_of_one(value: Any, read: str) -> None:
    assert await given("[Int]", "many", value) == read


async def test_a_single_value_for_a_list_of_lists_is_wrapped_twice() -> None:
    assert await given("[[Int!]!]!", "grid", 5) == "[[5]]"


async def test_items_of_a_list_are_coerced_and_told_by_their_place() -> None:
    message = await refused("[Int]", "many", {"v": [1, "x"]})

    assert message == ("Variable '$v' has invalid value at [1]: Int cannot represent non-integer value: 'x'")


async def test_an_input_object_takes_the_defaults_of_fields_that_are_not_given() -> None:
    read = await given("Box!", "box", {"width": 1})

    assert read == "Box(width=1, height=2, label=UNSET, inner=None)"


async def test_an_explicit_null_in_an_input_object_is_not_an_absent_field() -> None:
    read = await given("Box!", "box", {"width": 1, "label": None, "inner": {"width": 3, "height": 4}})

    assert read == (
        "Box(width=1, height=2, label=None, inner=Box(width=3, height=4, label=UNSET, inner=None))"
    )


@pytest.mark.parametrize("value", [{}, {"width": None}, {"width": 1, "depth": 2}, {"width": "1"}, 5])
async def test_an_input_object_that_does_not_fit_fails_the_request(value: Any) -> None:
    assert (await refused("Box!", "box", {"v": value})).startswith("Variable '$v' has invalid value")


async def test_all_variables_that_do_not_fit_are_told() -> None:
    document = "query ($a: Int!, $b: Boolean!) { whole(of: $a) truth(of: $b) }"

    found = await ask(schema, document, {"a": "x", "b": "y"}, executed=False)

    assert found.data is None
    assert [error.message[:12] for error in found.errors] == ["Variable '$a", "Variable '$b"]


async def test_a_variable_may_be_read_in_many_places() -> None:
    document = "query ($v: Int!) { a: whole(of: $v) many(of: [$v, $v]) box(of: {width: $v}) }"

    assert (await asked(document, {"v": 9})).data == {
        "a": "9",
        "many": "[9, 9]",
        "box": "Box(width=9, height=2, label=UNSET, inner=None)",
    }


async def test_the_same_operation_gives_each_request_its_own_values() -> None:
    document = "query ($v: Int = 1) { whole(of: $v) }"

    answers = [(await asked(document, {"v": value})).data["whole"] for value in (5, None, 6)]

    assert answers == ["5", "None", "6"]
