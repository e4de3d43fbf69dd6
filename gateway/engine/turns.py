"""Executions that several wait for: what is under way, and what comes after it."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Work(Generic[T]):
    """An execution, for as long as anybody waits for it."""

    __slots__ = ("ends_at", "generation", "task", "waiting")

    def __init__(self, task: "asyncio.Task[T]", generation: int = 0, ends_at: float = math.inf) -> None:
        """Who comes before `ends_at` may wait for it, unless what it reads has changed since it began."""
        self.task = task
        self.generation = generation
        self.ends_at = ends_at
        self.waiting = 0

    @property
    def abandoned(self) -> bool:
        return self.ends_at == -math.inf

    async def executed(self) -> T:
        self.waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self.waiting -= 1
            if not self.waiting:
                self.ends_at = -math.inf
                self.task.cancel()


class Turn(Generic[T]):
    """An execution that is under way, and the one that those who came meanwhile wait for."""

    __slots__ = ("_ended", "following", "running")

    def __init__(self) -> None:
        self.running = True
        self.following: Work[T] | None = None
        self._ended: asyncio.Future[None] | None = None

    def over(self) -> None:
        self.running = False
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    async def ended(self, seconds: float) -> None:
        """Until it is over, or so long."""
        if self.running:
            self._ended = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._ended], timeout=seconds)


class Turns(Generic[K, T]):
    """Executions of the same, one after another. Whoever comes while one is under way goes with all others
    who do, in one that begins when it is over: nobody is given what was read before they came.
    """

    def __init__(self) -> None:
        self._turns: dict[K, Turn[T]] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def free(self, key: K) -> bool:
        """Whether nothing is under way."""
        return key not in self._turns

    @contextmanager
    def taken(self, key: K) -> Iterator[None]:
        """Takes the turn; who comes within the block waits for its end."""
        turn = self._turns[key] = Turn()
        try:
            yield
        finally:
            turn.over()
            self._leave(key, turn)

    def follow(
        self, key: K, execute: Callable[[Work[T]], Coroutine[Any, Any, T]], seconds: float
    ) -> tuple[Work[T], bool]:
        """What comes after the execution that is under way, or after so many seconds of it; and whether it is
        this caller's, to be begun by `execute`.
        """
        turn = self._turns[key]
        if turn.following is not None and not turn.following.abandoned:
            return turn.following, False
        work = turn.following = Work(asyncio.create_task(self._follow(key, turn, execute, seconds)))

        def leave(_done: object) -> None:
            if turn.following is work:
                turn.following = None
            self._leave(key, turn)

        work.task.add_done_callback(leave)
        return work, True

    async def _follow(
        self, key: K, turn: Turn[T], execute: Callable[[Work[T]], Coroutine[Any, Any, T]], seconds: float
    ) -> T:
        await turn.ended(seconds)
        work = turn.following
        assert work is not None  # noqa: S101 - whoever began it keeps it there until now
        with self.taken(key):
            return await execute(work)

    def _leave(self, key: K, turn: Turn[T]) -> None:
        if not turn.running and turn.following is None and self._turns.get(key) is turn:
            del self._turns[key]
