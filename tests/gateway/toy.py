"""A small schema with one field for each thing a door can meet."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from domain.platform.errors import Forbidden, GatewayError

Odd = NewType("Odd", object)


@dataclass
class Toys:
    """The context, which remembers what was done to it."""

    caller: str = "nobody"
    done: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)


ToyInfo = Info[Toys, None]


@strawberry.input
class Wish:
    name: str
    again: "Wish | None" = None


@strawberry.type
class Toy:
    name: str
    price: int = 3

    @strawberry.field
    def inner(self) -> "Toy":
        return Toy(name=f"{self.name}+")

    @strawberry.field
    def broken(self) -> int:
        raise RuntimeError("the drawer of secrets is at /etc/toys")

    @strawberry.field
    async def late(self, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return self.name

    @strawberry.field
    def forbidden(self) -> int | None:
        raise Forbidden("Not your toy.", owner="somebody")

    @strawberry.field
    def coded(self) -> int | None:
        raise GraphQLError("Shown on purpose.", extensions={"code": "NOT_FOUND"})

    @strawberry.field
    def spoken(self) -> int | None:
        raise GraphQLError("A library says where it keeps its things.")


@strawberry.type
class Query:
    @strawberry.field
    def toy(self, name: str = "bear") -> Toy:
        return Toy(name=name)

    @strawberry.field
    def toys(self, count: int) -> list[Toy]:
        return [Toy(name=str(number)) for number in range(count)]

    @strawberry.field
    def maybe_toy(self) -> Toy | None:
        return Toy(name="doll")

    @strawberry.field
    def caller(self, info: ToyInfo) -> str:
        return info.context.caller

    @strawberry.field
    def wish(self, wish: Wish) -> str:
        return wish.name

    @strawberry.field
    def doubled(self, number: int = 1) -> int:
        return number * 2

    @strawberry.field
    def ids(self, of: list[int]) -> int:
        return len(of)

    @strawberry.field
    def large(self) -> Odd:
        return Odd(2**70)

    @strawberry.field
    async def slow(self, info: ToyInfo, seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            info.context.ended.append("slow")
            raise
        return "done"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def buy(self, info: ToyInfo, name: str) -> Toy:
        info.context.done.append(name)
        return Toy(name=name)

    @strawberry.mutation
    async def rest(self, info: ToyInfo, seconds: float) -> int:
        await asyncio.sleep(seconds)
        info.context.done.append("rested")
        return 1


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: ToyInfo, to: int = 3, every: float = 0.0) -> AsyncGenerator[int, None]:
        try:
            for number in range(1, to + 1):
                await asyncio.sleep(every)
                info.context.done.append(str(number))
                yield number
        finally:
            info.context.ended.append("count")

    @strawberry.subscription
    async def padded(self, info: ToyInfo, size: int) -> AsyncGenerator[str, None]:
        """Text as fast as anybody takes it."""
        try:
            while True:
                info.context.done.append("padded")
                yield "x" * size
                await asyncio.sleep(0)
        finally:
            info.context.ended.append("padded")

    @strawberry.subscription
    async def breaking(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError("the drawer of secrets is at /etc/toys")

    @strawberry.subscription
    async def toys(self) -> AsyncGenerator[Toy, None]:
        yield Toy(name="bear")
        yield Toy(name="doll")

    @strawberry.subscription
    async def refused(self) -> AsyncGenerator[int, None]:
        raise GatewayError("Never.")
        yield 1


def toy_schema(*extensions: type[SchemaExtension]) -> strawberry.Schema:
    odd = strawberry.scalar(name="Odd", serialize=lambda value: value)
    config = StrawberryConfig(scalar_map={Odd: odd}, enable_experimental_incremental_execution=True)
    return strawberry.Schema(Query, Mutation, Subscription, config=config, extensions=extensions)
