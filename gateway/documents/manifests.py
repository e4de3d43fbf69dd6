"""The files that clients' builds write their documents into."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from gateway.engine.documents import document_hash

_APOLLO: Final = "apollo-persisted-query-manifest"
# https://graphql.github.io/graphql-over-http/draft/#sec-Document-identifier-syntax, and bounded.
_ID: Final = re.compile(r"(?:sha256:|x-[\w.~-]{1,60}:)?[\w.~-]{1,128}", re.ASCII)
_SHA256: Final = re.compile("(?:sha256:)?([0-9a-f]{64})")
_NAME: Final = re.compile(r"\b(?:query|mutation|subscription)\s+([_A-Za-z]\w*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClientDocument:
    """A document as a client's build names it."""

    id: str
    text: str
    operation_name: str | None
    place: str
    """Where it was read, for whoever has to mend it."""

    @property
    def hash(self) -> str:
        return document_hash(self.text)


class ManifestError(Exception):
    """A file is none that documents can be read from; the message says which, and why."""


def read_documents(path: Path) -> list[ClientDocument]:
    """The documents in a file: Apollo's manifest, Relay's persisted queries, or one plain document."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ManifestError(f"{path}: this is no text in UTF-8.") from None
    if path.suffix in {".graphql", ".gql"}:
        return [ClientDocument(document_hash(text), text, _operation_name(text), str(path))]
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ManifestError(f"{path}: this is neither .graphql nor JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ManifestError(f"{path}: a manifest is a JSON object.")
    return list(_of_apollo(value, path) if value.get("format") == _APOLLO else _of_relay(value, path))


def id_problem(document: ClientDocument) -> str | None:
    """What is wrong with a document's id; None where nothing is."""
    if not _ID.fullmatch(document.id):
        return "the id may have up to 128 letters, digits and - . _ ~, after sha256: or x-…:"
    hashed = _SHA256.fullmatch(document.id)
    if hashed and hashed[1] != document.hash:
        return f"the id looks like the text's SHA-256, but that is {document.hash}"
    return None


def _of_apollo(manifest: Mapping[str, Any], path: Path) -> Iterator[ClientDocument]:
    """https://www.apollographql.com/docs/graphos/platform/security/persisted-queries#manifest-format"""
    if manifest.get("version") != 1:
        raise ManifestError(f"{path}: only version 1 of Apollo's manifest is known.")
    operations = manifest.get("operations")
    if not isinstance(operations, list):
        raise ManifestError(f'{path}: the manifest has no list "operations".')
    for number, operation in enumerate(operations, 1):
        place = f"{path}, operation {number}"
        if not isinstance(operation, dict):
            raise ManifestError(f"{place}: an operation is a JSON object.")
        document_id, text, name = (operation.get(key) for key in ("id", "body", "name"))
        if not isinstance(document_id, str) or not isinstance(text, str):
            raise ManifestError(f'{place}: "id" and "body" are texts.')
        yield ClientDocument(
            document_id, text, name if isinstance(name, str) else _operation_name(text), place
        )


def _of_relay(persisted: Mapping[str, Any], path: Path) -> Iterator[ClientDocument]:
    """https://relay.dev/docs/guides/persisted-queries/"""
    for document_id, text in persisted.items():
        if not isinstance(text, str):
            raise ManifestError(
                f'{path}: this is neither Apollo\'s manifest ("format": "{_APOLLO}") '
                f'nor Relay\'s ({{"id": "text"}}): {document_id[:80]} has no text.'
            )
        yield ClientDocument(document_id, text, _operation_name(text), f"{path}, {document_id}")


def _operation_name(text: str) -> str | None:
    """Of the first operation; only for people to read."""
    found = _NAME.search(text)
    return found[1] if found else None
