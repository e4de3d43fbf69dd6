"""What the fields of the graph cost, by @cost and @listSize.

The directives are those of IBM's specification (https://ibm.github.io/graphql-specs/cost-spec.html) in the
form that Apollo Federation has had since 2.9: weights are whole numbers. An object weighs 1, a field that
shows objects 1 a call, other fields nothing. The weights that fields state beyond that were measured: see
"What things cost" in bench/README.md.
"""

from collections.abc import Iterable
from typing import Final

from strawberry import UNSET, directive_field
from strawberry.federation.schema_directives import Cost, ListSize
from strawberry.schema_directive import Location, schema_directive

SIZED_BY: Final = "sizedBy"
"""Metadata of a field: the list argument whose length is the length of the answer. Federation's @listSize has
no word for it, so the schema only tells the most, and the engine looks here.
"""
_FIRST_VERSION: Final = (2, 9)


@schema_directive(locations=[Location.FIELD_DEFINITION], name="cost")
class OwnCost:
    """`Cost` for older federations, which let it pass as a directive of the subgraph's own."""

    weight: int


@schema_directive(locations=[Location.FIELD_DEFINITION], name="listSize")
class OwnListSize:
    """`ListSize` for older federations."""

    assumed_size: int | None = directive_field(name="assumedSize")
    slicing_arguments: list[str] | None = directive_field(name="slicingArguments")
    sized_fields: list[str] | None = directive_field(name="sizedFields")
    require_one_slicing_argument: bool | None = True


def cost_directives(cost: int | None = None, list_size: int | ListSize | None = None) -> list[object]:
    """For a field that weighs `cost` a call, and whose list has up to `list_size` items as a rule."""
    found: list[object] = [] if cost is None else [Cost(weight=cost)]
    if list_size is not None:
        found.append(at_most(list_size) if isinstance(list_size, int) else list_size)
    return found


def at_most(items: int) -> ListSize:
    """A list of so many."""
    return ListSize(
        assumed_size=items,
        slicing_arguments=UNSET,
        sized_fields=UNSET,
        require_one_slicing_argument=UNSET,
    )


def sliced(arguments: Iterable[str], items: int | None, fields: Iterable[str] = ()) -> ListSize:
    """A list as long as one of `arguments` says, else of `items`; the lists in `fields` where it has some."""
    return ListSize(
        assumed_size=UNSET if items is None else items,
        slicing_arguments=list(arguments),
        sized_fields=list(fields) or UNSET,
        require_one_slicing_argument=False,
    )


def spelled(directive: object, federation: tuple[int, int]) -> object:
    """The directive as this version of Apollo Federation takes it."""
    if federation >= _FIRST_VERSION:
        return directive
    if isinstance(directive, Cost):
        return OwnCost(weight=directive.weight)
    if isinstance(directive, ListSize):
        return OwnListSize(
            assumed_size=directive.assumed_size,
            slicing_arguments=directive.slicing_arguments,
            sized_fields=directive.sized_fields,
            require_one_slicing_argument=directive.require_one_slicing_argument,
        )
    return directive
