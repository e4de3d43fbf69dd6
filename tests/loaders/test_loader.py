"""Bulk questions as loaders."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from domain.platform.gathering import MAX_KEYS
from domain.platform.soon import Later
from loaders.loader import many, one
from tests.loaders.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def test_keys_of_one_turn_are_one_question_in_order_each_once(shop: Shop) -> None:
    loader = one(shop.names)

    found = await asyncio.gather(*(loader.load(key) for key in (4, 2, 3, 2, 4)))

    assert found == ["name 4", "name 2", None, "name 2", "name 4"]
    assert shop.asked == [[4, 2, 3]]


async def test_what_was_answered_is_not_asked_again_even_where_it_was_nothing(shop: Shop) -> None:
    loader = one(shop.names)

    assert await loader.load(3) is None
    assert await loader.load_many([3, 2]) == [None, "name 2"]

    assert shop.asked == [[3], [2]]


async def test_a_list_is_empty_where_the_answer_has_none(shop: Shop) -> None:
    loader = many(shop.parts)

    assert await loader.load_many([2, 3]) == [["part of 2"], []]


async def test_too_many_keys_are_several_questions(shop: Shop) -> None:
    loader = one(shop.names)

    found = await loader.load_many(range(2 * MAX_KEYS + 1))

    assert len(found) == 2 * MAX_KEYS + 1
    assert sorted(map(len, shop.asked)) == [1, MAX_KEYS, MAX_KEYS]


async def test_a_question_that_fails_fails_every_key_and_is_asked_again_later(shop: Shop) -> None:
    loader = one(shop.names)
    shop.broken = True

    failed: list[Any] = await asyncio.gather(*(loader.load(key) for key in (1, 2)), return_exceptions=True)
    shop.broken = False

    assert [str(error) for error in failed] == ["closed", "closed"]
    assert await loader.load(2) == "name 2"
    assert shop.asked == [[1, 2], [2]]


async def test_loaders_do_not_share_what_they_remember(shop: Shop) -> None:
    await one(shop.names).load(2)
    await one(shop.names).load(2)

    assert shop.asked == [[2], [2]]


async def test_all_who_ask_in_a_turn_wait_for_one_task(shop: Shop) -> None:
    loader = one(shop.names)
    before = len(asyncio.all_tasks())

    soon = [loader.soon([2]), loader.soon([4, 2]), loader.soon([6])]
    assert len(asyncio.all_tasks()) == before + 1

    assert [await later for later in soon if not isinstance(later, list)] == [
        ["name 2"],
        ["name 4", "name 2"],
        ["name 6"],
    ]
    assert shop.asked == [[2, 4, 6]]


async def test_what_is_known_and_what_is_asked_for_come_together(shop: Shop) -> None:
    loader = one(shop.names)
    loader.prime(2, "known")
    begun = asyncio.ensure_future(loader.load_many([4]))
    await asyncio.sleep(0)

    both = loader.soon([2, 4, 6])
    loader.clear(2)

    assert not isinstance(both, list)
    assert await both == ["known", "name 4", "name 6"]
    assert await begun == ["name 4"]
    assert shop.asked == [[4, 6]]


async def test_a_key_whose_question_was_cancelled_is_asked_anew(shop: Shop) -> None:
    loader = one(shop.names)
    for turns in (0, 1):
        asking = asyncio.ensure_future(loader.load(2))
        for _ in range(turns + 1):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    assert await loader.load(2) == "name 2"


@pytest.mark.parametrize("key", [2, 4])
async def test_who_gives_up_leaves_the_others_their_answer(shop: Shop, key: int) -> None:
    loader = one(shop.names)
    leaving, staying = asyncio.ensure_future(loader.load(2)), asyncio.ensure_future(loader.load(key))
    await asyncio.sleep(0)

    leaving.cancel()

    assert await staying == f"name {key}"
    assert leaving.cancelled()
    assert len(shop.asked) == 1


async def test_what_is_on_its_way_is_asked_for_once_though_another_question_ends_before() -> None:
    asked, slow = [], asyncio.Event()

    async def names(keys: Sequence[int]) -> Mapping[int, str]:
        asked.append(list(keys))
        if 4 in keys:
            await slow.wait()
        return {key: f"name {key}" for key in keys}

    loader = one(names)
    first = asyncio.ensure_future(loader.load(4))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await loader.load_many([2, 2]) == ["name 2", "name 2"]
    second = asyncio.ensure_future(loader.load(4))
    await asyncio.sleep(0)
    slow.set()

    assert await first == await second == "name 4"
    assert asked == [[4], [2]]


async def test_what_is_cleared_while_it_is_asked_for_is_asked_for_anew_and_not_remembered(shop: Shop) -> None:
    """As it may have been read before what it was cleared for."""
    loader = one(shop.names)
    early = asyncio.ensure_future(loader.load_many([2, 4]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    loader.clear(2)
    late = asyncio.ensure_future(loader.load_many([2, 4]))

    assert await early == await late == ["name 2", "name 4"]
    assert await loader.load_many([2, 4]) == ["name 2", "name 4"]
    assert shop.asked == [[2, 4], [2]]


async def test_what_was_cleared_is_not_remembered_from_an_answer_on_its_way(shop: Shop) -> None:
    loader = one(shop.names)
    early = asyncio.ensure_future(loader.load_many([2, 4]))
    await asyncio.sleep(0)

    loader.clear(2)

    assert await early == ["name 2", "name 4"]
    assert await loader.load_many([4, 2]) == ["name 4", "name 2"]
    assert shop.asked == [[2, 4], [2]]


async def test_what_failed_while_another_key_was_cleared_is_asked_for_again(shop: Shop) -> None:
    loader = one(shop.names)
    shop.broken = True
    early = asyncio.ensure_future(loader.load_many([2, 4]))
    await asyncio.sleep(0)

    loader.clear(2)

    with pytest.raises(LookupError, match="closed"):
        await early
    shop.broken = False
    assert await loader.load_many([4, 2]) == ["name 4", "name 2"]


async def test_a_key_whose_task_was_ended_from_outside_is_asked_anew(shop: Shop) -> None:
    """As whoever ends everything in a loop does; what is told then is told in its last turns."""
    loader = one(shop.names)
    soon = loader.soon([2])
    assert isinstance(soon, Later)

    soon.future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon

    assert await loader.load(2) == "name 2"
