"""Published documents in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.platform.postgres import Database, columns
from gateway.documents.manifests import ClientDocument
from gateway.engine.trusted import TrustedDocument


@dataclass(frozen=True, slots=True)
class Listed:
    """A published document and its use."""

    id: str
    hash: str
    operation_name: str | None
    clients: list[str]
    first_published_at: datetime
    last_published_at: datetime
    last_used_at: datetime | None
    uses: int


class PostgresDocuments:
    """All published documents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[TrustedDocument]:
        rows = await self._database.rows("SELECT id, hash, text FROM trusted_document ORDER BY id")
        return [TrustedDocument(row[0], row[1], row[2]) for row in rows]

    async def fingerprint(self) -> str:
        """Another one whenever `all` would answer something else."""
        value = await self._database.value(
            "SELECT concat(count(*), ':', sum(hashtextextended(id || ':' || hash, 0))) FROM trusted_document"
        )
        return str(value)

    async def hashes(self, ids: Sequence[str]) -> dict[str, str]:
        """The hash of the text of each of these that is published."""
        rows = await self._database.rows(
            "SELECT id, hash FROM trusted_document WHERE id = ANY($1::text[])", list(ids)
        )
        return {row[0]: row[1] for row in rows}

    async def publish(self, documents: Sequence[ClientDocument], client: str | None) -> int:
        """Adds those that are new, and notes that the others are still wanted; answers how many are new.

        All or none. One whose id has another text by now is left as it is.
        """
        ids, hashes, texts, names = columns(
            [
                (document.id, document.hash, document.text, document.operation_name)
                for document in sorted(documents, key=lambda document: document.id)
            ],
            4,
        )
        rows = await self._database.rows(
            """INSERT INTO trusted_document AS held (id, hash, text, operation_name, clients)
               SELECT id, hash, text, name, CASE WHEN $5::text IS NULL THEN '{}' ELSE ARRAY[$5::text] END
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS given (id, hash, text, name)
               ON CONFLICT (id) DO UPDATE
                  SET last_published_at = now(),
                      clients = CASE WHEN excluded.clients <@ held.clients THEN held.clients
                                     ELSE held.clients || excluded.clients END
                WHERE held.hash = excluded.hash
               RETURNING xmax = 0""",
            ids,
            hashes,
            texts,
            names,
            client,
        )
        return sum(row[0] for row in rows)

    async def listed(self) -> list[Listed]:
        """Every document, those used last first."""
        rows = await self._database.rows(
            """SELECT id, d.hash, d.operation_name, clients, first_published_at, last_published_at,
                      max(last_used_at), coalesce(sum(uses), 0)::bigint
                 FROM trusted_document d LEFT JOIN operation_usage u USING (hash)
                GROUP BY d.id
                ORDER BY max(last_used_at) DESC NULLS LAST, d.operation_name, d.id"""
        )
        return [Listed(*row) for row in rows]

    async def unused_since(self, moment: datetime) -> list[Listed]:
        """Those that neither ran nor were published since."""
        return [
            document
            for document in await self.listed()
            if max(document.last_used_at or document.last_published_at, document.last_published_at) < moment
        ]

    async def remove(self, ids: Sequence[str]) -> None:
        await self._database.execute("DELETE FROM trusted_document WHERE id = ANY($1::text[])", list(ids))
