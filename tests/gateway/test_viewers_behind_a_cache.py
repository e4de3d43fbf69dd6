"""Viewers of the whole application with one cache between it and them: nobody is given another's answer."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from graphql import OperationDefinitionNode, OperationType, parse

from domain.platform.postgres import Database
from gateway.app import create_app
from gateway.settings import Settings
from resolvers.ids import encode
from tests.e2e import operations
from tests.e2e.server import PASSWORD
from tests.examples import of_graphiql, of_readme
from tests.gateway.processes import Shelf, fill
from tests.gateway.shared_cache import SharedCache
from tests.gateway.test_shared_answers import stable

REGISTER = """mutation ($email: String!, $password: String!, $region: String) {
    registerAccount(input: {email: $email, password: $password, displayName: "Viewer", region: $region}) {
        accessToken userErrors { message } } }"""
PUBLIC = [
    "{ genres { id name } platforms { id } }",
]
HIDEABLE = [  # from somebody else who asks
    "{ contents(first: 3) { nodes { title } totalCount } }",
    '{ content(by: {slug: "solaris-1972"}) { title credits { nodes { person { name } } } } }',
    '{ content(by: {slug: "solaris-1972"}) { title availability(region: "DE") { platform { id } } } }',
]
LOCAL = [
    '{ content(by: {slug: "solaris-1972"}) { title availability { region platform { id } } } }',
]
UNKEPT = [
    '{ contents(filter: {platforms: ["hulu"]}) { nodes { title } } }',  # offers come and go
    "{ viewer { account { id email region } } }",
    "{ home { title items(first: 2) { nodes { title } } } }",
    '{ content(by: {slug: "solaris-1972"}) { title myProgress { positionSeconds } } }',
    '{ content(by: {slug: "dekalog-1989"}) { ... on Series { nextEpisode { title } } } }',
    operations.CONTINUE,
    operations.RECOMMEND,
]


def queries(document: str) -> list[str | None]:
    """The names of its queries."""
    return [
        node.name.value if node.name else None
        for node in parse(document).definitions
        if isinstance(node, OperationDefinitionNode) and node.operation is OperationType.QUERY
    ]


EXAMPLES = [
    (document, name)
    for document in (
        *of_graphiql(),
        *of_readme(),
        *PUBLIC,
        *HIDEABLE,
        *LOCAL,
        *UNKEPT,
        operations.FIND,
        operations.SEARCH,
    )
    for name in queries(document)
]


@pytest.fixture
async def shelf(database: Database) -> Shelf:
    return await fill(database)


@pytest.fixture
async def client(shelf: Shelf, database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    options: dict[str, Any] = {"_env_file": None, "data_dir": tmp_path, "database_url": database_url}
    app = create_app(Settings(**options, demo_catalogue=False, background_work=False))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example") as client,
    ):
        yield client


@pytest.fixture
async def viewers(client: httpx.AsyncClient, shelf: Shelf) -> list[dict[str, str]]:
    """The headers of nobody, of somebody in Germany, and of somebody in the United States."""
    found: list[dict[str, str]] = [{}]
    for number, region in enumerate(("DE", "US"), 1):
        variables: dict[str, Any] = {
            "email": f"v{number}@example.org",
            "password": PASSWORD,
            "region": region,
        }
        token = (await post(client, REGISTER, {}, variables))["registerAccount"]["accessToken"]
        found.append({"authorization": f"Bearer {token}"})
        for content, at in (
            (encode("Movie", shelf.movie), number * 100),
            (encode("Episode", shelf.episodes[0]), 3_300 // number),
        ):
            await post(client, operations.PROGRESS, found[-1], {"content": content, "position": at})
    return found


async def post(
    client: httpx.AsyncClient,
    text: str,
    headers: Mapping[str, str],
    variables: Mapping[str, Any],
    name: str | None = None,
) -> Any:
    body = {"query": text, "variables": variables, "operationName": name}
    answer = (await client.post("/graphql", json=body, headers=dict(headers))).json()
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.mark.parametrize(("text", "name"), EXAMPLES)
async def test_nobody_is_given_anothers_answer(
    client: httpx.AsyncClient, viewers: list[dict[str, str]], shelf: Shelf, text: str, name: str | None
) -> None:
    async def fetch(url: str, headers: Mapping[str, str]) -> httpx.Response:
        return await client.get(url, headers=dict(headers))

    between = SharedCache(fetch)
    given = variables_of(shelf, text)
    url = url_of(text, given, name)
    answers = []
    for viewer in (*viewers, *viewers[::-1], *viewers):
        expected = await post(client, text, viewer, given, name)
        response = await between.get(url, {"x-requested-with": "test", **viewer})

        assert stable(response.json()["data"]) == stable(expected)
        answers.append(stable(expected))

    hits = {
        **dict.fromkeys(PUBLIC, 8),
        **dict.fromkeys((*HIDEABLE, *LOCAL), 2),
        **dict.fromkeys(UNKEPT, 0),
    }
    assert between.hits == hits.get(text, between.hits)
    if text in (*LOCAL, *UNKEPT):
        assert answers[0] != answers[1]  # so that there was something to be mixed up


def variables_of(shelf: Shelf, text: str) -> dict[str, Any]:
    every: dict[str, Any] = {
        "text": "solaris",
        "query": "solaris",
        "first": 3,
        "contentId": encode("Movie", shelf.movie),
        "slug": "solaris-1972",
    }
    return {name: value for name, value in every.items() if f"${name}:" in text}


def url_of(text: str, variables: Mapping[str, Any], name: str | None) -> str:
    parameters = {"query": text, "variables": orjson.dumps(variables).decode()}
    return str(httpx.URL("/graphql", params=parameters | ({"operationName": name} if name else {})))
