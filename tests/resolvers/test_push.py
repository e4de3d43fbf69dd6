"""The queue of a device, marks and conflicts, through the graph."""

from typing import Any

import pytest

from domain.platform.postgres import Database
from resolvers.ids import encode
from tests.accounts import new_id
from tests.catalogue import add_movie
from tests.servers import StatementCounter
from tests.viewers import Asker, refused

DURATION = 1000
PUSH = """mutation ($input: PushChangesInput!) { pushChanges(input: $input) {
  results { operationId fate userErrors { code field message } } userErrors { code field message } } }"""
MARK = """mutation ($input: MarkTitleInput!) { done: markTitle(input: $input) {
  marks { note dropped hidden content { title } } userErrors { code field message } } }"""
MOVE = """mutation ($input: MoveOnWatchlistInput!) { done: moveOnWatchlist(input: $input) {
  entry { place content { title } } userErrors { code field message } } }"""
LIST = "{ viewer { watchlist(orderBy: MANUAL) { nodes { place note content { title myMarks { note } } } } } }"
CONFLICTS = """query ($first: Int) { viewer { conflicts(first: $first) { totalCount nodes {
  kind notedAt content { title }
  lost { value version device { name } } won { value device { name } } } } } }"""


@pytest.fixture
async def movie(database: Database) -> str:
    return encode("Movie", await add_movie(database, runtime_seconds=DURATION))


@pytest.fixture
async def phone(ask: Asker, ada: str) -> str:
    return encode("Device", (await ask.house.device(ada)).id)


def operation(ask: Asker, change: dict[str, Any], seconds: float = -10) -> dict[str, Any]:
    return {"id": new_id(), "version": str(ask.house.version(seconds)), "change": change}


async def push(ask: Asker, account: str, device: str, *operations: dict[str, Any], **given: Any) -> Any:
    told = {"deviceId": device, "operations": list(operations)} | given
    return (await ask.data(PUSH, account, input=told))["pushChanges"]


async def test_every_kind_of_change_is_pushed(ask: Asker, ada: str, movie: str, phone: str) -> None:
    it = {"contentId": movie}
    queue = [
        operation(ask, {"watched": it | {"positionSeconds": 300, "viewing": 1}}),
        operation(ask, {"added": it}),
        operation(ask, {"moved": it | {"place": "k"}}),
        operation(ask, {"reacted": it | {"verdict": "LIKE", "stars": 4.5}}),
        operation(ask, {"noted": it | {"text": "Soon"}}),
        operation(ask, {"dropped": it}),
        operation(ask, {"hidden": it | {"hidden": False}}),
    ]

    payload = await push(ask, ada, phone, *queue)
    document = """query ($id: ID!) { node(id: $id) { ... on Movie { myProgress { positionSeconds }
      myWatchlistEntry { tags place note } myReaction { verdict stars }
      myMarks { note dropped hidden } } } }"""
    node = (await ask.data(document, ada, id=movie))["node"]

    assert payload["userErrors"] == []
    assert [(result["operationId"], result["fate"]) for result in payload["results"]] == [
        (each["id"], "APPLIED") for each in queue
    ]
    assert node == {
        "myProgress": {"positionSeconds": 300},
        "myWatchlistEntry": {"tags": [queue[1]["id"]], "place": "k", "note": "Soon"},
        "myReaction": {"verdict": "LIKE", "stars": 4.5},
        "myMarks": {"note": "Soon", "dropped": True, "hidden": False},
    }
    payload = await push(ask, ada, phone, operation(ask, {"removed": it | {"tags": [queue[1]["id"]]}}, -5))
    assert [result["fate"] for result in payload["results"]] == ["APPLIED"]
    assert (await ask.data(document, ada, id=movie))["node"]["myWatchlistEntry"] is None


async def test_what_cannot_be_a_title_is_refused_alone_in_its_place(
    ask: Asker, ada: str, movie: str, phone: str
) -> None:
    queue = [
        operation(ask, {"watched": {"contentId": movie, "positionSeconds": 1}}),
        operation(ask, {"added": {"contentId": "x"}}),
        operation(ask, {"added": {"contentId": phone}}),
        operation(ask, {"added": {"contentId": movie}}),
    ]

    payload = await push(ask, ada, phone, *queue)

    assert [result["operationId"] for result in payload["results"]] == [each["id"] for each in queue]
    assert [result["fate"] for result in payload["results"]] == ["APPLIED", "REFUSED", "REFUSED", "APPLIED"]
    assert refused(payload["results"][1]) == [("INVALID", ["contentId"])]


async def test_a_queue_of_another_accounts_device_is_refused_whole(
    ask: Asker, ada: str, movie: str, phone: str
) -> None:
    mallory = await ask.house.account()
    rows = await ask.house.written()

    payload = await push(ask, mallory, phone, operation(ask, {"added": {"contentId": movie}}))

    assert payload["results"] == []
    assert refused(payload) == [("NOT_FOUND", ["deviceId"])]
    assert await ask.house.written() == rows


async def test_a_queue_of_nobody_is_refused(ask: Asker, ada: str, phone: str) -> None:
    given = {"deviceId": phone, "operations": []}

    assert await ask.code(PUSH, None, input=given) == "UNAUTHENTICATED"


async def test_settling_is_taken_through_the_graph(ask: Asker, ada: str, movie: str, phone: str) -> None:
    it = {"contentId": movie}
    await push(ask, ada, phone, operation(ask, {"added": it}, -9), operation(ask, {"removed": it}, -8))

    await push(ask, ada, phone, settledThrough=str(ask.house.version(-7)))

    assert await ask.house.database.value("SELECT count(*) FROM watchlist_tag") == 0


async def test_a_conflict_is_read_with_titles_and_devices(
    ask: Asker, ada: str, movie: str, phone: str, statements: StatementCounter
) -> None:
    tv = encode("Device", (await ask.house.device(ada, "TV")).id)
    it = {"contentId": movie}
    late = [
        operation(ask, {"watched": it | {"positionSeconds": 40}}, -20),
        operation(ask, {"noted": it | {"text": "phone"}}, -20),
    ]
    await push(ask, ada, tv, operation(ask, {"watched": it | {"positionSeconds": 900}}))
    await push(ask, ada, tv, operation(ask, {"noted": it | {"text": "TV"}}))
    payload = await push(ask, ada, phone, *late)
    statements.clear()

    found = (await ask.data(CONFLICTS, ada))["viewer"]["conflicts"]

    assert [result["fate"] for result in payload["results"]] == ["SUPERSEDED"] * 2
    # A page and its count, the titles, the devices of both sides.
    assert len(statements.seen) <= 4
    assert found["totalCount"] == 2
    assert [node["kind"] for node in found["nodes"]] == ["NOTE", "PROGRESS"]
    assert found["nodes"][1] == {
        "kind": "PROGRESS",
        "notedAt": ask.house.clock.now().isoformat(),
        "content": {"title": "Solaris"},
        "lost": {
            "value": {"viewing": 1, "positionSeconds": 40, "completed": False},
            "version": found["nodes"][1]["lost"]["version"],
            "device": {"name": "Phone"},
        },
        "won": {
            "value": {"viewing": 1, "positionSeconds": 900, "completed": False},
            "device": {"name": "TV"},
        },
    }
    assert found["nodes"][1]["lost"]["version"].startswith(late[0]["version"].partition("@")[0])
    assert (await ask.data(CONFLICTS, await ask.house.account()))["viewer"]["conflicts"]["nodes"] == []


async def test_the_watchlist_is_put_in_order_and_noted_on(ask: Asker, ada: str, database: Database) -> None:
    keys = [await add_movie(database, title) for title in "ABC"]
    ids = [encode("Movie", key) for key in keys]
    for key in keys:
        await ask.house.sync.add_to_watchlist(ada, key)
        ask.house.clock.turn(1)

    moved = (await ask.data(MOVE, ada, input={"contentId": ids[2], "before": ids[0]}))["done"]
    await ask.data(MOVE, ada, input={"contentId": ids[0], "behind": ids[1]})
    marked = (await ask.data(MARK, ada, input={"contentId": ids[1], "note": "Soon"}))["done"]
    listed = (await ask.data(LIST, ada))["viewer"]["watchlist"]["nodes"]

    assert moved["entry"]["content"] == {"title": "C"}
    assert marked["marks"] == {
        "note": "Soon",
        "dropped": False,
        "hidden": False,
        "content": {"title": "B"},
    }
    assert [(node["content"]["title"], node["note"]) for node in listed] == [
        ("C", None),
        ("B", "Soon"),
        ("A", None),
    ]
    assert listed[1]["content"]["myMarks"] == {"note": "Soon"}


async def test_a_mark_that_is_left_open_stays(ask: Asker, ada: str, movie: str) -> None:
    await ask.data(MARK, ada, input={"contentId": movie, "note": "Soon", "hidden": True})

    kept = (await ask.data(MARK, ada, input={"contentId": movie, "dropped": True}))["done"]["marks"]
    taken = (await ask.data(MARK, ada, input={"contentId": movie, "note": None, "hidden": None}))["done"]

    assert (kept["note"], kept["dropped"], kept["hidden"]) == ("Soon", True, True)
    assert (taken["marks"]["note"], taken["marks"]["dropped"], taken["marks"]["hidden"]) == (
        None,
        True,
        False,
    )


async def test_refused_marks_and_moves_say_why(ask: Asker, ada: str, movie: str) -> None:
    gone = {"contentId": encode("Movie", 987_654)}
    rows = await ask.house.written()

    answers = [
        (await ask.data(MARK, ada, input=gone | {"note": "x"}))["done"],
        (await ask.data(MARK, ada, input={"contentId": movie, "note": "x" * 2_001}))["done"],
        (await ask.data(MOVE, ada, input={"contentId": movie, "place": "k"}))["done"],
        (await ask.data(MOVE, ada, input={"contentId": movie, "behind": movie}))["done"],
        (await ask.data(MOVE, ada, input={"contentId": movie, "place": "0"}))["done"],
    ]

    assert [refused(answer) for answer in answers] == [
        [("NOT_FOUND", ["contentId"])],
        [("INVALID", ["note"])],
        [("NOT_FOUND", ["contentId"])],
        [("NOT_FOUND", ["contentId"])],
        [("INVALID", ["place"])],
    ]
    assert await ask.code(MOVE, ada, input={"contentId": movie}) == "BAD_USER_INPUT"
    assert (
        await ask.code(MOVE, ada, input={"contentId": movie, "place": "k", "behind": movie})
        == "BAD_USER_INPUT"
    )
    assert await ask.house.written() == rows
