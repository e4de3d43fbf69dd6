"""Objects found by their global id, whichever context keeps them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import ID

from domain.platform.errors import BadInput
from domain.platform.paging import MAX_SIZE
from resolvers import catalog, devices, identity, playback
from resolvers.context import Info
from resolvers.ids import decode

Finder: TypeAlias = Callable[[Info, str], Awaitable[Any]]

FINDERS: Mapping[str, Finder] = {
    **catalog.NODES,
    **identity.NODES,
    **devices.NODES,
    **playback.NODES,
}


async def node(info: Info, id: Annotated[ID, strawberry.argument(description="The object's id.")]) -> Any:
    """The object, or nothing: an id that is malformed, unknown or another account's is all the same."""
    found = decode(id)
    finder = FINDERS.get(found.type) if found else None
    if found is None or finder is None:
        return None
    value = await finder(info, found.key)
    return value if value is not None and type(value).__name__ == found.type else None


async def nodes(
    info: Info, ids: Annotated[list[ID], strawberry.argument(description="Up to 100 ids.")]
) -> list[Any]:
    if len(ids) > MAX_SIZE:
        raise BadInput(f"`ids` takes up to {MAX_SIZE}, and has {len(ids)}.", argument="ids")
    return list(await asyncio.gather(*(node(info, id) for id in ids)))
