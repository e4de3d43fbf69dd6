"""A bulk question turned into a loader: keys gathered over one turn of the event loop, answers kept for one
request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from domain.platform.cache import Cached
from domain.platform.soon import Later, Soon
from domain.platform.tracing import LEFT_OUT, span

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Question = Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]
AtHand = Callable[[Sequence[K]], Mapping[K, V] | None]
"""What a question would answer, where that is there at once; else nothing."""

MAX_KEYS = 1_000
"""Keys of one question; more are asked in several."""


class Loader(Generic[K, V]):
    """Remembers what was answered, and asks for the rest once a turn of the event loop.

    As a DataLoader (https://github.com/graphql/dataloader) does, but what is gathered are whole askings: one
    for fifty keys waits for one future, not for fifty, and all who ask in a turn wait for the same. Where the
    question has all of the answers at hand, nothing is gathered.
    """

    __slots__ = ("_absent", "_asked", "_at_hand", "_known", "_next", "_question")

    def __init__(
        self, question: Question[K, Any], absent: Callable[[], V], at_hand: AtHand[K, Any] | None = None
    ) -> None:
        """`absent` makes the answer for a key that the question's answer does not have."""
        self._question = question
        self._absent = absent
        self._at_hand = at_hand
        self._known: dict[K, V] = {}
        self._asked: dict[K, asyncio.Task[Mapping[K, V]]] = {}
        """What is awaited, by key."""
        self._next: _Asking[K, V] | None = None
        """What is asked in the next turn."""

    async def load(self, key: K) -> V:
        soon = self.soon((key,))
        return (soon if isinstance(soon, list) else await soon)[0]

    async def load_many(self, keys: Iterable[K]) -> list[V]:
        """The answers in the order of the keys; raises what the question raises."""
        soon = self.soon(tuple(keys))
        return soon if isinstance(soon, list) else await soon

    def soon(self, keys: Sequence[K]) -> Soon[list[V]]:
        """What `load_many` answers, at once where it can."""
        known = self._known
        wanted = [key for key in keys if key not in known] if known else keys
        if wanted and self._at_hand is not None and (found := self._at_hand(wanted)) is not None:
            for key in wanted:
                known[key] = found[key] if key in found else self._absent()
            wanted = ()
        if not wanted:
            return [known[key] for key in keys]
        askings = self._askings(wanted)
        if len(askings) == 1 and len(wanted) == len(keys):
            return Later(askings.pop(), lambda answers: [answers[key] for key in keys])
        return self._gathered(keys, {key: known[key] for key in keys if key in known}, askings)

    def prime(self, key: K, value: V) -> None:
        """Makes `value` the answer, unless there is one."""
        self._known.setdefault(key, value)

    def clear(self, key: K) -> None:
        """Has `key` asked again."""
        self._known.pop(key, None)

    async def _gathered(
        self, keys: Sequence[K], known: dict[K, V], askings: "Iterable[asyncio.Task[Mapping[K, V]]]"
    ) -> list[V]:
        for asking in askings:
            known |= await Later(asking, _itself)
        return [known[key] for key in keys]

    def _askings(self, keys: Sequence[K]) -> "set[asyncio.Task[Mapping[K, V]]]":
        """What answers these keys together, begun where it was not yet."""
        asked = self._asked
        if not asked:
            return {self._ask(keys)}
        askings = {key: asked[key] for key in keys if key in asked}
        new = [key for key in keys if key not in askings]
        return {*askings.values(), self._ask(new)} if new else {*askings.values()}

    def _ask(self, keys: Sequence[K]) -> "asyncio.Task[Mapping[K, V]]":
        asking = self._next
        if asking is None:
            asking = self._next = _Asking(self)
        asking.keys.update(dict.fromkeys(keys))
        self._asked.update(dict.fromkeys(keys, asking.task))
        return asking.task

    async def _answer(self, asking: "_Asking[K, V]") -> Mapping[K, V]:
        self._next = None
        keys = list(asking.keys)
        try:
            if len(keys) <= MAX_KEYS:
                found = await self._found(keys)
            else:
                chunks = [keys[start : start + MAX_KEYS] for start in range(0, len(keys), MAX_KEYS)]
                parts = await asyncio.gather(*map(self._found, chunks))
                found = {key: value for part in parts for key, value in part.items()}
        finally:
            if len(self._asked) == len(keys):
                self._asked.clear()
            else:
                for key in keys:
                    self._asked.pop(key, None)
        answers = {key: found[key] if key in found else self._absent() for key in keys}
        self._known.update(answers)
        return answers

    def _found(self, keys: list[K]) -> Awaitable[Mapping[K, V]]:
        return self._question(keys) if LEFT_OUT.get() else self._traced(keys)

    async def _traced(self, keys: list[K]) -> Mapping[K, V]:
        with span("load", question=getattr(self._question, "__name__", "question"), keys=len(keys)):
            return await self._question(keys)


class _Asking(Generic[K, V]):
    """One question: its keys are gathered until its task begins, which is in the next turn."""

    __slots__ = ("keys", "task")

    def __init__(self, loader: Loader[K, V]) -> None:
        self.keys: dict[K, None] = {}
        self.task = asyncio.get_running_loop().create_task(loader._answer(self))  # noqa: SLF001 - its other half


def one(question: Question[K, V]) -> Loader[K, V | None]:
    """One value a key; `None` where the answer has none."""
    return Loader(question, _nothing, _at_hand_of(question))


def many(question: Question[K, list[V]], at_hand: AtHand[K, list[V]] | None = None) -> Loader[K, list[V]]:
    """A list a key; empty where the answer has none."""
    return Loader(question, list, at_hand or _at_hand_of(question))


def _itself(answers: Mapping[K, V]) -> Mapping[K, V]:
    return answers


def _nothing() -> None:
    """What there is for a key without an answer."""


def _at_hand_of(question: Question[K, V]) -> AtHand[K, V] | None:
    return question.at_hand if isinstance(question, Cached) else None
