"""Bulk questions as loaders."""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.platform.errors import Unavailable
from domain.platform.gathering import FULL, MAX_KEYS, Gathered
from domain.platform.tracing import LEFT_OUT
from domain.platform.validity import observed_validity, validity
from loaders.loader import Loader, many, one


class Shop:
    """Answers in bulk, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.broken = False
        self.cursed: set[int] = set()

    async def names(self, keys: Sequence[int]) -> Mapping[int, str]:
        self.asked.append(list(keys))
        if self.broken:
            raise LookupError("closed")
        if cursed := [key for key in keys if key in self.cursed]:
            raise LookupError(cursed)
        return {key: f"name {key}" for key in keys if key % 2 == 0}

    async def parts(self, keys: Sequence[int]) -> Mapping[int, list[str]]:
        self.asked.append(list(keys))
        return {key: [f"part of {key}"] for key in keys if key % 2 == 0}


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
    assert await loader.load(2) == "name 2"
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


@contextmanager
def left_out(*, yes: bool = True) -> Iterator[None]:
    """What begins in the block is of requests that are traced by nobody."""
    token = LEFT_OUT.set(yes)
    try:
        yield
    finally:
        LEFT_OUT.reset(token)


def never() -> bool:
    return False


async def told(*asked: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*asked, return_exceptions=True)


async def test_loaders_of_several_requests_ask_together_and_remember_their_own(shop: Shop) -> None:
    names = Gathered(shop.names, never)
    ada, bob = one(names), one(names)

    with left_out():
        found = await told(ada.load_many([2, 3]), ada.load(4), bob.load_many([4, 6]))
        again = await told(ada.load_many([2, 3, 4]), bob.load_many([6, 4]))
        other = await told(ada.load(6), bob.load(2))

    assert found == [["name 2", None], "name 4", ["name 4", "name 6"]]
    assert again == [["name 2", None, "name 4"], ["name 6", "name 4"]]
    assert other == ["name 6", "name 2"]
    assert shop.asked == [[2, 3, 4, 6], [6, 2]]


async def test_loaders_of_several_requests_wait_for_one_task(shop: Shop) -> None:
    names = Gathered(shop.names, never)
    before = len(asyncio.all_tasks())

    with left_out():
        soon = [one(names).soon([key]) for key in (2, 4, 6)]

    assert len(asyncio.all_tasks()) == before + 1
    assert [await later for later in soon if not isinstance(later, list)] == [
        ["name 2"],
        ["name 4"],
        ["name 6"],
    ]


async def test_a_traced_request_asks_for_all_of_its_own_and_for_nobody_else(shop: Shop) -> None:
    names = Gathered(shop.names, never)
    ada, bob, eve = one(names), one(names), one(names)

    with left_out(yes=False):
        traced = [asyncio.ensure_future(loader.load(key)) for loader, key in ((ada, 2), (ada, 4), (bob, 2))]
    with left_out():
        found = await told(*traced, eve.load(6))

    assert found == ["name 2", "name 4", "name 2", "name 6"]
    assert sorted(shop.asked) == [[2], [2, 4], [6]]


async def test_who_asks_for_much_asks_for_itself_in_one_question(shop: Shop) -> None:
    names = Gathered(shop.names, never)
    ada, bob = one(names), one(names)
    much = range(2 * FULL + 2)

    with left_out():
        first, second, other = await told(
            ada.load_many(much[: FULL + 1]), ada.load_many(much[FULL + 1 :]), bob.load(2)
        )

    assert [*first, *second] == [f"name {key}" if key % 2 == 0 else None for key in much]
    assert other == "name 2"
    assert sorted(map(len, shop.asked)) == [1, len(much)]


async def test_a_fault_of_one_request_fails_none_of_another(shop: Shop) -> None:
    names = Gathered(shop.names, never)
    shop.cursed = {13, 17}
    ada, bob, eve = one(names), one(names), one(names)

    with left_out():
        found = await told(
            ada.load_many([2, 4]), bob.load_many([2, 13]), bob.load(6), eve.load_many([4, 13, 17])
        )
        shop.cursed = {17}
        again = await told(bob.load_many([2, 13]), eve.load(13))

    assert found[0] == ["name 2", "name 4"]
    assert [error.args[0] for error in (found[1], found[3])] == [[13], [13, 17]]
    assert found[2] == "name 6"
    assert again == [["name 2", None], None]
    assert ada._known == {2: "name 2", 4: "name 4"}


async def test_what_no_key_is_to_blame_for_fails_all_and_is_asked_for_again_later() -> None:
    failure: Exception | None = Unavailable("The database is away.")
    asked = []

    async def names(keys: Sequence[int]) -> Mapping[int, str]:
        asked.append(list(keys))
        if failure is not None:
            raise failure
        return {key: f"name {key}" for key in keys}

    gathered = Gathered(names, never)
    ada, bob = one(gathered), one(gathered)
    with left_out():
        found = await told(ada.load(2), bob.load(4))
        failure = None
        again = await told(ada.load(2), bob.load(4))

    assert [type(error) for error in found] == [Unavailable] * 2
    assert again == ["name 2", "name 4"]
    assert asked == [[2, 4], [2, 4]]


@pytest.mark.parametrize("gone", [0, 1])
@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_a_request_that_gives_up_leaves_another_its_answer(shop: Shop, gone: int, turns: int) -> None:
    names = Gathered(shop.names, never)
    with left_out():
        asking = [asyncio.ensure_future(one(names).load(key)) for key in (2, 4)]
    for _ in range(turns):
        await asyncio.sleep(0)

    asking[gone].cancel()
    found = await told(*asking)

    assert isinstance(found[gone], asyncio.CancelledError)
    assert found[1 - gone] == f"name {(2, 4)[1 - gone]}"


NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Judge:
    """Leaves the parts that are of a request, and says until when that holds."""

    def __init__(self, only: str, hours: int) -> None:
        self.only = only
        self.hours = hours
        self.judged: list[list[int]] = []

    def __call__(self, found: Mapping[int, list[str]]) -> Mapping[int, list[str]]:
        self.judged.append(sorted(found))
        if (observed := validity()) is not None:
            observed.ends(NOW + timedelta(hours=self.hours))
        return {key: [part for part in parts if self.only in part] for key, parts in found.items()}


async def test_each_request_judges_what_it_asked_for_and_tells_who_wants_to_know(shop: Shop) -> None:
    parts = Gathered(shop.parts, never)
    judges = [Judge("2", 1), Judge("4", 2), Judge("part", 3)]

    async def serve(judge: Judge, *keys: int) -> tuple[list[list[str]], datetime | None]:
        with observed_validity() as observed:
            loader: Loader[int, list[str]] = many(parts, judge)
            return await loader.load_many(keys), observed.until

    with left_out():
        found = await told(serve(judges[0], 2, 4), serve(judges[1], 2, 4, 3), serve(judges[2], 4, 6))

    until = [NOW + timedelta(hours=hours) for hours in (1, 2, 3)]
    assert found == [
        ([["part of 2"], []], until[0]),
        ([[], ["part of 4"], []], until[1]),
        ([["part of 4"], ["part of 6"]], until[2]),
    ]
    assert [judge.judged for judge in judges] == [[[2, 4]], [[2, 4]], [[4, 6]]]
    assert shop.asked == [[2, 4, 3, 6]]


async def test_what_a_judge_raises_is_told_to_who_asked_it(shop: Shop) -> None:
    def refuses(_found: object) -> Mapping[int, list[str]]:
        raise LookupError("not for you")

    parts = Gathered(shop.parts, never)
    ada, bob = many(parts, refuses), many(parts)
    with left_out():
        found = await told(ada.load(2), bob.load(2))
        again = await told(ada.load(2))

    assert isinstance(found[0], LookupError)
    assert found[1] == ["part of 2"]
    assert isinstance(again[0], LookupError)
    assert shop.asked == [[2], [2]]
