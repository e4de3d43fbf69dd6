"""Waiting for many things at once, without a task where there is only one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from types import CoroutineType
from typing import Any, Generic, TypeVar

from domain.platform.soon import Later
from gateway.engine.plan.positions import Raised

T = TypeVar("T")


class Waiting(Generic[T]):
    """Awaitables, each with what is to be known when it is done.

    What becomes done in the same turn of the event loop is answered together, so that the loaders behind it
    gather the keys of all.
    """

    def __init__(self) -> None:
        self._new: list[tuple[Awaitable[Any], T]] = []
        self._running: dict[asyncio.Future[Any], list[tuple[T, Callable[[Any], Any] | None]]] = {}
        self._tasks: set[asyncio.Future[Any]] = set()
        self._arrived: list[asyncio.Future[Any]] = []
        self._wake: asyncio.Future[None] | None = None

    def __bool__(self) -> bool:
        return bool(self._new or self._running)

    def add(self, awaitable: Awaitable[Any], what: T) -> None:
        """Started by the next `arrivals`."""
        self._new.append((awaitable, what))

    def everything(self) -> Iterator[T]:
        """What is to be known of each that is awaited."""
        for _, what in self._new:
            yield what
        for waiting in self._running.values():
            for what, _ in waiting:
                yield what

    async def arrivals(self) -> list[tuple[T, Any]]:
        """What is done, at least one, with its value; `Raised` for an exception."""
        new, self._new = self._new, []
        if len(new) == 1 and not self._running:
            ((awaitable, what),) = new
            try:
                return [(what, await awaitable)]
            except Exception as error:  # noqa: BLE001 - the field's, whatever it is
                return [(what, Raised(error))]
        for awaitable, what in new:
            if type(awaitable) is Later:
                future, function = awaitable.future, awaitable.function
            else:
                future, function = _started(awaitable), None
                if future is not awaitable:
                    self._tasks.add(future)
            # A loader answers the same future for the same key.
            waiting = self._running.get(future)
            if waiting is None:
                waiting = self._running[future] = []
                future.add_done_callback(self._arrive)
            waiting.append((what, function))
        if not self._arrived:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
            self._wake = None
        arrived, self._arrived = self._arrived, []
        self._tasks.difference_update(arrived)
        return [
            (what, outcome(future, function))
            for future in arrived
            for what, function in self._running.pop(future, ())
        ]

    def drop(self, is_unwanted: Callable[[T], bool]) -> None:
        """Forgets what nobody waits for any more, and cancels it where it was started here."""
        for future, waiting in list(self._running.items()):
            waiting[:] = [(what, function) for what, function in waiting if not is_unwanted(what)]
            if not waiting:
                del self._running[future]
                if future in self._tasks:
                    future.cancel()

    async def close(self, abandon: Callable[[Awaitable[Any], T], None]) -> None:
        """Cancels what was started here, and returns when it has ended; `abandon` is given what was not."""
        for awaitable, what in self._new:
            abandon(awaitable, what)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)

    def _arrive(self, future: asyncio.Future[Any]) -> None:
        self._arrived.append(future)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


def _started(awaitable: Awaitable[Any]) -> asyncio.Future[Any]:
    if type(awaitable) is CoroutineType:  # nearly always; asyncio looks for other kinds first
        return asyncio.get_running_loop().create_task(awaitable)
    return asyncio.ensure_future(awaitable)


def outcome(done: asyncio.Future[Any], function: Callable[[Any], Any] | None = None) -> Any:
    """The value of a future that is done, or what `function` makes of it; `Raised` for an exception."""
    try:
        result = done.result()
        return result if function is None else function(result)
    except Exception as error:  # noqa: BLE001 - the field's, whatever it is
        return Raised(error)


def discard(awaitable: object) -> None:
    """What was never started will not be missed, and should not be warned of."""
    if asyncio.iscoroutine(awaitable):
        awaitable.close()
