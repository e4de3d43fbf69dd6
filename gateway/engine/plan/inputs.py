"""Input objects that are written in the document, with variables for some of their fields."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    Visitor,
    get_nullable_type,
    visit,
)

from gateway.engine.plan.leaves import is_plain

_PROBES: Final[Mapping[str, Callable[[int], Any]]] = {
    "String": lambda number: f"probe {number}",
    "ID": lambda number: f"probe {number}",
    "Int": lambda number: 1_000_000_007 + number,
    "Float": lambda number: 1_000_000_007.5 + number,
}
"""Values that are found again in what is made of them; there are too few booleans for that."""


class Template(NamedTuple):
    """What strawberry makes of such an object, but for the values of its variables."""

    class_: type
    fixed: Mapping[str, Any]
    """Attributes that are the same each time."""
    passed: tuple[tuple[str, str], ...]
    """Attributes, each with the variable that it is."""

    def make(self, coerced: Mapping[str, Any]) -> Any:
        """A new object; None where a variable has no value, which is for graphql-core to judge."""
        attributes = dict(self.fixed)
        for attribute, variable in self.passed:
            value = coerced.get(variable)
            if value is None:
                return None
            attributes[attribute] = value
        made: Any = object.__new__(self.class_)
        made.__dict__.update(attributes)
        return made


def probes(type_: GraphQLInputType, node: ValueNode) -> dict[str, Any] | None:
    """A value for each variable of the object; None where variables stand for more than plain values, or for
    none at all.
    """
    object_type = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if not isinstance(node, ObjectValueNode) or not isinstance(object_type, GraphQLInputObjectType):
        return None
    found: dict[str, Any] = {}
    for field in node.fields:
        if isinstance(field.value, VariableNode):
            leaf: Any = get_nullable_type(object_type.fields[field.name.value].type)
            if not is_plain(leaf) or leaf.name not in _PROBES:
                return None
            found.setdefault(field.value.name.value, _PROBES[leaf.name](len(found)))
        elif variables_in(field.value):
            return None
    return found or None


def template(made: Any, given: Mapping[str, Any], is_immutable: Callable[[Any], bool]) -> Template | None:
    """From what strawberry made with the values of `probes`; None for what is more than its attributes."""
    class_ = type(made)
    attributes = getattr(made, "__dict__", None)
    constructor: Any = class_.__new__
    if attributes is None or hasattr(class_, "__post_init__") or constructor is not object.__new__:
        return None
    by_value = {id(value): variable for variable, value in given.items()}
    passed = {name: by_value[id(value)] for name, value in attributes.items() if id(value) in by_value}
    fixed = {name: value for name, value in attributes.items() if name not in passed}
    if set(passed.values()) != set(given) or not all(map(is_immutable, fixed.values())):
        return None
    return Template(class_, fixed, tuple(passed.items()))


def variables_in(node: ValueNode) -> frozenset[str]:
    """The names of the variables that are read."""
    seen = _Variables()
    visit(node, seen)
    return frozenset(seen.found)


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_variable(self, node: VariableNode, *_args: Any) -> None:
        self.found.add(node.name.value)
