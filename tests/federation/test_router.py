"""A router over a process for each context answers as the single process does."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import OperationDefinitionNode, OperationType, parse, print_ast

from resolvers.ids import encode
from tests.e2e import operations
from tests.e2e.server import PASSWORD, REGISTER, Client, register
from tests.examples import of_graphiql, of_readme
from tests.federation.answers import Numbered, canonical, events, refusals
from tests.federation.conftest import Pair
from tests.federation.node import needs_node

pytestmark = [needs_node, pytest.mark.timeout(300)]  # nine servers are started once

SLUG = "the-matrix-1999"
MINE = """{ viewer { account { id displayName region }
  devices { id name online nowPlaying { id state content { title } } }
  watchlist(first: 5) { totalCount nodes { addedAt addedBy { name } content { id title genres { name } } } }
  history(first: 5) { nodes { positionSeconds fraction updatedAt version content { title similar(first: 2) {
    edges { score node { title } } } } } }
  sessions: playbackSessions(active: true) { id } } }"""
# By itself: where fields of `viewer` come from two subgraphs, this router loses entities in the lists of one.
SESSIONS = """{ viewer { playbackSessions { id state startedAt device { name }
  content { title ... on Movie { runtimeSeconds } } } } }"""
NODES = """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id
  ... on Content { title myProgress { positionSeconds device { name } } myReaction { stars }
    availability { kind } }
  ... on Device { name nowPlaying { positionSeconds } }
  ... on PlaybackSession { state content { title } device { name } }
  ... on Person { name works(first: 2) { nodes { title myWatchlistEntry { addedAt } } } } } }"""


@dataclass(frozen=True)
class Operation:
    name: str
    kind: OperationType
    document: str
    variables: frozenset[str]


def operations_of(documents: list[str]) -> list[Operation]:
    """Each operation as a document of its own."""
    return [
        Operation(
            f"{number}-{node.name.value if node.name else node.operation.value}",
            node.operation,
            print_ast(node),
            frozenset(variable.variable.name.value for variable in node.variable_definitions or ()),
        )
        for number, document in enumerate(documents)
        for node in parse(document).definitions
        if isinstance(node, OperationDefinitionNode)
    ]


E2E = operations_of([text for name, text in sorted(vars(operations).items()) if name.isupper()])
# This router passes no parts on.
EVERY = [
    operation
    for operation in [*E2E, *operations_of([*of_graphiql(), *of_readme()])]
    if "@defer" not in operation.document and "@stream" not in operation.document
]
QUERIES = [operation for operation in EVERY if operation.kind is OperationType.QUERY]
GIVEN: dict[str, Any] = {
    "slug": SLUG,
    "query": "the matrx",
    "text": "first contact with aliens",
    "first": 5,
    "region": "GB",
}


async def movie_of(pair: Pair) -> str:
    return str((await Client(pair.whole).ask(operations.FIND, slug=SLUG))["content"]["id"])


async def both(pair: Pair, token: str | None, document: str, **variables: Any) -> tuple[Any, Any]:
    """The answers of the single process and of the router."""
    return (
        await Client(pair.whole, token).answer(document, **variables),
        await Client(pair.router, token).answer(document, **variables),
    )


@pytest.fixture(scope="module")
async def signed_in(pair: Pair) -> Client:
    """A client of the router whose account has done everything once."""
    client = await register(pair.router, "both@example.com")
    await evening(client, await movie_of(pair))
    return client


def test_there_are_operations_to_compare() -> None:
    assert len([operation for operation in E2E if operation.kind is OperationType.QUERY]) >= 4
    assert len(QUERIES) >= 9


@pytest.mark.parametrize("operation", QUERIES, ids=lambda operation: operation.name)
async def test_a_query_is_answered_alike_to_strangers(pair: Pair, operation: Operation) -> None:
    given = {**GIVEN, "contentId": await movie_of(pair)}
    variables = {name: given[name] for name in operation.variables}

    whole, routed = await both(pair, None, operation.document, **variables)

    assert refusals(routed) == refusals(whole)
    assert canonical(routed["data"]) == canonical(whole["data"])


@pytest.mark.parametrize("operation", QUERIES, ids=lambda operation: operation.name)
async def test_a_query_is_answered_alike_to_an_account(
    pair: Pair, signed_in: Client, operation: Operation
) -> None:
    given = {**GIVEN, "contentId": await movie_of(pair)}
    variables = {name: given[name] for name in operation.variables}

    whole, routed = await both(pair, signed_in.token, operation.document, **variables)

    assert "errors" not in whole
    assert canonical(routed) == canonical(whole)


async def evening(client: Client, movie: str) -> list[Any]:
    """Every mutation of the stories and examples, what is refused, and what the account sees after it."""
    told: list[Any] = []

    async def tell(document: str, **variables: Any) -> Any:
        told.append(await client.answer(document, **variables))
        return told[-1]["data"]

    examples = {operation.name.partition("-")[2]: operation.document for operation in EVERY}
    registered = await tell(operations.REGISTER_DEVICE, name="Phone", kind="PHONE")
    device = registered["registerDevice"]["device"]["id"]
    await tell(operations.ADD, content=movie, tag=None)
    started = await tell(operations.START, content=movie, device=device)
    session = started["startPlayback"]["session"]["id"]
    await tell(operations.REPORT, session=session, position=1800)
    await tell(operations.PROGRESS, content=movie, position=1900)
    await tell(examples["AddToWatchlist"], contentId=movie)
    await tell(examples["ReportProgress"], contentId=movie, positionSeconds=2000, durationSeconds=8000)
    await tell(examples["SignIn"], email="nobody@example.com", password=PASSWORD)
    await tell(operations.START, content=movie, device=encode("Device", "none"))
    await tell(operations.START, content=device, device=device)
    await tell(operations.REGISTER_DEVICE, name="", kind="PHONE")
    await tell(REGISTER, email="both@example.com", password="short")
    await tell(operations.CONTINUE)
    await tell(operations.RECOMMEND)
    await tell(MINE)
    await tell(SESSIONS)
    await tell(NODES, ids=[movie, device, session, encode("Person", 1), "nothing"])
    return told


async def test_mutations_do_and_answer_the_same(pair: Pair) -> None:
    movie = await movie_of(pair)

    whole = await evening(await register(pair.whole, "whole@example.com"), movie)
    routed = await evening(await register(pair.router, "routed@example.com"), movie)

    for one, other in zip(map(Numbered(), whole), map(Numbered(), routed), strict=True):
        assert refusals(other) == refusals(one)
        assert canonical(other["data"]) == canonical(one["data"])


async def test_what_one_writes_the_other_reads(pair: Pair, signed_in: Client) -> None:
    sessions = await signed_in.ask("{ viewer { devices { id } playbackSessions { id } } }")
    own = [entry["id"] for entries in sessions["viewer"].values() for entry in entries]

    for document, variables in (
        (MINE, {}),
        (SESSIONS, {}),
        (NODES, {"ids": [*own, await movie_of(pair)]}),
    ):
        whole, routed = await both(pair, signed_in.token, document, **variables)
        assert "errors" not in whole
        assert canonical(routed) == canonical(whole)
        assert b"The Matrix" in canonical(routed)


@pytest.mark.parametrize("document", [operations.FOLLOW_PROGRESS, operations.FOLLOW_CHANGES])
async def test_streams_deliver_what_was_missed_and_go_on_live(pair: Pair, document: str) -> None:
    phone = await register(pair.router, f"stream-{len(document)}@example.com")
    movie = await movie_of(pair)
    cursor = (await phone.ask(operations.CONTINUE))["viewer"]["syncCursor"]
    await phone.ask(operations.PROGRESS, content=movie, position=100)
    await phone.ask(operations.PROGRESS, content=movie, position=200)
    following = [
        asyncio.create_task(events(Client(server, phone.token), document, 3, after=cursor))
        for server in (pair.whole, pair.router)
    ]
    await asyncio.sleep(0.5)

    await phone.ask(operations.PROGRESS, content=movie, position=300)
    whole, routed = await asyncio.gather(*following)

    assert canonical(routed) == canonical(whole)
    assert [b'"positionSeconds":%d' % position in canonical(routed) for position in (100, 200, 300)] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("token", "document", "variables"),
    [
        (None, operations.ADD, {"content": encode("Movie", 1)}),
        (None, operations.REGISTER_DEVICE, {"name": "Phone", "kind": "PHONE"}),
        (None, '{ contents(after: "x") { nodes { title } } }', {}),
        (None, "{ contents(first: 1000) { nodes { title } } }", {}),
        (None, "query ($id: ID!) { content(by: {id: $id}) { title } }", {"id": "x"}),
    ],
)
async def test_refusals_keep_their_code_message_and_path(
    pair: Pair, token: str | None, document: str, variables: dict[str, Any]
) -> None:
    whole, routed = await both(pair, token, document, **variables)

    assert len(refusals(whole)) == 1
    assert refusals(routed) == refusals(whole)
    assert canonical(routed["data"]) == canonical(whole["data"])


async def test_a_token_that_does_not_hold_is_refused_with_the_same_words(pair: Pair) -> None:
    whole, routed = await both(pair, "forged", operations.CONTINUE)

    assert [refusal[:2] for refusal in refusals(routed)] == [refusal[:2] for refusal in refusals(whole)]
    assert refusals(whole)[0][0] == "UNAUTHENTICATED"
    assert routed["data"] == {"viewer": None}


async def test_another_account_sees_none_of_it(pair: Pair, signed_in: Client) -> None:
    stranger = await register(pair.router, "stranger-of-router@example.com")
    own = (await signed_in.ask("{ viewer { devices { id } playbackSessions { id } } }"))["viewer"]
    ids = [entry["id"] for entries in own.values() for entry in entries]

    assert len(ids) >= 2
    assert (await stranger.ask(NODES, ids=ids))["nodes"] == [None] * len(ids)
    assert (await Client(pair.router).ask(NODES, ids=ids))["nodes"] == [None] * len(ids)
