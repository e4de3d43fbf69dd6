"""A graph of what is everybody's, a region's or a visitor's, which counts how often it is asked for what."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NewType

import orjson
import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from domain.platform.cache import Cache
from domain.platform.deadline import seconds_left
from domain.platform.errors import NotFound
from domain.platform.tracing import LEFT_OUT
from domain.platform.validity import validity
from gateway.engine.admission import CostPolicy
from gateway.engine.execution import Engine
from gateway.engine.limits import Limits
from gateway.engine.requests import OperationRequest
from gateway.engine.results import OperationResult
from gateway.engine.sharing import Sharing
from resolvers.batching import batched
from schema.caching import CacheControl, CacheControlScope
from schema.views import edge

TAG = "everything"
Odd = NewType("Odd", object)
AROUND: ContextVar[str] = ContextVar("around", default="nothing")


@dataclass
class World:
    """What the fields show, and what was done to them."""

    word: str = "old"
    now: float = 1_000.0
    ends: float | None = None
    """When what `ending` shows is over."""
    broken: bool = False
    tells_region: bool = False
    """Whether `gated` names the region beside the word."""
    asked: "Counter[str]" = field(default_factory=Counter)
    contexts: dict[int, Any] = field(default_factory=dict)
    """Those in which it was asked, by identity."""
    cancelled: "Counter[str]" = field(default_factory=Counter)
    left: list[float | None] = field(default_factory=list)
    """The seconds that `gated` was given."""
    around: list[str] = field(default_factory=list)
    """What was around `found`."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def passed(self) -> None:
        """What `gated` waits for."""
        await self.gate.wait()


@dataclass
class Visitor:
    """The context of somebody."""

    world: World
    name: str = "nobody"
    region: str = "US"


class AnyVisitor:
    """The context of everybody in a region."""

    def __init__(self, visitor: Visitor) -> None:
        self.world = visitor.world
        self.told_caller = self.told_audience = False
        self._region = visitor.region

    @property
    def name(self) -> str:
        self.told_caller = True
        return "nobody"

    @property
    def region(self) -> str:
        self.told_audience = True
        return self._region


Asked = Info[Visitor | AnyVisitor, None]


MINUTE = CacheControl(max_age=60)
LONG = CacheControl(max_age=300)
PRIVATE = CacheControl(max_age=0, scope=CacheControlScope.PRIVATE)


def count(info: Asked, name: str) -> World:
    world = info.context.world
    world.asked[name] += 1
    world.contexts[id(info.context)] = info.context
    return world


def owner(info: Asked) -> str:
    return info.context.name


@batched
def parts(things: Sequence[Any], info: Asked, many: int = 1) -> list[list["Thing"]]:
    count(info, "parts")
    return [[Thing(name=f"{thing.name}.{number}") for number in range(many)] for thing in things]


@strawberry.type(directives=[MINUTE])
class Thing:
    name: str
    owner: str = edge(owner)
    """Somebody forgot that this is not everybody's."""
    parts: list["Thing"] = edge(parts)


def word(info: Asked) -> str:
    return count(info, "word").word


def said(info: Asked, what: str = "") -> str:
    count(info, "said")
    return f"{what}!"


def local(info: Asked) -> str:
    count(info, "local")
    return info.context.region


def mine(info: Asked) -> str:
    count(info, "mine")
    return info.context.name


def secret(info: Asked) -> str:
    return info.context.name


def unhinted(info: Asked) -> str:
    count(info, "unhinted")
    return info.context.name


def thing(info: Asked) -> Thing:
    return Thing(name=count(info, "thing").word)


async def gated(info: Asked) -> str:
    world = count(info, "gated")
    world.left.append(seconds_left())
    word = f"{world.word}{info.context.region}" if world.tells_region else world.word
    try:
        await world.passed()
    except asyncio.CancelledError:
        world.cancelled["gated"] += 1
        raise
    return word


async def found(info: Asked, what: str) -> Thing | None:
    world = count(info, "found")
    world.around.append(f"{AROUND.get()}, {LEFT_OUT.get()}")
    world.left.append(seconds_left())
    name = f"{what} {world.word} {info.context.region}"
    try:
        await world.passed()
    except asyncio.CancelledError:
        world.cancelled["found"] += 1
        raise
    if world.ends is not None and (observed := validity()) is not None:
        observed.ends(datetime.fromtimestamp(world.ends, UTC))
    if what == "bad":
        raise NotFound("Not here.")
    return Thing(name=name) if what else None


async def failing(info: Asked) -> str | None:
    world = count(info, "failing")
    await asyncio.sleep(0)
    if world.broken:
        raise NotFound("Not here.")
    return world.word


def ending(info: Asked) -> str:
    world = count(info, "ending")
    observed = validity()
    if observed is not None and world.ends is not None:
        observed.ends(datetime.fromtimestamp(world.ends, UTC))
    return world.word


def large(info: Asked, size: int) -> str:
    count(info, "large")
    return "x" * size


def odd(info: Asked) -> Odd:
    count(info, "odd")
    return Odd({1, 2})


def write(info: Asked) -> str:
    return count(info, "write").word


@strawberry.type
class Query:
    word: str = edge(word, cache=MINUTE)
    said: str = edge(said, cache=LONG)
    local: str = edge(local, cache=MINUTE)
    mine: str = edge(mine, cache=PRIVATE)
    secret: str = edge(secret, cache=CacheControl(max_age=30, scope=CacheControlScope.PRIVATE))
    unhinted: str = edge(unhinted)
    thing: Thing = edge(thing)
    gated: str = edge(gated, cache=MINUTE)
    found: Thing | None = edge(found, cache=MINUTE)
    failing: str | None = edge(failing, cache=MINUTE)
    ending: str = edge(ending, cache=MINUTE)
    large: str = edge(large, cache=MINUTE)
    odd: Odd = edge(odd, cache=MINUTE)


@strawberry.type
class Mutation:
    write: str = edge(write, cache=MINUTE)


@dataclass
class Bench:
    """An engine over the graph, with a cache."""

    world: World
    cache: Cache
    engine: Engine
    sharing: Sharing

    async def ask(
        self, text: str, name: str = "nobody", region: str = "US", **variables: Any
    ) -> OperationResult:
        context = Visitor(self.world, name, region)
        return await self.engine.answer(OperationRequest(text, variables=variables), context)

    async def data(self, text: str, name: str = "nobody", region: str = "US", **variables: Any) -> Any:
        """As a client reads it."""
        result = await self.ask(text, name, region, **variables)
        assert result.errors == []
        return shown(result)

    async def begun(self, text: str, name: str = "nobody") -> "asyncio.Task[OperationResult]":
        """Asked, and as far as it gets."""
        task = asyncio.create_task(self.ask(text, name))
        await settled()
        return task


def shown(result: OperationResult) -> Any:
    return orjson.loads(result.to_bytes())["data"]


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def bench(
    max_bytes: int = 1 << 20,
    deadline_seconds: float = 5.0,
    costs: CostPolicy | None = None,
    world: World | None = None,
    *,
    planned: bool = True,
) -> Bench:
    world = world or World()
    cache = Cache(max_bytes)
    sharing = Sharing(
        cache, (TAG,), lambda visitor: visitor.region or None, AnyVisitor, clock=lambda: world.now
    )
    odd = strawberry.scalar(name="Odd", serialize=lambda value: value)
    schema = strawberry.Schema(Query, Mutation, config=StrawberryConfig(scalar_map={Odd: odd}))
    engine = Engine(
        schema,
        Limits(deadline_seconds=deadline_seconds),
        costs=costs,
        planned=planned,
        sharing=lambda: sharing,
    )
    return Bench(world, cache, engine, sharing)
