"""The schema as text that stands on its own: tools that know nothing of federation read it as well."""

from collections.abc import Iterator
from typing import Any, Final

from graphql import (
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    Visitor,
    parse,
    specified_directives,
    visit,
)

from schema.graph import Graph

LINK: Final = """directive @link(
  url: String!, as: String, for: link__Purpose, import: [link__Import]
) repeatable on SCHEMA

scalar link__Import

enum link__Purpose {
  SECURITY
  EXECUTION
}"""

ACCESS: Final = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
ANYWHERE: Final = """OBJECT | INTERFACE | UNION | ENUM | ENUM_VALUE | SCALAR | INPUT_OBJECT
  | FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION"""

DIRECTIVES: Final = {
    "key": """directive @key(
  fields: federation__FieldSet!, resolvable: Boolean = true
) repeatable on OBJECT | INTERFACE""",
    "shareable": "directive @shareable repeatable on OBJECT | FIELD_DEFINITION",
    "external": "directive @external on OBJECT | FIELD_DEFINITION",
    "requires": "directive @requires(fields: federation__FieldSet!) on FIELD_DEFINITION",
    "provides": "directive @provides(fields: federation__FieldSet!) on FIELD_DEFINITION",
    "override": "directive @override(from: String!, label: String) on FIELD_DEFINITION",
    "interfaceObject": "directive @interfaceObject on OBJECT",
    "inaccessible": f"directive @inaccessible on {ANYWHERE}",
    "tag": f"directive @tag(name: String!) repeatable on SCHEMA | {ANYWHERE}",
    "composeDirective": "directive @composeDirective(name: String!) repeatable on SCHEMA",
    "authenticated": f"directive @authenticated on {ACCESS}",
    "requiresScopes": f"directive @requiresScopes(scopes: [[federation__Scope!]!]!) on {ACCESS}",
    "policy": f"directive @policy(policies: [[federation__Policy!]!]!) on {ACCESS}",
    "cost": """directive @cost(
  weight: Int!
) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR""",
    "listSize": """directive @listSize(
  assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],
  requireOneSlicingArgument: Boolean = true
) on FIELD_DEFINITION""",
}
"""As https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives says."""

SCALARS: Final = ("federation__FieldSet", "federation__Scope", "federation__Policy")


class Undefined(Exception):
    """The schema applies a directive whose definition is not known here; the message names it."""


def printed(graph: Graph) -> str:
    """The schema language of `graph`, with the definitions of the federation directives it applies.

    Raises `Undefined`.
    """
    sdl = graph.as_str().rstrip()
    return "\n\n".join([LINK, *_definitions(parse(sdl)), sdl]) + "\n"


def _definitions(document: DocumentNode) -> Iterator[str]:
    """Of the directives that the document applies and does not define."""
    missing = _applied(document) - _defined(document)
    if unknown := missing - DIRECTIVES.keys():
        names = ", ".join(f"@{name}" for name in sorted(unknown))
        raise Undefined(f"{names}: neither the schema defines it, nor DIRECTIVES in schema/printing.py does.")
    definitions = [definition for name, definition in DIRECTIVES.items() if name in missing]
    yield from definitions
    for scalar in SCALARS:
        if any(scalar in definition for definition in definitions):
            yield f"scalar {scalar}"


def _applied(document: DocumentNode) -> set[str]:
    found: set[str] = set()

    class Applied(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            found.add(node.name.value)

    visit(document, Applied())
    return found


def _defined(document: DocumentNode) -> set[str]:
    written = {node.name.value for node in document.definitions if isinstance(node, DirectiveDefinitionNode)}
    return written | {directive.name for directive in specified_directives} | {"link"}
