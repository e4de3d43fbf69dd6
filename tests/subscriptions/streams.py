"""Subscriptions as tests follow them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from domain.platform.errors import GatewayError
from tests.viewers import Asker

PATIENCE_SECONDS = 5.0
QUIET_SECONDS = 0.1


class Stream:
    """The events of one subscription."""

    def __init__(self, results: AsyncGenerator[Any, None]) -> None:
        self._results = results
        self._pending: asyncio.Task[Any] | None = None

    def listen(self) -> None:
        """Starts to wait for the next event: a subscription is followed once it is asked."""
        if self._pending is None:
            self._pending = asyncio.create_task(anext(self._results))

    async def next(self) -> Any:
        """The next event."""
        self.listen()
        pending, self._pending = self._pending, None
        assert pending is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            result = await pending
        assert result.errors is None, result.errors
        (event,) = result.data.values()
        return event

    async def quiet(self) -> bool:
        """Whether nothing comes for a while."""
        self.listen()
        assert self._pending is not None
        done, _ = await asyncio.wait({self._pending}, timeout=QUIET_SECONDS)
        return not done

    async def close(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            await asyncio.gather(self._pending, return_exceptions=True)
        await self._results.aclose()


@asynccontextmanager
async def following(
    ask: Asker, document: str, account: str | None, **variables: Any
) -> AsyncGenerator[Stream, None]:
    """A stream that listens by the time the block begins."""
    async with aclosing(ask.follow(document, account, **variables)) as results:
        stream, before = Stream(results), ask.house.listeners(account)
        stream.listen()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while ask.house.listeners(account) == before:  # noqa: ASYNC110 - nothing tells of them
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)  # and has read where the log stands
        try:
            yield stream
        finally:
            await stream.close()


async def code(ask: Asker, document: str, account: str | None, **variables: Any) -> str:
    """The code of the error that a stream begins with."""
    async with aclosing(ask.follow(document, account, **variables)) as results:
        result = await anext(results)
    (error,) = result.errors
    assert isinstance(error.original_error, GatewayError), error
    return error.original_error.code.value
