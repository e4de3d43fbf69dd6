"""While nothing is kept, whoever asks during an execution of the same goes with all others who do."""

import asyncio

import pytest

from gateway.engine.results import OperationResult
from tests.gateway.engine.sharers import Bench, bench, settled, shown


@pytest.fixture
def house() -> Bench:
    house = bench()
    house.cache.pause()
    return house


def go_on(house: Bench) -> None:
    """Lets what has begun end, and stops what begins next."""
    gate, house.world.gate = house.world.gate, asyncio.Event()
    gate.set()


async def words(*tasks: "asyncio.Task[OperationResult]") -> list[str]:
    return [shown(await task)["gated"] for task in tasks]


async def test_all_who_come_during_an_execution_are_one_execution(house: Bench) -> None:
    first, *others = [await house.begun("{ gated }", name) for name in ("nobody", "ada", *["bob"] * 10)]
    begun = house.world.asked["gated"]

    go_on(house)
    await settled()
    house.world.gate.set()

    assert await words(first, *others) == ["old"] * 12
    assert (begun, house.world.asked["gated"]) == (1, 2)


async def test_nobody_is_given_what_was_read_before_they_came(house: Bench) -> None:
    """Wave after wave, each with the word of its time."""
    waves, given = [[await house.begun("{ gated }")]], []
    for word in ("one", "two", "three"):
        house.world.word = word
        waves.append([await house.begun("{ gated }") for _ in range(3)])
        given.append(await asyncio.wait_for(_ended(house, waves[-2]), 5))
    given.append(await asyncio.wait_for(_ended(house, waves[-1]), 5))

    assert given == [["old"], ["one"] * 3, ["two"] * 3, ["three"] * 3]
    assert house.world.asked["gated"] == 4


async def _ended(house: Bench, wave: list["asyncio.Task[OperationResult]"]) -> list[str]:
    go_on(house)
    given = await words(*wave)
    await settled()
    return given


async def test_what_is_not_the_same_does_not_wait(house: Bench) -> None:
    first = await house.begun("{ gated }")

    other = await house.data("{ word }")
    region = asyncio.create_task(house.ask("{ gated }", region="DE"))
    await settled()
    begun = house.world.asked["gated"]
    house.world.gate.set()

    assert (other, begun) == ({"word": "old"}, 2)
    assert await words(first, region) == ["old", "old"]


async def test_nothing_crosses(house: Bench) -> None:
    text = "{ thing { owner } gated mine }"
    tasks = [await house.begun(text, name) for name in ("nobody", "ada", "bob", "ada")]
    house.world.gate.set()

    owners = [(shown(await task)["thing"]["owner"], shown(await task)["mine"]) for task in tasks]

    assert owners == [(name, name) for name in ("nobody", "ada", "bob", "ada")]


async def test_an_error_is_told_to_all_who_waited_and_to_nobody_else(house: Bench) -> None:
    house.world.broken = True
    text = "{ gated failing }"
    tasks = [await house.begun(text) for _ in range(4)]
    house.world.gate.set()
    broken = [len((await task).errors) for task in tasks]
    house.world.broken = False

    assert broken == [1] * 4
    assert await house.data(text) == {"gated": "old", "failing": "old"}
    assert house.world.asked["failing"] == 3


@pytest.mark.parametrize("leaves", [0, 1, 2])
async def test_whoever_leaves_harms_nobody(house: Bench, leaves: int) -> None:
    """The one that is executed, the one that began to wait, and one that joined it."""
    tasks = [await house.begun("{ gated }") for _ in range(4)]

    tasks[leaves].cancel()
    await settled()
    house.world.gate.set()

    assert await words(*(task for task in tasks if task is not tasks[leaves])) == ["old"] * 3
    assert house.world.asked["gated"] == 2


@pytest.mark.parametrize("steps", range(6))
async def test_what_nobody_waits_for_is_not_begun(house: Bench, steps: int) -> None:
    """However soon the next one comes."""
    first, *others = [await house.begun("{ gated }") for _ in range(3)]
    for task in others:
        task.cancel()
    for _ in range(steps):
        await asyncio.sleep(0)
    late = asyncio.create_task(house.ask("{ gated }"))
    await settled()
    house.world.gate.set()

    assert await words(first, late) == ["old", "old"]
    assert house.world.asked["gated"] == 2


async def test_what_nobody_waited_for_leaves_nothing(house: Bench) -> None:
    first, second = [await house.begun("{ gated }") for _ in range(2)]

    second.cancel()
    house.world.gate.set()
    await words(first)
    await settled()

    assert len(house.sharing._turns) == 0
    assert house.world.asked["gated"] == 1


async def test_who_waits_behind_a_slow_one_begins_in_the_end() -> None:
    house = bench(deadline_seconds=0.4)  # of which a quarter is what anybody waits for a turn
    house.cache.pause()
    slow = await house.begun("{ gated }")
    late = await house.begun("{ gated }")
    await asyncio.sleep(0.2)
    begun = house.world.asked["gated"]
    house.world.gate.set()

    assert begun == 2
    assert await words(slow, late) == ["old", "old"]


async def test_where_all_is_over_nothing_is_left(house: Bench) -> None:
    house.world.gate.set()
    for _ in range(3):
        await asyncio.gather(*(house.data("{ gated }") for _ in range(5)))

    sharing = house.sharing
    assert (len(sharing._turns), len(sharing._works)) == (0, 0)
    assert "answers" not in house.cache.usage() or house.cache.usage()["answers"].entries == 0
