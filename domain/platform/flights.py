"""Questions under way, so that whoever asks the same meanwhile waits for one answer."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from typing import Any


class Flight:
    """One question for some keys, from being asked until it is answered, has failed, or is given up.

    `generation` is that of the cache when it was asked; `barred` are the tags invalidated since then, and
    `stale` says that all were: what was read before may not be kept.
    """

    __slots__ = ("_answer", "_error", "_waiting", "barred", "generation", "keys", "landed", "stale")

    def __init__(self, keys: Sequence[Hashable], generation: int) -> None:
        self.keys = frozenset(keys)
        self.generation = generation
        self.barred: set[Hashable] = set()
        self.stale = False
        self._answer: Mapping[Any, Any] | None = None
        self._error: Exception | None = None
        self.landed = False
        self._waiting: list[asyncio.Future[None]] = []

    def land(self, answer: Mapping[Any, Any] | None = None, error: Exception | None = None) -> None:
        """Ends it for all who wait; neither an answer nor an error means that it was given up."""
        self._answer, self._error, self.landed = answer, error, True
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def outcome(self, wanted: frozenset[Hashable]) -> Mapping[Any, Any] | None:
        """The answer for somebody who wants these keys; nothing where they had better ask themselves.

        That is where the asker was cancelled, and where a question with other keys in it failed, as the fault
        may lie with those. Raises what the question raised otherwise.
        """
        if not self.landed:
            # Of this waiter alone: one that is cancelled must not end the wait of the others.
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        if self._error is not None and self.keys <= wanted:
            raise self._error
        return self._answer
