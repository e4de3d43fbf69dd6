"""Search, suggestions and trends through the graph."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from domain.catalog.postgres import PostgresCatalog
from domain.catalog.service import Catalog
from domain.catalog.taxonomy import MaturityRating
from domain.discovery.service import Discovery
from domain.identity.model import ANONYMOUS
from domain.platform.postgres import Database
from resolvers.context import Context
from resolvers.discovery import RESULTS, TRENDS
from schema.graph import graph
from tests.domain.discovery.works import add_works, discovery_over, embed, work
from tests.fakes import HashingEncoder, MemoryVectors
from tests.servers import StatementCounter

SCHEMA = graph()
SEARCH = """
query (
  $query: String!, $first: Int, $after: String, $filter: ContentFilter, $exact: Boolean, $mode: SearchMode
) {
  search(query: $query, first: $first, after: $after, filter: $filter, exact: $exact, mode: $mode) {
    edges {
      cursor score
      node { title }
      signals { exactTitle titlePrefix named keywordRank semanticRank similarity popularityRank }
      highlights { field fragments { text matched } }
    }
    nodes { title }
    pageInfo { hasNextPage hasPreviousPage endCursor }
    totalCount
    facets { field values { value label count } }
    correction { query original }
    mode
    tookMs
  }
}"""
TRENDING = """
query ($first: Int, $after: String, $window: TrendWindow, $region: String) {
  trending(first: $first, after: $after, window: $window, region: $region) {
    edges { cursor score node { title } } nodes { title } pageInfo { hasNextPage endCursor } totalCount
  }
}"""
AUTOCOMPLETE = """
query ($prefix: String!, $first: Int) {
  autocomplete(prefix: $prefix, first: $first) {
    text kind content { title } person { name } genre { id } platform { id }
  }
}"""


class Client:
    """Asks the graph anonymously."""

    def __init__(self, database: Database, discovery: Discovery) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        catalog = Catalog(PostgresCatalog(database), lambda: self.now)
        timed = replace(discovery, now=lambda: self.now)
        self._services: Any = SimpleNamespace(discovery=timed, catalog=catalog)

    async def result(self, document: str, /, **variables: Any) -> ExecutionResult:
        context = Context(self._services, ANONYMOUS, "US", "r1")
        found = await SCHEMA.execute(document, variable_values=variables, context_value=context)
        assert isinstance(found, ExecutionResult)
        return found

    async def data(self, document: str, /, **variables: Any) -> Any:
        found = await self.result(document, **variables)
        assert found.errors is None
        assert found.data is not None
        (answer,) = found.data.values()
        return answer

    async def refusal(self, document: str, /, **variables: Any) -> str:
        found = await self.result(document, **variables)
        assert found.errors is not None
        return found.errors[0].message


@pytest.fixture
async def client(database: Database) -> Client:
    works = [
        work(
            f"Ocean {number}",
            synopsis=f"A diver <{number}> & the sea.",
            year=1980 + number,
            popularity=float(number),
            genres=("drama",),
            maturity_rating=MaturityRating.PG_13,
        )
        for number in range(1, 13)
    ]
    vectors, encoder = MemoryVectors(), HashingEncoder()
    await add_works(database, *works, work("The Sea", cast=("Ocean Vuong",), popularity=50.0))
    await embed(database, vectors, encoder)
    return Client(database, discovery_over(database, vectors, encoder))


async def test_a_search_answers_everything_at_once(client: Client) -> None:
    found = await client.data(SEARCH, query="ocean 12", mode="KEYWORD", first=1)

    assert found["nodes"] == [{"title": "Ocean 12"}]
    assert found["edges"][0]["score"] == 1.0
    assert found["edges"][0]["signals"] == {
        "exactTitle": True,
        "titlePrefix": True,
        "named": True,
        "keywordRank": 1,
        "semanticRank": None,
        "similarity": None,
        "popularityRank": 1,
    }
    assert found["edges"][0]["highlights"] == [
        {
            "field": "TITLE",
            "fragments": [
                {"text": "Ocean", "matched": True},
                {"text": " ", "matched": False},
                {"text": "12", "matched": True},
            ],
        },
        {
            "field": "SYNOPSIS",
            "fragments": [
                {"text": "A diver <", "matched": False},
                {"text": "12", "matched": True},
                {"text": "> & the sea", "matched": False},
            ],
        },
    ]
    assert found["totalCount"] == 1
    facets = {facet["field"]: facet["values"] for facet in found["facets"]}
    assert facets["GENRE"] == [{"value": "drama", "label": "Drama", "count": 1}]
    assert facets["KIND"] == [{"value": "MOVIE", "label": "Movie", "count": 1}]
    assert facets["DECADE"] == [{"value": "1990", "label": "1990s", "count": 1}]
    assert facets["MATURITY"] == [{"value": "PG_13", "label": "PG-13", "count": 1}]
    assert (found["correction"], found["mode"]) == (None, "KEYWORD")
    assert found["tookMs"] > 0


async def test_pages_together_are_the_whole_list(client: Client) -> None:
    whole = await client.data(SEARCH, query="ocean", first=100)
    titles: list[str] = []
    after = None
    while True:
        page = await client.data(SEARCH, query="ocean", first=5, after=after)
        titles += [node["title"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert titles == [node["title"] for node in whole["nodes"]]
    assert len(set(titles)) == len(titles) == whole["totalCount"] == 13


async def test_facets_do_not_depend_on_the_page(client: Client) -> None:
    first = await client.data(SEARCH, query="ocean", first=2)
    second = await client.data(SEARCH, query="ocean", first=2, after=first["pageInfo"]["endCursor"])

    assert first["facets"] == second["facets"]
    assert first["totalCount"] == second["totalCount"]


async def test_a_correction_is_shown_and_can_be_refused(client: Client) -> None:
    mended = await client.data(SEARCH, query="ocaen 3", mode="KEYWORD")
    insisted = await client.data(SEARCH, query="ocaen 3", mode="KEYWORD", exact=True)

    assert mended["correction"] == {"query": "ocean 3", "original": "ocaen 3"}
    assert mended["nodes"] == [{"title": "Ocean 3"}]
    assert insisted["correction"] is None
    assert {"title": "Ocean 3"} in insisted["nodes"]  # one of the words is enough where none has both


@pytest.mark.parametrize("rows", [1, 13])
async def test_the_number_of_statements_does_not_depend_on_the_rows(
    client: Client, statements: StatementCounter, rows: int
) -> None:
    statements.clear()

    found = await client.data(SEARCH, query="ocean", first=rows, mode="KEYWORD")

    assert len(found["nodes"]) == rows
    assert len(statements.seen) == 5  # understood, by words, works, facets, highlights


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"query": ""}, "`query` must have 1 to 500 characters, and has 0."),
        ({"query": "x" * 501}, "`query` must have 1 to 500 characters, and has 501."),
        ({"query": "🎬"}, "`query` has no letter or digit"),
        ({"query": "x", "first": 0}, "`first` must be between 1 and 100"),
        ({"query": "x", "after": "bm9uc2Vuc2U"}, "`after` is not a cursor of this list"),
        ({"query": "x", "after": RESULTS.cursor(["a", "b", "c"])}, "`after` is not a cursor of this list"),
        ({"query": "x", "filter": {"genres": ["nonsense"]}}, "`genres` does not know 'nonsense'"),
    ],
)
async def test_what_cannot_be_understood_is_refused(
    client: Client, variables: dict[str, Any], message: str
) -> None:
    assert (await client.refusal(SEARCH, **variables)).startswith(message)


async def test_suggestions_name_what_they_lead_to(client: Client) -> None:
    found = await client.data(AUTOCOMPLETE, prefix="ocean v")
    titles = await client.data(AUTOCOMPLETE, prefix="oce", first=2)
    genre = await client.data(AUTOCOMPLETE, prefix="dram")

    nothing = {"content": None, "person": None, "genre": None, "platform": None}
    assert found == [nothing | {"text": "Ocean Vuong", "kind": "PERSON", "person": {"name": "Ocean Vuong"}}]
    assert titles[0] == nothing | {"text": "Ocean 12", "kind": "TITLE", "content": {"title": "Ocean 12"}}
    assert len(titles) == 2
    assert genre == [nothing | {"text": "Drama", "kind": "GENRE", "genre": {"id": "drama"}}]


@pytest.mark.parametrize("first", [0, 21, -1])
async def test_only_so_many_suggestions(client: Client, first: int) -> None:
    assert (await client.refusal(AUTOCOMPLETE, prefix="o", first=first)).startswith("`first` must be")


async def test_trends_page_as_they_were_when_they_were_asked_for(client: Client, database: Database) -> None:
    first = await client.data(TRENDING, first=2)
    await _wished_for(database, "Ocean 1", viewers=5, at=client.now + timedelta(seconds=5))
    client.now += timedelta(seconds=10)
    second = await client.data(TRENDING, first=2, after=first["pageInfo"]["endCursor"])
    fresh = await client.data(TRENDING, first=2)

    assert [node["title"] for node in first["nodes"]] == ["The Sea", "Ocean 12"]
    assert [node["title"] for node in second["nodes"]] == ["Ocean 11", "Ocean 10"]
    assert [node["title"] for node in fresh["nodes"]] == ["Ocean 1", "The Sea"]
    assert first["totalCount"] == 13


async def _wished_for(database: Database, title: str, viewers: int, at: datetime) -> None:
    await database.execute(
        """WITH viewer AS (
               INSERT INTO account (id, display_name)
               SELECT gen_random_uuid(), 'V' FROM generate_series(1, $2)
               RETURNING id)
           INSERT INTO watchlist_tag (account_id, tag, content_id, added_at)
           SELECT viewer.id, gen_random_uuid(), content.id, $3 FROM viewer, content WHERE title = $1""",
        title,
        viewers,
        at,
    )


async def test_a_list_is_kept_for_an_hour(client: Client) -> None:
    first = await client.data(TRENDING, first=2)
    client.now += timedelta(seconds=3601)

    message = await client.refusal(TRENDING, after=first["pageInfo"]["endCursor"])

    assert "first page again" in message


@pytest.mark.parametrize("moment", [0, 99_999_999_999, "soon", None, True, 1.5])
async def test_a_made_up_moment_is_refused(client: Client, moment: Any) -> None:
    message = await client.refusal(TRENDING, after=TRENDS.cursor([moment, 1.0, 1]))

    assert "first page again" in message or message.startswith("`after` is not a cursor")


async def test_a_region_is_checked(client: Client) -> None:
    assert "ISO 3166-1" in await client.refusal(TRENDING, region="Mars")
