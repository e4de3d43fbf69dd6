"""Coroutines that are run at once, for as long as they need not wait."""

import asyncio
from typing import NoReturn

import pytest

from gateway.routes.begun import Begun


async def answer(*, after: int = 0) -> str:
    for _ in range(after):
        await asyncio.sleep(0)
    return "answer"


async def fail(*, after: int = 0) -> NoReturn:
    await answer(after=after)
    raise LookupError("lost")


async def test_what_need_not_wait_is_done_at_once() -> None:
    begun = Begun(answer())

    assert begun.done
    assert begun.result == "answer"
    assert await begun == "answer"


@pytest.mark.parametrize("after", [1, 2, 5])
async def test_what_waits_goes_on_when_it_is_awaited(after: int) -> None:
    begun = Begun(answer(after=after))

    assert not begun.done
    assert await begun == "answer"


async def test_what_fails_at_once_fails_where_it_is_begun() -> None:
    with pytest.raises(LookupError, match="lost"):
        Begun(fail())


async def test_what_fails_later_fails_where_it_is_awaited() -> None:
    begun = Begun(fail(after=2))

    with pytest.raises(LookupError, match="lost"):
        await begun


async def test_what_it_waits_for_answers_it() -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def wait() -> str:
        return f"{await future} and {await asyncio.sleep(0.001, 'slept')}"

    begun = Begun(wait())
    asyncio.get_running_loop().call_later(0.001, future.set_result, "set")

    assert await begun == "set and slept"


async def test_a_cancellation_reaches_what_was_begun() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def run() -> None:
        await Begun(wait())

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["cancelled"]


async def test_a_deadline_that_begins_later_holds_all_the_same() -> None:
    begun = Begun(asyncio.Event().wait())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await begun


async def test_a_deadline_within_it_is_kept() -> None:
    async def wait() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return "too late"
        return "in time"

    assert await Begun(wait()) == "too late"
