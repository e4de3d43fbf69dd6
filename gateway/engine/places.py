"""How much of one caller runs at the same time: operations, subscriptions, WebSockets."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from graphql import OperationType

from domain.platform.errors import TooManyRequests
from gateway.engine.execution import Operation
from gateway.engine.limits import Guard, Limit

RETRY_SECONDS = 1

Place = tuple[str, Limit]


@dataclass(frozen=True)
class Places:
    """Counts what runs in this process, by caller. Nobody waits for a place: whoever gets none is told so."""

    guard: Guard
    running: dict[Place, int] = field(default_factory=dict)

    def taken(self, caller: str, operations: Sequence[Operation]) -> AbstractContextManager[None]:
        """Takes a place for each operation, to be left with the block; raises TooManyRequests where they are
        too few.
        """
        if len(operations) == 1:
            return self._taken({(caller, _limit_of(operations[0])): 1})
        return self._taken(Counter((caller, _limit_of(operation)) for operation in operations))

    def socket(self, caller: str) -> AbstractContextManager[None]:
        """Takes a place for a WebSocket; raises TooManyRequests as `taken` does."""
        return self._taken({(caller, Limit.CONCURRENT_SOCKETS): 1})

    def _taken(self, needed: Mapping[Place, int]) -> AbstractContextManager[None]:
        for place, count in needed.items():
            excess = self.guard.refuses(place[1], self.running.get(place, 0) + count)
            if excess is not None:
                raise TooManyRequests(
                    f"Only {excess.maximum:,} {excess.limit.words} of one caller are served at a time: "
                    f"wait for some of yours to end.",
                    retryAfter=RETRY_SECONDS,
                    **excess.extensions,
                )
        return _Taken(self.running, needed)


class _Taken:
    """Places in use. Not a generator, as every request has one of these."""

    __slots__ = ("_places", "_running")

    def __init__(self, running: dict[Place, int], places: Mapping[Place, int]) -> None:
        self._running = running
        self._places = places

    def __enter__(self) -> None:
        running = self._running
        for place, count in self._places.items():
            running[place] = running.get(place, 0) + count

    def __exit__(self, *_: object) -> None:
        for place, count in self._places.items():
            left = self._running[place] - count
            if left:
                self._running[place] = left
            else:
                del self._running[place]


def _limit_of(operation: Operation) -> Limit:
    if operation.type is OperationType.SUBSCRIPTION:
        return Limit.CONCURRENT_SUBSCRIPTIONS
    return Limit.CONCURRENT_OPERATIONS
