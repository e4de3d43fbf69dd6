"""The catalogue's reads, gathered."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import pytest

from domain.catalog.filters import Filter
from domain.catalog.gathered import GatheredCatalog
from domain.catalog.model import Content, Place
from domain.catalog.postgres import PostgresCatalog
from domain.catalog.restricted import seen_by
from domain.catalog.restriction import Restriction
from domain.catalog.service import Catalog, CatalogStore, ContentOrder
from domain.catalog.taxonomy import MaturityRating
from domain.platform.errors import BadInput
from domain.platform.gathering import WIDE, Gathered
from domain.platform.paging import Cut, Page
from domain.platform.postgres import Database
from domain.platform.tracing import LEFT_OUT
from gateway.entity_cache import WIDE_SHARE, catalog_store
from loaders.catalog import CatalogLoaders
from tests import catalogue as rows
from tests.servers import StatementCounter

T = TypeVar("T")

PORT = sorted(name for name in vars(CatalogStore) if not name.startswith("_"))
QUESTIONS = [name for name in PORT if name != "browse"]


class Store:
    """Answers every question with what it is called, and remembers all it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def answer(keys: Any, *more: Any) -> Any:
            self.asked.append((name, (keys, *more) if more else keys))
            return (name, keys, *more) if more else {key: f"{name} of {key}" for key in keys}

        return answer


async def left_out(ask: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """As in a request that nobody traces."""
    LEFT_OUT.set(True)
    return await ask(*arguments)


def request(ask: Callable[..., Awaitable[T]], *arguments: Any) -> "asyncio.Task[T]":
    return asyncio.create_task(left_out(ask, *arguments))


@pytest.fixture
def catalog(database: Database) -> GatheredCatalog:
    return GatheredCatalog(PostgresCatalog(database), database.in_transaction, 4)


def test_every_question_of_the_port_is_gathered() -> None:
    gathered = GatheredCatalog(cast("CatalogStore", Store()), lambda: False, 4)

    assert len(QUESTIONS) == 14
    assert {name for name, asked in vars(gathered).items() if isinstance(asked, Gathered)} == set(QUESTIONS)


@pytest.mark.parametrize("name", QUESTIONS)
async def test_each_question_is_asked_of_the_store_as_what_it_is(name: str) -> None:
    store = Store()
    gathered = GatheredCatalog(cast("CatalogStore", store), lambda: False, 4)

    found = await asyncio.gather(*(request(getattr(gathered, name), keys) for keys in ((1, 2), (2, 3))))

    assert found == [{key: f"{name} of {key}" for key in keys} for keys in ((1, 2), (2, 3))]
    assert store.asked == [(name, [1, 2, 3])]


async def test_questions_of_many_keys_wait_for_each_other_whatever_they_ask() -> None:
    running: list[str] = []

    class Slow(Store):
        def __getattr__(self, name: str) -> Callable[..., Any]:
            async def answer(keys: Any) -> Any:
                running.append(name)
                assert len(running) == 1
                await asyncio.sleep(0)
                running.remove(name)
                return dict.fromkeys(keys)

            return answer

    gathered = GatheredCatalog(cast("CatalogStore", Slow()), lambda: False, 1)

    await asyncio.gather(*(request(getattr(gathered, name), [*range(WIDE)]) for name in QUESTIONS))


async def test_questions_of_many_keys_have_a_share_of_the_connections(database_url: str) -> None:
    async with Database.open(database_url, min_connections=12, max_connections=12) as database:
        store, used = catalog_store(database, None), 0
        tasks = [
            request(getattr(store, name), [*range(100 * number, 100 * number + WIDE)])
            for name in ("contents", "credits", "people", "external_ids", "ratings", "artwork")
            for number in range(3)
        ]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            used = max(used, database.connections_in_use)
        await asyncio.gather(*tasks)

    assert used == 12 // WIDE_SHARE


async def test_lists_are_asked_for_one_by_one() -> None:
    store = Store()
    gathered = GatheredCatalog(cast("CatalogStore", store), lambda: False, 4)
    asked = (Filter(genres=("drama",)), ContentOrder.TITLE, Cut(5))

    found: Page[Content] = await gathered.browse(*asked)

    assert cast("Any", found) == ("browse", *asked)
    assert store.asked == [("browse", asked)]


async def test_who_writes_reads_it_in_their_transaction_and_nobody_else_does(
    catalog: GatheredCatalog, database: Database
) -> None:
    """Whether they come first or last among those who ask at the same time."""
    there = await rows.add_movie(database, "Stalker", slug="stalker")
    written: dict[str, int] = {}

    async def write() -> list[Any]:
        async with database.transaction():
            key = written["solaris"] = await rows.add_movie(database, "Solaris", slug="solaris")
            await rows.add_offer(database, key)
            elsewhere = [request(catalog.contents, [key, there]), request(catalog.by_slug, ["solaris"])]
            await asyncio.sleep(0)  # they have asked, and nobody was answered
            own: list[Any] = [
                await catalog.contents([key, there]),
                await catalog.by_slug(["solaris"]),
                await catalog.offers([Place(key, "US")]),
            ]
            others: list[Any] = await asyncio.gather(
                *elsewhere,
                request(catalog.contents, [there, key]),
                request(catalog.offers, [Place(key, "US")]),
            )
        return [list(one) for one in (*own, *others)]

    found = await request(write)
    key = written["solaris"]

    assert [sorted(keys) for keys in found] == [
        [there, key],
        ["solaris"],
        [Place(key, "US")],
        [there],
        [],
        [there],
        [],
    ]
    assert set(await request(catalog.contents, [key, there])) == {key, there}


async def test_what_was_committed_is_read_by_whoever_asks_afterwards(
    catalog: GatheredCatalog, database: Database
) -> None:
    """Even beside somebody who asked before."""
    key = await rows.add_movie(database, "Stalker")
    early = request(catalog.contents, [key])
    await asyncio.sleep(0)

    async def rename() -> str:
        await database.execute("UPDATE content SET title = 'Сталкер' WHERE id = $1", key)
        return (await catalog.contents([key]))[key].title

    assert await request(rename) == "Сталкер"
    assert (await early)[key].title in {"Stalker", "Сталкер"}


async def test_a_slug_that_cannot_be_is_refused_to_who_asked_for_it(
    catalog: GatheredCatalog, database: Database, statements: StatementCounter
) -> None:
    keys = [await rows.add_movie(database, slug=f"solaris-{number}") for number in range(3)]
    statements.clear()

    found = await asyncio.gather(
        *(request(catalog.by_slug, [slug]) for slug in ("solaris-0", "sol\0aris", "solaris-1", "solaris-2")),
        return_exceptions=True,
    )

    assert isinstance(found.pop(1), BadInput)
    assert found == [{f"solaris-{number}": key} for number, key in enumerate(keys)]
    assert len(statements.seen) == 5


async def test_requests_of_one_turn_are_answered_by_one_statement(
    catalog: GatheredCatalog, database: Database, statements: StatementCounter
) -> None:
    keys = [await rows.add_movie(database, f"Solaris {number}") for number in range(8)]
    statements.clear()

    found = await asyncio.gather(*(request(catalog.contents, [key]) for key in keys))

    assert [[content.title for content in one.values()] for one in found] == [
        [f"Solaris {number}"] for number in range(8)
    ]
    assert len(statements.seen) == 1


async def test_who_may_not_see_a_title_is_not_shown_it_beside_others_who_are(
    catalog: GatheredCatalog, database: Database, statements: StatementCounter
) -> None:
    mild = await rows.add_movie(database, "Mild", maturity_rating="G")
    harsh = await rows.add_movie(database, "Harsh", maturity_rating="R")
    for key in (mild, harsh):
        await rows.add_offer(database, key)
    everything = Catalog(catalog, lambda: datetime.now(UTC))
    restrictions = (None, Restriction(MaturityRating.PG), None, Restriction(blocked_genres=("drama",)))
    statements.clear()

    async def shown(restriction: Restriction | None) -> list[list[int]]:
        loaders = CatalogLoaders(seen_by(restriction, everything))
        contents = await loaders.content.load_many([mild, harsh])
        offers = await loaders.availability.load_many([Place(mild, "US"), Place(harsh, "US")])
        return [
            [content.id for content in contents if content],
            [offer.content_id for of_one in offers for offer in of_one],
        ]

    found = await asyncio.gather(*(request(shown, restriction) for restriction in restrictions))

    assert found == [[[mild, harsh]] * 2, [[mild]] * 2, [[mild, harsh]] * 2, [[mild, harsh]] * 2]
    assert len(statements.seen) < 2 * len(restrictions)
