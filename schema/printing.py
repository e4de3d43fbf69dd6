"""The schema as text that stands on its own: tools that know nothing of federation read it as well."""

from schema.graph import Graph

LINK = """directive @link(
  url: String!, as: String, for: link__Purpose, import: [link__Import]
) repeatable on SCHEMA

scalar link__Import

enum link__Purpose {
  SECURITY
  EXECUTION
}"""

DIRECTIVES = {
    "@key": """directive @key(
  fields: federation__FieldSet!, resolvable: Boolean = true
) repeatable on OBJECT | INTERFACE

scalar federation__FieldSet""",
    "@cost": """directive @cost(
  weight: Int!
) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR""",
    "@listSize": """directive @listSize(
  assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],
  requireOneSlicingArgument: Boolean = true
) on FIELD_DEFINITION""",
    "@shareable": "directive @shareable repeatable on OBJECT | FIELD_DEFINITION",
}
"""As https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives says."""


def printed(graph: Graph) -> str:
    """The schema language of `graph`, with the definitions of the federation directives it applies."""
    sdl = graph.as_str().rstrip()
    used = [
        definition
        for name, definition in DIRECTIVES.items()
        if (f"{name}(" in sdl or f"{name}\n" in sdl) and f"directive {name}(" not in sdl
    ]
    return "\n\n".join([LINK, *used, sdl]) + "\n"
