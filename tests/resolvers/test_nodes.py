"""Objects by their global ids: `node`, `nodes`, and `_entities` for federation routers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.identity.model import Caller
from domain.identity.policy import Policy
from domain.identity.profile import Profile
from domain.platform.postgres import Database
from domain.sync.commands import Command
from resolvers.ids import MAX_NUMBER, encode
from schema.graph import Graph, graph
from tests import catalogue as rows
from tests.accounts import NOBODY, PASSWORD, opened_desk, somebody
from tests.asking import Asker
from tests.servers import StatementCounter
from tests.viewers import Asker as OwnersAsker
from tests.viewers import living

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
ENTITIES = """query ($representations: [_Any!]!) {
  _entities(representations: $representations) { __typename ... on Node { id } ... on Content { title } }
}"""


@pytest.fixture(scope="module")
def schema() -> Graph:
    return graph()


@pytest.fixture
def asker(database: Database, schema: Graph) -> Asker:
    return Asker(schema, database, {"policy": Policy()})


@pytest.fixture
async def ids(database: Database) -> dict[str, str]:
    """One id of each type that everybody may see."""
    series = await rows.add_series(database, seasons=(1,))
    season = (await rows.parts_of(database, series))[0]
    album = await rows.add_album(database, tracks=("So What",))
    keys = {
        "Movie": await rows.add_movie(database),
        "Series": series,
        "Season": season,
        "Episode": (await rows.parts_of(database, season))[0],
        "Album": album,
        "Track": (await rows.parts_of(database, album))[0],
        "Person": await rows.add_person(database),
    }
    return {kind: encode(kind, key) for kind, key in keys.items()}


async def test_every_type_is_found_by_its_id(asker: Asker, ids: dict[str, str]) -> None:
    for kind, id in ids.items():  # noqa: A001
        assert await asker.data(NODE, id=id) == {"node": {"__typename": kind, "id": id}}


MALFORMED = [
    "",
    "x",
    "=",
    "é",
    "\0",
    "TW92aWU6MQ==",
    "TW92aWU6MQ!",
    encode("Movie", ""),
    encode("Movie", "x"),
    encode("Movie", "\0"),
    encode("Movie", "1 OR 1=1"),
    encode("Movie", "٣"),
    encode("Movie", 0),
    encode("Movie", -1),
    encode("Movie", "01"),
    encode("Movie", MAX_NUMBER),
    encode("Movie", MAX_NUMBER + 1),
    encode("Movie", "9" * 5000),
    encode("Person", MAX_NUMBER + 1),
    encode("Person", "x"),
    encode("Content", 1),
    encode("Node", 1),
    encode("Genre", "drama"),
    encode("__proto__", 1),
    encode("Account", "x"),
    encode("Account", "\0"),
    encode("Device", "x"),
    encode("Device", "\0"),
    encode("PlaybackSession", "x"),
    encode("DeviceCommand", "x"),
]


async def test_ids_that_name_nothing_are_nothing(asker: Asker, ids: dict[str, str]) -> None:
    for id in MALFORMED:  # noqa: A001
        assert await asker.data(NODE, id=id) == {"node": None}
    assert await asker.data(NODES, ids=MALFORMED) == {"nodes": [None] * len(MALFORMED)}


async def test_the_key_of_another_type_is_nothing(asker: Asker, database: Database) -> None:
    series = await rows.add_series(database)

    found = await asker.data(NODES, ids=[encode("Movie", series), encode("Series", series)])

    assert found["nodes"] == [None, {"__typename": "Series", "id": encode("Series", series)}]


async def test_retired_titles_and_their_parts_are_nothing(asker: Asker, database: Database) -> None:
    series = await rows.add_series(database, seasons=(1,))
    season = (await rows.parts_of(database, series))[0]
    episode = (await rows.parts_of(database, season))[0]
    await rows.retire(database, series)
    wanted = [encode("Series", series), encode("Season", season), encode("Episode", episode)]

    assert await asker.data(NODES, ids=wanted) == {"nodes": [None, None, None]}


async def test_many_ids_keep_their_order_and_gaps_and_are_asked_for_together(
    asker: Asker, ids: dict[str, str], statements: StatementCounter
) -> None:
    wanted = [ids["Person"], "x", ids["Episode"], ids["Movie"], encode("Movie", 99_999), ids["Movie"]]
    statements.clear()

    found = await asker.data(NODES, ids=wanted)

    kinds = [entry and entry["__typename"] for entry in found["nodes"]]
    assert kinds == ["Person", None, "Episode", "Movie", None, "Movie"]
    assert len(statements.seen) == 2


async def test_a_hundred_ids_are_taken_and_no_more(
    asker: Asker, ids: dict[str, str], statements: StatementCounter
) -> None:
    statements.clear()

    assert await asker.refusals(NODES, ids=[ids["Movie"]] * 101) == [
        ("BAD_USER_INPUT", "`ids` takes up to 100, and has 101.")
    ]
    assert statements.seen == []
    assert len((await asker.data(NODES, ids=[ids["Movie"]] * 100))["nodes"]) == 100
    assert await asker.data(NODES, ids=[]) == {"nodes": []}


async def test_a_router_finds_every_type_by_its_id(asker: Asker, ids: dict[str, str]) -> None:
    wanted = [{"__typename": kind, "id": key} for kind, key in ids.items()]

    found = await asker.data(ENTITIES, representations=wanted)

    assert [{"__typename": e["__typename"], "id": e["id"]} for e in found["_entities"]] == wanted
    assert found["_entities"][0]["title"] == "Solaris"


async def test_entities_of_a_type_are_one_statement(
    asker: Asker, database: Database, statements: StatementCounter
) -> None:
    keys = [await rows.add_movie(database, f"Film {number}") for number in range(150)]
    wanted = [{"__typename": "Movie", "id": encode("Movie", key)} for key in keys]
    statements.clear()

    found = await asker.data(ENTITIES, representations=wanted)

    assert [entity["title"] for entity in found["_entities"]] == [f"Film {n}" for n in range(150)]
    assert len(statements.seen) == 1


async def test_entities_of_several_types_are_a_statement_each(
    asker: Asker, database: Database, statements: StatementCounter
) -> None:
    movies = [encode("Movie", await rows.add_movie(database, f"Film {number}")) for number in range(50)]
    people = [encode("Person", await rows.add_person(database, f"Person {number}")) for number in range(20)]
    # As a router may well send them: mixed.
    ids = sorted([*movies, *people], key=lambda text: text[::-1])
    wanted = [{"__typename": "Movie" if id in movies else "Person", "id": id} for id in ids]  # noqa: A001
    statements.clear()

    found = await asker.data(ENTITIES, representations=wanted)

    assert [{"__typename": e["__typename"], "id": e["id"]} for e in found["_entities"]] == wanted
    assert len(statements.seen) == 2


async def test_entities_of_an_account_are_a_statement_for_each_type(
    database: Database, statements: StatementCounter
) -> None:
    house = living(database)
    ada = await house.account()
    movie = await rows.add_movie(database)
    devices = [await house.device(ada, f"Device {number}") for number in range(3)]
    sessions = [await house.playback.start(ada, movie, device.id) for device in devices]
    commands = [await house.commands.send(ada, device.id, Command("play", {}), 60) for device in devices]
    wanted = [
        {"__typename": kind, "id": encode(kind, value.id)}
        for kind, values in (("Device", devices), ("PlaybackSession", sessions), ("DeviceCommand", commands))
        for value in values
    ]
    statements.clear()

    found = await OwnersAsker(house).data(ENTITIES, ada, representations=wanted)

    assert [{"__typename": e["__typename"], "id": e["id"]} for e in found["_entities"]] == wanted
    assert len(statements.seen) == 3


async def test_entities_that_are_not_there_are_nothing_and_leave_the_others(
    asker: Asker, ids: dict[str, str]
) -> None:
    movie = ids["Movie"]
    representations: list[Any] = [
        {"__typename": "Movie", "id": movie},
        {"__typename": "Series", "id": movie},
        {"__typename": "Nothing", "id": movie},
        {"__typename": "Query", "id": movie},
        {"__typename": "Movie", "id": ids["Series"]},
        {"__typename": "Movie", "id": encode("Movie", 99_999)},
        {"__typename": "Movie", "id": "x"},
        {"__typename": "Movie", "id": 7},
        {"__typename": "Movie", "id": None},
        {"__typename": "Movie"},
        {"__typename": None, "id": movie},
        {"id": movie},
        {},
        [],
        "Movie",
        7,
        {"__typename": "Movie", "id": movie, "title": "more than the key"},
    ]

    found = await asker.data(ENTITIES, representations=representations)

    assert [entity and entity["title"] for entity in found["_entities"]] == [
        "Solaris",
        *[None] * 15,
        "Solaris",
    ]


async def test_representations_in_the_document_itself_are_read(asker: Asker, ids: dict[str, str]) -> None:
    movie = f'{{ __typename: "Movie", id: "{ids["Movie"]}" }}'
    query = f"{{ _entities(representations: [{movie}]) {{ ... on Movie {{ title }} }} }}"

    assert await asker.data(query) == {"_entities": [{"title": "Solaris"}]}


async def test_a_router_asks_for_a_thousand_entities_at_most(
    asker: Asker, ids: dict[str, str], statements: StatementCounter
) -> None:
    statements.clear()

    refusals = await asker.refusals(ENTITIES, representations=[{"__typename": "Movie", "id": "x"}] * 1001)

    assert refusals == [("BAD_USER_INPUT", "`representations` takes up to 1000, and has 1001.")]
    assert statements.seen == []


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[tuple[Caller, dict[str, Any]]]:
    async with opened_desk(database) as desk:
        account = await desk.service.register("ada@example.org", PASSWORD, Profile("Ada", "GB"), NOBODY)
        yield somebody(account.id), {"accounts": desk.service, "sessions": desk.sessions}


async def test_an_account_is_an_entity_for_its_owner_alone(
    database: Database, schema: Graph, owner: tuple[Caller, dict[str, Any]]
) -> None:
    caller, services = owner
    assert caller.account_id is not None
    wanted = [{"__typename": "Account", "id": encode("Account", caller.account_id)}]
    stranger = somebody("00000000-0000-4000-8000-000000000000")

    own = await Asker(schema, database, services, caller).data(ENTITIES, representations=wanted)
    others = await Asker(schema, database, services, stranger).data(ENTITIES, representations=wanted)
    nobody = await Asker(schema, database, services).data(ENTITIES, representations=wanted)

    assert own == {"_entities": [{"__typename": "Account", "id": wanted[0]["id"]}]}
    assert others == nobody == {"_entities": [None]}
