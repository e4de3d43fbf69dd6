"""Imports through the graph."""

import orjson

from domain.platform.postgres import Database
from tests.catalogue import add_movie
from tests.states import viewings
from tests.viewers import Asker, did, refused

IMPORTS = """query ($first: Int, $after: String) { viewer { imports(first: $first, after: $after) {
  totalCount nodes { importId source name state begunAt brought left } pageInfo { endCursor } } } }"""
UNDO = """mutation ($input: UndoImportInput!) { done: undoImport(input: $input) {
  undone { importId state brought left } userErrors { code field message } } }"""


async def bring(ask: Asker, account: str, name: str, at: str) -> str:
    record = {"watched_at": at, "movie": {"title": "Solaris", "year": 1972, "ids": {}}}
    report = await ask.house.interchange.bring(account, name, orjson.dumps([record]))
    assert report.import_id is not None
    return report.import_id


async def test_imports_are_listed_and_taken_back(ask: Asker, ada: str, database: Database) -> None:
    movie = await add_movie(database)
    await bring(ask, ada, "first.json", "2020-05-01T20:00:00Z")
    ask.house.clock.turn(60)
    latest = await bring(ask, ada, "second.json", "2021-05-01T20:00:00Z")

    undone = await did(ask, UNDO, ada, importId=latest)
    again = await did(ask, UNDO, ada, importId=latest)

    assert undone["undone"] == {"importId": latest, "state": "UNDONE", "brought": 1, "left": 0}
    assert again == undone
    assert [state.viewing for state in await viewings(database, ada, movie)] == [1]
    page = (await ask.data(IMPORTS, ada, first=1))["viewer"]["imports"]
    assert (page["totalCount"], [node["name"] for node in page["nodes"]]) == (2, ["second.json"])
    rest = (await ask.data(IMPORTS, ada, after=page["pageInfo"]["endCursor"]))["viewer"]["imports"]
    (node,) = rest["nodes"]
    assert (node["name"], node["source"], node["state"]) == ("first.json", "TRAKT", "DONE")


async def test_imports_of_others_do_not_exist(ask: Asker, ada: str, database: Database) -> None:
    movie = await add_movie(database)
    theirs = await bring(ask, ada, "a.json", "2020-05-01T20:00:00Z")
    bob = await ask.house.account()

    assert refused(await did(ask, UNDO, bob, importId=theirs)) == [("NOT_FOUND", ["id"])]
    assert refused(await did(ask, UNDO, bob, importId="nonsense")) == [("NOT_FOUND", ["id"])]
    assert (await ask.data(IMPORTS, bob))["viewer"]["imports"]["totalCount"] == 0
    assert len(await viewings(database, ada, movie)) == 1
    assert await ask.code(UNDO, None, input={"importId": theirs}) == "UNAUTHENTICATED"
