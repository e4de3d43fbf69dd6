"""The one bridge between Authlib, which calls functions, and our stores, which are awaited.

Authlib runs in a greenlet of the task that asks for it. Where it calls us, `wait` switches back to the task,
which awaits, and returns with the answer: no thread, and the task's transaction and time limit hold on.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

from sqlalchemy.util import await_only, greenlet_spawn

Ts = TypeVarTuple("Ts")
T = TypeVar("T")


async def run(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """What `function` answers, which may `wait` meanwhile."""
    return await greenlet_spawn(function, *args)


def wait(awaitable: Awaitable[T]) -> T:
    """The answer of what has to be awaited; within `run` only."""
    return await_only(awaitable)
