"""The elements of a schema that its authors write."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from graphql import GraphQLEnumType, GraphQLNamedType, GraphQLSchema, GraphQLType, is_specified_scalar_type

# Apollo Federation's and the introspection's own.
OTHERS: Final = re.compile(r"_.*|(federation|link)__\w+")


class Element(NamedTuple):
    """A field, an argument, an input field or an enum value."""

    coordinate: str
    name: str
    owner: GraphQLNamedType
    type: GraphQLType | None
    """None for an enum value."""
    definition: Any
    """With `description` and `deprecation_reason`."""


class Departure(NamedTuple):
    coordinate: str
    message: str


Rule: TypeAlias = Callable[[GraphQLSchema], Iterator[Departure]]


def types(schema: GraphQLSchema) -> Iterator[GraphQLNamedType]:
    for name, type_ in schema.type_map.items():
        if not OTHERS.fullmatch(name) and not is_specified_scalar_type(type_):
            yield type_


def elements(schema: GraphQLSchema) -> Iterator[Element]:
    for type_ in types(schema):
        if isinstance(type_, GraphQLEnumType):
            for name, value in type_.values.items():
                yield Element(f"{type_}.{name}", name, type_, None, value)
        yield from typed(type_)


def typed(type_: GraphQLNamedType) -> Iterator[Element]:
    """The fields of a type and their arguments."""
    for name, field in getattr(type_, "fields", {}).items():
        if not OTHERS.fullmatch(name):
            yield Element(f"{type_}.{name}", name, type_, field.type, field)
            for argument, definition in getattr(field, "args", {}).items():
                yield Element(f"{type_}.{name}({argument}:)", argument, type_, definition.type, definition)
