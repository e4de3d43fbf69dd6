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
from strawberry.extensions import SchemaExtension
from strawberry.permission import BasePermission
from strawberry.types import Info as StrawberryInfo

from resolvers.batching import batched as batched
from tests.gateway.engine.plan.schemas import Blueprint, Made, Ref
from tests.gateway.engine.plan.ways import CONFIG as CONFIG
from tests.gateway.engine.plan.ways import Odd as Odd

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


class Watching(SchemaExtension):
    """Stands around every resolver, and changes nothing."""

    def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
        return _next(root, info, *args, **kwargs)


def _failing(values: Sequence[Any]) -> Iterator[Any]:
    yield from values
    raise Boom("no more items")


async def _arriving(values: Sequence[Any]) -> AsyncIterator[Any]:
    for value in values:
        yield value


ODD_LEAVES: Final[dict[str, tuple[Any, ...]]] = {
    "Int": ("12", "x", 1.5, 3.0, True, 2**31, -(2**31) - 1, 2**70, math.nan, math.inf, Seven.SEVEN, [1]),
    "Float": (math.nan, math.inf, -math.inf, "1.5", "x", 3, 2**70, True, [1.0], Seven.SEVEN),
    "String": (5, True, 1.5, Text("text"), b"bytes", ["a"], Seven.SEVEN, math.nan),
    "Boolean": (0, 1, 1.5, "true", math.nan, [True], Seven.SEVEN),
    "ID": (5, 1.5, True, Text("id"), 2**70, ["i"], Seven.SEVEN),
    "Colour": ("r", 2, "RED", (1, 2), Seven.SEVEN, ["r"], "none"),
    "Date": ("2024-01-02", datetime(2024, 1, 2, 3), 5, ["x"]),  # noqa: DTZ001 - a date with a time
    "Odd": (0, 2, "x", 4.0, [1]),
}
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


@dataclass
class World:
    """The context of one execution: all data, as far as `seed` says."""

    made: Made
    seed: int
    odds: float
    """How often something is not as its field wants it."""
    gathered: dict[Any, Any] = field(default_factory=dict)

    @property
    def blueprint(self) -> Blueprint:
        return self.made.blueprint

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
        if Random(f"{self.seed}/{name}").random() < max(self.odds, 0.1):
            raise Boom(f"all of {name}")
        return self.give_all(sources, name, **arguments)

    def allows(self, source: Any, name: str) -> bool:
        return Random(f"{self._seed_of(source)}?{name}").random() >= self.odds

    async def rest(self) -> None:
        await asyncio.sleep(0)

    def later(self, call: Callable[[], Any]) -> "asyncio.Future[Any]":
        """As a loader answers."""
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(_settle, future, call)
        return future

    def done(self, call: Callable[[], Any]) -> "asyncio.Future[Any]":
        """As a loader answers what it has loaded before."""
        future = asyncio.get_running_loop().create_future()
        _settle(future, call)
        return future

    # -- drawing

    def _seed_of(self, source: Any) -> str:
        return source._seed if isinstance(source, Held) else f"{self.seed}"

    def _value(self, source: Any, name: str, info: Any, arguments: dict[str, Any]) -> Any:
        field = self.blueprint.fields[name]
        if field.tells_path:
            raw = info._raw_info
            return f"{raw.parent_type.name}.{info.field_name} {raw.path.as_list()} {len(raw.field_nodes)}"
        if arguments:
            return ", ".join(f"{key}={value!r}" for key, value in sorted(arguments.items()))
        seed = f"{self._seed_of(source)}.{name}"
        random = Random(seed)
        return self._drawn(field.ref, 0, random, seed)

    def _drawn(self, ref: Ref, level: int, random: Random, seed: str) -> Any:
        if random.random() < self.odds:
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
        count = random.randint(0, 3)
        return [self._drawn(ref, level + 1, random, f"{seed}.{number}") for number in range(count)]

    def _odd(self, ref: Ref, level: int, random: Random, seed: str) -> Any:
        kind = random.random()
        if kind < 0.15:
            return Boom(f"boom {ref.name} {level}")
        if kind < 0.3:
            return random.choice((None, None, Undefined))
        if kind < 0.45:
            value = self._even(ref, level, random, seed) if random.random() < 0.6 else Boom("late boom")
            return Ready(value, random.randint(0, 2))
        if level < ref.lists:
            return self._odd_list(ref, level, random, seed)
        if ref.is_leaf:
            return random.choice(ODD_LEAVES[ref.name])
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


def _settle(future: "asyncio.Future[Any]", call: Callable[[], Any]) -> None:
    if future.cancelled():
        return
    try:
        future.set_result(call())
    except Boom as error:
        future.set_exception(error)
