"""Values that are there at once, or will be."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
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
        return self.function((yield from asyncio.shield(self.future).__await__()))


def then(soon: Soon[T], function: Callable[[T], R]) -> Soon[R]:
    """What `function` makes of a value."""
    if type(soon) is Later:
        first = soon.function
        return Later(soon.future, lambda result: function(first(result)))
    return _later(soon, function) if hasattr(soon, "__await__") else function(soon)


async def _later(awaited: Awaitable[T], function: Callable[[T], R]) -> R:
    return function(await awaited)
