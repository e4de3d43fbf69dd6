"""What is given to many was executed once for all of them, and is nobody's own."""

import asyncio
import gc
import time
import tracemalloc

import pytest

from domain.platform.budgets import Payer
from gateway.engine.admission import CostPolicy
from gateway.engine.plan.cache_policy import Policy
from gateway.engine.plan.launch import Launch
from gateway.engine.plan.plan import Plan
from gateway.engine.requests import OperationRequest
from gateway.engine.results import OperationResult
from tests.gateway.engine.sharers import TAG, AnyVisitor, Bench, Visitor, bench, settled, shown


async def together(bench: Bench, text: str, *names: str) -> list[OperationResult]:
    """All asked before any is answered."""
    tasks = [await bench.begun(text, name) for name in names]
    bench.world.gate.set()
    return await asyncio.gather(*tasks)


# Once for all.


async def test_identical_concurrent_queries_are_one_execution() -> None:
    house = bench()

    results = await together(house, "{ gated }", *["nobody"] * 20)

    assert [shown(result) for result in results] == [{"gated": "old"}] * 20
    assert house.world.asked["gated"] == 1


async def test_who_asks_later_is_given_what_was_kept() -> None:
    house = bench()

    answers = [await house.data("{ word thing { name } }") for _ in range(3)]

    assert answers == [{"word": "old", "thing": {"name": "old"}}] * 3
    assert house.world.asked == {"word": 1, "thing": 1}
    assert house.cache.usage()["answers"].hits == 2


async def test_what_was_kept_has_the_bytes_of_what_was_executed() -> None:
    house = bench()
    text = 'query($a: String!) { b: said(what: $a) __typename thing { name } a: said(what: "\\"é") }'

    first, second = [await house.ask(text, a="\u2028x") for _ in range(2)]

    assert first.to_bytes() == second.to_bytes()
    assert house.world.asked["said"] == 2


async def test_signed_in_or_not_callers_share_what_is_everybodys() -> None:
    house = bench()

    await together(house, "{ gated }", "ada", "nobody", "bob")

    assert house.world.asked["gated"] == 1


# Nothing crosses.


async def test_what_a_visitor_owns_is_theirs_beside_what_is_everybodys() -> None:
    house = bench()

    results = await together(house, "{ mine gated unhinted word }", "ada", "bob")

    assert [shown(result) for result in results] == [
        {"mine": name, "gated": "old", "unhinted": name, "word": "old"} for name in ("ada", "bob")
    ]
    assert house.world.asked == {"gated": 1, "word": 1, "mine": 2, "unhinted": 2}


async def test_a_field_that_asks_who_asks_is_shared_with_nobody_whatever_its_hint_says() -> None:
    house = bench()
    text = "{ thing { name owner } gated }"

    results = await together(house, text, "ada", "bob", "ada")
    again = [await house.ask(text, name) for name in ("bob", "eve")]

    assert [shown(result)["thing"]["owner"] for result in (*results, *again)] == [
        "ada",
        "bob",
        "ada",
        "bob",
        "eve",
    ]
    assert {result.policy for result in (*results, *again)} == {Policy(0, private=True)}


async def test_regions_do_not_mix() -> None:
    house = bench()

    answers = [(await house.data("{ local }", region=region))["local"] for region in ("US", "DE", "US")]

    assert answers == ["US", "DE", "US"]
    assert house.world.asked["local"] == 2


async def test_variables_do_not_mix() -> None:
    house = bench()
    text = "query($what: String) { said(what: $what) }"

    answers = [(await house.data(text, what=what))["said"] for what in ("a", "b", "a")]
    answers.append((await house.data(text))["said"])

    assert answers == ["a!", "b!", "a!", "!"]
    assert house.world.asked["said"] == 3


async def test_what_variables_include_does_not_mix() -> None:
    house = bench()
    text = "query($all: Boolean!) { word said @include(if: $all) }"

    answers = [await house.data(text, all=value) for value in (True, False, True, False)]

    assert answers == [{"word": "old", "said": "!"}, {"word": "old"}] * 2


async def test_operations_of_one_document_do_not_mix() -> None:
    house = bench()
    text = 'query A { a: said(what: "a") } query B { a: said(what: "b") }'

    results = [
        await house.engine.answer(OperationRequest(text, name), Visitor(house.world)) for name in "ABAB"
    ]

    assert [shown(result) for result in results] == [{"a": "a!"}, {"a": "b!"}] * 2


async def test_who_has_no_audience_shares_nothing() -> None:
    house = bench()

    for _ in range(2):
        await house.data("{ word }", region="")

    assert house.world.asked["word"] == 2


# What is not shared.


@pytest.mark.parametrize(
    "text", ["{ __typename }", "{ mine }", "{ __typename unhinted }", "mutation { write }"]
)
async def test_what_gains_nothing_is_not_kept(text: str) -> None:
    house = bench()

    for _ in range(2):
        await house.data(text)

    assert "answers" not in house.cache.usage()


async def test_errors_are_shared_by_who_waits_and_never_kept() -> None:
    house = bench()
    house.world.broken = True

    results = await together(house, "{ gated failing }", *["nobody"] * 3)
    broken = house.world.asked["failing"]
    later = await house.ask("{ gated failing }")
    house.world.broken = False

    codes = [[error["extensions"]["code"] for error in result.errors] for result in (*results, later)]
    assert codes == [["NOT_FOUND"]] * 4
    assert broken == 1
    assert house.world.asked["failing"] == 2
    assert house.cache.usage()["answers"].entries == 0
    assert await house.data("{ gated failing }") == {"gated": "old", "failing": "old"}


async def test_an_error_beside_what_a_visitor_owns_is_told_with_what_they_own() -> None:
    house = bench()
    house.world.broken = True

    result = await house.ask("{ mine failing }", "ada")

    assert result.data == {"mine": "ada", "failing": None}
    assert [error["path"] for error in result.errors] == [["failing"]]
    assert result.policy is None


async def test_a_scalar_that_is_no_json_is_masked_and_not_kept() -> None:
    house = bench()

    bodies = [house.engine.to_bytes(await house.ask("{ odd }")) for _ in range(2)]

    assert all(b'"INTERNAL"' in body and b'"data":null' in body for body in bodies)
    assert house.cache.usage()["answers"].entries == 0


async def test_variables_that_are_no_json_are_executed_for_each() -> None:
    house = bench()

    for _ in range(2):
        assert await house.data("{ word }", unused={1, 2}) == {"word": "old"}

    assert house.world.asked["word"] == 2


# Whoever began it may leave.


async def test_the_first_may_be_cancelled_without_harm_to_who_waits_with_them() -> None:
    house = bench()
    first, second, third = [await house.begun("{ gated }") for _ in range(3)]

    first.cancel()
    await settled()
    house.world.gate.set()

    assert [shown(await task) for task in (second, third)] == [{"gated": "old"}] * 2
    assert first.cancelled()
    assert house.world.asked["gated"] == 1
    assert house.world.cancelled["gated"] == 0


async def test_an_execution_outlives_the_deadline_of_who_began_it() -> None:
    house = bench(deadline_seconds=2.0)
    first = await house.begun("{ gated }")
    await asyncio.sleep(0.4)
    second = await house.begun("{ gated }")

    late = await first
    house.world.gate.set()

    assert late.code == "TIMEOUT"
    assert shown(await second) == {"gated": "old"}
    assert house.world.asked["gated"] == 1
    assert house.world.left == [pytest.approx(2.5, abs=0.1)]  # for what it asks of the database as well


async def test_who_comes_too_late_to_have_all_their_time_begins_anew() -> None:
    house = bench(deadline_seconds=0.6)
    first = await house.begun("{ gated }")
    await asyncio.sleep(0.2)
    second, third = [await house.begun("{ gated }") for _ in range(2)]
    house.world.gate.set()

    assert [shown(await task) for task in (first, second, third)] == [{"gated": "old"}] * 3
    assert house.world.asked["gated"] == 2


async def test_what_nobody_waits_for_is_cancelled_and_no_answer_for_who_comes_then() -> None:
    house = bench()
    tasks = [await house.begun("{ gated }") for _ in range(2)]
    for task in tasks:
        task.cancel()
    await asyncio.sleep(0)
    late = asyncio.create_task(house.ask("{ gated }"))
    await settled()
    house.world.gate.set()

    assert shown(await late) == {"gated": "old"}
    assert house.world.cancelled["gated"] == 1
    assert house.world.asked["gated"] == 2


async def test_a_client_that_leaves_alone_ends_the_execution() -> None:
    house = bench()
    task = await house.begun("{ gated }")

    task.cancel()
    await settled()

    assert house.world.cancelled["gated"] == 1
    assert house.cache.usage()["answers"].entries == 0


# For how long.


async def test_an_invalidation_drops_what_was_kept() -> None:
    house = bench()
    await house.data("{ word }")
    house.world.word = "new"

    house.cache.invalidate((TAG,))

    assert await house.data("{ word }") == {"word": "new"}


@pytest.mark.parametrize("everything", [False, True])
async def test_what_was_read_before_an_invalidation_is_neither_kept_nor_given_to_who_comes_after(
    *, everything: bool
) -> None:
    house = bench()
    early = await house.begun("{ gated }")
    house.world.word = "new"

    if everything:
        house.cache.clear()
    else:
        house.cache.invalidate((TAG,))
    late = await house.begun("{ gated }")
    house.world.gate.set()

    assert shown(await early) == {"gated": "old"}
    assert shown(await late) == {"gated": "new"}
    assert await house.data("{ gated }") == {"gated": "new"}
    assert house.world.asked["gated"] == 2


async def test_while_changes_cannot_be_heard_of_nobody_joins_what_has_begun() -> None:
    house = bench()
    await house.data("{ word }")
    early = await house.begun("{ gated }")

    house.cache.pause()
    house.world.word = "new"
    late = await house.begun("{ gated }")
    house.world.gate.set()

    assert await house.data("{ word }") == {"word": "new"}
    assert (shown(await early), shown(await late)) == ({"gated": "old"}, {"gated": "new"})
    assert house.world.asked == {"word": 2, "gated": 2}


async def test_what_was_begun_before_a_pause_is_not_kept_if_it_ends_within() -> None:
    house = bench()
    early = await house.begun("{ gated }")

    house.cache.pause()
    house.world.gate.set()
    await early
    house.cache.resume()

    assert house.cache.usage()["answers"].entries == 0


async def test_the_least_hint_bounds_how_long_it_is_kept() -> None:
    house = bench()
    await house.data("{ word said }")  # 60 and 300 seconds
    house.world.word = "new"

    house.world.now += 59.9
    before = await house.data("{ word said }")
    house.world.now += 0.1
    after = await house.data("{ word said }")

    assert (before["word"], after["word"]) == ("old", "new")


async def test_the_end_of_what_it_shows_bounds_how_long_it_is_kept() -> None:
    house = bench()
    house.world.ends = house.world.now + 5

    await house.data("{ ending }")
    house.world.now += 4.9
    await house.data("{ ending }")
    before = house.world.asked["ending"]
    house.world.now += 0.1
    await house.data("{ ending }")

    assert (before, house.world.asked["ending"]) == (1, 2)


async def test_what_has_ended_while_it_was_executed_is_not_kept() -> None:
    house = bench()
    house.world.ends = house.world.now

    result = await house.ask("{ ending }")

    assert shown(result) == {"ending": "old"}
    assert result.policy == Policy(0, private=False, for_all=True)
    assert house.cache.usage()["answers"].entries == 0


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("{ word said }", Policy(60, private=False, for_all=True)),
        ("{ said }", Policy(300, private=False, for_all=True)),
        ("{ local }", Policy(60, private=False, for_all=False)),
        ("{ word mine }", Policy(0, private=True)),
        ("{ word unhinted }", Policy(0, private=False)),
        ("{ thing { owner } }", Policy(0, private=True)),
        ("{ mine }", Policy(0, private=True)),
        ("{ __typename }", Policy(0, private=False)),
        ("mutation { write }", Policy(60, private=False)),
    ],
)
async def test_an_answer_tells_for_how_long_and_for_whom_it_is_true(text: str, policy: Policy) -> None:
    house = bench()

    executed, kept = [await house.ask(text) for _ in range(2)]

    assert executed.policy == kept.policy == policy


async def test_an_answer_that_was_kept_tells_the_time_that_is_left() -> None:
    house = bench()
    await house.ask("{ word }")

    house.world.now += 12.5
    result = await house.ask("{ word }")

    assert result.policy == Policy(47, private=False, for_all=True)


async def test_where_nothing_is_kept_an_answer_tells_its_hints_and_the_end_of_what_it_shows() -> None:
    house = bench()
    house.cache.pause()
    house.world.ends = time.time() + 5

    policies = [(await house.ask(text)).policy for text in ("{ word }", "{ word ending }", "{ mine }")]

    assert policies[::2] == [Policy(60, private=False), Policy(0, private=True)]
    assert policies[1] in {Policy(4, private=False), Policy(5, private=False)}


# What it costs.


async def test_who_begins_it_pays_and_nobody_after_them() -> None:
    house = bench(costs=CostPolicy(payer_of=lambda _context: Payer(reports=True)))

    results = await together(house, "{ gated thing { name } }", "ada", "bob")
    results.append(await house.ask("{ gated thing { name } }"))

    costs = [result.extensions["cost"]["actualQueryCost"] for result in results if result.extensions]
    assert costs == [3, 1, 1]  # an operation costs something by itself


# In how much room.


async def test_it_stays_within_the_bytes_of_the_cache_whatever_is_asked() -> None:
    house = bench(max_bytes=100_000)
    most = 0

    for number in range(300):
        await house.data("query($size: Int!) { large(size: $size) }", size=1_000 + number)
        await house.data(f"{{ a{number}: word }}")
        most = max(most, house.cache.bytes)

    usage = house.cache.usage()["answers"]
    assert 50_000 < most <= 100_000
    assert usage.bytes > usage.entries * 1_100  # half of them are of a thousand bytes and more
    assert usage.evictions > 300


@pytest.mark.parametrize("size", [1, 500, 20_000])
async def test_the_bytes_that_are_counted_are_those_that_are_taken(size: int) -> None:
    house = bench(max_bytes=1 << 30)
    text = "query($size: Int!, $what: String) { large(size: $size) said(what: $what) thing { name } }"
    await house.data(text, size=size)
    gc.collect()
    counted = house.cache.bytes

    tracemalloc.start()
    try:
        for number in range(200):
            await house.ask(text, size=size, what=str(number))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 0.6 < taken / (house.cache.bytes - counted) < 1.3


async def test_what_is_kept_holds_on_to_no_plan() -> None:
    """Plans are large, and are counted elsewhere: here they would be memory that no bound knows of."""
    house = bench()
    await house.data("query($size: Int!) { large(size: $size) thing { name } }", size=3)

    entries = [entry for table in house.cache._tables.values() for entry in table.entries.values()]
    found = reachable([(entry.key, entry.value) for entry in entries])

    assert len(entries) == 1
    assert b'{"size":3}' in found
    assert not any(isinstance(value, Plan | Launch | Visitor | AnyVisitor) for value in found)


def reachable(root: object) -> list[object]:
    found, waiting = {id(root): root}, [root]
    while waiting:
        for value in gc.get_referents(waiting.pop()):
            if id(value) not in found and not isinstance(value, type):
                found[id(value)] = value
                waiting.append(value)
    return list(found.values())
