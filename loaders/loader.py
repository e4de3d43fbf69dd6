"""A bulk question turned into a loader: keys gathered over one turn of the event loop, answers kept for one
request.
"""

from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from aiodataloader import DataLoader

from domain.platform.tracing import span

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_KEYS = 1_000
"""Keys of one question; more are asked in several."""


class Loader(DataLoader[K, V]):
    """`load(key)` and `load_many(keys)`."""

    def __init__(self, ask: Callable[[list[K]], Coroutine[Any, Any, list[V]]]) -> None:
        super().__init__(batch_load_fn=ask, max_batch_size=MAX_KEYS)


def one(question: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> Loader[K, V | None]:
    """One value a key; `None` where the answer has none."""

    async def ask(keys: list[K]) -> list[V | None]:
        with span("load", question=question.__name__, keys=len(keys)):
            found = await question(keys)
        return [found.get(key) for key in keys]

    return Loader(ask)


def many(question: Callable[[Sequence[K]], Awaitable[Mapping[K, list[V]]]]) -> Loader[K, list[V]]:
    """A list a key; empty where the answer has none."""

    async def ask(keys: list[K]) -> list[list[V]]:
        with span("load", question=question.__name__, keys=len(keys)):
            found = await question(keys)
        return [found.get(key) or [] for key in keys]

    return Loader(ask)
