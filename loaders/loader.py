"""A bulk question turned into a loader: keys gathered over one turn of the event loop, answers kept for one
request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from aiodataloader import DataLoader
from aiodataloader import Loader as Asking

from domain.platform.cache import Cached
from domain.platform.tracing import LEFT_OUT, span

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")
R = TypeVar("R")
Question = Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]
AtHand = Callable[[Sequence[K]], Mapping[K, V] | None]
"""What a question would answer, where that is there at once; else nothing."""
Soon: TypeAlias = T | Awaitable[T]
"""A value, or what to await for it."""

MAX_KEYS = 1_000
"""Keys of one question; more are asked in several."""


class Loader(Generic[K, V]):
    """Remembers what was answered, and asks for the rest once a turn of the event loop.

    What is gathered are whole askings: one for fifty keys waits for one future, not for fifty. Where the
    question has all of the answers at hand, nothing is gathered.
    """

    __slots__ = ("_absent", "_answers", "_askings", "_at_hand", "_question")

    def __init__(
        self, question: Question[K, Any], absent: Callable[[], V], at_hand: AtHand[K, Any] | None = None
    ) -> None:
        """`absent` makes the answer for a key that the question's answer does not have."""
        self._question = question
        self._absent = absent
        self._at_hand = at_hand
        self._answers: _Answers[K, V] | None = None
        self._askings: _Askings | None = None

    async def load(self, key: K) -> V:
        known = self._begun().known
        return known[key] if key in known else (await self.load_many((key,)))[0]

    def soon(self, keys: Sequence[K]) -> Soon[list[V]]:
        """What `load_many` answers, at once where it can."""
        known = self._look(keys)
        return self.load_many(keys) if known is None else [known[key] for key in keys]

    async def load_many(self, keys: Iterable[K]) -> list[V]:
        """The answers in the order of the keys; raises what the question raises."""
        keys = tuple(keys)
        found = self._look(keys)
        if found is None:
            found = await self._gathered(keys)
        return [found[key] for key in keys]

    def _look(self, keys: Sequence[K]) -> Mapping[K, V] | None:
        """Answers for at least these keys, where there are all of them."""
        known = self._begun().known
        wanted = [key for key in keys if key not in known] if known else keys
        if not wanted:
            return known
        if self._at_hand is None or (found := self._at_hand(wanted)) is None:
            return None
        for key in wanted:
            known[key] = found[key] if key in found else self._absent()
        return known

    async def _gathered(self, keys: tuple[K, ...]) -> Mapping[K, V]:
        """Answers for these keys, as asked for in this turn of the event loop."""
        state = self._begun()
        known, asked = state.known, state.asked
        if not known and not asked:
            return await self._ask(tuple(dict.fromkeys(keys)))
        found = {key: known[key] for key in keys if key in known}
        missing = dict.fromkeys([key for key in keys if key not in found])
        running = {asked[key] for key in missing if key in asked}
        if new := tuple([key for key in missing if key not in asked]):
            running.add(self._ask(new))
        for answers in running:
            found |= await answers
        return found

    def prime(self, key: K, value: V) -> None:
        """Makes `value` the answer, unless there is one."""
        self._begun().known.setdefault(key, value)

    def clear(self, key: K) -> None:
        """Has `key` asked again."""
        self._begun().known.pop(key, None)

    def _begun(self) -> "_Answers[K, V]":
        """Made when first needed: a request has many loaders, and uses few."""
        if self._answers is None:
            self._answers = _Answers(self._question, self._absent)
        return self._answers

    def _ask(self, new: tuple[K, ...]) -> "asyncio.Future[Mapping[K, V]]":
        answers = self._begun()
        if self._askings is None:
            self._askings = _Askings(answers)
        asking = self._askings.load(new)
        answers.asked.update(dict.fromkeys(new, asking))
        return asking


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

    async def answer(self, askings: Sequence[tuple[K, ...]]) -> Mapping[K, V]:
        """The answers to all of them."""
        first, *more = askings
        keys = list(dict.fromkeys(key for asking in askings for key in asking)) if more else list(first)
        try:
            if len(keys) <= MAX_KEYS:
                answers = await self._ask(keys)
            else:
                chunks = [keys[start : start + MAX_KEYS] for start in range(0, len(keys), MAX_KEYS)]
                parts = await asyncio.gather(*map(self._ask, chunks))
                answers = {key: value for part in parts for key, value in part.items()}
        finally:
            if len(self.asked) == len(keys):
                self.asked.clear()
            else:
                for key in keys:
                    self.asked.pop(key, None)
        self.known.update(answers)
        return answers

    async def _ask(self, keys: list[K]) -> dict[K, V]:
        if LEFT_OUT.get():
            found = await self._question(keys)
        else:
            with span("load", question=getattr(self._question, "__name__", "question"), keys=len(keys)):
                found = await self._question(keys)
        return {key: found[key] if key in found else self._absent() for key in keys}


class _Askings(DataLoader[Any, Any]):
    """Gathers askings over one turn of the event loop; aiodataloader by itself takes two, and a task more.

    All that a level of an operation asks for is asked in one turn, as its functions are started together.
    There are as many of these in a request as fields that load, so it does without what aiodataloader does to
    look over its arguments and answers.
    """

    cache = False
    get_cache_key = staticmethod(lambda asking: asking)

    def __init__(self, answers: _Answers[Any, Any]) -> None:
        self.loop = asyncio.get_running_loop()
        self._answers = answers
        self._queue: list[Asking] = []

    def do_resolve_reject(self, key: Any, future: "asyncio.Future[Any]") -> None:
        self._queue.append(Asking(key, future))
        if len(self._queue) == 1:
            self.loop.call_soon(self._dispatch)

    def _dispatch(self) -> None:
        queue, self._queue = self._queue, []
        # The task is held by what it waits for.
        self.loop.create_task(self._resolve(queue))

    async def _resolve(self, queue: list[Asking]) -> None:
        try:
            answers = await self._answers.answer([asking.key for asking in queue])
        except Exception as error:  # noqa: BLE001 - theirs who asked
            for _, future in queue:
                if not future.done():
                    future.set_exception(error)
        else:
            for _, future in queue:
                if not future.done():
                    future.set_result(answers)


def one(question: Question[K, V]) -> Loader[K, V | None]:
    """One value a key; `None` where the answer has none."""
    return Loader(question, lambda: None, _at_hand_of(question))


def many(question: Question[K, list[V]], at_hand: AtHand[K, list[V]] | None = None) -> Loader[K, list[V]]:
    """A list a key; empty where the answer has none."""
    return Loader(question, list, at_hand or _at_hand_of(question))


def then(soon: Soon[T], function: Callable[[T], R]) -> Soon[R]:
    """What `function` makes of a value."""
    return _later(soon, function) if isinstance(soon, Awaitable) else function(soon)


async def _later(awaited: Awaitable[T], function: Callable[[T], R]) -> R:
    return function(await awaited)


def _at_hand_of(question: Question[K, V]) -> AtHand[K, V] | None:
    return question.at_hand if isinstance(question, Cached) else None
