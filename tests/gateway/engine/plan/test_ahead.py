"""Wide fields of the root object are finished as soon as they are complete, and no sooner."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import pytest
import strawberry
from graphql import ExecutionResult
from strawberry.types import Info

from gateway.engine.plan.ahead import WIDE, AheadRun
from gateway.engine.plan.launch import Launch, Launcher, finished
from gateway.engine.plan.run import Run
from resolvers.batching import batched
from tests.gateway.engine.plan.cases import Case, Expected, Finished
from tests.gateway.engine.plan.twins import core_of, parsed

pytestmark = [
    pytest.mark.usefixtures("swept"),
    pytest.mark.filterwarnings(
        "ignore:coroutine .* was never awaited:RuntimeWarning",
        "ignore::pytest.PytestUnraisableExceptionWarning",
    ),
]

# -- Whatever is asked, as graphql-core answers; `faults_of_waiting.py` has what the cases would find


async def test_the_cases_finish_fields_with_and_without_errors_beside_them(
    corpus: list[tuple[Case, Expected]], monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: Counter[str] = Counter()
    finish = AheadRun._finish_where_complete

    def finish_where_complete(self: AheadRun, key: str) -> None:
        before = self._data.get(key)
        finish(self, key)
        kinds["asked"] += 1
        kinds["finished"] += self._data.get(key) is not before
        kinds["awaiting"] += self._awaits(key)
        kinds["failed"] += self._failures is not None

    monkeypatch.setattr(AheadRun, "_finish_where_complete", finish_where_complete)
    for case, expected in corpus:
        if not case.made.blueprint.watched:
            assert await expected.allows(case, await case.ahead())

    assert kinds["finished"] > 0.2 * kinds["asked"] > 20
    assert kinds["awaiting"] > 0.1 * kinds["asked"]
    assert kinds["failed"] > 0.1 * kinds["asked"]


# -- When


async def name(items: Sequence["Item"], info: Info[None, None], of: str) -> list[str]:
    """The longer `of`, the later."""
    for _ in of:
        await asyncio.sleep(0)
    return [f"{of} {item.number}" for item in items]


async def late(items: Sequence["Item"], info: Info[None, None], of: str) -> list[str | None]:
    await name(items, info, of)
    raise ValueError("late")


@strawberry.type
class Item:
    number: int
    name: str = strawberry.field(resolver=batched(name))
    late: str | None = strawberry.field(resolver=batched(late))

    @strawberry.field
    async def broken(self) -> str | None:
        raise ValueError("broken")


async def found_items(count: int) -> list[Item]:
    await asyncio.sleep(0)
    return [Item(number=number) for number in range(count)]


@strawberry.type
class Query:
    items: list[Item] = strawberry.field(resolver=found_items)

    @strawberry.field
    def at_hand(self, count: int) -> list[Item]:
        return [Item(number=number) for number in range(count)]

    @strawberry.field
    async def broken(self) -> str | None:
        await asyncio.sleep(0)
        raise ValueError("broken")

    @strawberry.field
    async def fatal(self) -> str:
        for _ in range(9):
            await asyncio.sleep(0)
        raise ValueError("fatal")


@strawberry.type
class Mutation:
    items: list[Item] = strawberry.field(resolver=found_items)


SCHEMA = strawberry.Schema(Query, Mutation)


class Heard(list[str]):
    """The keys of what was finished, in their order."""

    def finish(self, key: str, value: Any) -> Finished:
        self.append(key)
        return Finished(value)


async def asked(text: str) -> tuple[ExecutionResult, Heard]:
    launch, heard = Launcher(core_of(SCHEMA), parsed(text), None).launch({}, None, None), Heard()
    cast("Launch", launch).finish = heard.finish
    return await finished(cast("Launch", launch).run()), heard


def items(count: int, of: str = "a") -> str:
    return f'items(count: {count}) {{ name(of: "{of}") }}'


def named(count: int, of: str = "a") -> list[dict[str, str]]:
    return [{"name": f"{of} {number}"} for number in range(count)]


async def test_each_is_finished_once_by_itself_where_it_stands() -> None:
    found, heard = await asked(f"{{ slow: {items(WIDE, 'aaa')} quick: {items(WIDE)} __typename }}")

    assert heard == ["quick", "slow"]
    assert not found.errors
    assert found.data == {
        "slow": Finished(named(WIDE, "aaa")),
        "quick": Finished(named(WIDE)),
        "__typename": "Query",
    }
    assert [*found.data] == ["slow", "quick", "__typename"]


async def test_of_what_comes_at_once_each_is_finished_before_the_next_is_completed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    def complete(self: Run, entries: Any, values: Any, original: Any = Run._complete) -> None:
        done.append(entries.position.root.key)
        original(self, entries, values)

    monkeypatch.setattr(Run, "_complete", complete)
    monkeypatch.setattr(Heard, "finish", lambda _self, key, _value: done.append(f"{key} finished"))
    await asked(f"{{ a: {items(WIDE)} b: {items(WIDE)} }}")

    assert done == ["a", "b", "a", "a finished", "b", "b finished"]


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        (f"{{ a: {items(WIDE - 1)} b: {items(WIDE)} }}", ["b"]),
        (f"{{ {items(WIDE)} }}", []),
        (f"mutation {{ a: {items(WIDE)} b: {items(WIDE)} }}", []),
        (f"{{ a: {items(WIDE)} broken }}", []),
        (f"{{ a: {items(WIDE)} b: items(count: 1) {{ broken }} c: {items(WIDE, 'aaa')} }}", []),
        (f'{{ a: {items(WIDE)} b: items(count: 1) {{ name(of: "aaa") broken }} }}', []),
        (f"{{ atHand(count: {WIDE}) {{ number }} {items(WIDE)} }}", ["items"]),
    ],
)
async def test_only_what_is_wide_and_may_not_change_is_finished(text: str, heard: list[str]) -> None:
    assert (await asked(text))[1] == heard


async def test_errors_that_come_later_are_told_beside_what_is_finished() -> None:
    found, heard = await asked(f'{{ a: {items(WIDE)} b: items(count: 1) {{ late(of: "aaaa") }} }}')

    assert heard == ["a"]
    assert found.data == {"a": Finished(named(WIDE)), "b": [{"late": None}]}
    assert [(error.message, error.path) for error in found.errors or ()] == [("late", ["b", 0, "late"])]

    found, heard = await asked(f"{{ a: {items(WIDE)} fatal }}")

    assert heard == ["a"]
    assert found.data is None
    assert [(error.message, error.path) for error in found.errors or ()] == [("fatal", ["fatal"])]
