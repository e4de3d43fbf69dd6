"""Recommendations through the graph."""

from types import SimpleNamespace
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from domain.catalog.postgres import PostgresCatalog
from domain.catalog.service import Catalog
from domain.identity.model import ANONYMOUS
from domain.identity.policy import Policy
from domain.platform.postgres import Database
from domain.sona.model import Trended
from domain.sync.model import Verdict
from resolvers.context import Context
from resolvers.ids import encode
from schema.graph import Graph, graph
from tests.accounts import somebody
from tests.domain.sona.viewers import NOW, House, counted
from tests.servers import StatementCounter

REASONS = """reasons {
    __typename text
    ... on BecauseWatched { content { title } }
    ... on BecauseLiked { content { title } }
    ... on BecauseSaved { content { title } }
    ... on SharedPerson { person { name } content { title } }
    ... on SharedTheme { keyword content { title } }
    ... on SharedGenre { genre { id } }
    ... on FitsMood { mood genre { id } }
    ... on Trending { windowDays }
}"""
RECOMMENDATIONS = f"""query (
    $context: RecommendationContext, $filter: ContentFilter, $first: Int, $after: String
) {{
    recommendations(context: $context, filter: $filter, first: $first, after: $after) {{
        totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ title }}
        edges {{ cursor score node {{ title }} {REASONS} }}
    }}
}}"""
HOME = """query ($context: RecommendationContext, $only: [ID!], $first: Int, $after: String) {
    home(context: $context, only: $only) {
        id title kind content { title } genre { name }
        items(first: $first, after: $after) {
            totalCount pageInfo { hasNextPage endCursor } nodes { title }
        }
    }
}"""
SIMILAR = """query ($filter: ContentFilter, $by: [SimilarityKind!], $first: Int, $after: String) {
    contents(filter: $filter, first: 50) { nodes { title similar(by: $by, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { title }
        edges { cursor score kinds similarity people { name } genres { id } keywords node { title } }
    } } }
}"""


class Client:
    """Asks the graph as somebody."""

    def __init__(self, house: House, schema: Graph) -> None:
        self.house = house
        self._schema = schema

    async def result(self, query: str, account: str | None = None, **variables: Any) -> ExecutionResult:
        services: Any = SimpleNamespace(
            now=lambda: NOW,
            catalog=Catalog(PostgresCatalog(self.house.database), lambda: NOW),
            sona=self.house.sona,
            similarity=self.house.similarity,
            policy=Policy(),
        )
        caller = ANONYMOUS if account is None else somebody(account)
        context = Context(services, caller, "US", "r1")
        found = await self._schema.execute(query, variable_values=variables, context_value=context)
        assert isinstance(found, ExecutionResult)
        return found

    async def data(self, query: str, account: str | None = None, **variables: Any) -> Any:
        found = await self.result(query, account, **variables)
        assert found.errors is None
        return found.data

    async def recommended(self, account: str | None = None, **variables: Any) -> Any:
        return (await self.data(RECOMMENDATIONS, account, **variables))["recommendations"]

    async def reasons(self, title: str, account: str | None = None, **variables: Any) -> Any:
        edges = (await self.recommended(account, first=100, **variables))["edges"]
        return next(edge["reasons"] for edge in edges if edge["node"]["title"] == title)


@pytest.fixture(scope="module")
def schema() -> Graph:
    return graph()


@pytest.fixture
def client(database: Database, schema: Graph) -> Client:
    return Client(House(database), schema)


async def test_every_reason_names_its_evidence_in_words(client: Client) -> None:
    house = client.house
    watched = await house.add("Watched", "war", axes={"space": 1}, people={"Agnès": "director"})
    liked = await house.add("Liked", axes={"crime": 1}, keywords=["tarot"])
    await house.add("Like watched", axes={"space": 1, "sea": 0.2})
    await house.add("Like liked", axes={"crime": 1, "sea": 0.2})
    await house.add("Of Agnès", people={"Agnès": "cast"})
    await house.add("With tarot", keywords=["tarot"])
    await house.add("War", "war")
    viewer = await house.viewer()
    await house.watches(viewer, watched)
    await house.reacts(viewer, liked, Verdict.LIKE)

    assert (await client.reasons("Like watched", viewer))[0] == {
        "__typename": "BecauseWatched",
        "text": "Because you watched Watched",
        "content": {"title": "Watched"},
    }
    assert (await client.reasons("Like liked", viewer))[0] == {
        "__typename": "BecauseLiked",
        "text": "Because you liked Liked",
        "content": {"title": "Liked"},
    }
    assert (await client.reasons("Of Agnès", viewer))[0] == {
        "__typename": "SharedPerson",
        "text": "Shares Agnès with Watched",
        "person": {"name": "Agnès"},
        "content": {"title": "Watched"},
    }
    assert (await client.reasons("With tarot", viewer))[0] == {
        "__typename": "SharedTheme",
        "text": "Shares the theme “tarot” with Liked",
        "keyword": "tarot",
        "content": {"title": "Liked"},
    }
    assert {
        "__typename": "SharedGenre",
        "text": "You like War",
        "genre": {"id": "war"},
    } in await client.reasons("War", viewer)


async def test_the_anonymous_are_told_what_is_true_of_everybody(client: Client) -> None:
    hot = await client.house.add("Hot")
    await client.house.add("Known", popularity=80.0)
    client.house.trends.append(Trended(hot, 2.0))

    assert (await client.reasons("Hot"))[0] == {
        "__typename": "Trending",
        "text": "Watched or wanted in the last 7 days",
        "windowDays": 7,
    }
    assert await client.reasons("Known") == [{"__typename": "Popular", "text": "One of the best known"}]


async def test_what_is_on_the_watchlist_says_so_among_at_most_three_reasons(client: Client) -> None:
    house = client.house
    seed = await house.add("Seed", "war", axes={"space": 1}, people={"Agnès": "director"}, keywords=["tarot"])
    saved = await house.add(
        "Saved", "war", axes={"space": 1, "sea": 0.2}, people={"Agnès": "director"}, keywords=["tarot"]
    )
    viewer = await house.viewer()
    await house.watches(viewer, seed)
    await house.saves(viewer, saved)

    reasons = await client.reasons("Saved", viewer)

    assert len(reasons) == 3
    assert reasons[-1] == {"__typename": "OnWatchlist", "text": "On your watchlist"}


async def test_a_mood_is_a_reason(client: Client) -> None:
    await client.house.add("Fright", "horror")

    reasons = await client.reasons("Fright", context={"mood": "SCARED"})

    assert reasons[0] == {
        "__typename": "FitsMood",
        "text": "Horror, for when you feel scared",
        "mood": "SCARED",
        "genre": {"id": "horror"},
    }


async def test_recommendations_are_paged_to_the_end(client: Client) -> None:
    await client.house.fill(7, "drama")
    whole = await client.recommended(first=100)
    first = await client.recommended(first=4)

    second = await client.recommended(first=4, after=first["pageInfo"]["endCursor"])

    assert first["edges"] + second["edges"] == whole["edges"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert first["totalCount"] == 7


async def test_a_foreign_cursor_and_a_region_that_is_none_are_bad_input(client: Client) -> None:
    for variables in ({"after": "abc"}, {"first": 0}, {"context": {"region": "Europe"}}):
        found = await client.result(RECOMMENDATIONS, **variables)

        assert found.data is None
        assert found.errors is not None
        assert found.errors[0].original_error.code == "BAD_USER_INPUT"  # type: ignore[union-attr]


async def test_a_filter_narrows_recommendations(client: Client) -> None:
    await client.house.add("Film", "drama")
    await client.house.add("Album", "jazz", kind="album")

    found = await client.recommended(filter={"kinds": ["ALBUM"]})

    assert found["nodes"] == [{"title": "Album"}]


async def test_home_shows_rails_with_their_titles_and_subjects(client: Client) -> None:
    house = client.house
    seed = await house.add("Seed", "war", axes={"space": 1})
    for number in range(20):
        await house.add(f"Near {number}", axes={"space": 1, "sea": 0.1 + number / 50})
    await house.fill(8, "war")
    viewer = await house.viewer()
    await house.watches(viewer, seed, 0.9)

    rails = (await client.data(HOME, viewer, first=3))["home"]

    titles = {rail["kind"]: rail["title"] for rail in rails}
    assert titles["CONTINUE_WATCHING"] == "Continue watching"
    assert titles["TOP_PICKS"] == "Top picks for you"
    assert titles["BECAUSE_YOU_WATCHED"] == "Because you watched Seed"
    because = next(rail for rail in rails if rail["kind"] == "BECAUSE_YOU_WATCHED")
    genre = next(rail for rail in rails if rail["kind"] == "GENRE")
    assert because["content"] == {"title": "Seed"}
    assert (genre["title"], genre["genre"]) == ("War", {"name": "War"})
    assert all(len(rail["items"]["nodes"]) <= 3 for rail in rails)


async def test_one_rail_is_gone_on_with_by_its_id(client: Client) -> None:
    await client.house.fill(9, "drama")
    [popular] = [r for r in (await client.data(HOME, first=4))["home"] if r["kind"] == "POPULAR"]
    end = popular["items"]["pageInfo"]["endCursor"]

    [more] = (await client.data(HOME, only=[popular["id"]], first=9, after=end))["home"]

    whole = (await client.data(HOME, only=[popular["id"]], first=9))["home"][0]["items"]["nodes"]
    assert popular["items"]["nodes"] + more["items"]["nodes"] == whole
    assert len(whole) == 9
    assert (await client.data(HOME, only=[encode("Rail", "nothing")]))["home"] == []


async def test_home_asks_at_most_twelve_statements_however_long_the_history(
    client: Client, statements: StatementCounter
) -> None:
    house = client.house
    films = await house.fill(80, "drama", "war", axes={"space": 1}, keywords=["tarot"])
    short, long = await house.viewer(), await house.viewer()
    await house.watches(short, films[0])
    await house.watches(short, films[1], 0.5)
    for film in films[:40]:
        await house.watches(long, film)
    await house.watches(long, films[40], 0.5)
    for film in films[41:50]:
        await house.saves(long, film)
    counts = []
    for viewer in (short, long):
        found, count = await counted(statements, client.data(HOME, viewer, first=10))
        counts.append(count)
        assert len(found["home"]) > 3

    # The fake of what trends asks nothing; the real one asks two.
    assert counts == [8, 8]


async def test_similar_titles_say_what_they_share(client: Client) -> None:
    house = client.house
    await house.add(
        "Seed", "war", axes={"space": 1}, people={"Agnès": "director"}, keywords=["tarot"], popularity=99.0
    )
    await house.add("Twin", "war", axes={"space": 1}, people={"Agnès": "cast"}, keywords=["tarot"], year=1999)

    found = (await client.data(SIMILAR))["contents"]["nodes"][0]["similar"]

    assert found["edges"] == [
        {
            "cursor": found["edges"][0]["cursor"],
            "score": 1.0,
            "kinds": ["VECTOR", "PEOPLE", "KEYWORD", "GENRE"],
            "similarity": 1.0,
            "people": [{"name": "Agnès"}],
            "genres": [{"id": "war"}],
            "keywords": ["tarot"],
            "node": {"title": "Twin"},
        }
    ]
    assert found["nodes"] == [{"title": "Twin"}]


async def test_similar_by_nothing_is_nothing_and_by_one_kind_is_that_kind(client: Client) -> None:
    await client.house.add("One", "war", keywords=["tarot"])
    await client.house.add("Other", "war", keywords=["tarot"])

    nothing = (await client.data(SIMILAR, by=[]))["contents"]["nodes"][0]["similar"]
    genre = (await client.data(SIMILAR, by=["GENRE"]))["contents"]["nodes"][0]["similar"]

    assert nothing["edges"] == []
    assert [edge["kinds"] for edge in genre["edges"]] == [["GENRE"]]


async def test_similar_titles_are_paged_to_the_end(client: Client) -> None:
    await client.house.add("Seed", "war", popularity=99.0)
    await client.house.fill(5, "war")

    async def page(**variables: Any) -> Any:
        return (await client.data(SIMILAR, **variables))["contents"]["nodes"][0]["similar"]

    whole = await page(first=10)
    first = await page(first=2)
    second = await page(first=10, after=first["pageInfo"]["endCursor"])

    assert first["edges"] + second["edges"] == whole["edges"]
    assert whole["totalCount"] == 5


async def test_similar_of_fifty_titles_asks_no_more_statements_than_of_one(
    client: Client, statements: StatementCounter
) -> None:
    for number in range(50):
        await client.house.add(
            f"Film {number}", "war", axes={"space": 1, "sea": number / 60}, people={"Agnès": "director"},
            year=2000 + number % 2,
        )  # fmt: skip
    await client.house.add("Alone", "war", axes={"space": 1}, people={"Agnès": "director"}, year=1950)
    counts = []
    for wanted in ({"yearTo": 1950}, {"yearFrom": 2000}):
        found, count = await counted(statements, client.data(SIMILAR, filter=wanted, first=5))
        counts.append((len(found["contents"]["nodes"]), count))

    # The list, the wholes, people and keywords, genres, what of the neighbours is listed, people; and titles,
    # where the list has not brought them already.
    assert [number for number, _ in counts] == [1, 50]
    assert max(count for _, count in counts) <= 7
