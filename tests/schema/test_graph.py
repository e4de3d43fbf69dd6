"""One graph of all contexts, and the same contributions as one subgraph per context."""

from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, validate_schema

from domain.identity.policy import Policy
from domain.platform.postgres import Database
from resolvers.ids import encode
from schema.graph import CONTRIBUTIONS, Graph, UnknownSubgraph, graph
from tests import catalogue as rows
from tests.asking import Asker
from tests.servers import StatementCounter

ROOTS = {"Query", "Mutation", "Subscription"}
FEDERATION = {("Query", "_service"), ("Query", "_entities")}


@pytest.fixture(scope="module")
def whole() -> Graph:
    return graph()


@pytest.fixture(scope="module")
def subgraphs() -> dict[str, Graph]:
    return {name: graph(subgraph=name) for name in CONTRIBUTIONS}


def fields_of(graph: Graph) -> set[tuple[str, str]]:
    return {
        (name, field)
        for name, type_ in graph._schema.type_map.items()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("_")
        for field in type_.fields
    }


def objects_of(graph: Graph) -> dict[str, GraphQLObjectType]:
    return {
        name: type_
        for name, type_ in graph._schema.type_map.items()
        if isinstance(type_, GraphQLObjectType) and not name.startswith("_")
    }


def has_id(type_: GraphQLObjectType) -> bool:
    return any(interface.name == "Node" for interface in type_.interfaces)


def entities_of(graph: Graph) -> set[str]:
    union = graph._schema.type_map["_Entity"]
    assert isinstance(union, GraphQLUnionType)
    return {type_.name for type_ in union.types}


def line_of(sdl: str, type_name: str) -> str:
    return next(line for line in sdl.splitlines() if line.startswith(f"type {type_name} "))


def test_every_graph_is_valid(whole: Graph, subgraphs: dict[str, Graph]) -> None:
    for shown in (whole, *subgraphs.values()):
        assert validate_schema(shown._schema) == []


def test_the_subgraphs_together_are_the_whole(whole: Graph, subgraphs: dict[str, Graph]) -> None:
    together = set().union(*(fields_of(subgraph) for subgraph in subgraphs.values()))

    assert together == fields_of(whole)


def test_a_root_field_is_of_one_subgraph_unless_it_is_shared(subgraphs: dict[str, Graph]) -> None:
    owners: dict[tuple[str, str], list[str]] = {}
    for name, subgraph in subgraphs.items():
        for path in fields_of(subgraph) - FEDERATION:
            if path[0] in ROOTS:
                owners.setdefault(path, []).append(name)

    shared = {path: names for path, names in owners.items() if len(names) > 1}

    assert set(shared) == {("Query", "viewer")}
    assert {"identity", "sync", "playback"} <= set(shared["Query", "viewer"])


def test_a_field_of_an_object_with_an_id_is_of_one_subgraph(subgraphs: dict[str, Graph]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for name, subgraph in subgraphs.items():
        for type_name, type_ in objects_of(subgraph).items():
            for field in set(type_.fields) - {"id"} if has_id(type_) else ():
                assert (type_name, field) not in seen, (seen[type_name, field], name)
                seen[type_name, field] = name

    assert seen["Movie", "title"] == "catalog"
    assert seen["Movie", "myProgress"] == "sync"
    assert seen["Device", "nowPlaying"] == "playback"
    assert seen["Account", "displayName"] == "identity"


def test_a_subgraph_shows_others_objects_by_their_id_and_what_it_adds(subgraphs: dict[str, Graph]) -> None:
    sync = objects_of(subgraphs["sync"])

    assert set(sync["Movie"].fields) == {
        "id",
        "myProgress",
        "myWatchlistEntry",
        "myReaction",
        "myMarks",
    }
    assert set(sync["Series"].fields) == {*sync["Movie"].fields, "nextEpisode"}
    assert "Person" not in sync
    assert set(objects_of(subgraphs["identity"])) & {"Movie", "Device", "Genre"} == set()
    assert set(objects_of(subgraphs["platform"])["Movie"].fields) == {"id"}


def test_every_type_with_an_id_is_an_entity_everywhere(whole: Graph, subgraphs: dict[str, Graph]) -> None:
    for shown in (whole, *subgraphs.values()):
        sdl = shown.as_str()
        named = {name for name, type_ in objects_of(shown).items() if has_id(type_)}
        assert entities_of(shown) == named
        for name in named:
            assert '@key(fields: "id"' in line_of(sdl, name), name


def test_every_type_with_an_id_is_found_by_the_node_subgraph(
    whole: Graph, subgraphs: dict[str, Graph]
) -> None:
    assert entities_of(subgraphs["platform"]) == entities_of(whole)


def test_values_are_shareable_where_subgraphs_show_them_twice(
    whole: Graph, subgraphs: dict[str, Graph]
) -> None:
    sync = subgraphs["sync"].as_str()

    assert "@shareable" not in whole.as_str()
    assert '"@shareable"' in sync.partition("{")[0]
    assert "  hasNextPage: Boolean! @shareable" in sync
    assert "  viewer: Viewer @shareable" in sync
    assert "  id: ID! @shareable" not in sync
    inputs = [block for block in sync.split("\n\n") if block.startswith("input ")]
    assert not any("@shareable" in block for block in inputs)


def test_the_version_of_federation_is_a_setting() -> None:
    assert "federation/v2.9" in graph().as_str()
    assert "federation/v2.5" in graph(federation_version="2.5").as_str()
    assert "federation/v2.5" in graph(subgraph="sync", federation_version="2.5").as_str()


def test_an_unknown_subgraph_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownSubgraph, match="no subgraph 'films'; there are: platform, catalog,"):
        graph(subgraph="films")


def asker(schema: Graph, database: Database) -> Asker:
    return Asker(schema, database, {"policy": Policy()})


SERVICE = "{ _service { sdl } }"


async def test_a_router_reads_the_schema_it_is_to_compose(
    whole: Graph, subgraphs: dict[str, Graph], database: Database
) -> None:
    for shown in (whole, *subgraphs.values()):
        found = await asker(shown, database).data(SERVICE)
        assert found["_service"]["sdl"] == shown.as_str()


ENTITIES = "query ($them: [_Any!]!) { _entities(representations: $them) { ...Asked } }"


async def test_a_router_finds_an_object_in_one_subgraph_and_its_fields_in_the_others(
    subgraphs: dict[str, Graph], database: Database
) -> None:
    series = await rows.add_series(database, "Dekalog", seasons=(1,))
    them = [{"__typename": "Series", "id": encode("Series", series)}]
    fragments = {
        "catalog": "fragment Asked on Series { title seasons { number } }",
        "sync": "fragment Asked on Series { myProgress { fraction } myReaction { stars } }",
        "platform": "fragment Asked on Series { id }",
        "discovery": "fragment Asked on Series { id }",
        "playback": "fragment Asked on Series { id }",
    }
    expected: dict[str, Any] = {
        "catalog": {"title": "Dekalog", "seasons": [{"number": 1}]},
        "sync": {"myProgress": None, "myReaction": None},
        "platform": {"id": them[0]["id"]},
        "discovery": {"id": them[0]["id"]},
        "playback": {"id": them[0]["id"]},
    }

    node = await asker(subgraphs["platform"], database).data(
        "query ($id: ID!) { node(id: $id) { __typename id } }", id=them[0]["id"]
    )
    found = {
        name: (await asker(subgraphs[name], database).data(f"{ENTITIES} {fragment}", them=them))["_entities"]
        for name, fragment in fragments.items()
    }

    assert node == {"node": them[0]}
    assert found == {name: [fields] for name, fields in expected.items()}


async def test_a_subgraph_answers_its_own_root_fields(
    subgraphs: dict[str, Graph], database: Database
) -> None:
    await rows.add_movie(database, "Solaris")

    catalog = await asker(subgraphs["catalog"], database).data("{ contents { nodes { __typename title } } }")
    identity = await asker(subgraphs["identity"], database).data("{ viewer { account { id } } }")

    assert catalog == {"contents": {"nodes": [{"__typename": "Movie", "title": "Solaris"}]}}
    assert identity == {"viewer": None}


async def test_a_subgraph_does_not_know_the_fields_of_others(
    subgraphs: dict[str, Graph], database: Database, statements: StatementCounter
) -> None:
    statements.clear()

    result = await asker(subgraphs["sync"], database).result("{ contents { totalCount } }")

    assert result.data is None
    assert result.errors is not None
    assert statements.seen == []
