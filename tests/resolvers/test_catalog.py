"""The catalogue through the graph."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from domain.catalog.links import DeviceKind
from domain.catalog.taxonomy import GENRES, PLATFORMS
from domain.identity.model import ANONYMOUS
from domain.platform.postgres import Database
from domain.sync.capabilities import DeviceCapabilities
from resolvers.ids import encode
from schema.graph import Graph, graph
from tests import catalogue as rows
from tests.accounts import somebody
from tests.asking import Asker
from tests.servers import StatementCounter

CONTENT = "query ($by: ContentLookup!) { content(by: $by) { __typename id title } }"
LIST = """query ($filter: ContentFilter, $orderBy: ContentOrder, $first: Int, $after: String, $last: Int,
                 $before: String) {
  contents(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    nodes { title } edges { cursor node { title } } totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
EVERYTHING = """
fragment Everything on Content {
  __typename id title originalTitle synopsis releaseDate year popularity keywords countries originalLanguage
  maturityRating
  genres { id name music }
  credits(first: 100) { nodes { role character person { id name } } totalCount }
  availability { platform { id name home } kind price { amount currency } quality region expiresAt
                 links { kind url } }
  externalIds { imdb tmdb }
  ratings { source value scale voteCount }
  artwork { kind url width height }
  quality { score missingFields freshness }
}"""
DETAIL = "query ($by: ContentLookup!) { content(by: $by) { ...Everything } }" + EVERYTHING
BROWSE = (
    "query ($first: Int!) { contents(first: $first) { totalCount nodes { ...Everything } } }" + EVERYTHING
)


@pytest.fixture(scope="module")
def schema() -> Graph:
    return graph()


@pytest.fixture
def asker(database: Database, schema: Graph) -> Asker:
    return Asker(schema, database)


async def add_full_movie(database: Database, number: int = 1) -> int:
    key = await rows.add_movie(
        database,
        f"Film {number}",
        genres=["drama"],
        slug=f"film-{number}",
        synopsis="…",
        popularity=float(number),
    )
    for position in range(8):
        await rows.add_credit(database, key, f"Actor {number}.{position}", "cast", character="Somebody")
    await rows.add_offer(database, key, "netflix", link_id=f"n{number}")
    await rows.add_offer(database, key, "youtube", kind="rental", price="3.99", link_id=f"y{number}")
    await rows.add_external_id(database, key, "imdb", f"tt{number:07}")
    await rows.add_rating(database, key)
    await rows.add_artwork(database, key)
    return key


async def test_a_title_is_found_by_each_of_its_names(asker: Asker, database: Database) -> None:
    key = await rows.add_movie(database, "Solaris", slug="solaris-1972")
    names = {"imdb": "tt0069293", "tmdb": "593", "tvdb": "11", "eidr": "10.5240/AAAA"}
    for source, value in names.items():
        await rows.add_external_id(database, key, source, value)
    await rows.add_offer(database, key, "netflix", link_id="70136120")
    lookups: list[Any] = [
        {"id": encode("Movie", key)},
        {"slug": "solaris-1972"},
        {"imdbId": "tt0069293"},
        {"tmdbId": "593"},
        {"tvdbId": "11"},
        {"eidr": "10.5240/AAAA"},
        {"platformId": {"platform": "netflix", "value": "70136120"}},
    ]

    for by in lookups:
        found = await asker.data(CONTENT, by=by)
        assert found == {"content": {"__typename": "Movie", "id": encode("Movie", key), "title": "Solaris"}}


@pytest.mark.parametrize(
    "by",
    [
        {"slug": "none"},
        {"slug": ""},
        {"imdbId": "tt9999999"},
        {"tmdbId": "70136120"},
        {"platformId": {"platform": "netflix", "value": "none"}},
        {"platformId": {"platform": "no platform", "value": "70136120"}},
        {"id": encode("Movie", 999_999)},
    ],
)
async def test_an_unknown_name_is_nothing(asker: Asker, database: Database, by: Any) -> None:
    await rows.add_offer(database, await rows.add_movie(database))

    assert await asker.data(CONTENT, by=by) == {"content": None}


async def test_the_id_of_a_film_finds_no_series(asker: Asker, database: Database) -> None:
    series = await rows.add_series(database)

    assert await asker.data(CONTENT, by={"id": encode("Movie", series)}) == {"content": None}


@pytest.mark.parametrize("key", ["x", encode("Person", 1), encode("Movie", 2**63), encode("Movie", "x")])
async def test_what_is_no_id_of_a_title_is_refused(
    asker: Asker, statements: StatementCounter, key: str
) -> None:
    statements.clear()

    assert await asker.refusals(CONTENT, by={"id": key}) == [
        ("BAD_USER_INPUT", "`by.id` is not the id of a title.")
    ]
    assert statements.seen == []


@pytest.mark.parametrize(
    "by", [{}, {"slug": None}, {"slug": "a", "imdbId": "b"}, {"slug": "a", "imdbId": None}, {"title": "a"}]
)
async def test_a_title_is_named_by_exactly_one_name(
    asker: Asker, statements: StatementCounter, by: Any
) -> None:
    statements.clear()

    result = await asker.result(CONTENT, by=by)

    assert result.data is None
    assert result.errors is not None
    assert statements.seen == []


async def test_text_with_nul_is_the_client_s_fault(asker: Asker) -> None:
    expected = [("BAD_USER_INPUT", "A text holds the character NUL, which cannot be stored or found.")]

    assert await asker.refusals(CONTENT, by={"slug": "a\0"}) == expected
    assert await asker.refusals(LIST, filter={"languages": ["\0"]}) == expected


async def test_a_list_is_paged_forwards_and_backwards(asker: Asker, database: Database) -> None:
    for number in range(5):
        await rows.add_movie(database, f"Film {number}", popularity=50.0 - number)

    first = (await asker.data(LIST, first=2))["contents"]
    second = (await asker.data(LIST, first=2, after=first["pageInfo"]["endCursor"]))["contents"]
    last = (await asker.data(LIST, last=2))["contents"]
    before = (await asker.data(LIST, last=2, before=second["pageInfo"]["startCursor"]))["contents"]

    assert [node["title"] for node in first["nodes"]] == ["Film 0", "Film 1"]
    assert [node["title"] for node in second["nodes"]] == ["Film 2", "Film 3"]
    assert [node["title"] for node in last["nodes"]] == ["Film 3", "Film 4"]
    assert before["nodes"] == first["nodes"]
    assert first["totalCount"] == last["totalCount"] == 5
    assert first["pageInfo"]["hasNextPage"] is True
    assert first["pageInfo"]["hasPreviousPage"] is False
    assert [edge["node"] for edge in first["edges"]] == first["nodes"]
    assert first["edges"][-1]["cursor"] == first["pageInfo"]["endCursor"]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"first": 0}, "`first` must be between 1 and 100, and is 0."),
        ({"first": 101}, "`first` must be between 1 and 100, and is 101."),
        ({"last": -1}, "`last` must be between 1 and 100, and is -1."),
        ({"first": 1, "last": 1}, "Give `first` or `last`, not both."),
        (
            {"after": "x"},
            "`after` is not a cursor of this list: pass one that its `pageInfo` or `edges` gave.",
        ),
        (
            {"before": "x"},
            "`before` is not a cursor of this list: pass one that its `pageInfo` or `edges` gave.",
        ),
        (
            {"filter": {"people": [encode("Movie", 1)]}},
            "`people` takes ids of people.",
        ),
        ({"filter": {"people": [encode("Person", 2**63)]}}, "`people` takes ids of people."),
        (
            {"filter": {"region": "USA"}},
            "A region has two letters as in ISO 3166-1 (US, DE), and this is 'USA'.",
        ),
        ({"filter": {"region": "ß"}}, "A region has two letters as in ISO 3166-1 (US, DE), and this is 'ß'."),
        ({"filter": {"yearFrom": 0}}, "A year must be between 1800 and 2100, and is 0."),
        ({"filter": {"keywords": ["a"] * 51}}, "`keywords` takes up to 50 values, and has 51."),
    ],
)
async def test_what_a_list_cannot_answer_is_refused_and_nothing_is_asked(
    asker: Asker, statements: StatementCounter, variables: dict[str, Any], message: str
) -> None:
    statements.clear()

    assert await asker.refusals(LIST, **variables) == [("BAD_USER_INPUT", message)]
    assert statements.seen == []


async def test_filters_of_the_graph_reach_the_list(asker: Asker, database: Database) -> None:
    wanted = await rows.add_movie(
        database,
        "Wanted",
        genres=["drama"],
        keywords=["space"],
        original_language="ru",
        countries=["SU"],
        year=1972,
        maturity_rating="PG",
    )
    await rows.add_series(database, "Other", genres=["comedy"], maturity_rating="R")
    person = await rows.add_credit(database, wanted)
    await rows.add_offer(database, wanted, "netflix", region="DE")
    filters: list[dict[str, Any]] = [
        {"kinds": ["MOVIE"]},
        {"genres": ["drama"]},
        {"platforms": ["netflix"], "region": "de"},
        {"offerKinds": ["SUBSCRIPTION"], "region": "DE"},
        {"languages": ["ru"]},
        {"languages": ["RU"]},
        {"countries": ["SU"]},
        {"countries": ["su"]},
        {"keywords": ["space"]},
        {"people": [encode("Person", person)]},
        {"yearFrom": 1972, "yearTo": 1972},
        {"minRuntimeSeconds": 9960, "maxRuntimeSeconds": 9960},
        {"maturityRatings": ["PG"]},
        {"maxMaturityRating": "PG_13"},
    ]

    for given in [*filters, {name: value for part in filters for name, value in part.items()}]:
        found = await asker.data(LIST, filter=given)
        assert [node["title"] for node in found["contents"]["nodes"]] == ["Wanted"], given
    assert (await asker.data(LIST, filter={"platforms": ["netflix"]}))["contents"]["nodes"] == []


async def test_orders_of_the_graph_sort_the_list(asker: Asker, database: Database) -> None:
    for title, year, popularity in (("B", 2001, 1.0), ("A", None, 3.0), ("C", 1999, 2.0)):
        await rows.add_movie(database, title, year=year, popularity=popularity)

    found = {
        order: "".join(node["title"] for node in (await asker.data(LIST, orderBy=order))["contents"]["nodes"])
        for order in ("POPULARITY", "TITLE", "NEWEST", "OLDEST")
    }

    assert found == {"POPULARITY": "ACB", "TITLE": "ABC", "NEWEST": "BCA", "OLDEST": "CBA"}


async def test_genres_and_platforms_are_those_of_the_taxonomy(asker: Asker) -> None:
    found = await asker.data("{ genres { id name music } platforms { id name home music } }")

    assert [genre["id"] for genre in found["genres"]] == list(GENRES)
    assert [platform["id"] for platform in found["platforms"]] == list(PLATFORMS)


AVAILABILITY = """query ($by: ContentLookup!, $region: String, $platforms: [ID!], $kinds: [OfferKind!]) {
  content(by: $by) {
    availability(region: $region, platforms: $platforms, kinds: $kinds) { platform { id } kind region }
  }
}"""


async def test_availability_is_of_a_region_and_can_be_narrowed(asker: Asker, database: Database) -> None:
    now = datetime.now(UTC)
    key = await rows.add_movie(database, slug="s")
    await rows.add_offer(database, key, "netflix")
    await rows.add_offer(database, key, "youtube", kind="rental", price="3.99")
    await rows.add_offer(database, key, "youtube", kind="free")
    await rows.add_offer(database, key, "hulu", expires_at=now - timedelta(seconds=1))
    await rows.add_offer(database, key, "peacock", available_from=now + timedelta(hours=1))
    await rows.add_offer(database, key, "disney_plus", region="DE")

    async def found(**variables: Any) -> list[tuple[str, str]]:
        data = await asker.data(AVAILABILITY, by={"slug": "s"}, **variables)
        return [(offer["platform"]["id"], offer["kind"]) for offer in data["content"]["availability"]]

    assert await found() == [("youtube", "FREE"), ("netflix", "SUBSCRIPTION"), ("youtube", "RENTAL")]
    assert await found(region="de") == [("disney_plus", "SUBSCRIPTION")]
    assert await found(platforms=["youtube"]) == [("youtube", "FREE"), ("youtube", "RENTAL")]
    assert await found(kinds=["RENTAL", "SUBSCRIPTION"], platforms=["youtube"]) == [("youtube", "RENTAL")]
    assert await found(platforms=["hulu", "unknown"]) == []
    assert await found(kinds=[]) == []
    refused = await asker.refusals(AVAILABILITY, by={"slug": "s"}, region="Germany")
    assert [code for code, _ in refused] == ["BAD_USER_INPUT"]


async def test_an_episode_shows_the_offers_of_its_series_and_links_to_what_is_offered(
    asker: Asker, database: Database
) -> None:
    series = await rows.add_series(database, seasons=(1,))
    season = (await rows.parts_of(database, series))[0]
    episode = (await rows.parts_of(database, season))[0]
    await rows.add_offer(database, series, "netflix", link_id="80100172")
    album = await rows.add_album(database, tracks=("So What",))
    track = (await rows.parts_of(database, album))[0]
    await rows.add_offer(database, album, "spotify", link_id="album-id")
    await rows.add_offer(database, track, "spotify", kind="free", link_id="track-id")
    query = (
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Content { availability { links { kind url } } } } }"
    )

    found = await asker.data(query, ids=[encode("Episode", episode), encode("Track", track)])

    urls = [
        [link["url"] for offer in node["availability"] for link in offer["links"] if link["kind"] == "WEB"]
        for node in found["nodes"]
    ]
    assert urls == [
        ["https://www.netflix.com/title/80100172"],
        ["https://open.spotify.com/track/track-id", "https://open.spotify.com/album/album-id"],
    ]


@dataclass
class OneDevice:
    """The devices of one account: one television."""

    id: str
    kind: DeviceKind = DeviceKind.TV
    capabilities: DeviceCapabilities = field(default_factory=DeviceCapabilities)

    async def by_ids(self, account_id: str, ids: Sequence[str]) -> dict[str, "OneDevice"]:
        return {self.id: self} if account_id == "ada" and self.id in ids else {}


LINKS = """query ($device: ID) {
  content(by: { slug: "s" }) { availability { links(device: $device) { kind } } }
}"""


async def test_links_are_those_that_the_viewer_s_device_can_open(schema: Graph, database: Database) -> None:
    await rows.add_offer(database, await rows.add_movie(database, slug="s"), "netflix")
    devices: Any = SimpleNamespace(store=OneDevice("tv"), presence=None, standing=None)

    async def found(device: str | None, account_id: str | None = "ada") -> list[str]:
        caller = ANONYMOUS if account_id is None else somebody(account_id)
        asker = Asker(schema, database, {"sync": None, "devices": devices, "commands": None}, caller)
        offer = (await asker.data(LINKS, device=device))["content"]["availability"][0]
        return [link["kind"] for link in offer["links"]]

    every = ["DEEP_LINK", "UNIVERSAL_LINK", "WEB"]
    assert await found(None) == every
    assert await found(encode("Device", "tv")) == ["DEEP_LINK", "WEB"]
    assert await found(encode("Device", "tv"), "another account") == every
    assert await found(encode("Device", "tv"), None) == every
    assert await found(encode("Device", "unknown")) == every
    assert await found("no id") == every


CREDITS = """query ($by: ContentLookup!, $role: CreditRole, $first: Int, $after: String) {
  content(by: $by) {
    credits(role: $role, first: $first, after: $after) {
      totalCount nodes { person { name } role } pageInfo { endCursor hasNextPage }
    }
  }
}"""


async def test_credits_are_paged_and_can_be_of_one_role(asker: Asker, database: Database) -> None:
    key = await rows.add_movie(database, slug="s")
    for number in range(3):
        await rows.add_credit(database, key, f"Actor {number}", "cast")
    await rows.add_credit(database, key, "Director")

    async def found(**variables: Any) -> Any:
        return (await asker.data(CREDITS, by={"slug": "s"}, **variables))["content"]["credits"]

    page = await found(first=2)
    rest = await found(first=5, after=page["pageInfo"]["endCursor"])
    cast = await found(role="CAST")

    names = [node["person"]["name"] for part in (page, rest) for node in part["nodes"]]
    assert names == ["Actor 0", "Actor 1", "Actor 2", "Director"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (4, True)
    assert (cast["totalCount"], rest["pageInfo"]["hasNextPage"]) == (3, False)


PERSON = """query ($id: ID!, $first: Int, $after: String) {
  person(id: $id) {
    id name works(first: $first, after: $after) { totalCount nodes { title } pageInfo { endCursor } }
  }
}"""


async def test_a_person_has_works_that_are_paged(asker: Asker, database: Database) -> None:
    person = 0
    for number in range(3):
        key = await rows.add_movie(database, f"Film {number}", popularity=10.0)
        person = await rows.add_credit(database, key)
    gone = await rows.add_movie(database, "Gone")
    await rows.add_credit(database, gone)
    await rows.retire(database, gone)

    first = (await asker.data(PERSON, id=encode("Person", person), first=2))["person"]
    second = (
        await asker.data(
            PERSON, id=encode("Person", person), first=2, after=first["works"]["pageInfo"]["endCursor"]
        )
    )["person"]

    assert first["name"] == "Andrei Tarkovsky"
    assert [work["title"] for work in first["works"]["nodes"]] == ["Film 0", "Film 1"]
    assert [work["title"] for work in second["works"]["nodes"]] == ["Film 2"]
    assert first["works"]["totalCount"] == 3


@pytest.mark.parametrize(
    "key",
    ["x", "", encode("Person", 999), encode("Person", 2**63), encode("Person", "x"), encode("Movie", 1)],
)
async def test_what_names_no_person_is_nobody(asker: Asker, database: Database, key: str) -> None:
    await rows.add_movie(database)

    assert await asker.data(PERSON, id=key) == {"person": None}


async def test_series_seasons_and_episodes_lead_to_each_other(asker: Asker, database: Database) -> None:
    await rows.add_series(database, "Dekalog", seasons=(3, 1), slug="dekalog")
    query = """query ($after: String) { content(by: { slug: "dekalog" }) { ... on Series {
      status seasons { number episodeCount series { title }
        episodes(first: 2, after: $after) {
          totalCount pageInfo { endCursor hasNextPage }
          nodes { title number season { number series { title } } }
        } } } } }"""

    found = (await asker.data(query))["content"]
    first, second = found["seasons"]
    rest = (await asker.data(query, after=first["episodes"]["pageInfo"]["endCursor"]))["content"]["seasons"]

    assert found["status"] == "ENDED"
    assert [first["number"], first["episodeCount"], first["series"]["title"]] == [1, 3, "Dekalog"]
    assert [node["title"] for node in first["episodes"]["nodes"]] == ["Dekalog 1x1", "Dekalog 1x2"]
    assert first["episodes"]["nodes"][0]["season"] == {"number": 1, "series": {"title": "Dekalog"}}
    assert first["episodes"]["totalCount"] == 3
    assert [node["title"] for node in rest[0]["episodes"]["nodes"]] == ["Dekalog 1x3"]
    assert second["episodes"]["pageInfo"]["hasNextPage"] is False


async def test_episodes_of_one_number_are_all_paged_through(asker: Asker, database: Database) -> None:
    series = await rows.add_series(database, slug="s")
    season = await rows.add_season(database, series)
    for title in ("First half", "Second half", "Epilogue"):
        await rows.add_episode(database, season, 1, title=title)
    query = """query ($after: String) { content(by: { slug: "s" }) { ... on Series { seasons {
      episodes(first: 1, after: $after) { nodes { title } pageInfo { endCursor } } } } } }"""

    titles, after = [], None
    for _ in range(3):
        page = (await asker.data(query, after=after))["content"]["seasons"][0]["episodes"]
        titles += [node["title"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert titles == ["First half", "Second half", "Epilogue"]


async def test_a_track_without_artists_of_its_own_has_those_of_its_album(
    asker: Asker, database: Database
) -> None:
    album = await rows.add_album(database, tracks=("So What", "Guest"), slug="kind-of-blue")
    guest = (await rows.parts_of(database, album))[1]
    await rows.add_credit(database, album, "Miles Davis", "artist")
    await rows.add_credit(database, album, "Producer", "writer")
    await rows.add_credit(database, guest, "Bill Evans", "artist")
    query = """{ content(by: { slug: "kind-of-blue" }) { ... on Album { label artists { name }
      tracks { title disc number durationSeconds artists { name } album { title } } } } }"""

    found = (await asker.data(query))["content"]

    assert found["artists"] == [{"name": "Miles Davis"}]
    assert found["tracks"] == [
        {
            "title": title,
            "disc": 1,
            "number": number,
            "durationSeconds": 240,
            "artists": [{"name": artist}],
            "album": {"title": "Kind of Blue"},
        }
        for number, (title, artist) in enumerate(
            [("So What", "Miles Davis"), ("Guest", "Bill Evans")], start=1
        )
    ]


async def test_quality_tells_what_a_record_lacks(asker: Asker, database: Database) -> None:
    await add_full_movie(database)
    query = '{ content(by: { slug: "film-1" }) { quality { score missingFields freshness } } }'

    found = (await asker.data(query))["content"]["quality"]

    assert found == {"score": 0.9, "missingFields": ["backdrop"], "freshness": 1.0}


async def test_the_detail_of_a_title_is_a_constant_number_of_statements(
    asker: Asker, database: Database, statements: StatementCounter
) -> None:
    await add_full_movie(database)
    statements.clear()

    found = (await asker.data(DETAIL, by={"slug": "film-1"}))["content"]

    assert found["title"] == "Film 1"
    assert found["credits"]["totalCount"] == 8
    assert [offer["platform"]["id"] for offer in found["availability"]] == ["netflix", "youtube"]
    assert found["availability"][1]["price"] == {"amount": "3.99", "currency": "USD"}
    assert found["externalIds"]["imdb"] == "tt0000001"
    assert len(found["ratings"]) == len(found["artwork"]) == 1
    assert len(statements.seen) == 7


async def test_a_list_takes_as_many_statements_for_fifty_titles_as_for_one(
    asker: Asker, database: Database, statements: StatementCounter
) -> None:
    for number in range(50):
        await add_full_movie(database, number)

    counts = []
    for first in (1, 50):
        statements.clear()
        found = (await asker.data(BROWSE, first=first))["contents"]
        assert len(found["nodes"]) == first
        counts.append(len(statements.seen))

    assert counts == [7, 7]
