import asyncio

import pytest
from starlette.types import Message

from gateway.routes.interrupts import Interruptible


class Wire:
    """A client that leaves when told to."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.watchers = 0

    async def receive(self) -> Message:
        self.watchers += 1
        try:
            await self.left.wait()
        finally:
            self.watchers -= 1
        return {"type": "http.disconnect"}


async def test_the_block_ends_when_the_client_leaves_and_the_task_goes_on() -> None:
    wire = Wire()
    asyncio.get_running_loop().call_later(0.02, wire.left.set)

    with Interruptible(wire.receive) as block:
        await asyncio.sleep(60)

    assert block.interrupted
    await asyncio.sleep(0)


async def test_nobody_watches_after_the_block() -> None:
    wire = Wire()

    with Interruptible(wire.receive) as block:
        await asyncio.sleep(0.02)
        assert wire.watchers == 1
    await asyncio.sleep(0)

    assert wire.watchers == 0
    assert not block.interrupted


async def test_nobody_watches_a_short_block() -> None:
    wire = Wire()
    wire.left.set()

    with Interruptible(wire.receive, grace_seconds=0.05) as block:
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)

    assert not block.interrupted


async def test_a_cancellation_by_others_goes_through() -> None:
    async def work() -> None:
        with Interruptible():
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
