"""Values that are there at once, or will be."""

import asyncio

import pytest

from domain.platform.lazily import lazily
from domain.platform.soon import Later, Soon, then


async def settled(soon: Soon[int]) -> int:
    return soon if isinstance(soon, int) else await soon


async def after_a_turn(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def test_what_is_there_is_worked_out_at_once() -> None:
    assert then(2, lambda value: value + 1) == 3


@pytest.mark.parametrize("kind", ["coroutine", "future", "later"])
async def test_what_is_awaited_is_worked_out_once_it_is_there(kind: str) -> None:
    task = asyncio.ensure_future(after_a_turn(2))
    soon: Soon[int] = {
        "coroutine": after_a_turn(2) if kind == "coroutine" else 0,
        "future": task,
        "later": Later(task, lambda value: value),
    }[kind]

    assert await settled(then(then(soon, lambda value: value + 1), lambda value: 10 * value)) == 30


async def test_a_later_fails_as_its_future_does_or_its_function() -> None:
    failing: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    failing.set_exception(LookupError("gone"))
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    done.set_result(0)

    with pytest.raises(LookupError, match="gone"):
        await Later(failing, lambda value: value)
    with pytest.raises(ZeroDivisionError):
        await Later(done, lambda value: 1 // value)


def test_a_lazy_attribute_is_made_once_for_each_and_can_be_dropped() -> None:
    class Shop:
        made = 0

        @lazily
        def stock(self) -> list[int]:
            """What there is."""
            Shop.made += 1
            return []

    shop, other = Shop(), Shop()

    assert shop.stock is shop.stock
    assert shop.stock is not other.stock
    assert Shop.made == 2
    del shop.__dict__["stock"]
    assert shop.stock == []
    assert Shop.made == 3
    assert Shop.stock.__doc__ == "What there is."
