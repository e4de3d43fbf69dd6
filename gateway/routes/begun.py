"""Coroutines that are run at once, for as long as they need not wait."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

from starlette.types import Message, Send

T = TypeVar("T")


class Begun(Generic[T]):
    """A coroutine, run by whoever makes this until it ends or has to wait for something; `await` goes on.

    So timers and watchers can be left to those few that wait. What the coroutine raises at once is raised by
    making this. It runs in the task that begins it, so that is the task that has to await it, and at once.
    """

    __slots__ = ("_coroutine", "_first", "done", "result")

    result: T
    """What it answered, where it is `done`."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._first: Any = None
        self.done = False
        try:
            self._first = coroutine.send(None)
        except StopIteration as ended:
            self.done = True
            self.result = ended.value

    def __await__(self) -> Generator[Any, Any, T]:
        if self.done:
            return self.result
        waits_for = self._first
        while True:
            try:
                try:
                    sent = yield waits_for
                except BaseException as error:  # noqa: BLE001 - thrown in from outside, such as a cancellation
                    waits_for = self._coroutine.throw(error)
                else:
                    waits_for = self._coroutine.send(sent)
            except StopIteration as ended:
                return ended.value  # type: ignore[no-any-return]


async def sent_within(seconds: float, send: Send, message: Message) -> None:
    """Sends it; TimeoutError where the client makes no room in time. Most have room, and need no timer."""

    async def sent() -> None:
        await send(message)

    sending = Begun(sent())
    if not sending.done:
        async with asyncio.timeout(seconds):
            await sending
