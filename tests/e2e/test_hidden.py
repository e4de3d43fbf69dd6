"""Where a title that its viewer hides is shown, and where not; docs/merge-rules.md says it."""

from typing import Any

from tests.e2e import operations
from tests.e2e.server import Client, Server, register

OFFERED = """{ recommendations(first: 100) { nodes { id title } }
  home { items(first: 40) { nodes { id } } }
  viewer { continueWatching { nodes { content { id } } } } }"""
FOUND = """query ($title: String!, $near: ID!) {
  search(query: $title, first: 5) { nodes { id } }
  node(id: $near) { ... on Content { similar(first: 100) { nodes { id } } } } }"""
NEIGHBOURS = "query ($id: ID!) { node(id: $id) { ... on Content { similar(first: 30) { nodes { id } } } } }"
HIDE = """mutation ($id: ID!) { markTitle(input: {contentId: $id, hidden: true}) { userErrors { code } } }"""
REPORT = """mutation ($id: ID!) {
  reportProgress(input: {contentId: $id, positionSeconds: 1800}) { userErrors { code } } }"""


def ids(answer: Any) -> set[str]:
    """Every id in an answer."""
    if isinstance(answer, dict):
        own = {answer["id"]} if "id" in answer else set()
        return own.union(*map(ids, answer.values()))
    return set().union(*map(ids, answer)) if isinstance(answer, list) else set()


async def like(viewer: Client, title: str) -> str:
    """A title that this one is similar to."""
    near = (await viewer.ask(NEIGHBOURS, id=title))["node"]["similar"]["nodes"]
    for node in near:
        if title in ids(await viewer.ask(NEIGHBOURS, id=node["id"])):
            found: str = node["id"]
            return found
    raise AssertionError(f"Nothing is similar to {title} that it is similar to")


async def test_a_hidden_title_is_offered_nowhere_and_found_everywhere(server: Server) -> None:
    viewer = await register(server, "hides@example.com")
    offered = await viewer.ask(OFFERED)
    film = offered["recommendations"]["nodes"][0]
    assert film["id"] in ids(offered["home"])
    near = await like(viewer, film["id"])
    found = await viewer.ask(FOUND, title=film["title"], near=near)
    assert film["id"] in ids(found["search"]) & ids(found["node"])

    await viewer.ask(HIDE, id=film["id"])

    offered = await viewer.ask(OFFERED)
    assert offered["recommendations"]["nodes"]
    assert film["id"] not in ids(offered)
    again = await viewer.ask(FOUND, title=film["title"], near=near)
    assert film["id"] in ids(again["search"]) & ids(again["node"])


async def test_what_was_begun_and_is_hidden_is_not_gone_on_with_but_trends(server: Server) -> None:
    viewer = await register(server, "hides-what-plays@example.com")
    movie = (await viewer.ask(operations.FIND, slug="the-matrix-1999"))["content"]["id"]
    await viewer.ask(REPORT, id=movie)
    assert movie in ids((await viewer.ask(OFFERED))["viewer"])

    await viewer.ask(HIDE, id=movie)

    assert movie not in ids(await viewer.ask(OFFERED))
    assert movie in ids(await viewer.ask("{ trending(first: 100) { nodes { id } } }"))
