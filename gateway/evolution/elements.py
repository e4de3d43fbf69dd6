"""Changes of types, fields, arguments, values and directives' definitions, as graphql-core finds them."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from graphql import GraphQLSchema, is_required_argument, is_required_input_field
from graphql.language import DirectiveLocation
from graphql.utilities import SchemaChange, find_schema_changes, resolve_schema_coordinate
from graphql.utilities.resolve_schema_coordinate import (
    ResolvedDirectiveArgument,
    ResolvedFieldArgument,
    ResolvedInputField,
)

from gateway.evolution.model import Change, Level

# A definition is of interest to clients where operations may apply it.
EXECUTABLE: Final = frozenset(
    {
        DirectiveLocation.QUERY,
        DirectiveLocation.MUTATION,
        DirectiveLocation.SUBSCRIPTION,
        DirectiveLocation.FIELD,
        DirectiveLocation.FRAGMENT_DEFINITION,
        DirectiveLocation.FRAGMENT_SPREAD,
        DirectiveLocation.INLINE_FRAGMENT,
        DirectiveLocation.VARIABLE_DEFINITION,
    }
)
# What the definitions of federation's own directives are made of, and its list of what it may ask for.
FEDERATION: Final = re.compile(r"\b(?:(?:federation|link)__\w+|_Entity|_Any|_Service|_?FieldSet)\b")

WIDTH: Final = 200
"""Characters of a message; descriptions may be longer."""
NEVER: Final = r"(?!)"

NOTICED_AT: Final[Mapping[str, str]] = {
    "TYPE_REMOVED": r"^(?:Standard scalar )?(\w+) was removed",
    "TYPE_CHANGED_KIND": r"^(\w+) changed from",
    "TYPE_REMOVED_FROM_UNION": r"from union type (\w+)\.",
    "VALUE_REMOVED_FROM_ENUM": r"^Enum value (\w+\.\w+) ",
    "REQUIRED_INPUT_FIELD_ADDED": r"field (\w+)\.\w+ ",
    "IMPLEMENTED_INTERFACE_REMOVED": r"^(\w+) no longer",
    "FIELD_REMOVED": r"^Field (\w+\.\w+) ",
    "FIELD_CHANGED_KIND": r"^Field (\w+\.\w+) ",
    "REQUIRED_ARG_ADDED": r"argument (\w+\.\w+)\(",
    "ARG_REMOVED": r"^Argument (\w+\.\w+\(\w+:\)) ",
    "ARG_CHANGED_KIND": r"^Argument (@?\w+(?:\.\w+)?\(\w+:\)) ",
    "ARG_DEFAULT_VALUE_CHANGE": r"^(@?\w+(?:\.\w+)?\(\w+:\)) ",
    "INPUT_FIELD_DEFAULT_VALUE_CHANGE": r"^(\w+\.\w+) ",
    "DIRECTIVE_REMOVED": r"(@\w+)",
    "DIRECTIVE_ARG_REMOVED": r"(@\w+\(\w+:\)) ",
    "REQUIRED_DIRECTIVE_ARG_ADDED": r"(@\w+)\(",
    "DIRECTIVE_REPEATABLE_REMOVED": r"(@\w+)\.$",
    "DIRECTIVE_LOCATION_REMOVED": r"(@\w+)\.$",
}
"""Where graphql-core's sentence names the element whose users notice the change: who calls a field notices a
new required argument of it.
"""


def element_changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    for found in find_schema_changes(old, new):
        change = _change(found, new)
        if not _is_internal(found.description, old, new):
            yield change
        elif not FEDERATION.search(_subject(found.description)):
            yield Change(Level.SAFE, change.message)


def noticed(found: SchemaChange) -> str | None:
    """The coordinate whose users notice the change; none where everybody does, or nobody has to."""
    place = re.search(NOTICED_AT.get(found.type.name, NEVER), found.description)
    # Routers ask for `Query._entities`, and are in nobody's count of clients.
    return place[1] if place and "._" not in place[1] else None


def _change(found: SchemaChange, new: GraphQLSchema) -> Change:
    noticed_at = noticed(found)
    message = _short(" ".join(found.description.split()))
    if found.type.name.endswith("DEFAULT_VALUE_CHANGE") and noticed_at and _is_required(noticed_at, new):
        return Change(Level.BREAKING, f"{message.rstrip('.')}, and it is required now.", noticed_at)
    return Change(Level[type(found).__name__.removesuffix("Change").upper()], message, noticed_at)


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[:WIDTH]} …"


def _is_required(coordinate: str, schema: GraphQLSchema) -> bool:
    match resolve_schema_coordinate(schema, coordinate):
        case ResolvedInputField(input_field=field):
            return is_required_input_field(field)
        case ResolvedFieldArgument(field_argument=argument):
            return is_required_argument(argument)
        case ResolvedDirectiveArgument(directive_argument=argument):
            return is_required_argument(argument)
    return False


def _is_internal(description: str, old: GraphQLSchema, new: GraphQLSchema) -> bool:
    """Whether it concerns only what routers and tools read, such as the definition of `@key`."""
    subject = _subject(description)
    if FEDERATION.search(subject):
        return True
    named = re.search(r"@(\w+)", subject)
    known = [schema.get_directive(named[1]) for schema in (old, new)] if named else []
    defined = [directive for directive in known if directive is not None]
    return bool(defined) and not any(EXECUTABLE & set(directive.locations) for directive in defined)


def _subject(description: str) -> str:
    """The sentence without the new text of a description."""
    return description.partition(" has changed to ")[0]
