"""Which stream of a device is told what to do: the one that was opened last, as long as its process lives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Protocol

from domain.platform.errors import GatewayError

BEAT_SECONDS = 2.0
SILENT_FOR = timedelta(seconds=10)
"""A process that gave no sign of life for so long has died, and its streams with it."""


class ListenerStore(Protocol):
    """The latest stream of each device, and the processes that hold them."""

    async def beat(self, process: str) -> None:
        """Notes that the process lives, by a clock that all processes share."""
        ...

    async def listen(self, account_id: str, device_id: str, listener: str) -> None:
        """Notes which stream of the device was opened last; does not wait for the account's turn.

        Its name is that of its process, a full stop, and one of its own.
        """
        ...

    async def unlisten(self, account_id: str, device_id: str, listener: str) -> None:
        """This stream has ended; changes nothing where another was opened since."""
        ...

    async def listener(self, account_id: str, device_id: str, silent_for: timedelta) -> str | None:
        """The stream that was opened last, unless it has ended, or its process was silent for so long."""
        ...


class Listeners:
    """The streams of one process. While there are any, it gives signs of life: one row, however many."""

    def __init__(self, store: ListenerStore, new_id: Callable[[], str]) -> None:
        self._store = store
        self._new_id = new_id
        self._process = new_id()
        self._open = 0
        self._starting = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def opened(self, account_id: str, device_id: str) -> AsyncIterator[str]:
        """A new stream of the device: commands are handed to it alone until it ends or another is opened."""
        listener = f"{self._process}.{self._new_id()}"
        self._open += 1
        try:
            await self._begin()
            await self._store.listen(account_id, device_id, listener)
            yield listener
        finally:
            self._open -= 1
            if not self._open and self._beating is not None:
                self._beating.cancel()
                self._beating = None
            with suppress(GatewayError):
                await self._store.unlisten(account_id, device_id, listener)

    async def is_last(self, account_id: str, device_id: str, listener: str) -> bool:
        """Whether no stream of the device that is open, at a process that lives, was opened later."""
        return await self._store.listener(account_id, device_id, SILENT_FOR) in {None, listener}

    async def _begin(self) -> None:
        """First a sign of life: a stream of a process that gave none is nobody's latest."""
        async with self._starting:
            if self._beating is None:
                await self._store.beat(self._process)
                self._beating = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            with suppress(GatewayError):  # the next one is soon enough
                await self._store.beat(self._process)
