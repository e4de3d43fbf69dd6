"""https://ibm.github.io/graphql-specs/cost-spec.html, rule by rule.

Costs are field cost and type cost together.
"""

import pytest

from domain.platform.errors import BadInput
from gateway.engine.cost.measured import measured
from tests.gateway.engine.cost.pricing import cost, costs, estimate

USERS = """
type User { name: String age: Int @cost(weight: "2.0") }
type Query { users(max: Int): [User] @listSize(slicingArguments: ["max"]) }
"""
QUERY = 1
"""The root object counts as one of its type."""


def test_examples_1_to_3_an_upper_bound_before_and_the_exact_cost_after() -> None:
    asked = costs(USERS, "query Example { users(max: 5) { age } }").of("Example").estimate(None)
    answer = {"users": [{"age": 33}, {"age": 45}, {"age": 27}]}

    assert asked.cost == 11.0 + (QUERY + 5)
    assert measured(asked, answer) == 7.0 + (QUERY + 3)


PRODUCTS = """
input Filter { f: String approx: Approximate @cost(weight: "-12.0") }
enum Approximate { YES }
type Query {
  topProducts(filter: Filter @cost(weight: "15.0")): [String] @cost(weight: "5.0") @listSize(assumedSize: 10)
}
"""


def test_example_10_an_argument_weighs_where_it_is_used() -> None:
    assert cost(PRODUCTS, "{ topProducts }") == 5.0 + QUERY
    assert cost(PRODUCTS, '{ topProducts(filter: {f: "x"}) }') == 20.0 + QUERY
    assert cost(PRODUCTS, "{ topProducts(filter: null) }") == 5.0 + QUERY


def test_example_11_a_weight_may_be_negative_and_a_field_may_not() -> None:
    schema = """
    type Product { id: ID }
    enum Approximate { YES }
    type Query {
      dear(approx: Approximate @cost(weight: "-3.0")): Product @cost(weight: "5.0")
      cheap(approx: Approximate @cost(weight: "-3.0")): Product @cost(weight: "2.0")
    }
    """

    assert cost(schema, "{ dear { id } }") == 5.0 + (QUERY + 1)
    assert cost(schema, "{ dear(approx: YES) { id } }") == 2.0 + (QUERY + 1)
    assert cost(schema, "{ cheap(approx: YES) { id } }") == 0.0 + (QUERY + 1)


def test_example_12_input_fields_weigh_where_they_are_used() -> None:
    literal = "{ topProducts(filter: {approx: YES}) }"
    variable = "query ($filter: Filter) { topProducts(filter: $filter) }"
    inner = "query ($approx: Approximate) { topProducts(filter: {approx: $approx}) }"

    assert cost(PRODUCTS, literal) == 8.0 + QUERY
    assert cost(PRODUCTS, variable, filter={"approx": "YES"}) == 8.0 + QUERY
    assert cost(PRODUCTS, variable, filter={"f": "x"}) == 20.0 + QUERY
    assert cost(PRODUCTS, variable) == 5.0 + QUERY
    assert cost(PRODUCTS, inner, approx="YES") == 8.0 + QUERY
    assert cost(PRODUCTS, inner) == 20.0 + QUERY


def test_example_13_arguments_of_directives_weigh_on_their_field() -> None:
    schema = """
    directive @approx(tolerance: Float! @cost(weight: "-1.0")) on FIELD
    type Query { count: Int @cost(weight: "4.0") }
    """

    assert cost(schema, "{ count @approx(tolerance: 1) }") == 3.0 + QUERY


def test_default_weights() -> None:
    schema = """
    enum Colour { RED }
    input Inner { name: String }
    input Outer { inner: Inner name: String colour: Colour }
    type Toy { name: String colour: Colour part: Toy }
    type Query { toy(outer: Outer, name: String, colour: Colour): Toy name: String colour: Colour }
    """

    assert cost(schema, "{ name colour }") == QUERY
    assert cost(schema, '{ toy(name: "x", colour: RED) { name colour } }') == QUERY + 2
    assert cost(schema, "{ toy { part { name } } }") == QUERY + 4
    assert cost(schema, '{ toy(outer: {name: "x", colour: RED}) { name } }') == QUERY + 2 + 1
    assert cost(schema, '{ toy(outer: {inner: {name: "x"}}) { name } }') == QUERY + 2 + 2


def test_types_may_weigh_something_else_scalars_and_enums_too() -> None:
    schema = """
    scalar Blob @cost(weight: "6.0")
    enum Colour @cost(weight: "7.0") { RED }
    type Toy @cost(weight: "4.0") { blob: Blob blobs: [Blob] @listSize(assumedSize: 3) colour: Colour }
    type Query { toy: Toy }
    """

    assert cost(schema, "{ toy { blob } }") == QUERY + 1 + 4 + 6
    assert cost(schema, "{ toy { blobs colour } }") == QUERY + 1 + 4 + 3 * 6 + 7


ANIMALS = """
interface Animal { name: String friends: [Animal] }
type Cat implements Animal @cost(weight: "3.0") {
  name: String friends: [Animal] @listSize(assumedSize: 2) purrs: Int @cost(weight: "5.0")
}
type Dog implements Animal { name: String @cost(weight: "4.0") friends: [Animal] @listSize(assumedSize: 4) }
union Pet = Cat | Dog
type Query { animal: Animal pet: Pet animals: [Animal] @listSize(assumedSize: 10) }
"""


def test_what_can_be_of_several_types_weighs_as_much_as_the_dearest() -> None:
    assert cost(ANIMALS, "{ animal { __typename } }") == QUERY + 1 + 3
    assert cost(ANIMALS, "{ animal { name } }") == QUERY + 1 + max(3, 1 + 4)
    assert cost(ANIMALS, "{ pet { ... on Cat { purrs } ... on Dog { name } } }") == QUERY + 1 + max(
        3 + 5, 1 + 4
    )
    assert cost(ANIMALS, "{ pet { ... on Animal { name } } }") == QUERY + 1 + 5
    assert cost(ANIMALS, "{ animals { name } }") == QUERY + 1 + 10 * 5
    assert cost(ANIMALS, "{ animal { friends { __typename } } }") == QUERY + 1 + max(
        3 + 1 + 2 * 3, 1 + 1 + 4 * 3
    )


def test_slicing_arguments_say_how_long_a_list_gets() -> None:
    schema = """
    type Toy { id: ID }
    type Query {
      toys(first: Int, last: Int): [Toy]
        @listSize(slicingArguments: ["first", "last"], assumedSize: 20, requireOneSlicingArgument: false)
      some(first: Int! = 7): [Toy] @listSize(slicingArguments: ["first"])
    }
    """
    varied = "query ($first: Int = 3) { toys(first: $first) { id } }"

    def toys(count: int) -> int:
        return QUERY + 1 + count

    assert cost(schema, "{ toys(first: 5) { id } }") == toys(5)
    assert cost(schema, "{ toys(last: 6) { id } }") == toys(6)
    assert cost(schema, "{ toys(first: 5, last: 6) { id } }") == toys(6)
    assert cost(schema, "{ toys { id } }") == toys(20)
    assert cost(schema, "{ toys(first: null) { id } }") == toys(20)
    assert cost(schema, "{ toys(first: -5) { id } }") == toys(0)
    assert cost(schema, varied, first=9) == toys(9)
    assert cost(schema, varied) == toys(3)
    assert cost(schema, varied, first=None) == toys(20)
    assert cost(schema, varied, first="many") == toys(20)
    assert cost(schema, "{ some { id } }") == toys(7)
    assert cost(schema, "{ some(first: 2) { id } }") == toys(2)


FILMS = """
type Film { title: String }
type FilmEdge { cursor: ID node: Film }
type PageInfo { hasNextPage: Boolean }
type FilmConnection { edges: [FilmEdge] nodes: [Film] pageInfo: PageInfo }
type Query {
  films(first: Int, after: ID, last: Int, before: ID): FilmConnection @listSize(
    slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"], requireOneSlicingArgument: false,
    assumedSize: 20
  )
}
"""


def test_sized_fields_take_their_length_from_the_field_above() -> None:
    assert cost(FILMS, "{ films(first: 5) { edges { cursor } } }") == QUERY + 2 + 1 + 5
    assert cost(FILMS, "{ films(first: 5) { edges { node { title } } } }") == QUERY + 2 + 1 + 5 * (1 + 2)
    assert cost(FILMS, "{ films { nodes { title } pageInfo { hasNextPage } } }") == QUERY + 2 + (1 + 20) + 2
    assert cost(FILMS, "query ($n: Int) { films(last: $n) { nodes { title } } }", n=3) == QUERY + 2 + 1 + 3


def test_two_calls_of_a_connection_keep_their_lengths_apart() -> None:
    document = """
    query ($n: Int) { few: films(first: 2) { ...F } many: films(first: $n) { ...F } }
    fragment F on FilmConnection { nodes { title } }
    """

    assert cost(FILMS, document, n=50) == QUERY + (2 + 1 + 2) + (2 + 1 + 50)


@pytest.mark.parametrize("arguments", ["", "(first: 1, last: 2)", "(first: $n)"])
def test_a_list_may_insist_on_exactly_one_slicing_argument(arguments: str) -> None:
    schema = """
    type Query {
      words(first: Int, last: Int): [String] @listSize(slicingArguments: ["first", "last"])
    }
    """
    document = f"query ($n: Int) {{ words{arguments} }}"

    with pytest.raises(BadInput, match="Give exactly one of `first`, `last` to `words`"):
        cost(schema, document)
    assert cost(schema, "{ words(first: 3) }") == QUERY


def test_a_list_of_which_nothing_is_said_is_taken_for_ten_long() -> None:
    schema = "type Toy { id: ID } type Query { toys: [Toy] boxes: [[Toy]] }"

    assert cost(schema, "{ toys { id } }") == QUERY + 1 + 10
    assert cost(schema, "{ boxes { id } }") == QUERY + 1 + 10 * 10


def test_introspection_is_free() -> None:
    document = '{ __typename __schema { types { name fields { name } } } __type(name: "Query") { name } }'

    assert cost(USERS, document) == QUERY


def test_what_is_skipped_costs_nothing() -> None:
    document = """
    query ($no: Boolean!, $yes: Boolean = true) {
      users(max: 5) @include(if: $no) { age }
      more: users(max: 3) @skip(if: $no) { age name @include(if: $yes) }
      ... @skip(if: true) { never: users(max: 1000) { age } }
      ...F @include(if: $no)
    }
    fragment F on Query { other: users(max: 7) { name } }
    """
    asked = costs(USERS, document).of(None)

    assert asked.estimate({"no": False}).cost == QUERY + (1 + 3 * 3)
    assert asked.estimate({"no": True}).cost == QUERY + (1 + 5 * 3) + (1 + 7)
    assert asked.estimate({"no": False}).cost == QUERY + (1 + 3 * 3)


def test_fields_written_twice_are_executed_and_paid_once() -> None:
    document = """
    { users(max: 5) { age } users(max: 5) { name age } ...F ... on Query { users(max: 5) { age } } }
    fragment F on Query { users(max: 5) { ...G } ...H }
    fragment G on User { age }
    fragment H on Query { users(max: 5) { ...G } }
    """

    assert cost(USERS, document) == QUERY + 1 + 5 * 3
    assert cost(USERS, "{ a: users(max: 5) { age } b: users(max: 5) { age } }") == QUERY + 2 * (1 + 5 * 3)


def test_mutations_and_subscriptions_cost_by_the_same_rules() -> None:
    schema = """
    type Toy { id: ID }
    type Query { a: Int }
    type Mutation { buy: Toy @cost(weight: "10") }
    type Subscription { bought: Toy @cost(weight: "7") }
    """

    assert cost(schema, "mutation { buy { id } }") == 1 + 10 + 1
    assert cost(schema, "subscription { bought { id } }") == 1 + 7 + 1


def test_a_document_can_have_several_operations() -> None:
    asked = costs(USERS, "query A { users(max: 1) { age } } query B { users(max: 2) { age } }")

    assert asked.of("A").estimate(None).cost == QUERY + 1 + 3
    assert asked.of("B").estimate(None).cost == QUERY + 1 + 6
    with pytest.raises(LookupError):
        asked.of("C")


def test_the_estimate_is_never_below_the_measure() -> None:
    asked = estimate(ANIMALS, "{ animals { name friends { name ... on Cat { purrs } } } }")
    cat = {"name": "a", "friends": []}
    answer = {"animals": [cat, {"name": "b", "friends": [{"name": "c", "purrs": 1}, {"name": "d"}]}]}

    assert measured(asked, answer) < asked.cost
