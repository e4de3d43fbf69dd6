"""What clients use of a schema, from a file: coordinates that were counted, or the documents clients send.

The file is JSON: `{"coordinates": {"Movie.title": 12, …}}`, or a list of GraphQL documents, each as text or
as an object that has it under `document`, `query` or `body`. JSON Lines may mix both, one a line.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse
from graphql.language.parser import parse_schema_coordinate

from gateway.evolution.reach import Reach
from gateway.evolution.source import Unreadable, text_of

DOCUMENT_KEYS: Final = ("document", "query", "body")
EXPECTED: Final = (
    'expected {"coordinates": {"Type.field": count}} or a list of documents; see '
    "media-gateway schema check --help"
)


@dataclass
class Usage:
    """As read, before any schema tells what the names mean."""

    counts: dict[str, int] = field(default_factory=dict)
    """How often each coordinate was used."""
    documents: list[DocumentNode] = field(default_factory=list)

    def coordinates(self, schema: GraphQLSchema) -> frozenset[str]:
        """Everything in `schema` that is used, directly or because something used shows or takes it.

        What the schema has not is passed over.
        """
        reach = Reach(schema)
        for document in self.documents:
            reach.add_document(document)
        reach.add_coordinates(name for name, count in self.counts.items() if count)
        return frozenset(reach.found)


def read_usage(path: Path) -> Usage:
    """Raises `Unreadable`."""
    text = text_of(path)
    found = Usage()
    try:
        entries = _entries(text)
        for entry in entries:
            _add(found, entry)
    except (ValueError, GraphQLError) as error:
        raise Unreadable(f"{path} is no usage file: {error}") from error
    return found


def _entries(text: str) -> list[Any]:
    """The file's value, or one a line."""
    try:
        return [orjson.loads(text)]
    except orjson.JSONDecodeError:
        return [orjson.loads(line) for line in text.splitlines() if line.strip()]


def _add(found: Usage, entry: Any) -> None:
    match entry:
        case list():
            for each in entry:
                _add(found, each)
        case str():
            found.documents.append(parse(entry))
        case {"coordinates": dict() as counts}:
            for name, count in counts.items():
                _add_count(found, name, count)
        case dict() if key := next((key for key in DOCUMENT_KEYS if isinstance(entry.get(key), str)), None):
            found.documents.append(parse(entry[key]))
        case _:
            raise ValueError(EXPECTED)


def _add_count(found: Usage, name: str, count: Any) -> None:
    parse_schema_coordinate(name)
    if not isinstance(count, int) or count < 0:
        raise ValueError(f"the count of {name} is {count!r}, and must be a whole number")
    found.counts[name] = found.counts.get(name, 0) + count
