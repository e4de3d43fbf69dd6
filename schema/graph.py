"""Joins what each context contributes into one graph, or into one subgraph per context."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.federation import Schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from schema import catalog, discovery, identity, node, playback, sync
from schema.scalars import SCALARS


@dataclass(frozen=True)
class Contribution:
    """What one context adds: root fields, types that nothing names, and fields of others' types."""

    query: tuple[type, ...] = ()
    mutation: tuple[type, ...] = ()
    subscription: tuple[type, ...] = ()
    types: tuple[type, ...] = ()
    extensions: tuple[type, ...] = ()


CONTRIBUTIONS = {
    "platform": Contribution(query=(node.NodeQuery,)),
    "catalog": Contribution(query=(catalog.CatalogQuery,), types=catalog.TYPES),
    "discovery": Contribution(query=(discovery.DiscoveryQuery,)),
    "identity": Contribution(query=(identity.IdentityQuery,), mutation=(identity.IdentityMutation,)),
    "sync": Contribution(
        mutation=(sync.SyncMutation,),
        subscription=(sync.SyncSubscription,),
        extensions=(sync.ContentOfViewer, sync.SeriesOfViewer, sync.ViewerSync),
    ),
    "playback": Contribution(
        mutation=(playback.PlaybackMutation,),
        subscription=(playback.PlaybackSubscription,),
        extensions=(playback.ViewerPlayback, playback.DevicePlayback),
    ),
}


class Graph(Schema):
    """The federation schema whose types carry what every context adds to them."""

    def __init__(self, *, extended_by: Sequence[type], **options: Any) -> None:
        self._extended_by = extended_by
        super().__init__(**options)

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        own = type_definition.fields
        added = [
            field
            for extension in self._extended_by
            if issubclass(type_definition.origin, extension.__extends__)  # type: ignore[attr-defined]
            for field in extension.__strawberry_definition__.fields  # type: ignore[attr-defined]
        ]
        return [*own, *added]


def graph(*, federation_version: Any = "2.9") -> Graph:
    """The one schema of all contexts; a valid Apollo Federation v2 subgraph."""
    parts = CONTRIBUTIONS.values()
    return Graph(
        query=_root("Query", "What can be asked.", [root for part in parts for root in part.query]),
        mutation=_root(
            "Mutation", "What can be changed.", [root for part in parts for root in part.mutation]
        ),
        subscription=_root(
            "Subscription",
            "What can be followed. Every stream that takes `after` first delivers what was missed, in order, "
            "then goes on live.",
            [root for part in parts for root in part.subscription],
        ),
        types=[type_ for part in parts for type_ in part.types],
        extended_by=[extension for part in parts for extension in part.extensions],
        federation_version=federation_version,
        config=StrawberryConfig(scalar_map=SCALARS),
    )


def _root(name: str, description: str, parts: list[type]) -> Any:
    if not parts:
        return None
    return strawberry.type(type(name, tuple(parts), {}), description=description)
