"""Execution alone, in this process: 50 titles with five batched lists, by stock Strawberry and by our plans.

No sockets and no database: the batches are answered from memory. Documents are parsed and validated once.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

import orjson
import strawberry
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

from bench.measures import Result
from gateway.collector import spare_what_stays
from gateway.engine.plan import PlannedExecutor
from gateway.engine.plan.fields import BATCH

TITLES = 50
ROUNDS = 5
ROUND_SECONDS = 0.4
DOCUMENT = """{ titles {
  id title year
  genres { id name }
  credits { role character person { id name } }
  offers { kind quality price currency platform { id name } }
} }"""


@strawberry.type
class Genre:
    id: int
    name: str


@strawberry.type
class Person:
    id: int
    name: str


@strawberry.type
class Platform:
    id: int
    name: str


class Batches:
    """Answers of one request for many keys each, and loaders that gather the keys."""

    def __init__(self, tables: Mapping[str, Mapping[int, Any]]) -> None:
        self._tables = tables

    async def answer(self, name: str, keys: Sequence[int]) -> list[Any]:
        table = self._tables[name]
        return [table[key] for key in keys]

    @cached_property
    def loaders(self) -> dict[str, DataLoader[int, Any]]:
        return {name: self._loader(name) for name in self._tables}

    def _loader(self, name: str) -> DataLoader[int, Any]:
        async def load(keys: list[int]) -> list[Any]:
            return await self.answer(name, keys)

        return DataLoader(load)


Info = strawberry.Info[Batches, None]


@dataclass(frozen=True)
class Graph:
    """The toy schema's query type, and what its batches answer."""

    query: type
    tables: Mapping[str, Mapping[int, Any]]


def graph(*, batched: bool) -> Graph:
    """Titles with 3 genres, 8 credits with their person, 3 offers with their platform: five batches.

    Each is an `async` resolver that asks its loader; `batched` ones also have a batch function.
    """

    def edge(type_: Any, name: str, key: str) -> Any:
        async def resolve(self: Any, info: Info) -> Any:
            return await info.context.loaders[name].load(getattr(self, key))

        async def answer(sources: Sequence[Any], info: Info) -> list[Any]:
            return await info.context.answer(name, [getattr(source, key) for source in sources])

        resolve.__annotations__["return"] = type_
        if batched:
            setattr(resolve, BATCH, answer)
        return strawberry.field(resolver=resolve)

    @strawberry.type
    class Credit:
        person_id: strawberry.Private[int]
        role: str
        character: str
        person: Person = edge(Person, "people", "person_id")

    @strawberry.type
    class Offer:
        platform_id: strawberry.Private[int]
        kind: str
        quality: str
        price: float
        currency: str
        platform: Platform = edge(Platform, "platforms", "platform_id")

    @strawberry.type
    class Title:
        id: int
        title: str
        year: int
        genres: list[Genre] = edge(list[Genre], "genres", "id")
        credits: list[Credit] = edge(list[Credit], "credits", "id")
        offers: list[Offer] = edge(list[Offer], "offers", "id")

    keys = range(TITLES)
    titles = [Title(id=key, title=f"Title {key}", year=1950 + key) for key in keys]

    @strawberry.type
    class Query:
        @strawberry.field
        def titles(self) -> list[Title]:
            return titles

    tables: dict[str, dict[int, Any]] = {
        "genres": {
            key: [Genre(id=n, name=f"Genre {n}") for n in range(key % 7, key % 7 + 3)] for key in keys
        },
        "credits": {
            key: [Credit(person_id=8 * key + n, role="CAST", character=f"Role {n}") for n in range(8)]
            for key in keys
        },
        "offers": {
            key: [
                Offer(platform_id=n, kind="RENTAL", quality="HD", price=3.99, currency="USD")
                for n in range(3)
            ]
            for key in keys
        },
        "people": {key: Person(id=key, name=f"Person {key}") for key in range(8 * TITLES)},
        "platforms": {key: Platform(id=key, name=f"Platform {key}") for key in range(3)},
    }
    return Graph(Query, tables)


@dataclass(frozen=True, slots=True)
class Way:
    """A schema and how it executes."""

    name: str
    schema: strawberry.Schema
    tables: Mapping[str, Mapping[int, Any]]

    @classmethod
    def of(cls, name: str, *, planned: bool, batched: bool = False) -> "Way":
        made = graph(batched=batched)
        schema = strawberry.Schema(
            made.query,
            extensions=[ParserCache, ValidationCache],
            execution_context_class=PlannedExecutor if planned else None,
        )
        return cls(name, schema, made.tables)

    async def answer(self) -> bytes:
        result = await self.schema.execute(DOCUMENT, context_value=Batches(self.tables))
        if result.errors:
            raise result.errors[0]
        return orjson.dumps(result.data)


async def measure(say: Callable[[str], None], report: Callable[[Result], None]) -> None:
    """Interleaved rounds of each; their median, and what the plans are of stock."""
    say("in process …")
    stock = Way.of("stock Strawberry, loaders", planned=False)
    ways = [
        stock,
        Way.of("planned, loaders", planned=True),
        Way.of("planned, batch functions", planned=True, batched=True),
    ]
    expected = await stock.answer()
    for way in ways:
        if await way.answer() != expected:
            raise ValueError(f"{way.name} answers something else than stock Strawberry.")
    spare_what_stays()
    rounds: dict[str, list[float]] = {way.name: [] for way in ways}
    for _ in range(ROUNDS):
        for way in ways:
            rounds[way.name].append(await _microseconds(way))
    usual = median(rounds[stock.name])
    for name, seen in rounds.items():
        note = "" if name == stock.name else f"{usual / median(seen):.1f} times as fast as stock"
        report(Result(f"in process, {TITLES} titles: {name}", figure=median(seen), unit="µs", note=note))


async def _microseconds(way: Way) -> float:
    """CPU of one answer, as bytes; the mean of a round."""
    count, began = 0, time.process_time()
    while (elapsed := time.process_time() - began) < ROUND_SECONDS:
        await way.answer()
        count += 1
    return 1e6 * elapsed / count
