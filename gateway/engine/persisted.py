"""Automatic persisted queries: a client sends a hash, and the text only when we do not know it.

The protocol is Apollo's (https://www.apollographql.com/docs/apollo-server/performance/apq), and so are the
messages: some clients go by them.

GatewayError
├── PersistedQueryNotFound      send the text along with its hash
├── PersistedQueryNotSupported  send texts only
└── PersistedQueryMismatch      hash and text do not belong together
"""

import re
from typing import Final, Protocol

from domain.platform.errors import BadInput, ErrorCode, GatewayError
from gateway.engine.documents import document_hash
from gateway.engine.kept import Kept
from gateway.engine.requests import OperationRequest

_KEY: Final = "persistedQuery"
_SHA256: Final = re.compile("[0-9a-f]{64}")
_MAX_HASH_CHARACTERS: Final = 200


class PersistedQueryNotFound(GatewayError):
    code = ErrorCode.PERSISTED_QUERY_NOT_FOUND


class PersistedQueryNotSupported(GatewayError):
    code = ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED


class PersistedQueryMismatch(GatewayError):
    code = ErrorCode.PERSISTED_QUERY_MISMATCH


class QueryStore(Protocol):
    """Texts by their hash. It may forget any of them at any time, as clients send them again."""

    async def get(self, query_hash: str) -> str | None:
        """The text; nothing where it is not known, or the store is away."""
        ...

    async def put(self, query_hash: str, text: str) -> None: ...


class LocalQueries:
    """Fills `QueryStore` for one process, with so many bytes of text."""

    def __init__(self, most_bytes: int) -> None:
        self._kept = Kept[str, str](
            most_bytes, most_bytes, lambda text: len(text.encode(errors="surrogatepass"))
        )

    async def get(self, query_hash: str) -> str | None:
        return self._kept.get(query_hash)

    async def put(self, query_hash: str, text: str) -> None:
        self._kept.put(query_hash, text)


class Layered:
    """Fills `QueryStore`: what is near is asked first, and learns what only the far one knew."""

    def __init__(self, near: QueryStore, far: QueryStore) -> None:
        self._near = near
        self._far = far

    async def get(self, query_hash: str) -> str | None:
        text = await self._near.get(query_hash)
        if text is None:
            text = await self._far.get(query_hash)
            # Others write there as well.
            if text is None or document_hash(text) != query_hash:
                return None
            await self._near.put(query_hash, text)
        return text

    async def put(self, query_hash: str, text: str) -> None:
        await self._near.put(query_hash, text)
        await self._far.put(query_hash, text)


def persisted_hash(request: OperationRequest) -> str | None:
    """The hash by which the request names its document; raises BadInput for what cannot be one.

    Clients of published documents send their ids here, which need not be hashes of this kind.
    """
    extension = (request.extensions or {}).get(_KEY)
    if extension is None:
        return None
    if not isinstance(extension, dict) or extension.get("version") != 1:
        raise BadInput('`extensions.persistedQuery` must be {"version": 1, "sha256Hash": "…"}.')
    query_hash = extension.get("sha256Hash")
    if not isinstance(query_hash, str) or not 0 < len(query_hash) <= _MAX_HASH_CHARACTERS:
        raise BadInput("`extensions.persistedQuery.sha256Hash` must be a text of up to 200 characters.")
    return query_hash


def is_sha256(query_hash: str) -> bool:
    """Whether this may be the hash of a text, in lower-case hexadecimal digits."""
    return _SHA256.fullmatch(query_hash) is not None
