"""Which types of the graph can be met from where."""

from collections.abc import Callable, Iterable
from typing import Any

from strawberry.types.base import StrawberryContainer, StrawberryObjectDefinition, get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion

Fields = Callable[[StrawberryObjectDefinition], list[StrawberryField]]


def reached(starts: Iterable[type], fields: Fields, implementers: Iterable[type] = ()) -> set[type]:
    """The classes met from `starts` on by the `fields` of each; behind an interface stand its
    `implementers`.
    """
    possible = tuple(implementers)
    found: set[type] = set()
    ahead: list[Any] = list(starts)
    while ahead:
        type_ = _named(ahead.pop())
        if isinstance(type_, StrawberryUnion):
            ahead += type_.types
        definition = get_object_definition(type_)
        if definition is None or definition.origin in found:
            continue
        found.add(definition.origin)
        ahead += [field.type for field in fields(definition)]
        if definition.is_interface:
            ahead += [candidate for candidate in possible if issubclass(candidate, definition.origin)]
    return found


def _named(type_: Any) -> Any:
    """The type within lists, options and delayed imports."""
    while isinstance(type_, StrawberryContainer | LazyType):
        type_ = type_.of_type if isinstance(type_, StrawberryContainer) else type_.resolve_type()
    return type_
