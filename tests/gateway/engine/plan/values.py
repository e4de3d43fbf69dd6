"""Values made at random for the fields of a schema: mostly what the field wants, at times anything else.

Nothing is stored: the value of a field is drawn from its object's seed and its name, so that every executor
finds the same data, whatever it asks for and in whichever order.
"""

import asyncio
import enum
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import Any, Final, TypeAlias

import strawberry
from graphql import Undefined
from strawberry.permission import BasePermission
from strawberry.types import Info as StrawberryInfo

from tests.gateway.engine.plan.schemas import Blueprint, Made, Ref

Info: TypeAlias = StrawberryInfo[Any, None]


class Text(str):
    __slots__ = ()


class Seven(enum.IntEnum):
    SEVEN = 7


@strawberry.enum
class Colour(enum.Enum):
    RED = "r"
    BLUE = 2
    GREEN = (1, 2)


class Held:
    """An object whose attributes are drawn when they are read."""

    _world: "World"
    _seed: str

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._seed}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._world.made.blueprint.fields:
            raise AttributeError(name)
        return self._world.give(self, name)


class Duck(Held):
    """Of no type, but with all attributes."""


class Boom(Exception):
    """What resolvers raise."""


class Ready:
    """An awaitable that is no coroutine; it may take a turn of the event loop."""

    def __init__(self, value: Any, turns: int) -> None:
        self.value = value
        self.turns = turns

    def __repr__(self) -> str:
        return f"<Ready {self.value!r}>"

    def __await__(self) -> Generator[Any, Any, Any]:
        for _ in range(self.turns):
            yield
        if isinstance(self.value, Boom):
            raise self.value
        return self.value


class Allowed(BasePermission):
    message = "not allowed"

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        return bool(info.context.allows(source, info.field_name))


class LateAllowed(BasePermission):
    message = "not allowed"

    async def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        await asyncio.sleep(0)
        return bool(info.context.allows(source, info.field_name))


def _failing(values: Sequence[Any]) -> Iterator[Any]:
    yield from values
    raise Boom("no more items")


async def _arriving(values: Sequence[Any]) -> AsyncIterator[Any]:
    for value in values:
        yield value


ODD_LEAVES: Final[dict[str, tuple[Any, ...]]] = {
    "Int": ("x", 1.5, 2**31, -(2**31) - 1, 2**70, -(2**70), math.nan, [1]),
    "Float": (math.nan, math.inf, -math.inf, "x", 2**70, [1.0]),
    "String": (b"bytes", ["a"], {"a": 1}),
    "Boolean": ("true", math.nan, [True]),
    "ID": (1.5, True, ["i"]),
    "Colour": ("RED", Seven.SEVEN, ["r"], "none"),
    "Date": ("2024-01-02", 5, ["x"]),
    "Odd": (0, 2, "x", 4.0, [1]),
}
"""What fails, or might."""
COERCED: Final[dict[str, tuple[Any, ...]]] = {
    "Int": ("12", 3.0, True, Seven.SEVEN),
    "Float": ("1.5", 3, -3, 2**40, True, Seven.SEVEN),
    "String": (5, True, 1.5, Text("text"), Seven.SEVEN),
    "Boolean": (0, 1, 0.0, Seven.SEVEN),
    "ID": (5, 2**70, Text("id"), Seven.SEVEN),
    "Colour": ("r", 2, (1, 2)),
    "Date": (datetime(2024, 1, 2, 3),),  # noqa: DTZ001 - a date with a time
    "Odd": (5.0, True),
}
"""What is written after a change."""
LEAVES: Final[dict[str, tuple[Any, ...]]] = {
    "Int": (0, 1, -5, 2**31 - 1, -(2**31)),
    "Float": (0.0, -1.5, 1e300, -0.0),
    "String": ("", "a", "é\n"),
    "Boolean": (True, False),
    "ID": ("i", "7", ""),
    "Colour": (*Colour,),
    "Date": (date(2024, 1, 2), date.max),
    "Odd": (1, 3, 5),
}


@dataclass(frozen=True, slots=True)
class Mood:
    """What is not as its field wants it, and how often."""

    leaves: float
    others: float
    """Of lists and objects."""
    kinds: tuple[int, int, int, int, int]
    """Weights of exceptions, nulls, awaitables, values of other types, and those that are coerced."""


MOODS: Final = {
    "as wanted": Mood(0, 0, (1, 1, 1, 1, 1)),
    "hardly anything": Mood(0.03, 0.03, (1, 1, 1, 1, 1)),
    "odd leaves": Mood(0.4, 0, (0, 2, 0, 8, 0)),
    "coerced leaves": Mood(0.6, 0, (0, 0, 0, 0, 1)),
    "odd lists and objects": Mood(0, 0.2, (0, 2, 0, 8, 0)),
    "nulls": Mood(0.2, 0.05, (0, 1, 0, 0, 0)),
    "raising": Mood(0.25, 0.04, (8, 2, 0, 0, 0)),
    "waiting": Mood(0.2, 0.25, (1, 0, 8, 1, 0)),
    "anything": Mood(0.15, 0.1, (1, 1, 1, 1, 1)),
}


@dataclass
class World:
    """The context of one execution: all data, as far as `seed` says."""

    made: Made
    seed: int
    mood: Mood
    serial: bool = False
    """Whether each field of the root is to be complete before the next is begun."""
    tells_paths: bool = True
    """Whether fields that would tell of their place do."""
    gathered: dict[Any, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    """The root fields for which resolvers were called, one after the other, if that is of interest."""

    @property
    def blueprint(self) -> Blueprint:
        return self.made.blueprint

    @property
    def is_in_order(self) -> bool:
        """Whether nothing was asked for one field of the root after something was asked for the next."""
        return len(self.calls) == len({*self.calls})

    # -- what resolvers call

    def give(self, source: Any, name: str, info: Any = None, **arguments: Any) -> Any:
        """The value of a field; raises where it is to fail."""
        made = self._value(source, name, info, arguments)
        if isinstance(made, Boom):
            raise made
        return made

    def give_all(self, sources: Sequence[Any], name: str, **arguments: Any) -> list[Any]:
        """A value, or an exception, for each source; never an awaitable."""
        values = [self._value(source, name, None, arguments) for source in sources]
        return [value.value if isinstance(value, Ready) else value for value in values]

    def break_all(self, sources: Sequence[Any], name: str, **arguments: Any) -> list[Any]:
        """As `give_all`, but at times it fails for all."""
        if Random(f"{self.seed}/{name}").random() < 0.2:
            raise Boom(f"all of {name}")
        return self.give_all(sources, name, **arguments)

    def allows(self, source: Any, name: str) -> bool:
        return Random(f"{self._seed_of(source)}?{name}").random() >= self.mood.leaves

    async def rest(self) -> None:
        await asyncio.sleep(0)

    def later(self, call: Callable[[], Any]) -> "asyncio.Future[Any]":
        """As a loader answers."""
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(_settle, future, _called(call))
        return future

    def done(self, call: Callable[[], Any]) -> "asyncio.Future[Any]":
        """As a loader answers what it has loaded before."""
        future = asyncio.get_running_loop().create_future()
        _settle(future, _called(call))
        return future

    # -- drawing

    def _seed_of(self, source: Any) -> str:
        return source._seed if isinstance(source, Held) else f"{self.seed}"

    def _value(self, source: Any, name: str, info: Any, arguments: dict[str, Any]) -> Any:
        if self.serial and info is not None:
            root = info._raw_info.path.as_list()[0]
            if self.calls[-1:] != [root]:
                self.calls.append(root)
        field = self.blueprint.fields[name]
        if field.tells_path and self.tells_paths:
            raw = info._raw_info
            return f"{raw.parent_type.name}.{info.field_name} {raw.path.as_list()} {len(raw.field_nodes)}"
        if arguments:
            return ", ".join(f"{key}={value!r}" for key, value in sorted(arguments.items()))
        seed = f"{self._seed_of(source)}.{name}"
        random = Random(seed)
        return self._drawn(field.ref, 0, random, seed)

    def _drawn(self, ref: Ref, level: int, random: Random, seed: str) -> Any:
        is_inner = level < ref.lists or not ref.is_leaf
        if random.random() < (self.mood.others if is_inner else self.mood.leaves):
            return self._odd(ref, level, random, seed)
        if not ref.firm[level] and random.random() < 0.15:
            return None
        return self._even(ref, level, random, seed)

    def _even(self, ref: Ref, level: int, random: Random, seed: str) -> Any:
        """What the field wants."""
        if level < ref.lists:
            return self._items(ref, level, random, seed)
        if ref.is_leaf:
            return random.choice(LEAVES[ref.name])
        return self._held(self.made.classes[random.choice(self.blueprint.possible(ref.name))], seed)

    def _items(self, ref: Ref, level: int, random: Random, seed: str) -> list[Any]:
        count = random.choice((0, 1, 2, 2, 3))
        return [self._drawn(ref, level + 1, random, f"{seed}.{number}") for number in range(count)]

    def _odd(self, ref: Ref, level: int, random: Random, seed: str) -> Any:
        (kind,) = random.choices(("raised", "null", "awaitable", "odd", "coerced"), self.mood.kinds)
        if kind == "raised":
            return Boom(f"boom {ref.name} {level}")
        if kind == "null":
            return random.choice((None, None, Undefined))
        if kind == "awaitable":
            value = self._even(ref, level, random, seed) if random.random() < 0.6 else Boom("late boom")
            return Ready(value, random.randint(0, 2))
        if level < ref.lists:
            return self._odd_list(ref, level, random, seed)
        if ref.is_leaf:
            return random.choice((COERCED if kind == "coerced" else ODD_LEAVES)[ref.name])
        return self._odd_object(ref, random, seed)

    def _odd_list(self, ref: Ref, level: int, random: Random, seed: str) -> Any:
        items = self._items(ref, level, random, seed)
        made: Sequence[Callable[[], Any]] = (
            lambda: 5,
            lambda: "text",
            lambda: {"a": 1},
            lambda: tuple(items),
            lambda: deque(items),
            lambda: dict(enumerate(items)).values(),
            lambda: iter(items),
            lambda: _failing(items),
            lambda: _arriving(items),
            lambda: type("Row", (list,), {})(items),
        )
        return random.choice(made)()

    def _odd_object(self, ref: Ref, random: Random, seed: str) -> Any:
        objects = [type_.name for type_ in self.blueprint.types.values() if type_.kind == "object"]
        own = self.made.classes[random.choice(self.blueprint.possible(ref.name))]
        kind = random.randint(0, 4)
        if kind == 0:
            return random.choice((5, "text", {"a": 1}))
        if kind == 1:
            return self._held(Duck, seed)
        if kind == 2:
            return self._held(self.made.classes[random.choice(objects)], seed)
        return self._held(type(f"{own.__name__}Below", (own,), {}), seed)

    def _held(self, class_: Any, seed: str) -> Any:
        made = object.__new__(class_)
        made.__dict__.update(_world=self, _seed=seed)
        return made


def _called(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Boom as error:
        return error


def _settle(future: "asyncio.Future[Any]", value: Any) -> None:
    if future.cancelled():
        return
    if isinstance(value, Boom):
        future.set_exception(value)
        # Nobody may be there to look at it any more.
        future.exception()
    else:
        future.set_result(value)
