"""Files sent to an account and its archive, over HTTP."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from domain.catalog.restriction import Restriction
from domain.catalog.taxonomy import MaturityRating
from domain.identity.exports import _packed
from domain.identity.model import Caller
from domain.identity.policy import Scope
from domain.identity.postgres_holdings import PostgresHoldings
from domain.interchange.exporting import Archives
from domain.interchange.postgres_state import PostgresState
from domain.platform.errors import GatewayError, TooManyRequests
from domain.platform.postgres import Database
from domain.sync.model import Verdict
from gateway.routes import interchange
from gateway.routes.connection import Connection
from gateway.routes.interchange import Places, interchange_routes
from resolvers.context import Context
from tests.catalogue import add_movie
from tests.states import viewings
from tests.viewers import Living, living

WATCHED = [{"watched_at": "2020-05-01T20:00:00Z", "movie": {"title": "Solaris", "year": 1972, "ids": {}}}]
FILE = orjson.dumps(WATCHED)


@pytest.fixture
def house(database: Database) -> Living:
    return living(database)


@pytest.fixture
async def ada(house: Living) -> str:
    return await house.account()


@pytest.fixture
async def client(house: Living) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever the header names; `limited` may read alone."""

    async def context_of(connection: Connection) -> Context:
        account = connection.headers.get("x-account")
        context = house.context(account)
        if "x-limited" in connection.headers:
            context.caller = Caller(account, frozenset(), frozenset({Scope.READ_PROGRESS}))
        if "x-child" in connection.headers:
            context.restriction = Restriction(max_rating=MaturityRating.PG)
        return context

    transport = httpx.ASGITransport(Starlette(routes=interchange_routes(context_of)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def test_a_file_is_shown_then_brought_then_known(
    client: httpx.AsyncClient, house: Living, ada: str
) -> None:
    movie = await add_movie(house.database)
    path, headers = "/account/imports?name=trakt.json", {"x-account": ada}

    dry = (await client.post(f"{path}&dryRun=true", content=FILE, headers=headers)).json()
    assert await viewings(house.database, ada, movie) == []
    done = (await client.post(path, content=FILE, headers=headers)).json()
    again = (await client.post(path, content=FILE, headers=headers)).json()

    assert (dry["brought"], dry["importId"], dry["dryRun"]) == (1, None, True)
    assert dry["changes"] == [
        {
            "where": "trakt.json[0]",
            "kind": "viewing",
            "title": "Solaris (1972)",
            "at": "2020-05-01T20:00:00+00:00",
        }
    ]
    assert done["counts"] == {"viewing": {"new": 1}}
    assert done["importId"] is not None
    assert again["counts"] == {"viewing": {"known": 1}}
    assert len(await viewings(house.database, ada, movie)) == 1


async def test_the_archive_is_a_file_that_can_be_sent_again(
    client: httpx.AsyncClient, house: Living, ada: str
) -> None:
    movie = await add_movie(house.database)
    bob = await house.account()
    await client.post("/account/imports", content=FILE, headers={"x-account": ada})

    archive = await client.get("/account/archive", headers={"x-account": ada})
    sent = await client.post("/account/imports", content=archive.content, headers={"x-account": bob})

    assert archive.headers["content-type"] == "application/zip"
    assert archive.headers["cache-control"] == "no-store"
    assert (sent.json()["source"], sent.json()["brought"]) == ("archive", 1)
    assert await viewings(house.database, bob, movie) == await viewings(house.database, ada, movie)


async def test_only_who_may_write_brings_and_only_who_may_read_exports(
    client: httpx.AsyncClient, house: Living, ada: str
) -> None:
    nobody = await client.post("/account/imports", content=FILE)
    limited = await client.post(
        "/account/imports", content=FILE, headers={"x-account": ada, "x-limited": "1"}
    )
    reading = await client.get("/account/archive", headers={"x-account": ada, "x-limited": "1"})

    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert nobody.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (limited.status_code, reading.status_code) == (403, 403)
    assert await house.database.value("SELECT count(*) FROM import") == 0


async def test_a_viewing_profile_that_hides_titles_brings_and_exports_nothing(
    client: httpx.AsyncClient, house: Living, ada: str
) -> None:
    await add_movie(house.database)
    headers = {"x-account": ada, "x-child": "1"}

    answers = [
        await client.post("/account/imports", content=FILE, headers=headers),
        await client.post("/account/imports?dryRun=true", content=FILE, headers=headers),
        await client.get("/account/archive", headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert {answer.json()["errors"][0]["extensions"]["code"] for answer in answers} == {"FORBIDDEN"}
    assert await house.database.value("SELECT count(*) FROM import") == 0
    assert await house.kinds(ada) == []


async def test_the_copy_of_all_personal_data_is_imported_as_its_archive_is(
    client: httpx.AsyncClient, house: Living, ada: str
) -> None:
    movie = await add_movie(house.database)
    bob = await house.account()
    await client.post("/account/imports", content=FILE, headers={"x-account": ada})
    await house.sync.react(ada, movie, Verdict.LIKE, 4.5)
    found = await PostgresHoldings(house.database).of_account(ada)
    archive = Archives(PostgresState(house.database), house.clock.now)
    copy = _packed(found, house.clock.now(), await archive.files(ada))

    sent = (await client.post("/account/imports", content=copy, headers={"x-account": bob})).json()

    assert (sent["source"], sent["brought"]) == ("archive", 2)
    assert {problem["trouble"] for problem in sent["problems"]} == {"left_out"}
    assert "import_item" in found
    assert await viewings(house.database, bob, movie) == await viewings(house.database, ada, movie)
    mine, theirs = [await house.sync.store.reactions(account, [movie]) for account in (bob, ada)]
    assert mine == theirs


async def test_what_cannot_be_read_is_refused_with_the_reason(
    client: httpx.AsyncClient, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interchange, "MAX_FILE_BYTES", 100)
    headers = {"x-account": ada}

    answers = [
        await client.post("/account/imports", content=b"hello", headers=headers),
        await client.post("/account/imports?format=plex", content=b"[]", headers=headers),
        await client.post("/account/imports?dryRun=perhaps", content=b"[]", headers=headers),
        await client.post("/account/imports", content=b"x" * 101, headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 400, 413]
    assert answers[0].json()["userErrors"][0]["code"] == "INVALID"


async def test_one_file_of_an_account_is_read_at_a_time() -> None:
    places = Places()
    begun = asyncio.Event()

    async def read() -> None:
        async with places.taken("ada"):
            begun.set()
            await asyncio.sleep(3600)

    reading = asyncio.create_task(read())
    await begun.wait()
    with pytest.raises(TooManyRequests):
        async with places.taken("ada"):
            pass
    async with places.taken("bob"):
        with pytest.raises(GatewayError):
            async with places.taken("eve"):
                pass
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    async with places.taken("ada"):
        pass
