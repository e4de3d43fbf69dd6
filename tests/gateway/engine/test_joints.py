"""Who asks the same operation at the same time is executed together, and never notices."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.platform.tracing import LEFT_OUT
from gateway.engine.joints import APART_SECONDS, CROWDED_SECONDS
from gateway.engine.plan.cache_policy import Policy
from gateway.engine.results import OperationResult
from tests.gateway.engine.sharers import AROUND, TAG, Bench, Visitor, bench, settled, shown

FOUND = "query($what: String!) { found(what: $what) { name } }"
MANY = "query($what: String!, $many: Int) { found(what: $what) { parts(many: $many) { parts { name } } } }"
KINDS = ["off", "on"]
"""Of the cache."""


@pytest.fixture(autouse=True)
async def untraced() -> AsyncIterator[None]:
    token = LEFT_OUT.set(True)
    yield
    LEFT_OUT.reset(token)


@pytest.fixture(params=KINDS)
async def house(request: pytest.FixtureRequest) -> Bench:
    return await waited(request.param)


async def waited(cache: str = "off", deadline_seconds: float = 5.0) -> Bench:
    """Where several have just been under way."""
    LEFT_OUT.set(True)
    house = bench(deadline_seconds=deadline_seconds)
    if cache == "off":
        house.cache.pause()
    await crowd(house)
    return house


async def crowd(house: Bench, text: str = FOUND, **given: Any) -> None:
    """Several ask at the same time and wait, so that whoever asks next is waited for."""
    house.world.gate.clear()
    asked = [house.ask(text, what=what, **given) for what in ("first", "second", "third")]
    tasks = [*map(asyncio.create_task, asked)]
    await settled()
    house.world.gate.set()
    await asyncio.gather(*tasks)
    house.world.asked.clear()
    house.world.contexts.clear()
    house.world.left.clear()
    house.sharing._joints.joined = 0


async def together(
    house: Bench, *whats: str, text: str = FOUND, name: str = "nobody"
) -> list[OperationResult]:
    return await asyncio.gather(*[house.ask(text, name, what=what) for what in whats])


def name_of(result: OperationResult) -> str | None:
    assert not result.errors
    found = shown(result)["found"]
    return None if found is None else str(found["name"])


# Together.


async def test_two_at_a_time_are_a_crowd_and_stay_one(monkeypatch: pytest.MonkeyPatch) -> None:
    house = bench()
    house.cache.pause()
    early = [asyncio.create_task(house.ask(FOUND, what=what)) for what in "ab"]
    await settled()
    house.world.gate.set()
    await asyncio.gather(*early)
    now = time.monotonic

    for round_ in range(3):
        later = 0.9 * round_ * CROWDED_SECONDS
        monkeypatch.setattr(time, "monotonic", lambda later=later: now() + later)
        house.world.contexts.clear()
        await together(house, "c", "d")
        assert len(house.world.contexts) == 1


async def test_those_of_one_turn_are_executed_together_and_each_is_given_its_own(house: Bench) -> None:
    results = await together(house, "a", "", "c", "d")

    assert [*map(name_of, results)] == ["a old US", None, "c old US", "d old US"]
    assert house.world.asked["found"] == 4
    assert len(house.world.contexts) == 1
    assert house.sharing.joined == 4


async def test_what_comes_together_has_the_bytes_of_what_comes_alone(house: Bench) -> None:
    text = (
        "query($what: String!) { a: found(what: $what) { name parts(many: 2) { name } } __typename"
        ' b: found(what: "é") { name } }'
    )
    await crowd(house, text)
    alone = [result.to_bytes() for result in [await house.ask(text, what=what) for what in "yz"]]
    house.cache.invalidate((TAG,))
    house.world.contexts.clear()

    results = await together(house, "y", "z", text=text)

    assert [result.to_bytes() for result in results] == alone
    assert shown(results[1])["a"]["parts"] == [{"name": "z old US.0"}, {"name": "z old US.1"}]
    assert len(house.world.contexts) == 1


async def test_what_batch_functions_are_asked_is_asked_once_for_all() -> None:
    house = await waited()
    text = "query($what: String!) { found(what: $what) { parts { name parts { name } } } }"
    await crowd(house, text)

    results = await together(house, "a", "b", "c", text=text)

    assert house.world.asked == {"found": 3, "parts": 2}
    assert shown(results[2])["found"]["parts"] == [
        {"name": "c old US.0", "parts": [{"name": "c old US.0.0"}]}
    ]


async def test_operations_that_wait_for_nothing_are_not_made_to_wait() -> None:
    house = bench()
    house.cache.pause()
    text = "query($what: String!) { said(what: $what) }"

    await crowd(house, text)
    await together(house, *"abcd", text=text)

    assert house.sharing.joined == 0


async def test_who_asks_what_is_under_way_waits_for_its_end_and_is_given_one_answer_with_others() -> None:
    house = await waited()
    house.world.gate.clear()
    early = [asyncio.create_task(house.ask(FOUND, what=what)) for what in "ab"]
    await settled()
    late = [asyncio.create_task(house.ask(FOUND, what="a")) for _ in range(3)]
    await settled()
    house.world.gate.set()

    names = [name_of(await task) for task in (*early, *late)]

    assert names == ["a old US", "b old US", *["a old US"] * 3]
    assert house.world.asked["found"] == 3


async def test_nothing_of_whoever_asks_first_is_around(house: Bench) -> None:
    AROUND.set("the first")

    await together(house, "a", "b")

    assert house.world.around[-2:] == ["nothing, True"] * 2  # and it is not traced


async def test_who_finds_nobody_to_go_with_is_not_counted(house: Bench) -> None:
    await house.data(FOUND, what="a")

    assert house.sharing.joined == 0


async def test_what_was_found_together_is_kept_for_each() -> None:
    house = await waited("on")
    await together(house, "a", "b")

    again = [await house.ask(FOUND, what=what) for what in "ab"]

    assert [*map(name_of, again)] == ["a old US", "b old US"]
    assert house.world.asked["found"] == 2


# Not together.


async def test_who_asks_one_after_the_other_is_not_made_to_wait_for_others() -> None:
    house = bench()
    house.cache.pause()
    house.world.gate.set()

    for what in "abc":
        await house.data(FOUND, what=what)

    assert {type(context) for context in house.world.contexts.values()} == {Visitor}


async def test_where_there_was_no_crowd_of_late_nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    house = await waited()
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + CROWDED_SECONDS)

    await house.data(FOUND, what="a")

    assert {type(context) for context in house.world.contexts.values()} == {Visitor}


async def test_variables_that_are_read_below_the_root_do_not_mix(house: Bench) -> None:
    text = "query($what: String!, $many: Int = 1) { found(what: $what) { name parts(many: $many) { name } } }"
    await crowd(house, text)
    given: list[dict[str, Any]] = [{"many": 2}, {}, {"many": 2}, {}, {"many": 1}]

    results = await asyncio.gather(
        *[house.ask(text, what=what, **more) for what, more in zip("abcde", given, strict=True)]
    )

    found = [shown(one)["found"] for one in results]
    assert [one["name"][0] for one in found] == [*"abcde"]
    assert [len(one["parts"]) for one in found] == [2, 1, 2, 1, 1]


async def test_regions_do_not_mix(house: Bench) -> None:
    asked = [("a", "US"), ("a", "DE"), ("b", "US"), ("b", "DE")]

    results = await asyncio.gather(*[house.ask(FOUND, region=region, what=what) for what, region in asked])

    assert [*map(name_of, results)] == [f"{what} old {region}" for what, region in asked]
    assert len(house.world.contexts) == 2


async def test_who_comes_a_moment_later_is_given_what_is_read_then() -> None:
    house = await waited()
    house.world.gate.clear()
    early = [asyncio.create_task(house.ask(FOUND, what=what)) for what in "ab"]
    await settled()
    house.world.word = "new"
    late = [asyncio.create_task(house.ask(FOUND, what=what)) for what in "cd"]
    await settled()
    house.world.gate.set()

    names = [name_of(await task) for task in (*early, *late)]

    assert names == ["a old US", "b old US", "c new US", "d new US"]


async def test_who_is_traced_is_executed_alone() -> None:
    house = await waited()
    LEFT_OUT.set(False)

    await together(house, "a", "b")

    assert len(house.world.contexts) == 2
    assert house.sharing.joined == 0


async def test_what_asks_who_asks_is_told_to_each(house: Bench) -> None:
    text = "query($what: String!) { found(what: $what) { name owner } }"
    await crowd(house, text)

    results = await asyncio.gather(
        *[house.ask(text, name, what=what) for name, what in [("ada", "a"), ("bob", "b"), ("eve", "c")]]
    )

    owners = [(shown(one)["found"]["name"][0], shown(one)["found"]["owner"]) for one in results]
    assert owners == [("a", "ada"), ("b", "bob"), ("c", "eve")]


async def test_after_something_asked_who_asks_each_is_executed_alone_for_a_while() -> None:
    house = await waited()
    text = "query($what: String!) { found(what: $what) { owner } }"
    await crowd(house, text)

    await together(house, "a", "b", text=text)

    assert {type(context) for context in house.world.contexts.values()} == {Visitor}


async def test_operations_do_not_mix(house: Bench) -> None:
    other = "query($what: String!) { found(what: $what) { name parts { name } } }"
    await crowd(house, other)

    results = await asyncio.gather(*[house.ask(text, what=what) for what in "ab" for text in (FOUND, other)])

    assert [[*shown(result)["found"]] for result in results] == [["name"], ["name", "parts"]] * 2
    assert len(house.world.contexts) == 2


# What goes wrong.


async def test_the_failure_of_one_is_told_to_it_alone(house: Bench) -> None:
    results = await together(house, "a", "bad", "c")

    assert [name_of(results[0]), name_of(results[2])] == ["a old US", "c old US"]
    assert [error["extensions"]["code"] for error in results[1].errors] == ["NOT_FOUND"]
    assert shown(results[1]) == {"found": None}


async def test_after_a_failure_each_is_executed_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    house = await waited()
    await together(house, "a", "bad")
    house.world.contexts.clear()

    await together(house, "c", "d")
    alone = len(house.world.contexts)
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + APART_SECONDS)
    await crowd(house)
    await together(house, "e", "f")

    assert alone == 2
    assert len(house.world.contexts) == 1


async def test_who_gives_up_leaves_the_others_their_answer(house: Bench) -> None:
    house.world.gate.clear()
    tasks = [asyncio.create_task(house.ask(FOUND, what=what)) for what in "abc"]
    await settled()
    tasks[0].cancel()
    await settled()
    house.world.gate.set()

    assert [name_of(await task) for task in tasks[1:]] == ["b old US", "c old US"]
    assert tasks[0].cancelled()
    assert house.world.cancelled["found"] == 0


@pytest.mark.parametrize("turns", range(6))
async def test_when_all_have_given_up_it_ends_and_stands_in_nobodys_way(house: Bench, turns: int) -> None:
    house.world.gate.clear()
    tasks = [asyncio.create_task(house.ask(FOUND, what=what)) for what in "abc"]
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await settled()
    begun, ended = house.world.asked["found"], house.world.cancelled["found"]
    house.world.gate.set()

    assert begun == ended
    assert not house.sharing._joints._gathering
    assert [*map(name_of, await together(house, "a", "b"))] == ["a old US", "b old US"]


@pytest.mark.parametrize("turns", range(6))
async def test_who_comes_just_as_all_give_up_is_answered(house: Bench, turns: int) -> None:
    tasks = [asyncio.create_task(house.ask(FOUND, what=what)) for what in "abc"]
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()

    assert [*map(name_of, await together(house, "d", "e"))] == ["d old US", "e old US"]


async def test_each_has_its_own_time_and_all_together_a_little_more() -> None:
    house = await waited(deadline_seconds=0.2)
    house.world.gate.clear()

    results = await together(house, "a", "b")

    assert [result.errors[0]["extensions"]["code"] for result in results] == ["TIMEOUT"] * 2
    assert house.world.left == [pytest.approx(0.25, abs=0.03)] * 2
    await settled()
    assert house.world.cancelled["found"] == 2


# How many.


async def test_what_shows_many_is_executed_alone(house: Bench) -> None:
    text = "query($what: String!) { found(what: $what) { parts(many: 60) { parts { name } } } }"
    await crowd(house, text)

    results = await together(house, "a", "b", "c", text=text)

    assert len(house.world.contexts) == 3
    assert [len(shown(one)["found"]["parts"]) for one in results] == [60] * 3


async def test_no_more_go_together_than_are_soon_completed() -> None:
    house = await waited()
    text = "query($what: String!) { found(what: $what) { parts(many: 12) { parts { name } } } }"
    await crowd(house, text)

    results = await together(house, *"abcdefghijkl", text=text)

    assert len(house.world.contexts) == 3  # four each
    assert [shown(one)["found"]["parts"][11]["parts"][0]["name"] for one in results] == [
        f"{what} old US.11.0" for what in "abcdefghijkl"
    ]


async def test_after_what_shows_many_each_is_executed_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = await waited()
    text = MANY.replace("Int", "Int = 60")
    await crowd(house, text)

    await together(house, "a", "b", text=text)
    wide = {type(context) for context in house.world.contexts.values()}
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + APART_SECONDS)
    await crowd(house, text, many=1)
    await asyncio.gather(*[house.ask(text, what=what, many=1) for what in "abcd"])

    assert wide == {Visitor}
    assert len(house.world.contexts) == 1


async def test_how_many_may_go_together_is_forgotten_by_and_by() -> None:
    house = await waited()
    text = MANY.replace("Int", "Int = 12")
    await crowd(house, text)
    seen = []

    for _ in range(40):
        house.world.contexts.clear()
        await asyncio.gather(*[house.ask(text, what=what, many=1) for what in "abcdefgh"])
        seen.append(len(house.world.contexts))

    assert seen[:2] == [2, 2]
    assert seen[-1] == 1


async def test_of_those_of_whom_nothing_is_known_two_go_together() -> None:
    house = bench()
    house.cache.pause()
    LEFT_OUT.set(True)
    tasks = [asyncio.create_task(house.ask(FOUND, what=what)) for what in "abcde"]
    await settled()
    house.world.gate.set()
    await asyncio.gather(*tasks)

    assert len(house.world.contexts) == 3  # one, two and two


# How long it stays true.


async def test_an_answer_stays_true_as_long_as_what_was_read_for_all() -> None:
    house = await waited()
    house.world.ends = time.time() + 20.5

    results = await together(house, "a", "b")

    assert [result.policy for result in results] == [Policy(20, private=False)] * 2


async def test_so_does_that_of_who_asks_alone() -> None:
    house = bench()
    house.cache.pause()
    house.world.ends = time.time() + 20.5
    task = await house.begun(FOUND.replace("query($what: String!)", "").replace("$what", '"a"'))
    house.world.gate.set()

    assert (await task).policy == Policy(20, private=False)
