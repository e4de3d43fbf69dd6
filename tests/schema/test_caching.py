"""Hints say for whom a field is: what is the viewer's is never everybody's."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from gateway.engine.plan.fields import BATCH
from schema.caching import CacheControl, CacheControlScope
from schema.graph import graph

SCHEMA = graph()._schema
OF_CALLER = {"caller", "account_id", "payer", "client", "identity", "sync", "playback", "accounts"}
"""Attributes of a context that say who asks, or answer by it."""
DEPENDS = {
    "Offer.links": "asks only where a device is given, which is noticed as it happens",
}


def hint(element: Any) -> CacheControl | None:
    definition = element.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    found = [given for given in definition.directives or () if isinstance(given, CacheControl)]
    assert len(found) <= 1
    return found[0] if found else None


def is_private(field: GraphQLField) -> bool:
    hints = (hint(field), hint(get_named_type(field.type)) if has_hints(get_named_type(field.type)) else None)
    return any(given is not None and given.scope is CacheControlScope.PRIVATE for given in hints)


def has_hints(type_: GraphQLNamedType) -> bool:
    return (
        isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
        and GraphQLCoreConverter.DEFINITION_BACKREF in type_.extensions
    )


def max_age(field: GraphQLField, *, root: bool) -> int | None:
    """Of the field's own and its type's hints; None where it takes none away."""
    type_ = get_named_type(field.type)
    if not has_hints(type_):
        return 0 if root and hint(field) is None else getattr(hint(field), "max_age", None)
    for given in (hint(field), hint(type_)):
        if given is not None and isinstance(given.max_age, int):
            return given.max_age
        if given is not None and given.inherit_max_age is True and not root:
            return None
    return 0


def public() -> dict[str, GraphQLField]:
    """Every field that may be part of an answer which others are given, by type and name."""
    root = SCHEMA.query_type
    assert root is not None
    found: dict[str, GraphQLField] = {}
    waiting: list[tuple[Any, bool]] = [(root, True)]
    seen = {root.name}
    while waiting:
        type_, is_root = waiting.pop()
        for name, field in type_.fields.items():
            if name.startswith("_") or is_private(field) or max_age(field, root=is_root) == 0:
                continue
            found[f"{type_.name}.{name}"] = field
            below = get_named_type(field.type)
            for next_ in (below, *possible(below)):
                if next_.name not in seen and hasattr(next_, "fields"):
                    seen.add(next_.name)
                    waiting.append((next_, False))
    return found


def possible(type_: GraphQLNamedType) -> Iterator[GraphQLObjectType]:
    if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
        yield from SCHEMA.get_possible_types(type_)


def resolver(field: GraphQLField) -> FunctionType | None:
    definition = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    if definition.base_resolver is None:
        return None
    function = definition.base_resolver.wrapped_func
    found = inspect.unwrap(getattr(function, BATCH, function))
    assert isinstance(found, FunctionType)
    return found


@cache
def asks_for(function: FunctionType) -> frozenset[str]:
    """The attributes that a function of the resolvers names, or one that it calls."""
    found: set[str] = set()
    for one in called(function):
        tree = ast.parse(textwrap.dedent(inspect.getsource(one)))
        found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return frozenset(found)


def called(function: Callable[..., Any]) -> set[FunctionType]:
    found: set[FunctionType] = set()
    waiting = [function]
    while waiting:
        one = inspect.unwrap(waiting.pop())
        if not isinstance(one, FunctionType) or one in found or not one.__module__.startswith("resolvers"):
            continue
        found.add(one)
        tree = ast.parse(textwrap.dedent(inspect.getsource(one)))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        waiting += [one.__globals__[name] for name in names if name in one.__globals__]
    return found


def test_the_fields_that_may_be_everybodys_are_found() -> None:
    found = public()

    roots = {name for name in found if name.startswith("Query.")}
    assert roots == {
        f"Query.{name}"
        for name in ("autocomplete", "content", "contents", "genres", "person", "platforms", "trending")
    }
    assert {"Movie.title", "Offer.links", "Series.seasons", "Credit.person", "SimilarEdge.people"} <= set(
        found
    )
    assert not {"Movie.myProgress", "Series.nextEpisode", "Viewer.account"} & set(found)
    assert len(found) > 100


def test_no_resolver_of_what_may_be_everybodys_asks_who_asks() -> None:
    asking = {
        name: sorted(asks_for(function) & OF_CALLER)
        for name, field in public().items()
        if (function := resolver(field)) is not None and asks_for(function) & OF_CALLER
    }

    assert set(asking) == set(DEPENDS), asking


@pytest.mark.parametrize("name", ["Movie.myProgress", "Series.nextEpisode", "Query.viewer", "Query.home"])
def test_the_lint_sees_what_a_resolver_of_the_viewers_asks(name: str) -> None:
    """Else it would find nothing anywhere."""
    type_name, _, field_name = name.partition(".")
    function = resolver(SCHEMA.type_map[type_name].fields[field_name])  # type: ignore[attr-defined]

    assert function is not None
    assert asks_for(function) & OF_CALLER


def test_what_stands_for_several_types_is_hinted_as_strictly_as_each() -> None:
    """A field says what it leads to by its declared type alone."""
    loose = []
    for type_ in SCHEMA.type_map.values():
        if not isinstance(type_, GraphQLInterfaceType | GraphQLUnionType) or not has_hints(type_):
            continue
        general = hint(type_)
        for one in possible(type_):
            own = hint(one)
            if general is not None and (own is None or own != general):
                loose.append((type_.name, one.name))

    assert loose == []


@pytest.mark.parametrize(
    "name", ["Account", "Viewer", "Device", "DeviceCommand", "PlaybackSession", "Reaction", "WatchProgress"]
)
def test_what_belongs_to_an_account_is_private(name: str) -> None:
    given = hint(SCHEMA.type_map[name])

    assert given is not None
    assert (given.max_age, given.scope) == (0, CacheControlScope.PRIVATE)
