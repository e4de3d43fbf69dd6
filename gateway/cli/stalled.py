"""Connections whose peers take nothing of what waits to be sent to them."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol


class Transport(Protocol):
    def get_write_buffer_size(self) -> int: ...
    def abort(self) -> None: ...


class Connection(Protocol):
    """One as uvicorn keeps it."""

    @property
    def transport(self) -> Transport: ...


class _Standstill(NamedTuple):
    waiting_bytes: int
    since: float


class Stalled:
    """Aborts them: a transport that is closed stays open until its peer has taken the rest, or for good.

    What waits is looked at from time to time. Of one that reads, however slowly, it is not the same for long.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._known: dict[Connection, _Standstill] = {}

    def look(self, connections: Iterable[Connection]) -> int:
        """One look at all there are; how many it aborted."""
        now, known, aborted = self._clock(), self._known, 0
        self._known = {}
        for connection in connections:
            waiting = connection.transport.get_write_buffer_size()
            if not waiting:
                continue
            before = known.get(connection)
            if before is None or before.waiting_bytes != waiting:
                self._known[connection] = _Standstill(waiting, now)
            elif now - before.since < self._seconds:
                self._known[connection] = before
            else:
                connection.transport.abort()
                aborted += 1
        return aborted
