"""What caches are told over HTTP, and what they make of it."""

import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette

from domain.platform.budgets import Payer
from gateway.engine.admission import CostPolicy
from gateway.engine.documents import document_hash
from gateway.engine.intake import Intake
from gateway.engine.persisted import LocalQueries
from gateway.engine.trusted import DocumentsMode, TrustedDocument, TrustedDocuments
from gateway.routes.caching import entity_tag, matches
from gateway.routes.connection import Connection, DoorOptions
from gateway.routes.graphql import Doors
from tests.gateway.engine.sharers import TAG, Bench, Visitor, bench
from tests.gateway.serving import listening
from tests.gateway.shared_cache import SharedCache

PUBLISHED = "query Published { word }"
CROSS = {"sec-fetch-site": "cross-site", "user-agent": "Mozilla/5.0"}
BASE = "accept, accept-encoding, origin"


@dataclass
class Site:
    """A server over the graph of `sharers`; `authorization` is a name and a region, as in `ada@DE`."""

    house: Bench
    client: httpx.AsyncClient

    async def get(self, text: str, method: str = "GET", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, "/graphql", params={"query": text}, headers=named)


@asynccontextmanager
async def site(mode: DocumentsMode = DocumentsMode.OFF, *, planned: bool = True) -> AsyncIterator[Site]:
    reporting = [False]
    costs = CostPolicy(payer_of=lambda _context: Payer(reports=reporting[0]))
    house = bench(costs=costs, planned=planned)

    async def context_of(connection: Connection) -> Visitor:
        reporting[0] = "graphql-cost" in connection.headers
        name, _, region = connection.headers.get("authorization", "nobody@US").partition("@")
        return Visitor(house.world, name, region)

    documents = TrustedDocuments([TrustedDocument("p1", document_hash(PUBLISHED), PUBLISHED)])
    intake = Intake(house.engine, mode, documents, LocalQueries(10_000))
    doors = Doors(intake, context_of, DoorOptions(varying=("graphql-cost",)))
    async with (
        listening(Starlette(routes=doors.routes)) as port,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"accept-encoding": "identity"}
        ) as client,
    ):
        yield Site(house, client)


@pytest.fixture
async def shop() -> AsyncIterator[Site]:
    async with site() as shop:
        yield shop


def caching(response: httpx.Response) -> tuple[str, str, bool]:
    """What caches are told: how long, by what it varies, and whether it has a tag."""
    headers = response.headers
    return headers["cache-control"], headers["vary"], "etag" in headers


ALL = f"{BASE}, graphql-cost"
EACH = f"{BASE}, authorization, graphql-cost"


@pytest.mark.parametrize(
    ("text", "anonymous", "signed_in"),
    [
        ("{ word said }", ("public, max-age=60", ALL, True), ("public, max-age=60", ALL, True)),
        ("{ said }", ("public, max-age=300", ALL, True), ("public, max-age=300", ALL, True)),
        ("{ local }", ("public, max-age=60", EACH, True), ("private, no-cache", EACH, True)),
        *(
            (text, ("private, no-store", BASE, False), ("private, no-store", BASE, False))
            for text in (
                "{ mine }",
                "{ secret }",
                "{ word secret }",
                "{ unhinted }",
                "{ word mine }",
                "{ thing { owner } }",
                "{ __typename }",
                "{ __schema { queryType { name } } }",
            )
        ),
        ("{ nonsense }", ("no-store", BASE, False), ("no-store", BASE, False)),
        ("{ odd }", ("no-store", BASE, False), ("no-store", BASE, False)),
        ("mutation { write }", ("no-store", BASE, False), ("no-store", BASE, False)),
    ],
)
async def test_caches_are_told_for_how_long_and_for_whom(
    shop: Site, text: str, anonymous: tuple[str, str, bool], signed_in: tuple[str, str, bool]
) -> None:
    for method in ("GET", "HEAD", "GET"):
        assert caching(await shop.get(text, method)) == anonymous
        assert caching(await shop.get(text, method, authorization="ada@DE")) == signed_in


async def test_without_plans_nobody_knows_for_how_long_and_nothing_is_kept() -> None:
    async with site(planned=False) as interpreted:
        responses = [await interpreted.get("{ word }") for _ in range(2)]

    assert [caching(response) for response in responses] == [("no-store", BASE, False)] * 2
    assert interpreted.house.world.asked["word"] == 2


async def test_an_answer_with_errors_is_kept_by_nobody(shop: Site) -> None:
    shop.house.world.broken = True

    response = await shop.get("{ word failing }")

    assert response.json()["data"] == {"word": "old", "failing": None}
    assert caching(response) == ("no-store", BASE, False)


async def test_a_post_is_kept_by_nobody_and_never_found_unchanged(shop: Site) -> None:
    tag = (await shop.get("{ word }")).headers["etag"]

    response = await shop.client.post("/graphql", json={"query": "{ word }"}, headers={"if-none-match": tag})

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


async def test_what_cannot_be_written_is_kept_by_nobody_where_nothing_is_shared_either(shop: Site) -> None:
    shop.house.cache.pause()

    assert caching(await shop.get("{ word }")) == ("public, max-age=60", EACH, True)
    assert caching(await shop.get("{ odd }")) == ("no-store", BASE, False)


async def test_who_asks_what_it_cost_is_told_by_nobody_else(shop: Site) -> None:
    response = await shop.get("{ word }", graphql_cost="report")

    assert "cost" in response.json()["extensions"]
    assert caching(response) == ("no-store", BASE, False)


async def test_a_cache_is_told_the_time_that_is_left(shop: Site) -> None:
    await shop.get("{ word }")
    shop.house.world.now += 12.5
    shop.house.world.ends = shop.house.world.now + 5

    assert (await shop.get("{ word }")).headers["cache-control"] == "public, max-age=47"
    assert (await shop.get("{ ending }")).headers["cache-control"] == "public, max-age=5"


async def test_what_ends_within_a_second_is_kept_by_nobody(shop: Site) -> None:
    shop.house.world.ends = shop.house.world.now + 0.9

    assert caching(await shop.get("{ ending }")) == ("private, no-store", BASE, False)


# Whether a copy still holds.


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("text", ["{ word }", "{ local }"])
async def test_a_copy_that_holds_is_not_sent_again(shop: Site, method: str, text: str) -> None:
    whole = await shop.get(text)

    response = await shop.get(text, method, if_none_match=whole.headers["etag"])

    assert response.status_code == 304
    assert response.content == b""
    # RFC 9110, section 15.4.5: what a 200 would have said to caches, and nothing of the representation.
    for name in ("cache-control", "etag", "vary", "date"):
        assert name in response.headers
    assert caching(response) == caching(whole)
    assert response.headers["etag"] == whole.headers["etag"]
    assert not {"content-type", "content-encoding", "content-length"} & set(response.headers)
    assert response.headers["x-request-id"]


async def test_a_copy_that_is_out_of_date_is_replaced(shop: Site) -> None:
    old = await shop.get("{ word }")
    shop.house.world.word = "new"
    shop.house.cache.invalidate((TAG,))

    response = await shop.get("{ word }", if_none_match=old.headers["etag"])

    assert response.status_code == 200
    assert response.json() == {"data": {"word": "new"}}
    assert response.headers["etag"] != old.headers["etag"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("{tag}", True),
        ('"a", {tag}', True),
        ('W/"a" ,\t{tag},, "b"', True),
        ("{strong}", True),  # the comparison is weak
        ("*", True),
        (" * ", True),
        ('"a", W/"b"', False),
        ("", False),
        ("{bare}", False),
        ('W/"x{bare}"', False),
        ('"*"', False),
        (None, False),
    ],
)
def test_which_lists_match(given: str | None, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    tag = entity_tag(b"{}")
    strong = tag.removeprefix("W/")
    listed = given and given.format(tag=tag, strong=strong, bare=strong.strip('"'))

    assert matches(listed, tag) is expected


def test_a_long_list_is_read_in_no_time() -> None:
    assert not matches('"' * 65_000 + " ," * 10_000 + 'W/"' * 10_000, entity_tag(b""))


def test_tags_tell_bodies_apart() -> None:
    bodies = [b"", b"{}", b"{ }", *(b"%d" % number for number in range(1000))]

    assert len({entity_tag(body) for body in bodies}) == len(bodies)
    assert entity_tag(b"{}") == entity_tag(bytes(bytearray(b"{}")))


async def test_a_failed_query_does_not_match_any(shop: Site) -> None:
    for text in ("{ mine }", "{ nonsense }"):
        response = await shop.get(text, if_none_match="*", accept="application/graphql-response+json")
        assert response.status_code == (200 if text == "{ mine }" else 400)


# Codings.

LARGE = "{ large(size: 5000) }"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
async def test_a_copy_holds_in_whatever_coding_it_came(shop: Site, coding: str) -> None:
    plain = await shop.get(LARGE)
    packed = await shop.get(LARGE, accept_encoding=coding)

    held = [
        await shop.get(LARGE, accept_encoding=now, if_none_match=tag)
        for now in (coding, "identity", "gzip")
        for tag in (plain.headers["etag"], packed.headers["etag"])
    ]

    assert packed.headers["content-encoding"] == coding
    assert packed.json() == plain.json()
    assert packed.headers["etag"] == plain.headers["etag"]
    assert packed.headers["etag"].startswith('W/"')
    assert [(response.status_code, response.content) for response in held] == [(304, b"")] * 6


async def test_a_head_tells_what_a_get_would(shop: Site) -> None:
    for text in ("{ word }", LARGE):
        get, head = [await shop.get(text, method, accept_encoding="gzip") for method in ("GET", "HEAD")]

        assert head.content == b""
        volatile = {"date", "x-request-id"}
        assert {n: v for n, v in head.headers.items() if n not in volatile} == {
            n: v for n, v in get.headers.items() if n not in volatile
        }
        assert int(get.headers["content-length"]) == int(head.headers["content-length"])


# Documents that are named.


async def test_a_published_document_may_be_kept_on_the_way_though_nobody_asked_first(shop: Site) -> None:
    async with site(DocumentsMode.ONLY) as only:
        response = await only.client.get("/graphql", params={"documentId": "p1"}, headers=CROSS)

    assert response.status_code == 200
    assert caching(response) == ("public, max-age=60", ALL, True)


async def test_an_automatic_persisted_query_may_be_kept_once_it_is_known(shop: Site) -> None:
    text = "{ said }"
    extensions = f'{{"persistedQuery":{{"version":1,"sha256Hash":"{document_hash(text)}"}}}}'

    unknown, learnt, known = [
        await shop.client.get("/graphql", params={"extensions": extensions, **more})
        for more in ({}, {"query": text}, {})
    ]

    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert caching(unknown) == ("no-store", BASE, False)
    assert caching(learnt) == caching(known) == ("public, max-age=300", ALL, True)


# A cache on the way.


@pytest.fixture
def between(shop: Site) -> SharedCache:
    async def fetch(url: str, headers: Mapping[str, str]) -> httpx.Response:
        return await shop.client.get(url, headers=dict(headers))

    return SharedCache(fetch)


VIEWERS = [{}, {"authorization": "ada@US"}, {"authorization": "bob@DE"}, {"authorization": "ada@DE"}]


@pytest.mark.parametrize(
    "text", ["{ word }", "{ local }", "{ mine }", "{ unhinted }", "{ word thing { owner } }"]
)
async def test_nobody_is_given_anothers_answer_by_a_cache_on_the_way(
    shop: Site, between: SharedCache, text: str
) -> None:
    url = str(httpx.URL("/graphql", params={"query": text}))
    for viewer in (*VIEWERS, *VIEWERS[::-1]):
        direct = await shop.client.post("/graphql", json={"query": text}, headers=viewer)
        assert (await between.get(url, viewer)).json() == direct.json()

    assert between.hits == {"{ word }": 7, "{ local }": 1}.get(text, 0)


async def test_a_cache_on_the_way_asks_again_when_the_time_is_over(shop: Site, between: SharedCache) -> None:
    url = str(httpx.URL("/graphql", params={"query": "{ word }"}))
    await between.get(url, {})
    for seconds in (59.0, 61.0):
        between.now = seconds
        shop.house.world.now = 1_000 + seconds
        await between.get(url, {})

    assert (between.hits, between.revalidated) == (1, 1)
    assert shop.house.world.asked["word"] == 2


async def test_a_packed_answer_is_not_given_to_who_cannot_unpack_it(shop: Site, between: SharedCache) -> None:
    url = str(httpx.URL("/graphql", params={"query": LARGE}))

    packed = await between.get(url, {"accept-encoding": "gzip"})
    plain = await between.get(url, {"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert len(gzip.compress(plain.content)) < len(plain.content)
    assert packed.json() == plain.json()
