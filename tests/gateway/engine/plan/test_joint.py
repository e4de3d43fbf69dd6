"""A joint run comes to what each would come to alone, or says that they are to be executed alone."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, cast

import pytest
import strawberry
from strawberry.types import Info

from gateway.engine.joints import alike
from gateway.engine.plan.calls import Calls
from gateway.engine.plan.joint import Apart, JointRun
from gateway.engine.plan.launch import Launch, Launcher, finished
from tests.gateway.engine.plan.cases import Case, Expected
from tests.gateway.engine.plan.twins import answer, core_of, frozen, parsed

pytestmark = [
    pytest.mark.usefixtures("swept"),
    pytest.mark.filterwarnings(
        "ignore:coroutine .* was never awaited:RuntimeWarning",
        "ignore::pytest.PytestUnraisableExceptionWarning",
    ),
]
SETS = 4
"""Of variables that are tried with a case."""


def launches(case: Case, *, tells_paths: bool) -> list[Launch]:
    """With variables that may be executed together."""
    launcher = Launcher(case.core, parsed(case.operation.text), None)
    random, world = Random(case.seed), replace(case.world(), tells_paths=tells_paths)
    given, others = case.operation.variables, case.operation.others
    mixed = [
        {
            name: value
            if name in launcher._planned.conditions
            else random.choice((value, others.get(name, value)))
            for name, value in given.items()
        }
        for _ in range(SETS - 1)
    ]
    made = [launcher.launch(variables, world, None) for variables in (given, *mixed)]
    kept = [launch for launch in made if isinstance(launch, Launch) and launch.plan is not None]
    return [one for one in kept if one.plan is kept[0].plan and alike(one) == alike(kept[0])]


async def jointly(asked: Sequence[Launch]) -> list[Any] | None:
    assert asked[0].plan is not None
    try:
        return [*map(frozen, await JointRun(asked[0].plan, asked).results())]
    except Apart:
        return None


async def alone(asked: Sequence[Launch]) -> list[Any]:
    answers = [answer(await finished(launch.run())) for launch in asked]
    return [(frozen(one.data), one.errors) if one.errors else frozen(one.data) for one in answers]


def queries(corpus: list[tuple[Case, Expected]]) -> list[list[Launch]]:
    """Sets of variables for each query of the cases, over data of two moods."""
    return [
        asked
        for case, _ in corpus
        if not case.is_serial and not case.made.blueprint.watched
        for mood in (case.mood, "as wanted")
        if (asked := launches(replace(case, mood=mood), tells_paths=case.seed % 4 == 0))
    ]


async def test_each_is_given_what_it_would_be_alone(corpus: list[tuple[Case, Expected]]) -> None:
    kinds: Counter[str] = Counter()

    for asked in queries(corpus):
        expected, found = await alone(asked), await jointly(asked)
        assert found is None or found == expected
        kinds["asked"] += 1
        kinds["together"] += found is not None
        kinds["different"] += found is not None and len({*map(str, found)}) > 1
        kinds["failing"] += any(isinstance(one[0], tuple) for one in expected)

    assert kinds["together"] > 0.1 * kinds["asked"]
    assert kinds["different"] > 0.02 * kinds["asked"]
    assert kinds["failing"] > 0.2 * kinds["asked"]


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "errors are nobody's": lambda patch: patch.setattr(JointRun, "_recorded", lambda *_: None),
    "what is odd is null": lambda patch: patch.setattr(JointRun, "_hand_over", lambda *_: None),
    "all have the arguments of the first": lambda patch: patch.setattr(
        Calls, "__init__", around(Calls.__init__, lambda calls: setattr(calls, "_arguments", Stubborn()))
    ),
}


class Stubborn(dict[int, Any]):
    """Keeps what it has."""

    def clear(self) -> None:
        """Nothing."""


def around(function: Callable[..., None], after: Callable[[Any], None]) -> Callable[..., None]:
    def both(it: Any, *args: Any) -> None:
        function(it, *args)
        after(it)

    return both


@pytest.mark.parametrize("name", FAULTS)
async def test_a_seeded_fault_is_found(
    name: str, corpus: list[tuple[Case, Expected]], monkeypatch: pytest.MonkeyPatch
) -> None:
    FAULTS[name](monkeypatch)

    assert await differs(corpus)


async def differs(corpus: list[tuple[Case, Expected]]) -> bool:
    for asked in queries(corpus):
        expected = await alone(asked)
        try:
            found = await jointly(asked)
        except Exception:  # noqa: BLE001 - it raises for nothing else
            return True
        if found is not None and found != expected:
            return True
    return False


# -- What needs to know whose it is


@strawberry.interface
class Animal:
    name: str


def by_class(tells_type: Any) -> Any:
    tells_type.by_class = True
    return tells_type


@strawberry.type
class Cat(Animal):
    @classmethod
    @by_class
    def is_type_of(cls, animal: Any, _info: Info[None, None]) -> bool:
        return isinstance(animal, cls)


@strawberry.type
class Dog(Animal):
    @classmethod
    def is_type_of(cls, animal: Any, info: Info[None, None]) -> bool:
        return bool(info.variable_values) and animal.name == "dog"


def numbers(of: int) -> int:
    return of


numbers.__batch__ = lambda sources, info, of: [len(info.variable_values) * of for _ in sources]  # type: ignore[attr-defined]


async def later(cat: Cat) -> Cat:
    return cat


@strawberry.type
class Query:
    numbers: int = strawberry.field(resolver=numbers)

    @strawberry.field
    def cat(self, of: int) -> Cat:
        return Cat(name=f"cat {of}")

    @strawberry.field
    def sly(self, of: int) -> list[Cat]:
        return cast("list[Cat]", [later(Cat(name=f"cat {of}"))])

    @strawberry.field
    def dog(self, of: int) -> Dog:
        return Dog(name="dog")

    @strawberry.field
    def told(self, info: Info[None, None], of: int) -> str:
        return f"{of} of {info.variable_values}"

    @strawberry.field
    def hushed(self, info: Info[None, None], of: int) -> str:
        try:
            return str(info.variable_values)
        except Exception:  # noqa: BLE001 - as somebody else's resolver does
            return f"{of}"

    @strawberry.field
    def broken(self, of: int) -> int | None:
        raise ValueError(of)

    @strawberry.field
    async def waits(self, of: int) -> int:
        await asyncio.sleep(0)
        return of

    @strawberry.field
    async def late(self, info: Info[None, None], of: int) -> str:
        await asyncio.sleep(0)
        return str(info.variable_values)


SCHEMA = strawberry.Schema(Query)


def numbered(fields: str, count: int = 3) -> list[Launch]:
    launcher = Launcher(core_of(SCHEMA), parsed(f"query ($of: Int!) {{ {fields} }}"), None)
    made = [launcher.launch({"of": number}, None, None) for number in range(count)]
    return [launch for launch in made if isinstance(launch, Launch)]


async def test_an_object_whose_class_tells_its_type_is_everybodys() -> None:
    found = await jointly(numbered("cat(of: $of) { name }"))

    assert found == [frozen({"cat": {"name": f"cat {number}"}}) for number in range(3)]


async def test_all_wait_for_what_each_waits_for() -> None:
    found = await jointly(numbered("a: waits(of: $of) b: waits(of: 7)"))

    assert found == [frozen({"a": number, "b": 7}) for number in range(3)]


@pytest.mark.parametrize("field", ["told", "hushed", "broken", "late", "numbers", "dog", "sly"])
@pytest.mark.filterwarnings("error")
async def test_what_is_one_occasions_alone_parts_them(
    field: str, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    gc.collect()
    recwarn.clear()  # other tests leave coroutines behind
    below = " { name }" if field in {"dog", "sly"} else ""
    asked = numbered(f"first: waits(of: $of) {field}(of: $of){below} last: waits(of: $of)")

    found = await jointly(asked)
    gc.collect()

    assert found is None
    assert not caplog.records  # of exceptions that nobody looked at
    assert not recwarn.list  # of coroutines that were never awaited
