"""Loaders of several requests over one question that is gathered."""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.platform.errors import Unavailable
from domain.platform.gathering import FULL, Gathered
from domain.platform.tracing import LEFT_OUT
from domain.platform.validity import observed_validity, validity
from loaders.loader import Loader, many, one
from tests.loaders.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


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
    names = Gathered(shop.names, never, asyncio.Semaphore(4))
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
    names = Gathered(shop.names, never, asyncio.Semaphore(4))
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
    names = Gathered(shop.names, never, asyncio.Semaphore(4))
    ada, bob, eve = one(names), one(names), one(names)

    with left_out(yes=False):
        traced = [asyncio.ensure_future(loader.load(key)) for loader, key in ((ada, 2), (ada, 4), (bob, 2))]
    with left_out():
        found = await told(*traced, eve.load(6))

    assert found == ["name 2", "name 4", "name 2", "name 6"]
    assert sorted(shop.asked) == [[2], [2, 4], [6]]


async def test_who_asks_for_much_asks_for_itself_in_one_question(shop: Shop) -> None:
    names = Gathered(shop.names, never, asyncio.Semaphore(4))
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
    names = Gathered(shop.names, never, asyncio.Semaphore(4))
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

    gathered = Gathered(names, never, asyncio.Semaphore(4))
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
    names = Gathered(shop.names, never, asyncio.Semaphore(4))
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
    parts = Gathered(shop.parts, never, asyncio.Semaphore(4))
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

    parts = Gathered(shop.parts, never, asyncio.Semaphore(4))
    ada, bob = many(parts, refuses), many(parts)
    with left_out():
        found = await told(ada.load(2), bob.load(2))
        again = await told(ada.load(2))

    assert isinstance(found[0], LookupError)
    assert found[1] == ["part of 2"]
    assert isinstance(again[0], LookupError)
    assert shop.asked == [[2], [2]]
