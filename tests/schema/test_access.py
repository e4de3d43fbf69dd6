"""Who may see what of the graph: every field is public or guarded, whichever way leads to it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from domain.identity.policy import PUBLIC, Access, Asker, Scope, implied
from gateway.engine.plan.cache_policy import policy_of
from resolvers import nodes
from schema.access import access_of
from schema.graph import Graph, graph

BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF
FEDERATION = {"Query._service", "_Service.sdl"}


class Door(NamedTuple):
    """A field that leads from one type to others."""

    owner: str
    name: str
    access: Access | None
    leads_to: tuple[GraphQLObjectType, ...]

    @property
    def coordinate(self) -> str:
        return f"{self.owner}.{self.name}"


@pytest.fixture(scope="module")
def schema() -> Graph:
    return graph()


def doors(schema: Graph, type_: GraphQLObjectType) -> Iterator[Door]:
    for name, field in type_.fields.items():
        known = field.extensions.get(BACKREF)
        access = access_of(known) if isinstance(known, StrawberryField) else None
        yield Door(type_.name, name, access, _possible(schema, get_named_type(field.type)))


def _possible(schema: Graph, named: GraphQLNamedType) -> tuple[GraphQLObjectType, ...]:
    if isinstance(named, GraphQLObjectType):
        return (named,)
    return tuple(schema._schema.get_possible_types(named)) if is_abstract_type(named) else ()


def stated(type_: GraphQLObjectType) -> Access | None:
    """What the view of a type says of its objects."""
    known = type_.extensions.get(BACKREF)
    origin = getattr(known, "origin", None)
    return getattr(getattr(origin, "__shown__", None), "access", None)


def roots(schema: Graph) -> list[GraphQLObjectType]:
    core = schema._schema
    return [root for root in (core.query_type, core.mutation_type, core.subscription_type) if root]


def test_every_field_is_public_or_guarded(schema: Graph) -> None:
    """What can be reached through fields without a guard has to say that it is public."""
    silent = set()
    met: set[str] = set()
    ahead = roots(schema)
    while ahead:
        type_ = ahead.pop()
        if type_.name in met:
            continue
        met.add(type_.name)
        whole = stated(type_)
        for door in doors(schema, type_):
            if door.access is None and whole != PUBLIC:
                silent.add(door.coordinate)
            if door.access is None or door.access == PUBLIC:
                ahead += door.leads_to

    assert silent - FEDERATION == set()
    assert {"Movie", "SearchConnection", "SignInPayload"} <= met
    assert not {"Viewer", "Account", "Device", "WatchProgress", "PlaybackSession"} & met


def test_no_way_leads_round_a_scope(schema: Graph) -> None:
    """Whoever meets an object of a type holds what the type needs, by the fields on every way to it."""
    held = _held(schema)
    missing = {
        f"{type_.name} needs {scope.value}, and somebody meets one without it"
        for type_, reach in ((schema._schema.type_map[name], reach) for name, reach in held.items())
        for scope in (stated(type_) or PUBLIC).scopes  # type: ignore[arg-type]
        if scope not in reach
    }

    assert missing == set()
    assert held["PlaybackSession"] == {Scope.READ_PROGRESS}
    assert held["Movie"] == frozenset()


def _held(schema: Graph) -> Mapping[str, frozenset[Scope]]:
    """By type, the scopes that everybody holds who meets one of its objects with a token."""
    every = frozenset(Scope)
    held = {root.name: frozenset[Scope]() for root in roots(schema)}
    types = dict.fromkeys(held)
    changed = True
    while changed:
        changed = False
        for name in list(types):
            type_ = schema._schema.type_map[name]
            for door in doors(schema, type_):  # type: ignore[arg-type]
                for found in door.leads_to:
                    reach = held[name].union(implied(door.access.scopes if door.access else ()))
                    if door.access is not None and door.access.asker is Asker.HOLDER:
                        reach |= implied((stated(found) or PUBLIC).scopes)
                    narrowed = held.get(found.name, every) & reach
                    if found.name not in types or narrowed != held[found.name]:
                        types[found.name] = None
                        held[found.name] = narrowed
                        changed = True
    return held


def test_objects_found_by_id_need_what_their_type_needs(schema: Graph) -> None:
    needed = {
        name: set(access.scopes)
        for name in nodes.FINDERS
        if (access := stated(schema._schema.type_map[name])) is not None and access.scopes  # type: ignore[arg-type]
    }

    assert {name: set(access.scopes) for name, access in nodes.ACCESS.items()} == needed
    assert all(access.asker is Asker.OWNER for access in nodes.ACCESS.values())


def test_nothing_guarded_may_be_given_to_others(schema: Graph) -> None:
    """Through fields that are kept for others one meets no guard."""
    guarded, met = set(), set()
    ahead = roots(schema)
    while ahead:
        type_ = ahead.pop()
        if type_ in met:
            continue
        met.add(type_)
        for door in doors(schema, type_):
            if policy_of(type_.fields[door.name], is_root=type_ in roots(schema)).shared:
                ahead += door.leads_to
                if door.access is not None and door.access.checked:
                    guarded.add(door.coordinate)

    assert guarded == set()
    assert {"Movie", "TrendingConnection"} <= {type_.name for type_ in met}


def test_the_schema_tells_what_is_needed(schema: Graph) -> None:
    sdl = " ".join(schema.as_str().split())

    for line in (
        'myProgress: WatchProgress @cost(weight: 3) @policy(policies: [["own:progress"]])',
        '@requiresScopes(scopes: [["read:watchlist"]])',
        "account: Account! @cost(weight: 60) @authenticated",
        '[["read:progress", "read:watchlist", "read:ratings", "read:devices"]]',
    ):
        assert line in sdl


def test_older_federations_are_told_as_much_as_they_know() -> None:
    for version, known in (("2.4", set()), ("2.5", {"@authenticated", "@requiresScopes"})):
        sdl = graph(federation_version=version).as_str()
        assert {name for name in ("@authenticated", "@requiresScopes", "@policy") if name in sdl} == known
