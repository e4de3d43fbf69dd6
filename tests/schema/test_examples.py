"""Every operation that a newcomer is shown must be one of this graph."""

import json
import re
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate, validate_schema

from schema.graph import graph

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graph()._schema


def _examples() -> list[str]:
    """The template strings of GraphiQL's tabs."""
    source = (ROOT / "web" / "graphiql" / "src" / "examples.ts").read_text()
    return [text for text in re.findall(r"= `(.*?)`", source, re.DOTALL) if "{" in text]


def _of_readme() -> list[str]:
    """The operations in its commands."""
    readme = (ROOT / "README.md").read_text()
    return [json.loads(text) for text in re.findall(r'"query": ("(?:[^"\\]|\\.)*")', readme)]


def test_the_printed_schema_stands_on_its_own() -> None:
    """Code generators read it with no word about federation."""
    printed = build_schema((ROOT / "schema.graphql").read_text("utf-8"))

    assert validate_schema(printed) == []
    assert printed.subscription_type is not None


def test_the_tabs_of_graphiql_are_valid(schema: GraphQLSchema) -> None:
    examples = _examples()

    assert len(examples) >= 6
    for example in examples:
        assert validate(schema, parse(example)) == [], example


def test_the_readme_is_valid(schema: GraphQLSchema) -> None:
    operations = _of_readme()

    assert len(operations) >= 3
    for operation in operations:
        assert validate(schema, parse(operation)) == [], operation
