"""Joins what each context contributes into one graph, or into one subgraph per context."""

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.federation import Schema
from strawberry.federation.schema_directives import Cost, Key, Shareable
from strawberry.federation.versions import parse_version
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.union import StrawberryUnion

from domain.identity.policy import BY_RESOLVER
from resolvers import nodes
from schema import (
    administration,
    catalog,
    closing,
    devices,
    discovery,
    history,
    identity,
    interchange,
    linked_providers,
    news,
    node,
    offline,
    playback,
    rate_limit,
    recovery,
    second_factors,
    sona,
    sync,
    viewing,
)
from schema.access import DIRECTIVES as ACCESS_DIRECTIVES
from schema.access import understood
from schema.costs import spelled
from schema.reach import reached
from schema.scalars import SCALARS
from schema.views import edge


@dataclass(frozen=True)
class Contribution:
    """What one context adds: root fields, types that nothing names, and fields of others' types."""

    query: tuple[type, ...] = ()
    mutation: tuple[type, ...] = ()
    subscription: tuple[type, ...] = ()
    types: tuple[type, ...] = ()
    extensions: tuple[type, ...] = ()
    shared: tuple[type, ...] = ()
    """Root fields of others which lead to what it extends, where that has no id to be found by."""


CONTRIBUTIONS = {
    "platform": Contribution(query=(node.NodeQuery, rate_limit.RateLimitQuery)),
    "catalog": Contribution(query=(catalog.CatalogQuery,), types=catalog.TYPES),
    "discovery": Contribution(query=(discovery.DiscoveryQuery,)),
    "sona": Contribution(query=(sona.SonaQuery,), types=sona.TYPES, extensions=(sona.ContentOfSona,)),
    "news": Contribution(
        query=(news.NewsQuery,), mutation=(news.NewsMutation,), subscription=(news.NewsSubscription,)
    ),
    "identity": Contribution(
        query=(identity.IdentityQuery,),
        mutation=(
            identity.IdentityMutation,
            recovery.RecoveryMutation,
            second_factors.SecondFactorMutation,
            viewing.ViewingMutation,
            closing.ClosingMutation,
            linked_providers.LinkedProvidersMutation,
        ),
        extensions=(
            second_factors.ViewerSecondFactors,
            linked_providers.ViewerLinkedProviders,
            viewing.ViewerViewing,
        ),
    ),
    "administration": Contribution(
        query=(administration.AdministrationQuery,), mutation=(administration.AdministrationMutation,)
    ),
    "sync": Contribution(
        mutation=(
            sync.SyncMutation,
            devices.DeviceMutation,
            offline.OfflineMutation,
            interchange.InterchangeMutation,
        ),
        subscription=(sync.SyncSubscription, devices.DeviceSubscription),
        extensions=(
            sync.ContentOfViewer,
            sync.SeriesOfViewer,
            sync.ViewerSync,
            devices.ViewerDevices,
            devices.LoginSessionDevice,
            offline.ContentMarks,
            offline.ViewerConflicts,
            interchange.ViewerImports,
        ),
        shared=(identity.IdentityQuery,),
    ),
    "playback": Contribution(
        mutation=(playback.PlaybackMutation, history.HistoryMutation),
        subscription=(playback.PlaybackSubscription,),
        extensions=(
            playback.ViewerPlayback,
            playback.DevicePlayback,
            playback.DeviceCommandTitle,
            history.ViewerHistoryLimit,
        ),
        shared=(identity.IdentityQuery,),
    ),
}


OPERATIONS = ("Query", "Mutation", "Subscription")
BEHIND_INTERFACES = (Cost, *ACCESS_DIRECTIVES)
"""Composition refuses these within interfaces; the types behind an interface carry them."""


class UnknownSubgraph(Exception):
    """No context has this name; the message lists those that do."""


class Shape:
    """Which fields the types of a graph have: of all contexts, or of `subgraph` alone.

    A subgraph shows objects of other contexts by their id and with what it adds to them. Values without an
    id are whole in every subgraph that shows them; there, federation calls their fields shareable.
    """

    def __init__(
        self,
        contributions: Mapping[str, Contribution],
        subgraph: str | None,
        federation: tuple[int, int] = (2, 9),
    ) -> None:
        self.federation = federation
        self._parts = [part for name, part in contributions.items() if subgraph in {None, name}]
        self._owners = None if subgraph is None else {f"schema.{subgraph}", *self._modules()}
        """The modules whose objects with an id are this subgraph's own."""
        self._shared = {
            field.python_name
            for part in contributions.values()
            for root in part.shared
            for field in _definition(root).fields
        }

    def _modules(self) -> Iterator[str]:
        for part in self._parts:
            yield from (root.__module__ for root in (*part.query, *part.mutation, *part.subscription))

    def roots(self, operation: str) -> list[type]:
        found = [root for part in self._parts for root in getattr(part, operation)]
        if operation == "query" and self._owners is not None:
            found += [root for part in self._parts for root in part.shared if root not in found]
        return found

    def types(self) -> list[type]:
        return [type_ for part in self._parts for type_ in part.types]

    def fields(self, definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        return [_spelled(field, self.federation) for field in self._fields(definition)]

    def _fields(self, definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        origin = definition.origin
        added = [
            field
            for part in self._parts
            for extension in part.extensions
            if issubclass(origin, extension.__extends__)  # type: ignore[attr-defined]
            for field in _definition(extension).fields
        ]
        shown = self._shown(definition, added)
        return [_of_interface(field) for field in shown] if definition.is_interface else shown

    def _shown(
        self, definition: StrawberryObjectDefinition, added: list[StrawberryField]
    ) -> list[StrawberryField]:
        origin = definition.origin
        if self._owners is None:
            return [*definition.fields, *added]
        if issubclass(origin, node.Node):
            own = [f for f in definition.fields if f.python_name == "id" or origin.__module__ in self._owners]
            return [*own, *added]
        is_value = not (definition.is_input or definition.is_interface or definition.name in OPERATIONS)
        return [
            _shareable(field) if is_value or self._is_shared(field) else field
            for field in [*definition.fields, *added]
        ]

    def _is_shared(self, field: StrawberryField) -> bool:
        return field.python_name in self._shared


class Graph(Schema):
    """A federation schema whose types have the fields that `shape` says."""

    def __init__(self, *, shape: Shape, **options: Any) -> None:
        self._shape = shape
        super().__init__(**options)

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        return self._shape.fields(type_definition)

    @property
    def schema_directives_in_use(self) -> list[object]:
        # Strawberry finds those on the classes themselves; here a type's fields are those of its shape.
        definitions = [known.definition for known in self.schema_converter.type_map.values()]
        applied = (directive for known in definitions for directive in self._applied(known))
        return [spelled(directive, self._shape.federation) for directive in applied]

    def _applied(self, definition: Any) -> Iterator[object]:
        """The directives on a type, its fields, their arguments, and its values."""
        is_object = isinstance(definition, StrawberryObjectDefinition)
        fields = self._shape.fields(definition) if is_object else []
        arguments = [argument for field in fields for argument in field.arguments]
        for element in (definition, *fields, *arguments, *getattr(definition, "values", ())):
            yield from getattr(element, "directives", None) or ()


def graph(*, subgraph: str | None = None, federation_version: Any = "2.9") -> Graph:
    """The one schema of all contexts, or what `subgraph` contributes to it; a valid Apollo Federation v2
    subgraph either way. Raises `UnknownSubgraph`.
    """
    if subgraph is not None and subgraph not in CONTRIBUTIONS:
        raise UnknownSubgraph(f"There is no subgraph {subgraph!r}; there are: {', '.join(CONTRIBUTIONS)}.")
    shape = Shape(CONTRIBUTIONS, subgraph, parse_version(federation_version))
    types = _types(shape)
    return Graph(
        shape=shape,
        query=_root(
            "Query", "What can be asked.", [*shape.roots("query"), _entities(filter(_is_entity, types))]
        ),
        mutation=_root("Mutation", "What can be changed.", shape.roots("mutation")),
        subscription=_root(
            "Subscription",
            "What can be followed. Every stream that takes `after` first delivers what was missed, in order, "
            "then goes on live.",
            shape.roots("subscription"),
        ),
        types=types,
        federation_version=federation_version,
        config=StrawberryConfig(scalar_map=SCALARS, enable_experimental_incremental_execution=True),
    )


def _types(shape: Shape) -> list[type]:
    """The types behind interfaces that can be met, in alphabetical order."""
    whole = Shape(CONTRIBUTIONS, None)
    every = reached(_starts(whole), whole.fields)
    behind = [type_ for type_ in every if (known := _definition(type_)).interfaces and not known.is_interface]
    met = reached(_starts(shape), shape.fields, behind)
    return sorted((type_ for type_ in behind if type_ in met), key=lambda type_: _definition(type_).name)


def _starts(shape: Shape) -> list[type]:
    roots = [root for operation in ("query", "mutation", "subscription") for root in shape.roots(operation)]
    return [*roots, *shape.types()]


def _entities(types: Iterable[type]) -> type:
    """The root field by which a federation router asks for objects of these types."""
    union = StrawberryUnion(
        "_Entity",
        type_annotations=tuple(StrawberryAnnotation(type_) for type_ in types),
        description="An object with an id, of a type that other subgraphs add to.",
    )
    answer: Any = list[union | None]  # type: ignore[valid-type]
    field = edge(
        nodes.entities,
        name="_entities",
        graphql_type=answer,
        description="What a federation router asks for.",
        cost=100,
        list_size=nodes.MAX_ENTITIES,
        sized_by="representations",
        access=BY_RESOLVER,
    )
    return strawberry.type(type("Entities", (), {"_entities": field}))


def _shareable(field: StrawberryField) -> StrawberryField:
    shared = copy(field)
    shared.directives = [*shared.directives, Shareable()]
    return shared


def _spelled(field: StrawberryField, federation: tuple[int, int]) -> StrawberryField:
    """The field with its directives as this version of Apollo Federation takes them."""
    shown = copy(field)
    shown.directives = [
        spelled(directive, federation) for directive in field.directives if understood(directive, federation)
    ]
    return shown


def _of_interface(field: StrawberryField) -> StrawberryField:
    shown = copy(field)
    shown.directives = _allowed(field)
    shown.arguments = [_argument_of_interface(argument) for argument in field.arguments]
    return shown


def _argument_of_interface(argument: StrawberryArgument) -> StrawberryArgument:
    shown = copy(argument)
    shown.directives = tuple(_allowed(argument))
    return shown


def _allowed(element: StrawberryField | StrawberryArgument) -> list[object]:
    return [found for found in element.directives or () if not isinstance(found, BEHIND_INTERFACES)]


def _is_entity(type_: type) -> bool:
    return any(isinstance(directive, Key) for directive in _definition(type_).directives or ())


def _definition(type_: type) -> StrawberryObjectDefinition:
    return type_.__strawberry_definition__  # type: ignore[attr-defined,no-any-return]


def _root(name: str, description: str, parts: list[type]) -> Any:
    if not parts:
        return None
    return strawberry.type(type(name, tuple(parts), {}), description=description)
