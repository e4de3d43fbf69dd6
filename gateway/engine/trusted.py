"""Documents that were published before clients send them, and what publishing is worth.

GatewayError
├── DocumentNotFound     no document has this id
└── DocumentNotTrusted   only published documents run here
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.platform.errors import ErrorCode, GatewayError


class DocumentNotFound(GatewayError):
    code = ErrorCode.PERSISTED_QUERY_NOT_FOUND


class DocumentNotTrusted(GatewayError):
    code = ErrorCode.DOCUMENT_NOT_TRUSTED


class DocumentsMode(StrEnum):
    """What publishing documents means."""

    OFF = "off"
    """Nothing: a request names its document by its text, or by the hash of an automatic persisted query."""
    LOG = "log"
    """Published documents run by their id. Any other runs as well, and is logged and counted by its name and
    hash: what would be refused in `only` can be known before.
    """
    PREFER = "prefer"
    """As `log`, and being published is of use: such documents were held to the limits on documents when they
    were published and are not again, and no other document displaces them from memory.
    """
    ONLY = "only"
    """Published documents run, by id or by a text that is exactly one of theirs. Any other is refused,
    introspection as well.
    """


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A published document."""

    id: str
    """As the client's build wrote it: most often a hash, of whatever kind."""
    hash: str
    """SHA-256 of the text, in hexadecimal."""
    text: str


class TrustedDocuments:
    """All that are published, in memory."""

    def __init__(self, documents: Iterable[TrustedDocument] = ()) -> None:
        self.replace(documents)

    def __len__(self) -> int:
        return len(self._by_id)

    def replace(self, documents: Iterable[TrustedDocument]) -> None:
        """From now on these and no others."""
        by_id = {document.id: document for document in documents}
        self._by_id = by_id
        self._by_hash = {document.hash: document for document in by_id.values()}

    def named(self, document_id: str) -> TrustedDocument | None:
        """By the id it was published under, or by its hash with the prefix of
        https://graphql.github.io/graphql-over-http/draft/#sec-SHA256-Hex-Document-Identifier.
        """
        found = self._by_id.get(document_id)
        return found or self._by_hash.get(document_id.removeprefix("sha256:"))

    def hashed(self, text_hash: str) -> TrustedDocument | None:
        return self._by_hash.get(text_hash)
