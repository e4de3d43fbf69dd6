"""Queues that no client of ours would send: wrong, huge, twice, at once, and of newer clients."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from domain.platform.postgres import Database
from domain.sync.clock import COUNTER_BITS, MAX_MILLISECONDS, Timestamp
from resolvers.ids import encode
from tests.accounts import new_id
from tests.catalogue import add_movie
from tests.viewers import Asker, living, refused

DURATION = 1000
PUSH = """mutation ($input: PushChangesInput!) { pushChanges(input: $input) {
  results { operationId fate userErrors { code field message } } userErrors { code field message } } }"""
STATE = """query ($id: ID!) { node(id: $id) { ... on Movie { myProgress { positionSeconds viewing }
  myWatchlistEntry { tags place } myReaction { verdict stars } myMarks { note dropped hidden } } } }"""
NOTHING = {"myProgress": None, "myWatchlistEntry": None, "myReaction": None, "myMarks": None}
UUID = "6eae61c2-e582-4a12-ab63-29a5416af6d1"


@pytest.fixture
async def movie(database: Database) -> str:
    return encode("Movie", await add_movie(database, runtime_seconds=DURATION))


@pytest.fixture
async def phone(ask: Asker, ada: str) -> str:
    return encode("Device", (await ask.house.device(ada)).id)


def operation(ask: Asker, change: dict[str, Any], seconds: float = -10, **given: Any) -> dict[str, Any]:
    return {"id": new_id(), "version": str(ask.house.version(seconds)), "change": change} | given


async def push(ask: Asker, account: str, device: str, *operations: dict[str, Any]) -> Any:
    told = {"deviceId": device, "operations": list(operations)}
    return (await ask.data(PUSH, account, input=told))["pushChanges"]


async def state(ask: Asker, account: str, title: str) -> Any:
    return (await ask.data(STATE, account, id=title))["node"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"watched": {"positionSeconds": -1}}, "INVALID", "positionSeconds"),
        ({"watched": {"positionSeconds": 5, "durationSeconds": 0}}, "INVALID", "durationSeconds"),
        ({"watched": {"positionSeconds": 5, "durationSeconds": -(2**31)}}, "INVALID", "durationSeconds"),
        ({"watched": {"positionSeconds": 5, "viewing": 0}}, "INVALID", "viewing"),
        ({"watched": {"positionSeconds": 5, "viewing": 2**31 - 1}}, "INVALID", "viewing"),
        ({"added": {"tag": "mine"}}, "INVALID", "tag"),
        ({"added": {"tag": "0" * 100_000}}, "INVALID", "tag"),
        ({"removed": {"tags": ["0" * len(UUID)]}}, "INVALID", "tags"),
        ({"reacted": {"stars": 0.3}}, "INVALID", "stars"),
        ({"reacted": {"stars": 1e300}}, "INVALID", "stars"),
        ({"moved": {"place": ""}}, "INVALID", "place"),
        ({"moved": {"place": "k" * 100_000}}, "INVALID", "place"),
        ({"moved": {"place": "' OR 1=1 --"}}, "INVALID", "place"),
        ({"noted": {"text": "x" * 2_001}}, "INVALID", "text"),
        ({"noted": {"text": "a\0b"}}, "INVALID", "text"),
    ],
)
async def test_one_that_is_wrong_is_refused_and_those_around_it_are_not(
    ask: Asker,
    ada: str,
    movie: str,
    phone: str,
    database: Database,
    change: dict[str, dict[str, Any]],
    code: str,
    field: str,
) -> None:
    ((kind, given),) = change.items()
    other = encode("Movie", await add_movie(database))
    wrong = operation(ask, {kind: given | {"contentId": movie}})
    before, after = ({kind: {"contentId": other}} for kind in ("added", "hidden"))

    payload = await push(ask, ada, phone, operation(ask, before), wrong, operation(ask, after))

    assert payload["userErrors"] == []
    assert [result["fate"] for result in payload["results"]] == ["APPLIED", "REFUSED", "APPLIED"]
    assert refused(payload["results"][1]) == [(code, [field])]
    assert await state(ask, ada, movie) == NOTHING
    mended = operation(ask, {"noted": {"contentId": movie, "text": "mended"}}, id=wrong["id"])
    assert [result["fate"] for result in (await push(ask, ada, phone, mended))["results"]] == ["APPLIED"]


@pytest.mark.parametrize("name", ["", "7", "x" * 100_000, UUID.upper(), f"{{{UUID}}}"])
async def test_an_operation_without_a_uuid_is_refused(
    ask: Asker, ada: str, movie: str, phone: str, name: str
) -> None:
    payload = await push(ask, ada, phone, operation(ask, {"added": {"contentId": movie}}, id=name))

    assert [(result["operationId"], result["fate"]) for result in payload["results"]] == [(name, "REFUSED")]
    assert refused(payload["results"][0]) == [("INVALID", ["id"])]
    assert await state(ask, ada, movie) == NOTHING


@pytest.mark.parametrize(
    "title", ["", "x", "x" * 100_000, encode("Person", 1), encode("Movie", 2**62), encode("Movie", "-1")]
)
async def test_what_is_no_title_is_refused(ask: Asker, ada: str, phone: str, title: str) -> None:
    changes: list[dict[str, Any]] = [
        {"watched": {"contentId": title, "positionSeconds": 5}},
        {"added": {"contentId": title}},
        {"removed": {"contentId": title}},
        {"reacted": {"contentId": title, "verdict": "LIKE"}},
        {"moved": {"contentId": title, "place": "k"}},
        {"noted": {"contentId": title, "text": "x"}},
        {"dropped": {"contentId": title}},
        {"hidden": {"contentId": title}},
    ]
    rows = await ask.house.written()

    payload = await push(ask, ada, phone, *(operation(ask, change) for change in changes))

    assert [result["fate"] for result in payload["results"]] == ["REFUSED"] * len(changes)
    assert {field for result in payload["results"] for _, (field,) in refused(result)} == {"contentId"}
    assert await ask.house.written() == rows


async def test_a_clock_that_runs_ahead_holds_up_its_own_operations_alone(
    ask: Asker, ada: str, movie: str, phone: str
) -> None:
    it = {"contentId": movie}
    never = str(Timestamp(MAX_MILLISECONDS << COUNTER_BITS, "tv"))
    queue = [
        operation(ask, {"watched": it | {"positionSeconds": 100, "viewing": 1}}, -30 * 365 * 86_400),
        operation(ask, {"added": it}, 90),
        operation(ask, {"reacted": it | {"verdict": "LIKE"}}, version=never),
        operation(ask, {"dropped": it}, 30),
    ]

    payload = await push(ask, ada, phone, *queue)

    fates = [result["fate"] for result in payload["results"]]
    assert fates == ["APPLIED", "REFUSED", "REFUSED", "APPLIED"]
    for result in payload["results"][1:3]:
        assert refused(result) == [("CLOCK_AHEAD", ["version"])]
    found = await state(ask, ada, movie)
    assert found["myProgress"] == {"positionSeconds": 100, "viewing": 1}
    assert (found["myWatchlistEntry"], found["myReaction"]) == (None, None)
    # Nobody else's clock has been carried along.
    await push(ask, ada, phone, operation(ask, {"dropped": it | {"dropped": False}}, 31))
    assert (await state(ask, ada, movie))["myMarks"] is None


async def test_an_id_that_comes_again_with_something_else_is_done_once(
    ask: Asker, ada: str, movie: str, phone: str
) -> None:
    first = operation(ask, {"noted": {"contentId": movie, "text": "first"}})
    others = [
        operation(ask, {"noted": {"contentId": movie, "text": "second"}}, -5, id=first["id"]),
        operation(ask, {"hidden": {"contentId": movie}}, -5, id=first["id"]),
    ]

    payload = await push(ask, ada, phone, first, *others)
    again = await push(ask, ada, phone, *others)

    assert [result["fate"] for result in payload["results"]] == ["APPLIED", "REPEATED", "REPEATED"]
    assert [result["fate"] for result in again["results"]] == ["REPEATED", "REPEATED"]
    assert (await state(ask, ada, movie))["myMarks"] == {"note": "first", "dropped": False, "hidden": False}


async def test_an_id_of_somebody_else_is_free(ask: Asker, ada: str, movie: str, phone: str) -> None:
    bob = await ask.house.account()
    tablet = encode("Device", (await ask.house.device(bob)).id)
    mine = operation(ask, {"noted": {"contentId": movie, "text": "mine"}})

    await push(ask, ada, phone, mine)
    payload = await push(ask, bob, tablet, operation(ask, mine["change"], id=mine["id"]))

    assert [result["fate"] for result in payload["results"]] == ["APPLIED"]


async def test_the_same_queue_twenty_times_at_once_is_done_once(
    ask: Asker, ada: str, movie: str, phone: str, database: Database
) -> None:
    it = {"contentId": movie}
    queue = [
        operation(ask, {"watched": it | {"positionSeconds": 400, "viewing": 1}}),
        operation(ask, {"added": it}),
        operation(ask, {"reacted": it | {"stars": 4.0}}),
        operation(ask, {"noted": it | {"text": "once"}}),
    ]
    elsewhere = Asker(living(database))  # another process
    before = await database.value("SELECT count(*) FROM change")

    payloads = await asyncio.gather(
        *(push(asker, ada, phone, *queue) for asker in (ask, elsewhere) for _ in range(10))
    )

    for number in range(len(queue)):
        fates = Counter(payload["results"][number]["fate"] for payload in payloads)
        assert fates == {"APPLIED": 1, "REPEATED": 19}
    assert await database.value("SELECT count(*) FROM change") == before + len(queue)


async def test_more_than_a_thousand_are_refused_as_a_whole(
    ask: Asker, ada: str, movie: str, phone: str
) -> None:
    queue = [operation(ask, {"added": {"contentId": movie}}) for _ in range(1_001)]
    rows = await ask.house.written()

    payload = await push(ask, ada, phone, *queue)

    assert payload["results"] == []
    assert refused(payload) == [("LIMIT_REACHED", ["operations"])]
    assert "1000" in payload["userErrors"][0]["message"]
    assert await ask.house.written() == rows


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rated": {"contentId": "x"}}, "'OperationChangeInput' not to include unknown field 'rated'"),
        ({"added": {"contentId": "x", "list": "later"}}, "'AddedInput' not to include unknown field 'list'"),
        ({}, "'OperationChangeInput' must specify exactly one key"),
        ({"added": {"contentId": "x"}, "hidden": {"contentId": "x"}}, "must specify exactly one key"),
        ({"added": None}, "'added' must be non-null"),
        ({"watched": {"contentId": "x", "positionSeconds": "soon"}}, "Int cannot represent non-integer"),
        ({"watched": {"contentId": "x", "positionSeconds": 2**31}}, "non 32-bit signed integer"),
        ({"reacted": {"contentId": "x", "verdict": "ADORE"}}, "'ADORE' does not exist in 'Verdict' enum"),
    ],
)
async def test_what_this_server_does_not_know_is_named_and_nothing_is_kept(
    ask: Asker, ada: str, movie: str, phone: str, change: dict[str, Any], says: str
) -> None:
    """A client that is newer learns which of its operations is to wait: the queue stays with it."""
    rows = await ask.house.written()
    told = {
        "deviceId": phone,
        "operations": [operation(ask, {"added": {"contentId": movie}}), operation(ask, change)],
    }

    found = await ask.result(PUSH, ada, input=told)

    assert found.data is None
    assert found.errors is not None
    assert says in found.errors[0].message
    assert await ask.house.written() == rows
