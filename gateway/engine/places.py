"""How much of one caller runs at the same time: operations, subscriptions, WebSockets."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
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

    def taken(self, caller: str, operations: Sequence[Operation]) -> AbstractContextManager[object]:
        """Takes a place for each operation, to be left with the block; raises TooManyRequests where they are
        too few.
        """
        if len(operations) == 1:
            return self._taken((caller, _limit_of(operations[0])))
        counts = Counter((caller, _limit_of(operation)) for operation in operations)
        with ExitStack() as places:  # none is kept where one is refused
            for place, count in counts.items():
                places.enter_context(self._taken(place, count))
            return places.pop_all()

    def socket(self, caller: str) -> AbstractContextManager[object]:
        """Takes a place for a WebSocket; raises TooManyRequests as `taken` does."""
        return self._taken((caller, Limit.CONCURRENT_SOCKETS))

    def _taken(self, place: Place, count: int = 1) -> AbstractContextManager[object]:
        excess = self.guard.refuses(place[1], self.running.get(place, 0) + count)
        if excess is not None:
            raise TooManyRequests(
                f"Only {excess.maximum:,} {excess.limit.words} of one caller are served at a time: "
                f"wait for some of yours to end.",
                retryAfter=RETRY_SECONDS,
                **excess.extensions,
            )
        return _Taken(self.running, place, count)


class _Taken:
    """Places in use. Not a generator, as every request has one of these."""

    __slots__ = ("_count", "_place", "_running")

    def __init__(self, running: dict[Place, int], place: Place, count: int) -> None:
        self._running = running
        self._place = place
        self._count = count

    def __enter__(self) -> None:
        self._running[self._place] = self._running.get(self._place, 0) + self._count

    def __exit__(self, *_: object) -> None:
        left = self._running[self._place] - self._count
        if left:
            self._running[self._place] = left
        else:
            del self._running[self._place]


def _limit_of(operation: Operation) -> Limit:
    if operation.type is OperationType.SUBSCRIPTION:
        return Limit.CONCURRENT_SUBSCRIPTIONS
    return Limit.CONCURRENT_OPERATIONS
