"""Sends what waits and follows what changes, through every failure of the way between."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from media_gateway_client.errors import Offline
from media_gateway_client.store import DeadLetter, Operation, Store

BATCH = 100
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 2.0
"""A stream that stood for so long has succeeded, also where nothing happened to it meanwhile."""

Event = Mapping[str, Any]


def _nobody(event: Event) -> None:
    """Hears of an event."""


class Server(Protocol):
    """The way to the server; every method raises `Offline` where that is cut."""

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Sequence[Mapping[str, Any]]:
        """What became of each operation."""
        ...

    def changes(self, cursor: str | None) -> AsyncIterator[Event]:
        """What changes behind the cursor; all of the state first where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class PushReport:
    """What became of the queue."""

    done: int
    refused: tuple[DeadLetter, ...]


@dataclass
class Synchroniser:
    """Keeps one device in step. `pause`, `jitter` and `clock` are for tests to take in hand."""

    store: Store
    server: Server
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic

    async def push(self) -> PushReport:
        """Sends the queue, oldest first; `Offline` at the first failure of the way, and nothing is lost.

        An empty queue is sent as well, once it has become empty: the server then forgets what it keeps in
        case that something came again.
        """
        device_id = self._device_id()
        done, refused = 0, list[DeadLetter]()
        while True:
            batch = self.store.waiting(BATCH)
            settled = self.store.settled_through
            if not batch and not done:
                return PushReport(done, tuple(refused))
            results = await self.server.push(device_id, batch, None if settled is None else str(settled))
            letters = self.store.settle(results)
            refused += letters
            done += len(results) - len(letters)
            if not batch:
                return PushReport(done, tuple(refused))

    async def keep_pushing(self, wake: asyncio.Event) -> None:
        """Sends whenever `wake` is set, and after each failure again with longer and longer pauses."""
        failures = 0
        while True:
            try:
                await self.push()
            except Offline:
                failures += 1
                await self.pause(self._pause_seconds(failures))
                continue
            failures = 0
            wake.clear()
            if not len(self.store):
                await wake.wait()

    async def follow(self, told: Callable[[Event], None] = _nobody) -> None:
        """Takes in what changes until the way is cut (`Offline`); `told` hears of each event."""
        async with aclosing(self.server.changes(self.store.cursor)) as events:  # type: ignore[type-var]
            async for event in events:
                self.store.apply([event])
                told(event)

    async def keep_following(self, told: Callable[[Event], None] = _nobody) -> None:
        """Follows, and after each failure again, from where it was."""
        failures = 0

        def reset(event: Event) -> None:
            nonlocal failures
            failures = 0
            told(event)

        while True:
            began = self.clock()
            try:
                await self.follow(reset)
            except Offline:
                stood = self.clock() - began >= STEADY_SECONDS
                failures = 1 if stood else failures + 1
            await self.pause(self._pause_seconds(max(1, failures)))

    def _pause_seconds(self, failures: int) -> float:
        """Twice as long each time, and between half and all of it, lest all devices come back at once."""
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 16))
        return longest * (0.5 + self.jitter() / 2)

    def _device_id(self) -> str:
        if self.store.device_id is None:
            raise ValueError("The device has not been registered: call `Gateway.register` first.")
        return self.store.device_id
