"""Bulk questions that are asked once a turn of the event loop, for all who ask in it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextvars import Context
from itertools import chain
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from domain.platform import deadline
from domain.platform.errors import TimedOut, Unavailable
from domain.platform.soon import Later
from domain.platform.tracing import LEFT_OUT, span

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Question: TypeAlias = Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]

MAX_KEYS: Final = 250
"""Keys of one question; more are asked in several: what has come is worked on while the rest is fetched, and
while it is still in the processor's cache.
"""
FULL: Final = 100
"""Keys from which on strangers are not asked for together: nobody waits for who asks for much."""
WIDE: Final = 50
"""Keys from which on a question waits for one of the slots that there are for such."""
_SAME_FOR_ALL: Final = (Unavailable, TimedOut)
"""Failures that no key is to blame for."""


class Answer(NamedTuple):
    """What a question found, for all who asked."""

    found: Mapping[Any, Any]
    """A key that is missing has nothing."""
    apart: Mapping[int, Mapping[Any, Any] | BaseException] | None = None
    """Where each was asked for alone: what that came to, by the identity of the keys they asked with."""

    def of(self, keys: Sequence[K]) -> Mapping[K, Any]:
        """What was found for who asked with these very keys; raises what failed for them."""
        found = self.found if self.apart is None else self.apart[id(keys)]
        if isinstance(found, BaseException):
            raise found
        return {key: found[key] for key in keys if key in found}


class Gathering(Generic[K, V]):
    """Asks a question for all keys that come until the next turn of the event loop: each once, in one task.

    One that is `among_strangers` gathers for several requests, and for one turn more. Under load many of them
    are at the same point at the same time, and a statement for eight titles costs little more than one for a
    single title. Nobody notices the others: what is answered was read after everybody had asked; nothing of a
    request is around the task, neither its transaction nor its trace; it may take as long as whoever has most
    time left; and where it fails by the fault of a key, it is asked again for each who asked.
    """

    __slots__ = ("_among_strangers", "_next", "_question")

    def __init__(self, question: Question[K, V], *, among_strangers: bool = False) -> None:
        self._question = question
        self._among_strangers = among_strangers
        self._next: _Batch[K] | None = None
        """What is asked in the next turn."""

    def ask(self, keys: Sequence[K]) -> asyncio.Task[Answer]:
        """The task that answers these keys, and perhaps others; who gives up leaves it be."""
        batch = self._next
        # One that was cancelled before it began, as at the end of a loop, never takes itself away.
        if batch is None or batch.task.done():
            batch = self._next = self._begin(keys)
        else:
            batch.add(keys)
        if self._among_strangers and batch.size >= FULL:
            self._next = None
        return batch.task

    def _begin(self, keys: Sequence[K]) -> "_Batch[K]":
        batch = _Batch(keys)
        context = Context() if self._among_strangers else None
        batch.task = asyncio.get_running_loop().create_task(self._answer(batch), context=context)
        return batch

    async def _answer(self, batch: "_Batch[K]") -> Answer:
        if self._among_strangers:
            # One turn more, for those whom the network just brings to this point: a tenth less to do for all.
            await asyncio.sleep(0)
        if self._next is batch:
            self._next = None
        if self._among_strangers:
            LEFT_OUT.set(True)
            deadline.move(batch.ends_at)
        asked = batch.asked
        try:
            every = asked[0] if len(asked) == 1 else [*dict.fromkeys(chain.from_iterable(asked))]
            return Answer(await self._found(every))
        except _SAME_FOR_ALL:
            raise
        except Exception:
            if not self._among_strangers or len(asked) == 1:
                raise
        outcomes = await asyncio.gather(*map(self._found, asked), return_exceptions=True)
        return Answer({}, dict(zip(map(id, asked), outcomes, strict=True)))

    def _found(self, keys: Sequence[K]) -> Awaitable[Mapping[K, V]]:
        if len(keys) > MAX_KEYS:
            return self._found_in_parts(keys)
        return self._question(keys) if LEFT_OUT.get() else self._traced(keys)

    async def _found_in_parts(self, keys: Sequence[K]) -> Mapping[K, V]:
        chunks = [keys[start : start + MAX_KEYS] for start in range(0, len(keys), MAX_KEYS)]
        parts = await asyncio.gather(*map(self._found, chunks))
        return {key: value for part in parts for key, value in part.items()}

    async def _traced(self, keys: Sequence[K]) -> Mapping[K, V]:
        with span("load", question=name_of(self._question), keys=len(keys)):
            return await self._question(keys)


class Gathered(Generic[K, V]):
    """A question about what is everybody's, gathered among strangers, to be asked like any other."""

    __slots__ = ("_apart", "_question", "_slots", "gathering")

    def __init__(self, question: Question[K, V], apart: Callable[[], bool], slots: asyncio.Semaphore) -> None:
        """Whoever is `apart`, such as within a transaction, asks for themselves.

        Wide questions take one of `slots`, which several may have in common. Of many that are asked at once
        none is answered before nearly all are; of a few the first is worked on while the next are fetched.
        """
        self._question = question
        self._apart = apart
        self._slots = slots
        self.gathering: Gathering[K, V] = Gathering(self._asked, among_strangers=True)

    @property
    def __name__(self) -> str:
        return name_of(self._question)

    async def __call__(self, keys: Sequence[K], /) -> Mapping[K, V]:
        if self._apart():
            # Who has a connection does not wait for those who may be waiting for one.
            return await self._question(keys)
        if not self.gathers(keys):
            return await self._asked(keys)
        answer: Answer = await Later(self.gathering.ask(keys), _itself)
        return answer.of(keys)

    def _asked(self, keys: Sequence[K]) -> Awaitable[Mapping[K, V]]:
        return self._question(keys) if len(keys) < WIDE else self._asked_in_turn(keys)

    async def _asked_in_turn(self, keys: Sequence[K]) -> Mapping[K, V]:
        async with self._slots:
            return await self._question(keys)

    @staticmethod
    def gathers(keys: Sequence[K]) -> bool:
        """Whether they may be asked for together with those of others."""
        # A trace shows what was done for its own request, and no more.
        return len(keys) <= FULL and LEFT_OUT.get()


class _Batch(Generic[K]):
    """The keys of one question, until its task begins."""

    __slots__ = ("asked", "ends_at", "size", "task")

    task: asyncio.Task[Answer]

    def __init__(self, keys: Sequence[K]) -> None:
        self.asked = [keys]
        """By whoever asked."""
        self.size = len(keys)
        self.ends_at = deadline.ends_at()
        """When the last of them has no time left; None where somebody has no deadline."""

    def add(self, keys: Sequence[K]) -> None:
        self.asked.append(keys)
        self.size += len(keys)
        if self.ends_at is not None:
            theirs = deadline.ends_at()
            self.ends_at = None if theirs is None else max(self.ends_at, theirs)


def name_of(question: object) -> str:
    """As spans have it."""
    return getattr(question, "__name__", "question")


def _itself(answer: Answer) -> Answer:
    return answer
