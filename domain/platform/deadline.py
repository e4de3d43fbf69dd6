"""Until when the work of a task may go on, known to whatever it asks.

A task that a loader starts is not cancelled with the operation it works for, but inherits this: what it asks
of a dependency ends on time by itself.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_LEAST: Final = 0.001
_ENDS_AT: ContextVar[float | None] = ContextVar("deadline", default=None)


class within:  # noqa: N801 - used as a function
    """The block, and all it starts, has so many seconds; fewer where a block around it ends before.

    Answers the seconds that there are.
    """

    __slots__ = ("_seconds", "_token")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> float:
        now = time.monotonic()
        around = _ENDS_AT.get()
        ends_at = now + self._seconds if around is None else min(around, now + self._seconds)
        self._token = _ENDS_AT.set(ends_at)
        return max(0.0, ends_at - now)

    def __exit__(self, *_: object) -> None:
        _ENDS_AT.reset(self._token)


@contextmanager
def afresh(seconds: float) -> Iterator[None]:
    """The block, and all it starts, has so many seconds, whatever the block around it has: for what is done
    for others as well.
    """
    token = _ENDS_AT.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ENDS_AT.reset(token)


def ends_at() -> float | None:
    """By the monotonic clock; None where there is no deadline."""
    return _ENDS_AT.get()


def move(ends_at: float | None) -> None:
    """What the running task does from now on ends then, whatever its beginner had."""
    _ENDS_AT.set(ends_at)


def seconds_left() -> float | None:
    """Never less than a millisecond, as some clients take 0 for no limit; None where there is no deadline."""
    ends_at = _ENDS_AT.get()
    if ends_at is None:
        return None
    left = ends_at - time.monotonic()
    return max(_LEAST, left)
