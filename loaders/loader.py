"""A bulk question turned into a loader: keys gathered over one turn of the event loop, answers kept for one
request.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from domain.platform.cache import Cached
from domain.platform.gathering import Answer, Gathered, Gathering, Question
from domain.platform.soon import Later, Soon

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Found: TypeAlias = Mapping[K, V]


class Loader(Generic[K, V]):
    """Remembers what was answered, and asks for the rest once a turn of the event loop.

    As a DataLoader (https://github.com/graphql/dataloader) does, but what is gathered are whole askings: one
    for fifty keys waits for one future, not for fifty, and all who ask in a turn wait for the same. Where the
    question has all of the answers at hand, nothing is gathered.
    """

    __slots__ = ("_absent", "_among_strangers", "_asked", "_at_hand", "_gathering", "_judge", "_known")

    def __init__(
        self,
        question: Question[K, Any],
        absent: Callable[[], V],
        judge: Callable[[Found[K, Any]], Found[K, Any]] | None = None,
    ) -> None:
        """`absent` makes the answer for a key that the question's answer does not have; `judge` leaves of an
        answer what is for this request.
        """
        self._gathering = Gathering(question)
        """For what is asked for this request alone."""
        self._among_strangers = question if isinstance(question, Gathered) else None
        self._absent = absent
        self._judge = judge
        self._at_hand = question.at_hand if isinstance(question, Cached) else None
        self._known: dict[K, V] = {}
        self._asked: dict[K, _Asking[K, V]] = {}
        """What is awaited, by key."""

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
            known.update(self.completed(wanted, found))
            wanted = ()
        if not wanted:
            return [known[key] for key in keys]
        askings = self._askings(wanted)
        if len(askings) == 1 and len(wanted) == len(keys):
            asking = askings.pop()
            return Later(asking.task, lambda _: [*map(asking.answers().__getitem__, keys)])
        return self._gathered(keys, {key: known[key] for key in keys if key in known}, askings)

    def prime(self, key: K, value: V) -> None:
        """Makes `value` the answer, unless there is one."""
        self._known.setdefault(key, value)

    def clear(self, key: K) -> None:
        """Has `key` asked again."""
        self._known.pop(key, None)
        if (asking := self._asked.pop(key, None)) is not None:
            asking.forget(key)

    def ask(self, keys: Sequence[K]) -> asyncio.Task[Answer]:
        """The task that answers these keys, of this request or, where they may be, of several."""
        others = self._among_strangers
        gathering = self._gathering if others is None or not others.gathers(keys) else others.gathering
        return gathering.ask(keys)

    def completed(self, keys: Sequence[K], found: Found[K, Any]) -> dict[K, V]:
        """An answer for each of the keys, of what was found for them."""
        if self._judge is not None:
            found = self._judge(found)
        return {key: found[key] if key in found else self._absent() for key in keys}

    def over(self, keys: Sequence[K], answers: Found[K, V]) -> None:
        """They are not awaited any more; without an answer they are asked again when they are asked for."""
        if len(self._asked) == len(keys):
            self._asked.clear()
        else:
            for key in keys:
                self._asked.pop(key, None)
        if answers:
            self._known.update(answers if len(answers) == len(keys) else {key: answers[key] for key in keys})

    async def _gathered(
        self, keys: Sequence[K], known: dict[K, V], askings: "Iterable[_Asking[K, V]]"
    ) -> list[V]:
        for asking in askings:
            known |= await Later(asking.task, asking.answers)
        return [known[key] for key in keys]

    def _askings(self, keys: Sequence[K]) -> "set[_Asking[K, V]]":
        """What answers these keys together, begun where it was not yet."""
        asked = self._asked
        if not asked:
            return {self._ask(keys)}
        askings = {key: asked[key] for key in keys if key in asked}
        new = [key for key in keys if key not in askings]
        return {*askings.values(), self._ask(new)} if new else {*askings.values()}

    def _ask(self, keys: Sequence[K]) -> "_Asking[K, V]":
        asking = _Asking(self, [*dict.fromkeys(keys)])
        self._asked.update(dict.fromkeys(keys, asking))
        return asking


class _Asking(Generic[K, V]):
    """Some keys of a loader, on their way."""

    __slots__ = ("_answers", "_keys", "_loader", "_remembered", "task")

    def __init__(self, loader: Loader[K, V], keys: Sequence[K]) -> None:
        self._loader = loader
        self._keys = keys
        self._remembered = keys
        self._answers: dict[K, V] | None = None
        self.task = loader.ask(keys)
        self.task.add_done_callback(self._over)

    def answers(self, _done: object = None) -> dict[K, V]:
        """Once the task is done; raises what failed for these keys."""
        if self._answers is None:
            self._answers = self._loader.completed(self._keys, self.task.result().of(self._keys))
        return self._answers

    def forget(self, key: K) -> None:
        """What it finds for a key is for whoever awaits it already, and no more."""
        self._remembered = [other for other in self._remembered if other != key]

    def _over(self, _done: object) -> None:
        try:
            answers = self.answers()
        except (Exception, asyncio.CancelledError):  # noqa: BLE001 - whoever awaits it is told
            answers = {}
        self._loader.over(self._remembered, answers)


def one(question: Question[K, V]) -> Loader[K, V | None]:
    """One value a key; `None` where the answer has none."""
    return Loader(question, _nothing)


def many(
    question: Question[K, list[V]], judge: Callable[[Found[K, list[V]]], Found[K, list[V]]] | None = None
) -> Loader[K, list[V]]:
    """A list a key; empty where the answer has none."""
    return Loader(question, list, judge)


def _nothing() -> None:
    """What there is for a key without an answer."""
