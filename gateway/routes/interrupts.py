"""Ending work from outside: its client has left, or the server is about to."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Self

from starlette.types import Receive

LONGEST_PAUSE_SECONDS: Final = 0.1
"""Streams that are ended at once would all come again at once; but ten a second are no crowd."""

SHORTEST_SLEEP_SECONDS: Final = 0.002


async def end_in_turns(
    endings: Sequence[Callable[[], None]],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Calls them in no order, one after another, evenly over `seconds`, or in less where they are few."""
    if not endings:
        return
    pause = min(seconds / len(endings), LONGEST_PAUSE_SECONDS)
    next_at = clock()
    for end in random.sample(endings, len(endings)):
        end()
        next_at += pause
        # A loop sleeps for a millisecond at least, so those that come closer are ended together.
        if (ahead := next_at - clock()) > SHORTEST_SLEEP_SECONDS:
            await sleep(ahead)


class Interruptible:
    """A block of the current task that `interrupt()` ends by cancelling it; the task goes on after the block.

    Given `receive`, the block also ends when the client disconnects. Looking for that costs a task, so it
    starts after `grace_seconds` only: most queries are done by then.
    """

    def __init__(self, receive: Receive | None = None, grace_seconds: float = 0.0) -> None:
        self.interrupted = False
        self._receive = receive
        self._grace_seconds = grace_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine always runs in one
        self._task = task
        if self._receive is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._grace_seconds, self._watch, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        # Cancelled by others as well (a server that stops at once): then it is theirs to handle.
        return self.interrupted and self._task.uncancel() == 0 and kind is asyncio.CancelledError

    def interrupt(self) -> None:
        if not self.interrupted:
            self.interrupted = True
            self._task.cancel()

    def _watch(self, receive: Receive) -> None:
        self._watcher = asyncio.create_task(self._until_disconnected(receive))

    async def _until_disconnected(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.interrupt()
