"""What the Python client and the simulated device ask, held against the schema as it is printed."""

from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

import media_gateway_client.gateway
import media_gateway_client.replica
from gateway.cli import simulated

SCHEMA = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text("utf-8"), assume_valid=True)
STARTS = ("query", "mutation", "subscription")
DOCUMENTS = {
    f"{module.__name__}.{name}": value
    for module in (media_gateway_client.gateway, simulated)
    for name, value in vars(module).items()
    if isinstance(value, str) and value.lstrip().startswith(STARTS)
}


def test_the_documents_are_found() -> None:
    assert len(DOCUMENTS) >= 9


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_graph_has_what_a_client_asks(name: str) -> None:
    assert validate(SCHEMA, parse(DOCUMENTS[name])) == []


def test_the_client_tells_every_kind_of_change_apart() -> None:
    """A change that the client had not heard of would be passed over in silence."""
    union: Any = SCHEMA.type_map["Change"]
    operation: Any = parse(media_gateway_client.gateway.CHANGES).definitions[0]
    (changes,) = operation.selection_set.selections
    asked = {
        selection.type_condition.name.value
        for selection in changes.selection_set.selections
        if selection.kind == "inline_fragment"
    }

    assert asked == {type_.name for type_ in union.types}
