"""A bulk question turned into a loader: keys gathered over one turn of the event loop, answers kept for one
request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from aiodataloader import DataLoader, dispatch_queue
from aiodataloader import Loader as Asking

from domain.platform.tracing import span

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Question = Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]

MAX_KEYS = 1_000
"""Keys of one question; more are asked in several."""


class Loader(Generic[K, V]):
    """Remembers what was answered, and asks for the rest once a turn of the event loop.

    What is gathered are whole askings: one for fifty keys waits for one future, not for fifty.
    """

    __slots__ = ("_answers", "_askings", "_known")

    def __init__(self, question: Question[K, Any], absent: Callable[[], V]) -> None:
        """`absent` makes the answer for a key that the question's answer does not have."""
        self._answers = _Answers(question, absent)
        self._known = self._answers.known
        self._askings: DataLoader[tuple[K, ...], Mapping[K, V]] | None = None

    async def load(self, key: K) -> V:
        return (await self.load_many((key,)))[0]

    async def load_many(self, keys: Iterable[K]) -> list[V]:
        """The answers in the order of the keys; raises what the question raises."""
        keys = tuple(keys)
        known = self._known
        missing = [key for key in keys if key not in known]
        if not missing:
            return [known[key] for key in keys]
        asked = self._answers.asked
        found = {key: known[key] for key in keys if key in known}
        running = {asked[key] for key in missing if key in asked}
        if new := tuple(key for key in missing if key not in asked):
            if self._askings is None:
                self._askings = _Prompt(self._answers.answer, cache=False)
            asking = self._askings.load(new)
            asked |= dict.fromkeys(new, asking)
            running.add(asking)
        for answers in running:
            found.update(await answers)
        return [found[key] for key in keys]

    def prime(self, key: K, value: V) -> None:
        """Makes `value` the answer, unless there is one."""
        self._known.setdefault(key, value)

    def clear(self, key: K) -> None:
        """Has `key` asked again."""
        self._known.pop(key, None)


class _Prompt(DataLoader[Any, Any]):
    """Dispatches after one turn of the event loop; aiodataloader's own way takes two, and a task more.

    All that a level of an operation asks for is asked in one turn, as its functions are started together.
    """

    def do_resolve_reject(self, key: Any, future: "asyncio.Future[Any]") -> None:
        self._queue.append(Asking(key, future))
        if len(self._queue) == 1:
            self.loop.call_soon(dispatch_queue, self)


class _Answers(Generic[K, V]):
    """What a loader knows and has asked for.

    Apart from the loader, as its DataLoader refers to this: in a cycle of references, everything that a
    request loaded would stay until Python's collector walks through it, which took as long as all the rest.
    """

    __slots__ = ("_absent", "_question", "asked", "known")

    def __init__(self, question: Question[K, Any], absent: Callable[[], V]) -> None:
        self._question = question
        self._absent = absent
        self.known: dict[K, V] = {}
        self.asked: dict[K, asyncio.Future[Mapping[K, V]]] = {}

    async def answer(self, askings: list[tuple[K, ...]]) -> list[Mapping[K, V]]:
        keys = list(dict.fromkeys(key for asking in askings for key in asking))
        try:
            if len(keys) <= MAX_KEYS:
                answers = await self._ask(keys)
            else:
                chunks = [keys[start : start + MAX_KEYS] for start in range(0, len(keys), MAX_KEYS)]
                parts = await asyncio.gather(*map(self._ask, chunks))
                answers = {key: value for part in parts for key, value in part.items()}
        finally:
            for key in keys:
                self.asked.pop(key, None)
        self.known.update(answers)
        return [answers] * len(askings)

    async def _ask(self, keys: list[K]) -> dict[K, V]:
        with span("load", question=getattr(self._question, "__name__", "question"), keys=len(keys)):
            found = await self._question(keys)
        return {key: found[key] if key in found else self._absent() for key in keys}


def one(question: Question[K, V]) -> Loader[K, V | None]:
    """One value a key; `None` where the answer has none."""
    return Loader(question, lambda: None)


def many(question: Question[K, list[V]]) -> Loader[K, list[V]]:
    """A list a key; empty where the answer has none."""
    return Loader(question, list)
