"""What is computed once is not computed again by those who ask meanwhile."""

import asyncio
from contextlib import suppress

import pytest

from domain.sona.snapshots import Kept


class Work:
    """Something slow that counts how often it is done."""

    def __init__(self, *, broken: bool = False) -> None:
        self.done = 0
        self.broken = broken
        self.gate = asyncio.Event()

    async def __call__(self) -> str:
        self.done += 1
        await self.gate.wait()
        if self.broken:
            raise LookupError("nothing there")
        return "value"


def _kept() -> Kept[str, str]:
    return Kept(lambda: 0.0)


async def test_many_who_ask_at_once_wait_for_one_answer() -> None:
    kept, work = _kept(), Work()

    asking = [asyncio.create_task(kept.once("key", work)) for _ in range(20)]
    await asyncio.sleep(0)
    work.gate.set()

    assert await asyncio.gather(*asking) == ["value"] * 20
    assert work.done == 1
    assert kept.get("key") == "value"


async def test_one_who_gives_up_leaves_the_answer_to_the_others() -> None:
    kept, work = _kept(), Work()

    first, second = (asyncio.create_task(kept.once("key", work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    work.gate.set()

    assert await second == "value"
    assert work.done == 1


async def test_a_failure_is_not_kept() -> None:
    kept, broken, sound = _kept(), Work(broken=True), Work()
    broken.gate.set()
    sound.gate.set()

    with pytest.raises(LookupError):
        await kept.once("key", broken)

    assert await kept.once("key", sound) == "value"
