"""From what a client sent to an operation that may run: the one path for every way in."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple

from domain.platform.errors import BadInput, GatewayError
from gateway.engine.documents import Rejected, document_hash
from gateway.engine.execution import Engine, Operation
from gateway.engine.kept import Kept
from gateway.engine.persisted import (
    PersistedQueryMismatch,
    PersistedQueryNotFound,
    PersistedQueryNotSupported,
    QueryStore,
    is_sha256,
    persisted_hash,
)
from gateway.engine.requests import OperationRequest
from gateway.engine.trusted import (
    DocumentNotFound,
    DocumentNotTrusted,
    DocumentsMode,
    TrustedDocument,
    TrustedDocuments,
)

MAX_REPEATED_BYTES: Final = 16 << 10
"""Of a body that is remembered."""
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
"""Values that nobody can write on."""
_PUBLISH = "publish it with `media-gateway documents publish FILE`"


class Named(StrEnum):
    """By what a request named its document."""

    ID = "id"
    HASH = "hash"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Found:
    """The document of a request."""

    text: str
    by: Named
    trusted: bool = False
    register: str | None = None
    """The hash under which to keep the text, once it is known to be good."""


Count = Callable[[Operation, Named, bool], None]
"""Hears of each operation that may run, by what its document was named, and whether it is published."""


class Repeat(NamedTuple):
    """What a body asked for."""

    operation: Operation
    size: int
    """Bytes of the body."""


@dataclass(frozen=True)
class Intake:
    """Finds, checks and prepares the document that a request names."""

    engine: Engine
    mode: DocumentsMode = DocumentsMode.OFF
    trusted: TrustedDocuments | None = None
    automatic: QueryStore | None = None
    """Where automatic persisted queries are kept; None where they are off."""
    count: Count = lambda _operation, _named, _trusted: None
    _repeats: Kept[bytes, Repeat] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        limits = self.engine.limits
        repeats = Kept[bytes, Repeat](
            limits.cached_documents, limits.cached_document_characters, lambda repeat: repeat.size
        )
        object.__setattr__(self, "_repeats", repeats)

    def again(self, body: bytes) -> Operation | None:
        """The operation that the same body came to before, and always does; counted as one more."""
        found = self._repeats.get(body)
        if found is None:
            return None
        self.count(found.operation, Named.TEXT, False)
        return found.operation

    def remember(self, body: bytes, request: OperationRequest, operation: Operation) -> None:
        """Keeps what `body` came to for `again`, unless that depends on more than the body itself."""
        if (
            self._is_plain(request)
            and not self.engine.limits.warn_only  # what is let pass is noted each time
            and len(body) <= MAX_REPEATED_BYTES
            and all(type(value) in _SCALARS for value in (operation.variables or {}).values())
        ):
            self._repeats.put(body, Repeat(operation, len(body)))

    def _is_plain(self, request: OperationRequest) -> bool:
        """Whether nothing but the text says which document is asked for."""
        return self.mode is DocumentsMode.OFF and request.extensions is None and request.document_id is None

    async def operation(self, request: OperationRequest) -> Operation:
        """The operation that the request asks for; raises Rejected with the errors to answer."""
        if self._is_plain(request):
            operation = self.engine.prepare(request)
            self.count(operation, Named.TEXT, False)
            return operation
        try:
            found = await self._found(request)
        except GatewayError as error:
            raise Rejected([self.engine.errors.of_exception(error)]) from None
        spared = found.trusted and self.mode is not DocumentsMode.LOG
        if request.query != found.text:
            request = replace(request, query=found.text)
        operation = self.engine.prepare(request, trusted=spared)
        if found.register is not None and self.automatic is not None:
            await self.automatic.put(found.register, found.text)
        self.count(operation, found.by, found.trusted)
        return operation

    def knows(self, document_id: str) -> bool:
        """Whether a document was published under this id."""
        return self._published(document_id) is not None

    async def _found(self, request: OperationRequest) -> Found:
        if request.document_id is not None:
            return self._by_id(request.document_id)
        query_hash = persisted_hash(request)
        if query_hash is not None:
            return await self._by_hash(query_hash, request.query)
        return self._by_text(request.query)

    def _by_id(self, document_id: str) -> Found:
        if self.mode is DocumentsMode.OFF:
            raise BadInput("This server knows no documents by id: send the text, as `query`.")
        document = self._published(document_id)
        if document is None:
            raise DocumentNotFound(f"No document has the id {document_id[:80]}: {_PUBLISH}.")
        return Found(document.text, Named.ID, trusted=True)

    async def _by_hash(self, query_hash: str, text: str) -> Found:
        document = self._published(query_hash)
        if document is not None and text in {"", document.text}:
            return Found(document.text, Named.HASH, trusted=True)
        if text and document_hash(text) != query_hash:
            raise PersistedQueryMismatch(
                "provided sha does not match query: hash the text exactly as it is sent, in UTF-8."
            )
        if self.mode is DocumentsMode.ONLY:
            if text:
                raise _not_trusted(query_hash)
            raise PersistedQueryNotFound("PersistedQueryNotFound")
        if text:
            return Found(text, Named.TEXT, register=query_hash)
        if self.automatic is None:
            raise PersistedQueryNotSupported("PersistedQueryNotSupported")
        kept = await self.automatic.get(query_hash) if is_sha256(query_hash) else None
        if kept is None:
            raise PersistedQueryNotFound("PersistedQueryNotFound")
        return Found(kept, Named.HASH)

    def _by_text(self, text: str) -> Found:
        if self.mode is DocumentsMode.OFF:
            return Found(text, Named.TEXT)
        text_hash = document_hash(text)
        trusted = self._hashed(text_hash) is not None
        if self.mode is DocumentsMode.ONLY and not trusted:
            raise _not_trusted(text_hash)
        return Found(text, Named.TEXT, trusted)

    def _published(self, document_id: str) -> TrustedDocument | None:
        if self.trusted is None or self.mode is DocumentsMode.OFF:
            return None
        return self.trusted.named(document_id)

    def _hashed(self, text_hash: str) -> TrustedDocument | None:
        if self.trusted is None or self.mode is DocumentsMode.OFF:
            return None
        return self.trusted.hashed(text_hash)


def _not_trusted(text_hash: str) -> DocumentNotTrusted:
    return DocumentNotTrusted(
        f"Only published documents run here, and the one with the hash {text_hash} is not: {_PUBLISH}, "
        "then send its id as `documentId`.",
        sha256Hash=text_hash,
    )
