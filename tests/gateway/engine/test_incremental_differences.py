"""Plans that are cut deliver what graphql-core would: documents at random, with failures, in both formats."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from gateway.engine.admission import CostMode, CostPolicy
from gateway.engine.errors import ErrorFormatter
from gateway.engine.execution import Engine
from gateway.engine.incremental.formats import Format
from gateway.engine.limits import Limits
from gateway.engine.plan import Plans, parts
from gateway.engine.requests import OperationRequest
from gateway.engine.results import OperationResult
from resolvers.batching import batched

LEAVES = (
    *("name", "size", "late", "gathered", "odd", "missing"),
    *("fails", "failsLate", "tags", "mustNot", "plain"),
)
OBJECTS = ("child", "lateChild", "lost", "thing")
LISTS = ("children", "lateChildren", "holes", "things", "boxed")


@dataclass
class Asked:
    gathered: dict[Any, Any] = field(default_factory=dict)


Info = strawberry.Info[Asked, None]


@batched
async def gathered(sources: Sequence[Any], info: Info) -> Sequence[str]:
    await asyncio.sleep(0)
    return [f"<{source.name}>" for source in sources]


@strawberry.interface
class Thing:
    name: str
    depth: strawberry.Private[int] = 0
    boxed: "list[Bag]" = strawberry.field(default_factory=list)
    plain: list[str] = strawberry.field(default_factory=lambda: ["x", "y", "z"])

    @strawberry.field
    def child(self) -> "Box":
        return Box(name=f"{self.name}.c", depth=self.depth + 1)

    @strawberry.field
    async def late_child(self) -> "Bag | None":
        await asyncio.sleep(0)
        return None if self.name.endswith("0") else Bag(name=f"{self.name}.l", depth=self.depth + 1)

    @strawberry.field
    def thing(self) -> "Thing":
        kind = Box if len(self.name) % 2 else Bag
        return kind(name=f"{self.name}.t", depth=self.depth + 1)

    @strawberry.field
    def lost(self) -> "Box | None":
        raise RuntimeError("lost")

    @strawberry.field
    def children(self) -> "list[Box]":
        return [Box(name=f"{self.name}.{number}", depth=self.depth + 1) for number in range(3)]

    @strawberry.field
    async def late_children(self) -> "list[Bag] | None":
        await asyncio.sleep(0)
        return [Bag(name=f"{self.name}.{number}", depth=self.depth + 1) for number in range(3)]

    @strawberry.field
    def holes(self) -> "list[Box | None]":
        return [None, Box(name=f"{self.name}.h", depth=self.depth + 1), None]

    @strawberry.field
    def things(self) -> "list[Thing]":
        return [Box(name=f"{self.name}.x"), Bag(name=f"{self.name}.yy"), Box(name=f"{self.name}.z")]

    @strawberry.field
    def size(self) -> int:
        return len(self.name)

    @strawberry.field
    async def late(self) -> str:
        await asyncio.sleep(0)
        return self.name

    @strawberry.field
    def odd(self) -> str:
        return 3  # type: ignore[return-value]

    @strawberry.field
    def missing(self) -> str | None:
        return None

    @strawberry.field
    def fails(self) -> int | None:
        raise RuntimeError("fails")

    @strawberry.field
    async def fails_late(self) -> int | None:
        await asyncio.sleep(0)
        raise RuntimeError("fails")

    @strawberry.field
    def tags(self) -> list[str]:
        return ["a", "b", "c"]

    @strawberry.field
    def must_not(self) -> int:
        if self.name.endswith(("1", "c.c")):
            raise RuntimeError("must not")
        return 1


@strawberry.type
class Box(Thing):
    gathered: str = strawberry.field(resolver=gathered)


@strawberry.type
class Bag(Thing):
    gathered: str = strawberry.field(resolver=gathered)


def bags(name: str, levels: int) -> list[Bag]:
    """Lists that are there already."""
    if levels == 0:
        return []
    return [Bag(name=f"{name}.{number}", boxed=bags(f"{name}.{number}", levels - 1)) for number in range(3)]


@strawberry.type
class Query:
    @strawberry.field
    def box(self) -> Box:
        return Box(name="b", boxed=bags("b", 3))

    @strawberry.field
    def maybe(self) -> Box | None:
        return Box(name="m")

    @strawberry.field
    async def boxes(self) -> list[Box] | None:
        await asyncio.sleep(0)
        return [Box(name=str(number), boxed=bags(str(number), 3)) for number in range(3)]


def schema() -> strawberry.Schema:
    config = StrawberryConfig(enable_experimental_incremental_execution=True)
    return strawberry.Schema(Query, types=[Box, Bag], config=config)


class Writer:
    """Documents in which no two fields have a name in common, so that nobody has a choice what to put off."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._named = 0

    def document(self) -> str:
        roots = [self._object(name, 0) for name in self._random.sample(["box", "maybe", "boxes"], 2)]
        if self._random.random() < 0.3:
            roots[-1] = f"... @defer {{ {roots[-1]} }}"
        return f"{{ {' '.join(roots)} }}"

    def _object(self, name: str, depth: int) -> str:
        is_list = name in LISTS
        stream = is_list and self._random.random() < 0.4
        directive = f" @stream(initialCount: {self._random.randrange(3)})" if stream else ""
        abstract = name.startswith("thing")
        return f"{self._alias()}: {name}{directive} {{ {self._fields(depth + 1, concrete=not abstract)} }}"

    def _fields(self, depth: int, *, concrete: bool) -> str:
        chosen = []
        for _ in range(self._random.randint(1, 3)):
            kinds = ["leaf", "leaf", "defer"] + (["object", "list"] if depth < 4 else [])
            match self._random.choice(kinds):
                case "leaf":
                    chosen.append(self._leaf(concrete=concrete))
                case "object":
                    chosen.append(self._object(self._random.choice(OBJECTS), depth))
                case "list":
                    chosen.append(self._object(self._random.choice(LISTS), depth))
                case "defer" if depth < 5:
                    on = "" if concrete else self._random.choice(["", " on Box", " on Bag"])
                    inside = self._fields(depth + 1, concrete=concrete or bool(on))
                    chosen.append(f"...{on} @defer {{ {inside} }}")
        return " ".join(chosen) or self._leaf(concrete=concrete)

    def _leaf(self, *, concrete: bool) -> str:
        weights = [3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1]
        names = [n for n in LEAVES if concrete or n != "gathered"]
        name = self._random.choices(names, [w for n, w in zip(LEAVES, weights, strict=True) if n in names])[0]
        stream = name in {"tags", "plain"} and self._random.random() < 0.5
        return f"{self._alias()}: {name}" + (" @stream(initialCount: 1)" if stream else "")

    def _alias(self) -> str:
        self._named += 1
        return f"a{self._named}"


@dataclass
class Told:
    """What a client knows in the end."""

    data: Any
    errors: set[tuple[Any, ...]]
    parts: int


async def told(engine: Engine, text: str, format_: Format) -> Told:
    operation = engine.prepare(OperationRequest(text), trusted=True)
    async with aclosing(engine.deliver(operation, Asked(), format_)) as results:
        return added_up(await every(results))


async def every(results: AsyncGenerator[OperationResult, None]) -> list[Any]:
    return [orjson.loads(result.to_bytes()) async for result in results]


def added_up(told: list[Any]) -> Told:
    data, errors = told[0].get("data"), list(told[0].get("errors", ()))
    pending: dict[str, Any] = {}
    assert [part.get("hasNext", False) for part in told] == [True] * (len(told) - 1) + [False]
    for part in told:
        pending |= {new["id"]: new["path"] for new in part.get("pending", ())}
        for piece in part.get("incremental", ()):
            errors += piece.get("errors", ())
            path = piece["path"] if "path" in piece else [*pending[piece["id"]], *piece.get("subPath", ())]
            if "items" in piece and "path" in piece:
                path = path[:-1]
            target = data
            for key in path:
                target = target[key]
            if piece.get("items"):
                target.extend(piece["items"])
            elif piece.get("data"):
                assert not target.keys() & piece["data"].keys()
                target.update(piece["data"])
        for ended in part.get("completed", ()):
            errors += ended.get("errors", ())
            del pending[ended["id"]]
    assert pending == {}
    return Told(data, {tuple(error["path"]) for error in errors}, len(told))


def engine(limits: Limits | None = None, *, planned: bool = True) -> Engine:
    errors, costs = ErrorFormatter(on_fault=lambda _: None), CostPolicy(CostMode.OFF)
    return Engine(schema(), limits, errors, planned=planned, costs=costs)


def visible(errors: set[tuple[Any, ...]], data: Any) -> set[tuple[Any, ...]]:
    """Those of fields whose objects are there. Of others, which is told depends on what waits for what."""
    return {path for path in errors if holds(data, path[:-1])}


def holds(data: Any, path: tuple[Any, ...]) -> bool:
    for key in path:
        if data is None:
            return False
        data = data[key]
    return data is not None


def fallbacks(engine: Engine) -> dict[Any, int]:
    return dict(Plans.of(engine.schema).statistics.fallbacks)


# Fields that graphql-core cancels it may leave without ever having awaited them.
@pytest.mark.filterwarnings("ignore:.*was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("start", "items"), [(0, 25), (50, 1), (100, 25), (150, 2)])
async def test_plans_deliver_what_graphql_core_would(
    start: int, items: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ITEMS_AT_ONCE", items)
    planned, interpreted = engine(), engine(planned=False)
    in_parts = failing = 0

    for seed in range(start, start + 50):
        text = Writer(seed).document()
        expected = await told(interpreted, text, Format.CURRENT)
        for format_ in Format:
            found = await told(planned, text, format_)
            assert found.data == expected.data, text
            assert found.errors == expected.errors, text
        in_parts += expected.parts > 1
        failing += bool(expected.errors)

    gc.collect()
    assert in_parts > 25
    assert failing > 10
    assert fallbacks(planned) == {}


async def test_what_may_not_be_put_off_is_what_comes_in_one_piece() -> None:
    none, some = engine(Limits(max_deferred=0)), engine(Limits(max_deferred=6))
    failing = in_parts = 0

    for seed in range(1_000, 1_100):
        text = Writer(seed).document()
        operation = none.prepare(OperationRequest(text), trusted=True)
        expected = await none.execute(operation, Asked())
        errors = {tuple(error["path"]) for error in expected.errors}

        at_once = await told(none, text, Format.CURRENT)
        mixed = await told(some, text, Format.CURRENT)

        assert (at_once.data, at_once.parts) == (expected.data, 1), text
        assert visible(at_once.errors, at_once.data) == visible(errors, expected.data), text
        assert bool(at_once.errors) == bool(errors), text
        if not errors:
            assert mixed.data == expected.data, text
        failing += bool(errors)
        in_parts += mixed.parts > 1

    assert failing > 20
    assert in_parts > 30
    assert fallbacks(none) == fallbacks(some) == {}


async def test_of_items_that_are_lost_only_the_first_error_is_told() -> None:
    text = "{ box { children @stream(initialCount: 0) { fails mustNot } } }"
    planned = engine()
    operation = planned.prepare(OperationRequest(text))

    async with aclosing(planned.deliver(operation, Asked())) as results:
        _, last = await every(results)

    [part], [ended] = last["incremental"], last["completed"]
    assert part["items"] == [{"fails": None, "mustNot": 1}]
    assert [error["path"] for error in part["errors"]] == [["box", "children", 0, "fails"]]
    assert [error["path"] for error in ended["errors"]] == [["box", "children", 1, "mustNot"]]


async def test_each_choice_of_what_is_put_off_has_a_plan_of_its_own() -> None:
    text = """query($a: Boolean!, $b: Boolean!, $n: Int!) { box {
      ... @defer(if: $a) { name } ... @defer(if: $b) { size } tags @stream(if: $a, initialCount: $n) } }"""
    planned = engine()
    firsts = []

    for a, b, n in ((True, False, 1), (False, True, 1), (True, True, 2)):
        operation = planned.prepare(OperationRequest(text, variables={"a": a, "b": b, "n": n}))
        async with aclosing(planned.deliver(operation, Asked())) as results:
            firsts.append((await every(results))[0]["data"]["box"])

    every_tag = ["a", "b", "c"]
    assert firsts == [{"size": 1, "tags": ["a"]}, {"name": "b", "tags": every_tag}, {"tags": ["a", "b"]}]
