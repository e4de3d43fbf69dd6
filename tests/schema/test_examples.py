"""Every operation that a newcomer is shown must be one of this graph."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate, validate_schema

from schema.graph import graph
from tests.examples import of_graphiql, of_readme

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graph()._schema


def test_the_printed_schema_stands_on_its_own() -> None:
    """Code generators read it with no word about federation."""
    printed = build_schema((ROOT / "schema.graphql").read_text("utf-8"))

    assert validate_schema(printed) == []
    assert printed.subscription_type is not None


def test_the_tabs_of_graphiql_are_valid(schema: GraphQLSchema) -> None:
    examples = of_graphiql()

    assert len(examples) >= 6
    for example in examples:
        assert validate(schema, parse(example)) == [], example


def test_the_readme_is_valid(schema: GraphQLSchema) -> None:
    operations = of_readme()

    assert len(operations) >= 3
    for operation in operations:
        assert validate(schema, parse(operation)) == [], operation
