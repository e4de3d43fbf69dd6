"""What is answered from the caches is what the database holds, after every change of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from graphql import GraphQLField
from redis.asyncio import Redis

from domain.catalog.cached import CachedCatalog
from domain.catalog.changes import CATALOGUE, ChangeWatch, LocalNotifier
from domain.catalog.postgres import PostgresCatalog
from domain.catalog.postgres_changes import PostgresChangeRecord
from domain.catalog.redis import RedisNotifier
from domain.catalog.service import Catalog, CatalogStore
from domain.identity.model import ANONYMOUS
from domain.platform.cache import Cache
from domain.platform.postgres import Database
from gateway.engine.execution import Engine
from gateway.engine.requests import OperationRequest
from gateway.engine.sharing import Sharing
from gateway.services import audience_of
from resolvers.context import Context, anybody_like
from resolvers.ids import encode
from tests.catalogue import add_offer
from tests.gateway.processes import GRAPH, engine, fill, now, process
from tests.gateway.upheavals import Upheaval
from tests.redis_server import redis_url
from tests.schema.test_caching import public, resolver
from tests.selections import everything

__all__ = ["redis_url"]

SCHEMA = GRAPH._schema
KINDS = ("Movie", "Series", "Season", "Episode", "Album", "Track")


PUBLIC = public()


def of_catalogue(name: str, field: GraphQLField) -> bool:
    """Read off the value, or answered from the catalogue alone."""
    function = resolver(field)
    return name in PUBLIC and (function is None or function.__module__ != "resolvers.sona")


@dataclass
class Reader:
    """Asks the graph over one store."""

    store: CatalogStore
    engine: Engine

    async def ask(self, text: str, region: str) -> Any:
        services: Any = SimpleNamespace(now=now, catalog=Catalog(self.store, now))
        result = await self.engine.answer(OperationRequest(text), Context(services, ANONYMOUS, region, "r1"))
        assert result.errors == []
        return orjson.loads(result.to_bytes())["data"]


async def questions(database: Database) -> list[str]:
    """Everything that is shown of every work and person, by every name, and in lists."""
    query = SCHEMA.query_type
    assert query is not None
    content, person, contents = (
        everything(SCHEMA, query.fields[name], 2, of_catalogue) for name in ("content", "person", "contents")
    )
    rows = await database.rows("SELECT id, kind, slug FROM content")
    people = await database.rows("SELECT id FROM person")
    named = [f'{{slug: "work-{number}"}}' for number in range(1, 6)]
    named += [f'{{imdbId: "tt000000{number}"}}' for number in (1, 2, 3)]
    named += [f'{{platformId: {{platform: "netflix", value: "link{number}"}}}}' for number in (1, 2)]
    named += [f'{{id: "{encode(str(row["kind"]).capitalize(), row["id"])}"}}' for row in rows]
    lists = ["orderBy: TITLE", 'filter: {genres: ["drama"]}', 'filter: {platforms: ["hulu"]}', "first: 3"]
    ids = [encode("Person", row["id"]) for row in people]
    return [
        *(f"{{ content(by: {name}) {content} }}" for name in named),
        *(f"{{ content(by: {name}) {{ credits {{ nodes {{ person {{ name }} }} }} }} }}" for name in named),
        *(f'{{ person(id: "{key}") {person} }}' for key in ids),
        *(f'{{ person(id: "{key}") {{ works {{ nodes {{ title }} }} }} }}' for key in ids),
        *(f"{{ contents({arguments}) {contents} }}" for arguments in lists),
    ]


async def read(cached: Reader, plain: Reader, upheaval: Upheaval, told: Sequence[str] = ()) -> None:
    """Everything, twice: as it was kept, where that may be, and in one region or the other."""
    for text in await questions(upheaval.database):
        for region in upheaval.chance.sample(["US", "US", "DE"], 2):
            assert await cached.ask(text, region) == await plain.ask(text, region), (told, text)


@pytest.mark.parametrize("seed", range(3))
async def test_after_every_change_the_caches_answer_as_the_database(database: Database, seed: int) -> None:
    cache = Cache(64 << 20)
    watch = ChangeWatch(cache, PostgresChangeRecord(database), LocalNotifier())
    sharing = Sharing(cache, (CATALOGUE,), audience_of, anybody_like)
    cached = Reader(CachedCatalog(PostgresCatalog(database), cache), engine(GRAPH, sharing))
    plain = Reader(PostgresCatalog(database), engine(GRAPH, None))
    upheaval = Upheaval(database, seed)
    await upheaval.begin()
    await watch.look()
    await read(cached, plain, upheaval)
    told = []

    async for change in upheaval.story():
        told.append(change)
        await watch.look()
        await read(cached, plain, upheaval, told)

    usage = cache.usage()["answers"]
    assert usage.hits > 100  # what did not change was not asked for again
    assert usage.invalidations > 100


TITLE = 'query { content(by: {slug: "solaris-1972"}) { title availability { platform { id } } } }'


async def soon(answers: Callable[[], Awaitable[Any]], expected: Any) -> float:
    """The seconds until it is answered."""
    began = time.perf_counter()
    async with asyncio.timeout(5):
        while await answers() != expected:  # noqa: ASYNC110 - what changes has no event to wait for
            await asyncio.sleep(0.01)
    return time.perf_counter() - began


async def test_a_change_is_shown_within_a_second_whoever_wrote_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    shelf = await fill(database)
    async with process(tmp_path / "1", database_url) as one, process(tmp_path / "2", database_url) as other:
        before = [await house.data(TITLE) for house in (one, other, one, other)]
        held = one.statements
        await one.data(TITLE)
        assert one.statements == held

        await database.execute("UPDATE content SET title = 'Солярис' WHERE id = $1", shelf.movie)
        expected = {"content": before[0]["content"] | {"title": "Солярис"}}
        waited = await asyncio.gather(*(soon(partial(house.data, TITLE), expected) for house in (one, other)))

    assert {str(answer) for answer in before} == {str(before[0])}
    assert before[0]["content"]["title"] == "Solaris"
    assert max(waited) < 1.0


async def test_a_hint_over_redis_is_heard_at_once_by_other_processes(
    database: Database, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    shelf = await fill(database)
    async with (
        process(tmp_path, database_url, redis_url=redis_url) as other,
        Redis.from_url(redis_url) as redis,
    ):
        writer = RedisNotifier(redis, redis)
        waits = []
        for number in range(7):
            await other.data(TITLE)
            await database.execute("UPDATE content SET title = $2 WHERE id = $1", shelf.movie, f"T{number}")
            await writer.notify()
            waits.append(await soon(lambda: titled(other), f"T{number}"))

    # Without the hint it would be half of the time between two looks, or more.
    assert sorted(waits)[3] < 0.1


async def titled(house: Any) -> str:
    return str((await house.data(TITLE))["content"]["title"])


async def test_an_offer_that_ends_soon_is_not_shown_for_longer(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    shelf = await fill(database)
    async with process(tmp_path, database_url) as house:
        ends = await database.value("SELECT clock_timestamp() + interval '1.5 seconds'")
        await add_offer(database, shelf.movie, "hulu", expires_at=ends)
        both = {"platform": {"id": "hulu"}}, {"platform": {"id": "netflix"}}
        await soon(lambda: offers(house), list(both))
        held = house.statements
        result = await house.ask(TITLE)
        assert house.statements == held  # it is kept

        await soon(lambda: offers(house), [both[1]])
        late = (now() - ends).total_seconds()

    assert result.policy is not None
    assert result.policy.max_age <= 1
    assert 0 <= late < 0.25


async def offers(house: Any) -> Any:
    return (await house.data(TITLE))["content"]["availability"]
