"""What answers cost: by their lists, by the types they tell, and by the fields they have."""

from itertools import combinations
from typing import Any

import orjson
import pytest

from gateway.engine.cost.measured import measured, of_field
from tests.gateway.engine.cost.pricing import estimate

SCHEMA = """
interface Animal { name: String }
type Cat implements Animal @cost(weight: "3") { name: String mice: [Mouse] @listSize(assumedSize: 5) }
type Dog implements Animal @cost(weight: "2") { name: String bones: [Bone] @listSize(assumedSize: 9) }
type Mouse { name: String tail: Tail }
type Tail { length: Int }
type Bone { size: Int }
scalar Blob @cost(weight: "2")
type Query {
  animals(first: Int): [Animal] @listSize(slicingArguments: ["first"])
  rows: [[Bone]] @listSize(assumedSize: 4)
  blobs: [Blob] @listSize(assumedSize: 4)
  blob: Blob
  cat: Cat @cost(weight: "5")
}
"""
QUERY = 1
ANIMALS = """
{ animals(first: 10) { name ... on Cat { mice { name tail { length } } } ... on Dog { bones { size } } } }
"""
TYPED = ANIMALS.replace("name ...", "kind: __typename name ...")
CAT = {"name": "a", "mice": [{"name": "m", "tail": {"length": 1}}, {"name": "n", "tail": None}, None]}
DOG = {"name": "b", "bones": [{"size": 1}]}
OF_CAT = 3 + 1 * 0 + (2 + 2 * 1 + 1)
OF_DOG = 2 + 1


def of(document: str, answer: dict[str, Any], **variables: Any) -> float:
    return measured(estimate(SCHEMA, document, variables), answer)


def test_lists_count_as_long_as_they_came_and_null_as_nothing() -> None:
    # A field that answers a list of objects weighs 1 a call, so a cat's mice add that.
    assert of(ANIMALS, {"animals": [CAT]}) == QUERY + 1 + (3 + 1 + 2 + 2 + 1)
    assert of(ANIMALS, {"animals": [None, DOG]}) == QUERY + 1 + (2 + 1 + 1)
    assert of(ANIMALS, {"animals": []}) == QUERY + 1
    assert of(ANIMALS, {"animals": None}) == QUERY + 1


@pytest.mark.parametrize("document", [ANIMALS, TYPED])
def test_types_are_known_by_their_name_or_by_their_fields(document: str) -> None:
    cat, dog = {**CAT}, {**DOG}
    if document is TYPED:
        cat["kind"], dog["kind"] = "Cat", "Dog"

    assert of(document, {"animals": [cat, dog, cat]}) == QUERY + 1 + 2 * 9 + 4


def test_where_nothing_tells_the_type_it_is_the_dearest() -> None:
    assert of("{ animals(first: 2) { name } }", {"animals": [{"name": "a"}]}) == QUERY + 1 + 3


def test_lists_of_lists_and_of_scalars_that_weigh_something() -> None:
    assert of("{ rows { size } }", {"rows": [[{"size": 1}, {"size": 2}], [], [{"size": 3}]]}) == QUERY + 1 + 3
    assert of("{ blobs blob }", {"blobs": ["x", None, "y"], "blob": "z"}) == QUERY + 2 * 2 + 2


def test_an_operation_without_lists_costs_what_was_expected() -> None:
    assert of("{ cat { name } }", {"cat": None}) == QUERY + 5 + 3


def test_an_answer_that_is_no_object_counts_as_expected() -> None:
    asked = estimate(SCHEMA, ANIMALS)

    assert measured(asked, None) == asked.cost
    assert measured(asked, b'{"animals":[]}') == asked.cost


EVERYTHING = f"{{ {ANIMALS.strip()[1:-1]} rows {{ size }} blobs blob cat {{ name }} b: cat {{ name }} }}"
WHOLE: dict[str, Any] = {
    "animals": [CAT, DOG, None],
    "rows": [[{"size": 1}, {"size": 2}]],
    "blobs": ["x", None, "y"],
    "blob": "z",
    "cat": {"name": "c"},
    "b": None,
}


def test_fields_written_before_the_others_cost_what_they_cost_with_them() -> None:
    asked = estimate(SCHEMA, EVERYTHING)
    whole = measured(asked, WHOLE)
    assert whole == QUERY + 1 + (9 + 3 + 1) + 3 + (2 * 2 + 2) + (5 + 3) + 5

    for count in range(len(WHOLE) + 1):
        for keys in combinations(WHOLE, count):
            written = {key: orjson.Fragment(orjson.dumps(WHOLE[key])) for key in keys}
            ahead = {key: of_field(asked, key, WHOLE[key]) for key in keys}
            assert measured(asked, WHOLE | written, ahead) == whole
            assert measured(asked, WHOLE | written) == whole - sum(ahead.values())


def test_what_was_worked_out_for_others_is_free_beside_what_was_written_before() -> None:
    asked = estimate(SCHEMA, "{ a: cat { name } b: cat { name } }")
    data = dict.fromkeys("ab", orjson.Fragment(b"null"))

    assert measured(asked, data) == QUERY
    assert measured(asked, data, {"a": 8.0}) == QUERY + 8
    assert measured(asked, data, {"a": 8.0, "b": 8.0}) == asked.cost == QUERY + 16
