"""Objects with an id of their own, and how they are found again."""

from strawberry import ID

from domain.identity.policy import BY_RESOLVER, PUBLIC
from resolvers import ids, nodes
from schema.views import edge, view


@view(interface=True, access=PUBLIC)
class Node:
    """An object that can be asked for again by its id."""

    id: ID = edge(ids.node_id)
    """Its id in this graph: opaque, stable, the same on every device."""


@view(access=PUBLIC)
class NodeQuery:
    """Finds objects by id."""

    node: Node | None = edge(nodes.node, cost=100, access=BY_RESOLVER)
    """The object with this id; null where there is none that the caller may see."""
    nodes: list[Node | None] = edge(nodes.nodes, cost=100, list_size=100, sized_by="ids", access=BY_RESOLVER)
    """The objects with these ids, in their order; null where there is none. Up to 100 ids."""
