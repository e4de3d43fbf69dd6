"""Sends what waits and follows what changes, through every failure of the way between."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from media_gateway_client.errors import Offline
from media_gateway_client.store import DeadLetter, Operation, Store

BATCH = 100
SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
SHARE_OF_OUTAGE = 1 / 8
"""A pause lasts so much of the time that the way has been cut: its end is noticed soon after short cuts, and
hardly anybody asks during long ones.
"""
STEADY_SECONDS = 2.0
"""A stream that stood for so long has succeeded, also where nothing happened to it meanwhile."""

Event = Mapping[str, Any]


def _nobody(event: Event) -> None:
    """Hears of an event."""


class Server(Protocol):
    """The way to the server; every method raises `Offline` where that is cut."""

    @property
    def milliseconds(self) -> int | None:
        """Since 1970 by the server's clock, as its last answer told; nothing where it told none."""
        ...

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
    _passed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set when something was sent: so the way is open, also to whoever pauses before following again."""

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
            letters = self.store.settle(results, self.server.milliseconds)
            refused += letters
            done += sum(result["fate"] != "REFUSED" for result in results)
            if not batch:
                return PushReport(done, tuple(refused))

    async def keep_pushing(self, wake: asyncio.Event) -> None:
        """Sends whenever `wake` is set, and after each failure again: at once when `wake` is set meanwhile,
        else after pauses that grow.
        """
        outage = _Outage(self.clock, self.jitter)
        while True:
            try:
                await self.push()
            except Offline as error:
                await self._pause(outage.failed(), error.retry_seconds, wake)
                continue
            outage.over()
            self._passed.set()
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
        outage = _Outage(self.clock, self.jitter)

        def hear(event: Event) -> None:
            outage.over()
            told(event)

        while True:
            began, asked = self.clock(), 0.0
            try:
                await self.follow(hear)
            except Offline as error:
                asked = error.retry_seconds
            if self.clock() - began >= STEADY_SECONDS:
                outage.over()
            await self._pause(outage.failed(), asked, self._passed)

    async def _pause(self, seconds: float, asked: float, sign: asyncio.Event) -> None:
        """As long as the server asked for; else until the sign is given, if that comes first."""
        if asked:
            await self.pause(max(seconds, asked))
            return
        sign.clear()
        waits = [asyncio.ensure_future(self.pause(seconds)), asyncio.ensure_future(sign.wait())]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        for wait in done:
            wait.result()

    def _device_id(self) -> str:
        if self.store.device_id is None:
            raise ValueError("The device has not been registered: call `Gateway.register` first.")
        return self.store.device_id


class _Outage:
    """How long the way has been cut, as one of those has it who try it again and again."""

    def __init__(self, clock: Callable[[], float], jitter: Callable[[], float]) -> None:
        self._clock = clock
        self._jitter = jitter
        self._since: float | None = None

    def over(self) -> None:
        self._since = None

    def failed(self) -> float:
        """The seconds to pause: between half and all of what is due, lest all devices come back at once."""
        now = self._clock()
        self._since = now if self._since is None else self._since
        due = max(SHORTEST_PAUSE_SECONDS, SHARE_OF_OUTAGE * (now - self._since))
        return min(LONGEST_PAUSE_SECONDS, due) * (0.5 + self._jitter() / 2)
