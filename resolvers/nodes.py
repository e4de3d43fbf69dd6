"""Objects found by their global id, whichever context keeps them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import ID
from strawberry.federation.schema import FederationAny

from domain.identity.policy import Access
from domain.platform.errors import BadInput, Forbidden, Unauthenticated
from domain.platform.paging import MAX_SIZE
from resolvers import api_keys, catalog, commands, devices, identity, playback, second_factors, viewing
from resolvers.context import Info
from resolvers.ids import decode

MAX_ENTITIES = 1_000

Finder: TypeAlias = Callable[[Info, str], Awaitable[Any]]

FINDERS: Mapping[str, Finder] = {
    **catalog.NODES,
    **identity.NODES,
    **second_factors.NODES,
    **viewing.NODES,
    **api_keys.NODES,
    **devices.NODES,
    **commands.NODES,
    **playback.NODES,
}
ACCESS: Mapping[str, Access] = {
    **identity.NODE_ACCESS,
    **second_factors.NODE_ACCESS,
    **viewing.NODE_ACCESS,
    **api_keys.NODE_ACCESS,
    **devices.NODE_ACCESS,
    **commands.NODE_ACCESS,
    **playback.NODE_ACCESS,
}
"""By type, what must be looked at before one is looked for; others are public, or look themselves."""


async def node(info: Info, id: Annotated[ID, strawberry.argument(description="The object's id.")]) -> Any:
    """The object, or nothing: an id that is malformed, unknown or another account's is all the same."""
    found = decode(id)
    finder = FINDERS.get(found.type) if found else None
    if found is None or finder is None:
        return None
    if (access := ACCESS.get(found.type)) is not None:
        info.context.services.policy.check(info.context.caller, access)
    value = await finder(info, found.key)
    return value if value is not None and type(value).__name__ == found.type else None


async def nodes(
    info: Info, ids: Annotated[list[ID], strawberry.argument(description="Up to 100 ids.")]
) -> list[Any]:
    if len(ids) > MAX_SIZE:
        raise BadInput(f"`ids` takes up to {MAX_SIZE}, and has {len(ids)}.", argument="ids")
    return list(await asyncio.gather(*(_or_refusal(node(info, id)) for id in ids)))


async def entities(
    info: Info,
    representations: Annotated[
        list[FederationAny],
        strawberry.argument(description="Up to 1,000 objects, each by `__typename` and `id`."),
    ],
) -> list[Any]:
    """What a federation router asks a subgraph for; as with `node`, nothing where there is none."""
    if len(representations) > MAX_ENTITIES:
        raise BadInput(f"`representations` takes up to {MAX_ENTITIES}, and has {len(representations)}.")
    return list(await asyncio.gather(*(_or_refusal(_entity(info, wanted)) for wanted in representations)))


async def _or_refusal(finding: Awaitable[Any]) -> Any:
    """A refusal is one object's: as a value it leaves the others of its list as they are."""
    try:
        return await finding
    except (Unauthenticated, Forbidden) as refusal:
        return refusal


async def _entity(info: Info, wanted: Any) -> Any:
    match wanted:
        case {"__typename": str(type_name), "id": str(key)} if (found := decode(key)) is not None:
            return await node(info, ID(key)) if found.type == type_name else None
    return None
