"""Values that are there at once, or will be."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")
Soon: TypeAlias = T | Awaitable[T]
"""A value, or what to await for it."""


class Later(Generic[T]):
    """What a function makes of a future's result: to be awaited without a coroutine, and so without a task
    where several are awaited together. Others may wait for the same future, so who gives up leaves it be.
    """

    __slots__ = ("function", "future")

    def __init__(self, future: "asyncio.Future[Any]", function: Callable[[Any], T]) -> None:
        self.future = future
        self.function = function

    def __await__(self) -> Generator[Any, None, T]:
        future = self.future
        if not future.done():
            waiter = future.get_loop().create_future()
            future.add_done_callback(partial(_wake, waiter))
            yield from waiter
        return self.function(future.result())


def _wake(waiter: "asyncio.Future[None]", done: "asyncio.Future[Any]") -> None:
    """As `asyncio.shield` does, at a third of its price."""
    if not waiter.done():
        waiter.set_result(None)
    elif not done.cancelled():
        done.exception()  # has been looked at: nobody is left whom it could be told


def then(soon: Soon[T], function: Callable[[T], R]) -> Soon[R]:
    """What `function` makes of a value."""
    if type(soon) is Later:
        first = soon.function
        return Later(soon.future, lambda result: function(first(result)))
    return _later(soon, function) if hasattr(soon, "__await__") else function(soon)


async def _later(awaited: Awaitable[T], function: Callable[[T], R]) -> R:
    return function(await awaited)
