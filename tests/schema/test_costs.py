"""What the schema says of its costs is complete, valid, and lets through what people really ask."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DirectiveNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    parse,
)

from bench import operations as benched
from gateway.engine.cost.documents import DocumentCosts
from gateway.engine.cost.weights import Weights
from gateway.settings import BUDGETS, Settings
from schema.graph import CONTRIBUTIONS, Graph, graph
from schema.printing import printed
from tests.e2e import operations as told

ROOT = Path(__file__).parent.parent.parent
SHOWN = GraphQLObjectType | GraphQLInterfaceType
LIMIT = Settings.model_fields["max_cost"].default
CONNECTION_FIELDS = {"edges", "nodes"}
"""Lists that get their length from the field above."""


@pytest.fixture(scope="module")
def whole() -> Graph:
    return graph()


@pytest.fixture(scope="module")
def shown() -> GraphQLSchema:
    return build_schema((ROOT / "schema.graphql").read_text("utf-8"))


def fields(schema: GraphQLSchema) -> Iterator[tuple[SHOWN, str, Any]]:
    for named in schema.type_map.values():
        if isinstance(named, SHOWN) and not named.name.startswith("__"):
            yield from ((named, name, field) for name, field in named.fields.items())


def directive(field: Any, name: str) -> DirectiveNode | None:
    return next((found for found in field.ast_node.directives or () if found.name.value == name), None)


def cost(weights: Weights, document: str, variables: dict[str, Any] | None = None) -> float:
    """Of the dearest operation in it."""
    parsed = parse(document)
    costs = DocumentCosts(weights, parsed)
    names = [
        node.name.value if node.name else None
        for node in parsed.definitions
        if isinstance(node, OperationDefinitionNode)
    ]
    return max(costs.of(name).estimate(variables).cost for name in names)


def test_every_list_of_objects_says_how_long_it_gets(shown: GraphQLSchema) -> None:
    silent = [
        f"{owner.name}.{name}"
        for owner, name, field in fields(shown)
        if is_list_type(get_nullable_type(field.type))
        and not is_leaf_type(get_named_type(field.type))
        and directive(field, "listSize") is None
        and not (owner.name.endswith("Connection") and name in CONNECTION_FIELDS)
    ]

    assert silent == []


def test_every_page_gives_its_lists_their_length(shown: GraphQLSchema) -> None:
    pages = [field for _, _, field in fields(shown) if get_named_type(field.type).name.endswith("Connection")]

    assert len(pages) > 20
    for page in pages:
        size = directive(page, "listSize")
        assert size is not None
        given: dict[str, Any] = {argument.name.value: argument.value for argument in size.arguments or ()}
        sliced = {value.value for value in given["slicingArguments"].values}
        assert sliced == {"first", "last"} & set(page.args)
        assert {value.value for value in given["sizedFields"].values} == CONNECTION_FIELDS
        assert given["requireOneSlicingArgument"].value is False
        assert given["assumedSize"].value == "20"


def test_interfaces_have_no_weights_and_their_types_do(shown: GraphQLSchema) -> None:
    weighed = {type(owner) for owner, _, field in fields(shown) if directive(field, "cost") is not None}
    content, movie = shown.type_map["Content"], shown.type_map["Movie"]

    assert weighed == {GraphQLObjectType}
    assert isinstance(content, GraphQLInterfaceType)
    assert isinstance(movie, GraphQLObjectType)
    assert directive(content.fields["artwork"], "listSize") is not None
    assert directive(movie.fields["artwork"], "cost") is not None


def test_the_engine_reads_from_the_classes_what_tools_read_from_the_text(
    whole: Graph, shown: GraphQLSchema
) -> None:
    behind, printed_ = Weights(whole._schema), Weights(shown)
    compared = 0

    for owner, name, _ in fields(shown):
        if isinstance(owner, GraphQLObjectType):
            ours = behind.of_field(whole._schema.type_map[owner.name], name)  # type: ignore[arg-type]
            theirs = printed_.of_field(owner, name)
            size = ours.size
            if size is not None and size.by_length is not None:
                assert (owner.name, name) in {("Query", "nodes"), ("Query", "_entities")}
            else:
                assert (ours.weight, size) == (theirs.weight, theirs.size), (owner.name, name)
                compared += 1

    assert compared > 300


def test_the_directives_are_imported_from_federation(whole: Graph) -> None:
    subgraphs = [graph(subgraph=name) for name in CONTRIBUTIONS]

    for one in (whole, *subgraphs):
        sdl = one.as_str()
        link = sdl.partition("@link(url:")[2].partition(")")[0]
        for name in ("@cost", "@listSize"):
            assert f"directive {name}" not in sdl
            if f" {name}(" in sdl:
                assert f'"{name}"' in link


def test_older_federations_get_directives_of_our_own() -> None:
    old = graph(federation_version="2.5")
    sdl, text = old.as_str(), printed(old)

    assert '"@cost"' not in sdl
    assert "directive @cost(weight: Int!) on FIELD_DEFINITION" in sdl
    assert text.count("directive @listSize") == 1
    assert Weights(old._schema).of_field(old._schema.query_type, "search").weight > 100  # type: ignore[arg-type]
    assert build_schema(text)


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """What people are shown, and what benchmarks and stories ask."""
    source = (ROOT / "web" / "graphiql" / "src" / "examples.ts").read_text()
    for text in re.findall(r"= `(.*?)`", source, re.DOTALL):
        if "{" in text:
            yield text, {"first": 5}
    readme = (ROOT / "README.md").read_text()
    for text in re.findall(r'"query": ("(?:[^"\\]|\\.)*")', readme):
        yield json.loads(text), {}
    for module in (benched, told):
        for name, text in vars(module).items():
            if name.isupper() and isinstance(text, str) and "{" in text and not name.startswith("_"):
                yield text, {"first": 50}


def test_what_people_ask_costs_less_than_half_of_what_it_may(whole: Graph) -> None:
    weights = Weights(whole._schema)
    costs = {text: cost(weights, text, variables) for text, variables in examples()}

    assert len(costs) > 25
    assert {text: found for text, found in costs.items() if found > LIMIT / 2} == {}


@pytest.mark.parametrize("first", [30, 100])
def test_pages_in_pages_in_pages_cost_too_much(whole: Graph, first: int) -> None:
    document = """query ($first: Int) { contents(first: $first) { nodes {
      credits(first: $first) { nodes { person { works(first: $first) { nodes { id } } } } } } } }"""

    assert cost(Weights(whole._schema), document, {"first": first}) > LIMIT


def test_objects_by_id_cost_as_many_as_are_asked_for(whole: Graph) -> None:
    weights = Weights(whole._schema)
    by_id = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    entities = "query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }"

    one, ten = (cost(weights, by_id, {"ids": ["x"] * count}) for count in (1, 10))
    assert ten - one == 9
    one, ten = (cost(weights, entities, {"of": [{}] * count}) for count in (1, 10))
    assert ten - one == 9
    assert (
        cost(weights, '{ nodes(ids: ["a", "b"]) { id } }') - cost(weights, '{ nodes(ids: "a") { id } }') == 1
    )


def test_the_smallest_budget_pays_for_the_dearest_operation() -> None:
    assert min(budget.capacity for budget in BUDGETS.values()) >= LIMIT
