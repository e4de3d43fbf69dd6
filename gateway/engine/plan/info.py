"""What a resolver is told of where it is asked: found out when it looks."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from strawberry.types.field import StrawberryField
from strawberry.types.info import Info

from gateway.engine.plan.fields import Batch, Call
from gateway.engine.plan.positions import At, Chunk, Position

if TYPE_CHECKING:
    from gateway.engine.plan.calls import Calls


class LateInfo(Info[Any, Any]):
    """Strawberry's `Info`; most resolvers read its `context` alone, so the rest is not made for them.

    A batch function gets that of its first source.
    """

    def __init__(self, run: "Calls", position: Position, chunk: Chunk, at: At) -> None:
        self._run = run
        self._position = position
        self._chunk = chunk
        self._at = at

    @property
    def context(self) -> Any:
        return self._run.context

    @cached_property
    def _raw_info(self) -> Any:  # type: ignore[override]
        return self._run.raw_info(self._position, self._chunk, self._at)

    @cached_property
    def _field(self) -> StrawberryField:  # type: ignore[override]
        way = self._position.way
        assert isinstance(way, Call | Batch)  # noqa: S101 - others get graphql-core's info
        return way.field
