"""Schemas that say what they cost, and the costs of documents over them."""

from typing import Any

from graphql import build_schema, parse

from gateway.engine.cost.documents import DocumentCosts, Estimate
from gateway.engine.cost.weights import Weights

DIRECTIVES = """
directive @cost(weight: String!) on
  ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(
  assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],
  requireOneSlicingArgument: Boolean = true
) on FIELD_DEFINITION
"""


def costs(schema: str, document: str) -> DocumentCosts:
    return DocumentCosts(Weights(build_schema(DIRECTIVES + schema)), parse(document))


def estimate(schema: str, document: str, variables: dict[str, Any] | None = None) -> Estimate:
    """Of the one operation, which has no name."""
    return costs(schema, document).of(None).estimate(variables)


def cost(schema: str, document: str, **variables: Any) -> float:
    return estimate(schema, document, variables).cost
