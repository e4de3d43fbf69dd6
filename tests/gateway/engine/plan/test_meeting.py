"""Branches of an operation that come to the same batch function ask it together."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import strawberry

from gateway.engine.plan.fields import BATCH
from tests.gateway.engine.plan.twins import ask

TIMES = 2
"""How often `ask` has a plan execute an operation."""


class Asked:
    """The names that a plan gives the batch function."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.together: list[set[str]] = []
        """Of calls that ran at the same time."""

    async def labels(self, items: Sequence["Item"], _info: Any) -> list[str]:
        if not self.running:
            self.together.append(set())
        names = {item.name for item in items}
        self.running |= names
        self.together[-1] |= names
        await asyncio.sleep(0)
        self.running -= names
        return [f"label of {item.name}" for item in items]


asked = Asked()


@pytest.fixture(autouse=True)
def forgotten() -> None:
    asked.together.clear()


async def label(root: "Item") -> str:
    await asyncio.sleep(0)
    return f"label of {root.name}"


setattr(label, BATCH, asked.labels)


async def late(turns: int, *names: str) -> list["Item"]:
    for _ in range(turns):
        await asyncio.sleep(0)
    return [Item(name=name) for name in names]


@strawberry.type
class Item:
    name: str
    label: str = strawberry.field(resolver=label)

    @strawberry.field
    async def parts(self) -> list["Item"]:
        """The longer the name, the later."""
        return await late(len(self.name), f"part of {self.name}")


@strawberry.type
class Pair:
    @strawberry.field
    async def broken(self) -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        raise ValueError("broken")

    @strawberry.field
    async def endless(self) -> list[Item]:
        await asyncio.sleep(0.2)
        return []


@strawberry.type
class Query:
    @strawberry.field
    async def items(self, turns: int, names: list[str]) -> list[Item]:
        return await late(turns, *names)

    @strawberry.field
    def pair(self) -> Pair | None:
        return Pair()


schema = strawberry.Schema(Query)


async def test_a_quick_list_waits_for_a_slow_one_to_be_asked_about_together() -> None:
    found = await ask(
        schema,
        """{ quick: items(turns: 1, names: ["a"]) { label }
             slow: items(turns: 9, names: ["b"]) { label } }""",
    )

    assert found.data == {"quick": [{"label": "label of a"}], "slow": [{"label": "label of b"}]}
    assert asked.together == TIMES * [{"a", "b"}]


async def test_values_of_one_field_that_come_one_by_one_are_asked_about_together() -> None:
    await ask(
        schema,
        """{ items(turns: 1, names: ["a", "bbbbbbbbb"]) { parts { label } } }""",
    )

    assert asked.together == TIMES * [{"part of a", "part of bbbbbbbbb"}]


async def test_what_is_fewer_levels_deep_does_not_wait_for_what_is_deeper() -> None:
    await ask(
        schema,
        """{ flat: items(turns: 1, names: ["a"]) { label }
             deep: items(turns: 1, names: ["bbbbbbbbb"]) { parts { label } } }""",
    )

    assert asked.together == TIMES * [{"a"}, {"part of bbbbbbbbb"}]


async def test_what_waited_for_a_branch_that_is_given_up_is_asked_then() -> None:
    found = await ask(
        schema,
        """{ items(turns: 1, names: ["a"]) { label }
             given_up: pair { broken endless { label } } }""",
    )

    assert found.data == {"items": [{"label": "label of a"}], "given_up": None}
    assert [error.path for error in found.errors] == [("given_up", "broken")]
    assert asked.together == TIMES * [{"a"}]
