"""What answers cost: by their lists, by the types they tell, and by the fields they have."""

from typing import Any

import pytest

from gateway.engine.cost.measured import measured
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
