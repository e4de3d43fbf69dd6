"""Places of an operation where values appear, and how to get from one to its path in the response."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
)
from graphql.execution.collect_fields import FieldDetailsList

from gateway.engine.plan.arguments import ArgumentsOf
from gateway.engine.plan.cuts import Cut
from gateway.engine.plan.fields import Way

At = tuple[Any, ...]
"""Where in a chunk: the number of its entry, then from the outside in the index in each list, and the type's
name of each object whose body several types share.
"""


@dataclass(eq=False, slots=True)
class Position:
    """A field of the operation, in the selection set of one type, or of several that answer it alike."""

    number: int
    key: str
    """Its name in the response."""
    name: str
    parent_types: Sequence[GraphQLObjectType]
    definition: GraphQLField
    details: FieldDetailsList
    way: Way | Cut
    arguments: ArgumentsOf | None
    parent: "Position | None"
    """The field that holds the object; None at the root."""
    shared: bool
    """Whether the place of its object ends with the name of the type, as several share the text."""
    inside: bool = False
    """Whether its values are in the chunk of the object that has it; else a chunk begins with it."""
    levels: list[GraphQLOutputType] = field(default_factory=list)
    """The type of the field, then that of the items in its list, and so on inward."""
    groups: dict[str, int] = field(default_factory=dict)
    """Which body each possible type of its objects has."""
    kinds: dict[type, int] = field(default_factory=dict)
    """The bodies of classes that were met, where the class alone decides."""
    names: dict[type, str] = field(default_factory=dict)
    """The object types of these classes."""
    by_class: bool = False
    """Whether the class of an object decides its type."""
    cut: Cut | None = None
    """The fragment that begins with it, where its object was there before."""

    def __post_init__(self) -> None:
        level: Any = self.definition.type
        self.levels.append(level)
        while isinstance(level := nullable(level), GraphQLList):
            level = level.of_type
            self.levels.append(level)

    @property
    def chain(self) -> "list[Position]":
        """The fields from where its chunk begins down to itself; empty if it begins one."""
        chain: list[Position] = []
        place: Position | None = self
        while place is not None and place.inside:
            chain.append(place)
            place = place.parent
        return chain[::-1]

    @property
    def root(self) -> "Position":
        """The field of the root object that it is in, or that it is."""
        root = self
        while root.parent is not None:
            root = root.parent
        return root

    @property
    def lists(self) -> int:
        """How many lists are around its objects or leaves."""
        return len(self.levels) - 1

    @property
    def nodes(self) -> list[FieldNode]:
        return [details.node for details in self.details]

    @property
    def item(self) -> Any:
        """The type of its objects or leaves."""
        return nullable(self.levels[-1])


class Leaves:
    """Plain leaves of one object, one after the other."""

    __slots__ = ("classes", "positions")

    def __init__(self, positions: Sequence[Position]) -> None:
        self.positions = positions
        self.classes: set[tuple[type, ...]] = set()
        """Classes of values that were met together, each written as it is."""


def nullable(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


class Chunk:
    """Values of one position that are completed together."""

    __slots__ = ("arrived", "origins", "position")

    def __init__(self, position: Position | None, origins: Sequence[Any], *, arrived: bool = False) -> None:
        self.position = position
        """None for the root object, and for objects of which more is shown later."""
        self.origins: Sequence[Any] = origins
        """Of each entry the chunk its object is in, then where in that; of objects their paths."""
        self.arrived = arrived
        """Whether the values were awaited: what is awaitable even then is as wrong as anything else."""


Entry: TypeAlias = tuple[Any, dict[str, Any], tuple[Any, ...]]
"""The source of a batch function, else an awaitable or failure; the object of the response that gets the
value, under the position's key; its origin.
"""


class Column:
    """Values that wait: for batch functions, or for what resolvers returned.

    It has several positions where each of their batch functions is given the same sources.
    """

    __slots__ = ("entries", "feeders", "positions")

    def __init__(self, positions: Sequence[Position], feeders: frozenset[int]) -> None:
        self.positions = positions
        self.feeders = feeders
        """The numbers of the positions that are waited for first."""
        self.entries: list[Entry] = []


class Raised:
    """Stands for a value that could not be had."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error
