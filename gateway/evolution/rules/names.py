"""Names are written in one way."""

import re
from collections.abc import Iterator
from typing import Final

from graphql import GraphQLSchema

from gateway.evolution.rules.walk import Departure, elements, types

PASCAL_CASE: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
CAMEL_CASE: Final = re.compile(r"[a-z][A-Za-z0-9]*")
UPPER_CASE: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def type_names(schema: GraphQLSchema) -> Iterator[Departure]:
    for type_ in types(schema):
        if not PASCAL_CASE.fullmatch(type_.name):
            yield Departure(type_.name, "types are written in PascalCase")


def field_names(schema: GraphQLSchema) -> Iterator[Departure]:
    for element in elements(schema):
        if element.type is not None and not CAMEL_CASE.fullmatch(element.name):
            yield Departure(element.coordinate, "fields and arguments are written in camelCase")


def enum_values(schema: GraphQLSchema) -> Iterator[Departure]:
    for element in elements(schema):
        if element.type is None and not UPPER_CASE.fullmatch(element.name):
            yield Departure(element.coordinate, "values are written in UPPER_CASE")
