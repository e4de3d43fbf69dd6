"""Where an operation is cut: fields of an object that come later, and lists whose first items come alone.

The specification lets a server answer at once what could come later, so only what is plainly apart is cut
off: fields that two fragments share, or that go on with an object which is there, stay with what is around.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLStreamDirective,
    GraphQLString,
    NameNode,
)
from graphql.execution.collect_fields import CollectedFields, DeferUsage, FieldDetails, FieldDetailsList
from graphql.execution.values import VariableValues, get_directive_values

if TYPE_CHECKING:
    from gateway.engine.plan.positions import Position

Grouped: TypeAlias = Mapping[str, FieldDetailsList]
Items: TypeAlias = Callable[..., list[Any]]

MARK: Final = "@defer"
"""The name of the field that stands for a cut; no field of GraphQL is called so."""
MARK_FIELD: Final = GraphQLField(GraphQLString)


@dataclass(eq=False, slots=True)
class Cut:
    """A deferred fragment on objects of one type."""

    type_: GraphQLObjectType
    fields: Grouped
    label: str | None
    parent: "Position | None" = None
    """The field whose objects it was cut off; None at the root, and where it was cut off a fragment."""
    cut: "Cut | None" = None
    """The fragment whose fields, and all below them, it is among."""


@dataclass(slots=True)
class Cuts:
    """Those of one operation, for given values of the variables that put off."""

    variables: VariableValues
    """Some for which it was cut as it is."""
    items: dict[int, Items] = field(default_factory=dict)
    """By the number of a list's position, what completes the items that come later."""
    _cuts: dict[int, tuple[FieldDetailsList, Cut]] = field(default_factory=dict)

    def split(self, type_: GraphQLObjectType, collected: CollectedFields) -> Grouped:
        """The fields of an object that come at once, with a mark for each fragment that does not."""
        own: dict[str, FieldDetailsList] = {}
        later: dict[int, dict[str, FieldDetailsList]] = {id(u): {} for u in collected.new_defer_usages}
        for key, mentions in collected.grouped_field_set.items():
            usage = _only(mentions)
            fields = own if usage is None else later.get(id(usage), own)
            fields[key] = [details._replace(defer_usage=None) for details in mentions]
        for usage in collected.new_defer_usages:
            if fields := later[id(usage)]:
                around = usage.parent_defer_usage
                while around is not None and not later.get(id(around)):
                    around = around.parent_defer_usage
                holder = own if around is None else later[id(around)]
                self._mark(holder, Cut(type_, fields, usage.label))
        return own

    def of(self, details: FieldDetailsList) -> Cut | None:
        """What a mark stands for; None for a field."""
        found = self._cuts.get(id(details))
        return None if found is None else found[1]

    def streams(self, details: Sequence[FieldDetails]) -> bool:
        """Whether a list begins with some of its items."""
        return streamed(details, self.variables) is not None

    def bind(self, objects: Mapping[str, Any], positions: Iterable["Position"]) -> None:
        """Takes the functions that were written."""
        names = {position.number: f"I{position.number}" for position in positions}
        self.items = {number: objects[name] for number, name in names.items() if name in objects}

    def _mark(self, holder: dict[str, FieldDetailsList], cut: Cut) -> None:
        node = FieldNode(name=NameNode(value=MARK), arguments=(), directives=())
        details = [FieldDetails(node, None)]
        self._cuts[id(details)] = (details, cut)
        holder[f"@{len(self._cuts)}"] = details


def streamed(details: Sequence[FieldDetails], variables: VariableValues) -> dict[str, Any] | None:
    """The arguments of @stream on a field; None where it is not there, or off."""
    # Validation lets a field be written twice only with the same directive.
    found = get_directive_values(GraphQLStreamDirective, details[0].node, variables)
    return None if not found or found.get("if") is False else found


def _only(mentions: Iterable[FieldDetails]) -> DeferUsage | None:
    """The fragment that a field comes with, if it is in one alone, or else in some within that one."""
    usages: list[DeferUsage] = []
    for details in mentions:
        if details.defer_usage is None:
            return None
        usages.append(details.defer_usage)
    outer = [usage for usage in usages if not any(_is_within(usage, other) for other in usages)]
    return outer[0] if all(usage is outer[0] for usage in outer) else None


def _is_within(usage: DeferUsage, other: DeferUsage) -> bool:
    around = usage.parent_defer_usage
    while around is not None:
        if around is other:
            return True
        around = around.parent_defer_usage
    return False
