"""Completing objects and abstract types, rule by rule:
https://spec.graphql.org/September2025/#ResolveAbstractType() and #CollectSubfields().
"""

from typing import Annotated, Any

import pytest
import strawberry

from tests.gateway.engine.plan.ways import complete


@strawberry.interface
class Shape:
    name: str


@strawberry.type
class Circle(Shape):
    radius: int


@strawberry.type
class Square(Shape):
    side: int


class Disc(Circle):
    """A subclass that the schema does not know."""


@strawberry.type
class Stray:
    """Of no other type."""

    name: str


Figure = Annotated[Circle | Square, strawberry.union("Figure")]
SELECTED = "{ __typename ... on Circle { radius } ... on Shape { name } }"


@pytest.mark.parametrize("annotation", [Shape, Figure, Circle])
async def test_an_object_is_answered_by_its_type(annotation: Any) -> None:
    found = await complete(annotation, lambda: Circle(name="c", radius=1), SELECTED, types=[Square, Circle])

    assert found.data == {"v": {"__typename": "Circle", "radius": 1, "name": "c"}}


async def test_objects_of_several_types_stand_in_one_list() -> None:
    found = await complete(
        list[Figure | None],
        lambda: [Square(name="s", side=2), None, Circle(name="c", radius=1)],
        SELECTED,
    )

    assert found.data == {
        "v": [
            {"__typename": "Square", "name": "s"},
            None,
            {"__typename": "Circle", "radius": 1, "name": "c"},
        ]
    }


async def test_an_object_of_a_subclass_is_of_its_types_name() -> None:
    found = await complete(
        list[Shape], lambda: [Disc(name="d", radius=3), Circle(name="c", radius=1)], SELECTED, types=[Circle]
    )

    assert found.errors == ()
    assert [shape["__typename"] for shape in found.data["v"]] == ["Circle", "Circle"]


@pytest.mark.parametrize("annotation", [Shape | None, Figure | None])
@pytest.mark.parametrize("stranger", [object(), 5, "Circle", Stray(name="x")])
async def test_an_object_of_no_possible_type_is_an_error(annotation: Any, stranger: Any) -> None:
    found = await complete(annotation, lambda: stranger, "{ __typename }", types=[Circle])

    assert found.data == {"v": None}
    [error] = found.errors
    assert error.path == ("v",)


async def test_an_object_of_a_wrong_class_is_an_error_where_the_type_looks_at_it() -> None:
    found = await complete(Circle | None, lambda: 5, "{ radius }")

    assert found.data == {"v": None}
    assert found.errors[0].message == "Expected value of type 'Circle' but got: 5."


@strawberry.type
class Loose:
    """A type that looks at nothing but the attributes."""

    name: str | None = "loose"
    missing: int | None = 0


async def test_an_object_is_whatever_has_the_attributes() -> None:
    class Other:
        name = "other"

    found = await complete(Loose, Other, "{ name missing }")

    assert found.data == {"v": {"name": "other", "missing": None}}
    assert found.told == [("'Other' object has no attribute 'missing'", "v.missing")]


async def test_selections_of_one_object_are_completed_once_for_all_its_fields() -> None:
    """https://spec.graphql.org/September2025/#CollectSubfields()."""
    document = "{ name } again: v { missing }"

    found = await complete(Loose, Loose, document)

    assert found.data == {"v": {"name": "loose"}, "again": {"missing": 0}}
