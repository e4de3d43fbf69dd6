"""Errors of fields: where they are told, and what they leave null.

A failed value is recorded and the text goes on as if it were null; what has to become null above it does so
when the response is built (https://spec.graphql.org/September2025/#sec-Handling-Execution-Errors). Errors are
recorded in the order in which graphql-core would meet them, and none under a position that is null already,
so the same ones are told.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from graphql import GraphQLNonNull, located_error
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path

from gateway.engine.plan.positions import At, Chunk, Position

Data: TypeAlias = dict[str, Any]


class Failures:
    """The errors of one execution and the positions they leave null."""

    __slots__ = ("_nulls", "collected")

    def __init__(self, collected: CollectedErrors) -> None:
        self.collected = collected
        self._nulls: list[Path | None] = []

    def record(self, error: Exception, position: Position, depth: int, path: Path) -> Path | None:
        """`error` was met at `path`, which is `depth` lists deep in the field of `position`.

        Answers the path of what becomes null.
        """
        located = located_error(error, position.nodes, path.as_list())
        null: Path | None = path
        place: Position | None = position
        while (
            place is not None
            and null is not None
            and _is_non_null(place, depth)
            and not self._ends_at(place, depth)
        ):
            null = null.prev
            if depth:
                depth -= 1
            else:
                place = self._around(place)
                depth = place.lists if place is not None else 0
        self.collected.add(located, null)
        if null is not path:
            self._nulls.append(null)
        return null

    def _ends_at(self, place: Position, depth: int) -> bool:  # noqa: ARG002 - others look
        """Whether what is above a value that must not be null is no part of this execution."""
        return False

    def _around(self, place: Position) -> Position | None:
        """The field that holds the object of a field."""
        return place.parent

    @property
    def nulls(self) -> Sequence[Path | None]:
        """What errors left null above themselves."""
        return self._nulls

    @property
    def nothing_left(self) -> bool:
        """Whether the whole response is null, so that nothing more has to be found out."""
        return None in self._nulls

    def is_lost(self, path: Path | None) -> bool:
        """Whether what is at `path` will not be shown."""
        return self.collected.has_nulled_position(path)

    def apply(self, data: Data) -> Data | None:
        """The response with null where errors want it."""
        for null in self._nulls:
            if null is None:
                return None
            null_at(data, null.as_list())
        return data


def path_of(position: Position, depth: int, chunk: Chunk, at: At) -> Path | None:
    """Where in the response a value `depth` lists deep in the field of `position` is."""
    indices = iter(at)
    path = _entry_path(chunk, next(indices))
    begins = chunk.position
    if begins is not None:
        for _ in range(depth if begins is position else begins.lists):
            path = Path(path, next(indices), None)
    if begins is position:
        return path
    for place in position.chain:
        path = Path(path, place.key, next(indices) if place.shared else place.parent_types[0].name)
        for _ in range(depth if place is position else place.lists):
            path = Path(path, next(indices), None)
    return path


def field_path(position: Position, chunk: Chunk, at: At) -> Path:
    """Of the field itself, given the place of its object."""
    return Path(holder_path(position, chunk, at), position.key, _type_name(position, at))


def holder_path(position: Position, chunk: Chunk, at: At) -> Path | None:
    """Of the object that has the field, given its place."""
    if position.parent is None:
        return _entry_path(chunk, at[0])
    return path_of(position.parent, position.parent.lists, chunk, at)


def _type_name(position: Position, at: Sequence[Any]) -> str:
    return str(at[-1]) if position.shared else position.parent_types[0].name


def _entry_path(chunk: Chunk, number: int) -> Path | None:
    if chunk.position is None:
        path: Path | None = chunk.origins[number] if chunk.origins else None
        return path
    inside, *at = chunk.origins[number]
    return field_path(chunk.position, inside, tuple(at))


def _is_non_null(position: Position, depth: int) -> bool:
    return isinstance(position.levels[depth], GraphQLNonNull)


def null_at(data: Any, keys: list[str | int]) -> None:
    holder: Any = data
    for key in keys[:-1]:
        holder = holder[key]
        if holder is None:
            return
    holder[keys[-1]] = None
