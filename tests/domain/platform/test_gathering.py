"""Questions of several requests, gathered over one turn of the event loop."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from domain.platform.deadline import seconds_left, within
from domain.platform.errors import TimedOut, Unavailable
from domain.platform.gathering import FULL, MAX_KEYS, WIDE, Gathered, Gathering
from domain.platform.tracing import LEFT_OUT
from domain.platform.validity import observed_validity, validity

T = TypeVar("T")
ASKER: ContextVar[str | None] = ContextVar("asker", default=None)


class Spoilt(Exception):
    """Of the keys that nobody can be told of."""


@dataclass
class Shelf:
    """Answers in bulk, and remembers what it was asked, and around what."""

    asked: list[list[int]] = field(default_factory=list)
    noticed: list[Any] = field(default_factory=list)
    notice: Callable[[], Any] = lambda: None
    spoilt: set[int] = field(default_factory=set)
    failure: Exception | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """Answers wait for it."""

    def __post_init__(self) -> None:
        self.open.set()

    async def titles(self, keys: Sequence[int]) -> Mapping[int, str]:
        self.asked.append(list(keys))
        self.noticed.append(self.notice())
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        if spoilt := [key for key in keys if key in self.spoilt]:
            raise Spoilt(spoilt)
        return {key: f"title {key}" for key in keys if key != NOTHING}


NOTHING = 0
"""A key that has nothing."""


def titles_of(*keys: int) -> dict[int, str]:
    return {key: f"title {key}" for key in keys}


def never() -> bool:
    return False


def slots(number: int = 2) -> asyncio.Semaphore:
    return asyncio.Semaphore(number)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def titles(shelf: Shelf) -> Gathered[int, str]:
    return Gathered(shelf.titles, never, slots())


def request(ask: Callable[..., Awaitable[T]], *arguments: Any, traced: bool = False) -> "asyncio.Task[T]":
    """A task of its own, as each request has."""

    async def serve() -> T:
        LEFT_OUT.set(not traced)
        return await ask(*arguments)

    return asyncio.create_task(serve())


async def answers(*requests: Awaitable[T]) -> list[T | BaseException]:
    return await asyncio.gather(*requests, return_exceptions=True)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_requests_of_one_turn_are_one_question_and_each_is_told_its_own(
    shelf: Shelf, titles: Gathered[int, str]
) -> None:
    found = await answers(*(request(titles, keys) for keys in ([1, 2], [2, NOTHING], [3])))

    assert found == [titles_of(1, 2), titles_of(2), titles_of(3)]
    assert shelf.asked == [[1, 2, NOTHING, 3]]


async def test_who_comes_when_the_question_was_asked_is_asked_for_anew(
    shelf: Shelf, titles: Gathered[int, str]
) -> None:
    shelf.open.clear()
    first = request(titles, [1])
    await turns(3)
    assert shelf.asked == [[1]]
    second = request(titles, [1])
    await turns(3)
    shelf.open.set()

    assert await answers(first, second) == [titles_of(1)] * 2
    assert shelf.asked == [[1], [1]]


async def test_who_is_traced_asks_for_itself_in_its_own_task(
    shelf: Shelf, titles: Gathered[int, str]
) -> None:
    shelf.notice = asyncio.current_task
    requests = [request(titles, [key], traced=key != 3) for key in (1, 2, 3)]

    assert await answers(*requests) == [titles_of(1), titles_of(2), titles_of(3)]
    assert shelf.asked == [[1], [2], [3]]
    assert shelf.noticed[:2] == requests[:2]


async def test_who_is_apart_asks_for_itself_in_its_own_task(shelf: Shelf) -> None:
    shelf.notice = asyncio.current_task
    titles = Gathered(shelf.titles, lambda: ASKER.get() == "apart", slots())

    async def apart() -> Mapping[int, str]:
        ASKER.set("apart")
        return await titles([1])

    requests = [request(apart), request(titles, [2]), request(titles, [3])]

    assert await answers(*requests) == [titles_of(1), titles_of(2), titles_of(3)]
    assert shelf.asked == [[1], [2, 3]]
    assert shelf.noticed[0] is requests[0]


async def test_nobody_waits_for_who_asks_for_much(shelf: Shelf, titles: Gathered[int, str]) -> None:
    much = list(range(1, FULL + 2))

    found = await answers(*(request(titles, keys) for keys in ([1], much, [2])))

    assert found == [titles_of(1), titles_of(*much), titles_of(2)]
    assert sorted(shelf.asked, key=len) == [[1, 2], much]


async def test_what_is_full_takes_no_more(shelf: Shelf, titles: Gathered[int, str]) -> None:
    most = list(range(1, FULL))

    found = await answers(*(request(titles, keys) for keys in (most, [FULL], [1], [*most, FULL], [2])))

    assert found == [titles_of(*most), titles_of(FULL), titles_of(1), titles_of(*most, FULL), titles_of(2)]
    assert shelf.asked == [[*most, FULL], [*most, FULL], [2]]


async def test_what_comes_after_a_full_question_has_begun_joins_the_next(shelf: Shelf) -> None:
    gathering = Gathering(shelf.titles, among_strangers=True)
    most, late = list(range(1, FULL + 1)), asyncio.get_running_loop().create_future()

    full = gathering.ask(most)
    asyncio.get_running_loop().call_soon(lambda: late.set_result(gathering.ask([2])))
    following = gathering.ask([1])

    assert await late is following
    await asyncio.gather(full, following)
    assert shelf.asked == [most, [1, 2]]


@pytest.mark.parametrize("seconds", [(5, 60, 20), (60, 5, 20), (5, 20, 60)])
async def test_the_question_may_take_as_long_as_whoever_has_most_time_left(
    shelf: Shelf, titles: Gathered[int, str], seconds: tuple[int, ...]
) -> None:
    shelf.notice = seconds_left

    async def hurried(left: int, key: int) -> Mapping[int, str]:
        with within(left):
            return await titles([key])

    await answers(*(request(hurried, left, key) for key, left in enumerate(seconds)))

    assert len(shelf.noticed) == 1
    assert 59 < shelf.noticed[0] <= 60


@pytest.mark.parametrize("unhurried", [0, 1, 2])
async def test_the_question_has_no_deadline_where_somebody_has_none(
    shelf: Shelf, titles: Gathered[int, str], unhurried: int
) -> None:
    shelf.notice = seconds_left

    async def asked(key: int) -> Mapping[int, str]:
        if key == unhurried:
            return await titles([key])
        with within(5):
            return await titles([key])

    await answers(*(request(asked, key) for key in range(3)))

    assert shelf.noticed == [None]


async def test_who_asks_alone_keeps_their_deadline(shelf: Shelf, titles: Gathered[int, str]) -> None:
    shelf.notice = seconds_left

    with within(5):
        await request(titles, [1])

    assert 4 < shelf.noticed[0] <= 5


@pytest.mark.parametrize("spoilt", [False, True], ids=["asked together", "asked for each"])
async def test_nothing_of_who_came_first_is_around_the_question(
    shelf: Shelf, titles: Gathered[int, str], *, spoilt: bool
) -> None:
    """Neither a transaction, nor a span, nor whoever wants to know how long an answer is valid."""
    shelf.notice = lambda: (ASKER.get(), validity(), LEFT_OUT.get())
    shelf.spoilt = {9} if spoilt else set()

    async def named(name: str, key: int) -> Mapping[int, str]:
        ASKER.set(name)
        with observed_validity():
            return await titles([key])

    await answers(request(named, "ada", 1), request(named, "bob", 9))

    assert shelf.asked == ([[1, 9], [1], [9]] if spoilt else [[1, 9]])
    assert set(shelf.noticed) == {(None, None, True)}


async def test_the_fault_of_a_key_is_told_to_who_asked_for_it_and_nobody_else(
    shelf: Shelf, titles: Gathered[int, str]
) -> None:
    """Whatever other keys they share with others."""
    shelf.spoilt = {7, 8, 9}
    asked = [[1, 2], [1, 9], [1, NOTHING], [NOTHING, 2, 8], [NOTHING], [9, 1], [8, 9, 7]]

    found = await answers(*(request(titles, keys) for keys in asked))

    told = [one.args[0] if isinstance(one, Spoilt) else one for one in found]
    assert told == [titles_of(1, 2), [9], titles_of(1), [8], {}, [9], [8, 9, 7]]
    assert shelf.asked == [[1, 2, 9, NOTHING, 8, 7], *asked]


async def test_those_who_are_asked_for_each_are_asked_for_at_the_same_time(
    shelf: Shelf, titles: Gathered[int, str]
) -> None:
    shelf.spoilt = {9}
    requests = [request(titles, [key]) for key in (9, 1, 2)]
    while len(shelf.asked) < 1:
        await turns(1)
    shelf.open.clear()
    await turns(5)

    assert shelf.asked == [[9, 1, 2], [9], [1], [2]]
    shelf.open.set()
    assert (await answers(*requests))[1:] == [titles_of(1), titles_of(2)]


async def test_who_was_alone_with_a_fault_is_not_asked_for_again(
    shelf: Shelf, titles: Gathered[int, str]
) -> None:
    shelf.spoilt = {9}

    with pytest.raises(Spoilt):
        await request(titles, [1, 9])

    assert shelf.asked == [[1, 9]]


@pytest.mark.parametrize("failure", [Unavailable("The database is away."), TimedOut("It took too long.")])
async def test_what_no_key_is_to_blame_for_is_told_to_all_and_not_tried_again_for_each(
    shelf: Shelf, titles: Gathered[int, str], failure: Exception
) -> None:
    shelf.failure = failure

    assert await answers(*(request(titles, [key]) for key in (1, 2))) == [failure, failure]
    assert shelf.asked == [[1, 2]]


async def test_a_key_that_failed_is_asked_for_again(shelf: Shelf, titles: Gathered[int, str]) -> None:
    shelf.failure = Unavailable("The database is away.")
    await answers(request(titles, [1]), request(titles, [2]))
    shelf.failure = None

    assert await answers(request(titles, [1]), request(titles, [2])) == [titles_of(1), titles_of(2)]


@pytest.mark.parametrize("waited", [0, 1, 2, 3])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("spoilt", [set(), {9}], ids=["sound", "spoilt"])
async def test_who_gives_up_leaves_the_others_their_answer(
    shelf: Shelf, titles: Gathered[int, str], waited: int, place: int, spoilt: set[int]
) -> None:
    shelf.spoilt = spoilt
    shelf.open.clear()
    asked = [[1, 2], [2, 9], [3]]
    requests = [request(titles, keys) for keys in asked]
    await turns(waited)

    requests[place].cancel()
    await turns(1)
    shelf.open.set()
    found = await answers(*requests)

    told = [type(one) if isinstance(one, BaseException) else one for one in found]
    expected: list[Any] = [titles_of(*keys) for keys in asked]
    expected[1] = Spoilt if spoilt else expected[1]
    expected[place] = asyncio.CancelledError
    assert told == expected


@pytest.mark.parametrize("alone", [False, True])
async def test_nobody_hears_of_a_failure_that_all_who_asked_gave_up(
    shelf: Shelf, titles: Gathered[int, str], *, alone: bool
) -> None:
    unheard: list[Any] = []
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, told: unheard.append(told))
    shelf.open.clear()
    shelf.spoilt = {1}
    shelf.failure = None if alone else Unavailable("The database is away.")
    requests = [request(titles, [key]) for key in ((1,) if alone else (1, 2, 3))]
    await turns(3)

    while requests:
        requests.pop().cancel()
    await turns(1)
    shelf.open.set()
    await turns(10)
    gc.collect()
    loop.set_exception_handler(handler)

    assert shelf.asked == [[1] if alone else [1, 2, 3]]
    assert unheard == []


@pytest.mark.parametrize("turns_later", [1, 2])
async def test_a_question_that_was_cancelled_before_it_began_stands_in_nobodys_way(
    shelf: Shelf, turns_later: int
) -> None:
    """Nobody who asks can do that, but whoever ends everything in a loop."""
    gathering = Gathering(shelf.titles, among_strangers=True)
    gathering.ask([1]).cancel()
    await turns(turns_later)

    answer = await gathering.ask(keys := [2])

    assert answer.of(keys) == titles_of(2)
    assert shelf.asked == [[2]]


async def test_a_question_is_called_as_what_it_gathers(titles: Gathered[int, str]) -> None:
    assert titles.__name__ == "titles"


async def test_who_asks_a_turn_later_still_goes_along(shelf: Shelf, titles: Gathered[int, str]) -> None:
    first = request(titles, [1])
    await asyncio.sleep(0)
    second = request(titles, [2])

    assert (await first, await second) == (titles_of(1), titles_of(2))
    assert shelf.asked == [[1, 2]]


# -- Wide questions

MANY = FULL + 1


def wide(number: int, size: int = WIDE) -> list[int]:
    """Keys that nobody else asks for."""
    return [*range(1 + 1_000 * number, 1 + 1_000 * number + size)]


@pytest.mark.parametrize("size", [WIDE, FULL, MANY])
async def test_of_wide_questions_a_few_are_asked_at_the_same_time(
    shelf: Shelf, titles: Gathered[int, str], size: int
) -> None:
    """Each but the last is full by itself, so that none goes along with another."""
    keys = [wide(number, max(size, FULL)) for number in range(4)] + [wide(4, size)]
    shelf.open.clear()
    requests = [request(titles, some) for some in keys]

    await turns(9)
    assert shelf.asked == keys[:2]
    shelf.open.set()
    await turns(9)

    assert await answers(*requests) == [titles_of(*some) for some in keys]
    assert shelf.asked == keys


async def test_narrow_questions_pass_by(shelf: Shelf, titles: Gathered[int, str]) -> None:
    shelf.open.clear()
    most = wide(9, WIDE - 1)
    requests = [request(titles, some) for some in (*(wide(number, FULL) for number in range(3)), most)]

    await turns(9)
    assert sorted(map(len, shelf.asked)) == [WIDE - 1, FULL, FULL]
    shelf.open.set()

    assert (await answers(*requests))[-1] == titles_of(*most)


async def test_questions_may_have_their_slots_in_common(shelf: Shelf) -> None:
    common, other = slots(1), Shelf()
    both = [Gathered(each.titles, never, common) for each in (shelf, other)]
    shelf.open.clear()
    requests = [request(titles, wide(1)) for titles in both]

    await turns(9)
    assert (len(shelf.asked), len(other.asked)) == (1, 0)
    shelf.open.set()

    assert await answers(*requests) == [titles_of(*wide(1))] * 2


async def test_who_is_apart_waits_for_nobody(shelf: Shelf) -> None:
    titles = Gathered(shelf.titles, lambda: ASKER.get() == "apart", slots(1))
    shelf.open.clear()
    first = request(titles, wide(1))
    await turns(9)

    async def apart() -> Mapping[int, str]:
        ASKER.set("apart")
        return await titles(wide(2))

    second = request(apart)
    await turns(9)
    assert shelf.asked == [wide(1), wide(2)]
    shelf.open.set()

    assert await answers(first, second) == [titles_of(*wide(1)), titles_of(*wide(2))]


@pytest.mark.parametrize("size", [WIDE, MANY])
async def test_a_slot_is_free_after_a_failure_and_after_who_gave_up(shelf: Shelf, size: int) -> None:
    titles = Gathered(shelf.titles, never, slots(1))
    shelf.spoilt = {*wide(1)}
    assert isinstance((await answers(request(titles, wide(1, size))))[0], Spoilt)
    shelf.open.clear()
    gone = [request(titles, wide(number, size)) for number in (2, 3)]
    await turns(9)
    for one in gone:
        one.cancel()
    await turns(9)
    shelf.open.set()

    assert await answers(request(titles, wide(4, size))) == [titles_of(*wide(4, size))]


async def test_each_part_of_a_very_wide_question_takes_a_slot(shelf: Shelf) -> None:
    titles = Gathered(shelf.titles, never, slots(1))
    gathering: Gathering[int, str] = Gathering(titles)
    keys = wide(1, 2 * MAX_KEYS)
    shelf.open.clear()
    task = gathering.ask(keys)

    await turns(9)
    assert shelf.asked == [keys[:MAX_KEYS]]
    shelf.open.set()

    assert (await task).of(keys) == titles_of(*keys)
    assert shelf.asked == [keys[:MAX_KEYS], keys[MAX_KEYS:]]
