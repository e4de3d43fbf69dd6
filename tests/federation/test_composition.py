"""The subgraphs of all contexts make one graph, in the eyes of a composition library."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import strawberry
from graphql import build_schema, validate_schema
from strawberry.federation.schema_directives import Authenticated, RequiresScopes, Tag
from strawberry.schema_directive import Location

from domain.catalog.model import OfferKind
from gateway.evolution.comparison import compare
from gateway.evolution.source import source
from schema import catalog, discovery, identity, paging, sona, sync
from schema.graph import CONTRIBUTIONS, Graph, graph
from schema.printing import printed
from tests.federation.node import Subgraph, composed, needs_node

pytestmark = needs_node

# Clients of a router see nothing of what routers read.
OF_ROUTERS = re.compile(
    r"@key|@link|@cost|@listSize|@cacheControl|CacheControlScope|@defer|@stream|Query\._entities|Query\._service"
    r"|@authenticated|@requiresScopes|@policy"
)


def graphs(**options: str) -> dict[str, Graph]:
    return {name: graph(subgraph=name, **options) for name in CONTRIBUTIONS}


def as_printed(parts: dict[str, Graph]) -> list[Subgraph]:
    """As `media-gateway schema --subgraph` prints them."""
    return [Subgraph(name, printed(part)) for name, part in parts.items()]


def as_served(parts: dict[str, Graph]) -> list[Subgraph]:
    """As `{ _service { sdl } }` answers."""
    return [Subgraph(name, part.as_str()) for name, part in parts.items()]


@pytest.fixture(scope="module")
def parts() -> dict[str, Graph]:
    return graphs()


Told = Callable[[dict[str, Graph]], list[Subgraph]]


@pytest.mark.parametrize("told", [as_printed, as_served])
async def test_all_contexts_compose(parts: dict[str, Graph], told: Told) -> None:
    composition = await composed(told(parts))

    assert composition.errors == []
    assert composition.supergraph is not None
    assert all(f'name: "{name}"' in composition.supergraph for name in CONTRIBUTIONS)


async def test_clients_of_a_router_see_the_graph_of_the_single_process(parts: dict[str, Graph]) -> None:
    composition = await composed(as_printed(parts))
    assert composition.api is not None

    changes = compare(source(printed(graph()), "the graph"), source(composition.api, "the composition"))

    assert [change.message for change in changes if not OF_ROUTERS.search(change.message)] == []


async def test_the_contexts_compose_in_an_older_federation() -> None:
    composition = await composed(as_printed(graphs(federation_version="2.5")))

    assert composition.errors == []


async def test_a_subgraph_that_does_not_fit_is_noticed(parts: dict[str, Graph]) -> None:
    subgraphs = {part.name: part for part in as_printed(parts)}
    unfit = re.sub(r"(?m)(?<=\S) @shareable$", "", subgraphs["sync"].sdl)
    subgraphs["sync"] = Subgraph("sync", unfit)

    composition = await composed(list(subgraphs.values()))

    assert composition.supergraph is None
    assert any("shareable" in error for error in composition.errors)


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION, Location.OBJECT], name="kept")
class Kept:
    """A directive of our own, which federation knows nothing of."""

    days: int


def definition(of: Any) -> Any:
    return of.__strawberry_definition__


def field(of: Any, name: str) -> Any:
    return next(found for found in definition(of).fields if found.python_name == name)


@pytest.fixture
def annotated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph with directives at places of every kind, beside the costs that it has anyway."""
    for element, *directives in (
        (field(sona.ContentOfSona, "similar"), Kept(days=1)),
        (field(sync.ContentOfViewer, "my_progress"), Authenticated()),
        (field(paging.PageInfo, "has_next_page"), Tag(name="paging")),
        (field(identity.IdentityQuery, "viewer"), RequiresScopes(scopes=[["viewer:read"]])),
        (field(discovery.DiscoveryQuery, "search").arguments[0], Tag(name="argument")),
        (definition(catalog.Movie), Kept(days=10)),
        (definition(OfferKind), Tag(name="enum")),
    ):
        monkeypatch.setattr(element, "directives", [*(element.directives or ()), *directives])


@pytest.mark.usefixtures("annotated")
async def test_what_is_printed_defines_the_directives_that_it_applies() -> None:
    for name in (None, *CONTRIBUTIONS):
        schema = build_schema(printed(graph(subgraph=name)))
        assert validate_schema(schema) == []

    whole = printed(graph())
    for name in ("cost", "listSize", "authenticated", "requiresScopes", "tag", "kept", "cacheControl"):
        assert whole.count(f"directive @{name}") == 1
        assert f" @{name}" in whole.replace(f"directive @{name}", "")


@pytest.mark.usefixtures("annotated")
def test_a_subgraph_imports_what_it_applies_and_nothing_else() -> None:
    imported = {
        name: set(re.findall(r'"@(\w+)"', printed(graph(subgraph=name)).partition("{\n  query")[0]))
        for name in CONTRIBUTIONS
    }

    assert {"listSize", "cost", "tag"} <= imported["catalog"]
    assert {"authenticated", "requiresScopes", "tag", "cost"} <= imported["sync"]
    assert "authenticated" not in imported["catalog"]


@pytest.mark.usefixtures("annotated")
@pytest.mark.parametrize("told", [as_printed, as_served])
async def test_contexts_with_more_directives_compose(told: Told) -> None:
    composition = await composed(told(graphs()))

    assert composition.errors == []
    assert composition.supergraph is not None
    for applied in ("@cost(weight: 10)", "@listSize(", "@authenticated", "@requiresScopes(", "@tag("):
        assert applied in composition.supergraph
