"""Objects are found by id and paged through as Relay has it (https://relay.dev/graphql/connections.htm)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import (
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    is_composite_type,
    print_ast,
)

from gateway.evolution.rules.walk import Departure, types

PAGING: Final = ("first", "after", "last", "before")
KEY: Final = re.compile(r'@key\(fields: "id"[,)]')


def connections(schema: GraphQLSchema) -> Iterator[Departure]:
    """Their own shape, and that of their edges."""
    for type_ in types(schema):
        fields = _shape(type_)
        if type_.name.endswith("Connection"):
            yield from _connection(type_.name, fields)
        if type_.name.endswith("Edge"):
            if not re.fullmatch(r"\w+!", fields.get("node", "")):
                yield Departure(type_.name, "an edge has `node`, never null")
            if fields.get("cursor") != "String!":
                yield Departure(type_.name, "an edge has `cursor: String!`")


def paging(schema: GraphQLSchema) -> Iterator[Departure]:
    """Who pages takes `first` and `after`, perhaps also `last` and `before`, and gets a connection."""
    for type_ in types(schema):
        for name, field in _fields(type_).items() if type_ is not schema.subscription_type else ():
            taken = {argument for argument in PAGING if argument in field.args}
            coordinate, pages = f"{type_}.{name}", str(field.type).rstrip("!").endswith("Connection")
            if pages and not isinstance(field.type, GraphQLNonNull):
                yield Departure(coordinate, "a connection is never null; it may be empty")
            if pages and taken not in ({"first", "after"}, set(PAGING)):
                yield Departure(
                    coordinate, "a connection takes `first` and `after`, and `last` only with `before`"
                )
            if taken and not pages:
                yield Departure(coordinate, f"what takes `{max(taken)}` answers a connection")


def entities(schema: GraphQLSchema) -> Iterator[Departure]:
    """Every object with a global id is an entity of the federation by it, and no other is."""
    for type_ in types(schema):
        if isinstance(type_, GraphQLObjectType):
            applied = (type_.ast_node.directives if type_.ast_node else None) or ()
            has_key = any(KEY.match(print_ast(directive)) for directive in applied)
            is_node = any(interface.name == "Node" for interface in type_.interfaces)
            if is_node != has_key:
                yield Departure(
                    type_.name, 'what implements Node has @key(fields: "id"), and the other way round'
                )


def _connection(name: str, fields: Mapping[str, str]) -> Iterator[Departure]:
    edges = fields.get("edges", "")
    if not re.fullmatch(r"\[\w+Edge!\]!", edges):
        yield Departure(name, "a connection has `edges: [SomeEdge!]!`")
    if not re.fullmatch(r"\[\w+!\]!", fields.get("nodes", "")):
        yield Departure(name, "a connection has `nodes: [Some!]!`")
    if fields.get("pageInfo") != "PageInfo!":
        yield Departure(name, "a connection has `pageInfo: PageInfo!`")
    if fields.get("totalCount", "Int!") not in {"Int", "Int!"}:
        yield Departure(name, "`totalCount` is an Int")


def _shape(type_: Any) -> dict[str, str]:
    return {name: str(field.type) for name, field in _fields(type_).items()}


def _fields(type_: Any) -> dict[str, Any]:
    return type_.fields if is_composite_type(type_) and hasattr(type_, "fields") else {}
