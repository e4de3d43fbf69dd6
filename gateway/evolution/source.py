"""Schemas as text: read once, kept with the directives that the built schema forgets."""

from dataclasses import dataclass
from pathlib import Path

from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_ast_schema, parse


class Unreadable(Exception):
    """A file is missing, or is not what it should be; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """A schema and the document it was built from."""

    schema: GraphQLSchema
    document: DocumentNode


def source(sdl: str, name: str) -> Source:
    """The schema in `sdl`; raises `Unreadable`, which calls it `name`.

    Directives may be applied that are defined nowhere, as a federation router is given them.
    """
    try:
        document = parse(sdl)
        schema = build_ast_schema(document, assume_valid_sdl=True)
    except GraphQLError as error:
        place = f" (line {error.locations[0].line})" if error.locations else ""
        raise Unreadable(f"{name} is no GraphQL schema: {error.message}{place}") from error
    except TypeError as error:
        raise Unreadable(f"{name} is no whole GraphQL schema: {error}") from error
    if schema.query_type is None:
        raise Unreadable(f"{name} is no GraphQL schema: it has no type Query.")
    return Source(schema, document)


def text_of(path: Path) -> str:
    """The text of a file; raises `Unreadable`."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path} is not UTF-8 text.") from error
