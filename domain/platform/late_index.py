"""A vector index that is opened when somebody first asks for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import TypeAlias

from domain.platform.vectors import VectorIndex

Load: TypeAlias = Callable[[], AbstractAsyncContextManager[VectorIndex]]
"""Called in a thread: importing a client may take longer than all the rest of a start."""


class LateIndex:
    """`await late()` is the index; it waits while the index is being opened."""

    def __init__(self, load: Load, stack: AsyncExitStack) -> None:
        self._load = load
        self._stack = stack
        self._opening: asyncio.Task[VectorIndex] | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, load: Load) -> AsyncIterator["LateIndex"]:
        async with AsyncExitStack() as stack:
            late = cls(load, stack)
            try:
                yield late
            finally:
                await late._settle()

    async def __call__(self) -> VectorIndex:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> VectorIndex:
        manager = await asyncio.to_thread(self._load)
        return await self._stack.enter_async_context(manager)

    async def _settle(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._opening
