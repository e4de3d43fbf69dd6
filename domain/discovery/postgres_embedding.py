"""Which works have their vectors, in PostgreSQL: `content.embedded_as` names the encoder."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from domain.discovery.embedding import Batch, Described
from domain.platform.postgres import Database, Row
from domain.platform.sessions import Session
from domain.platform.vectors import Traits

# Skipped rows are another process's; a row taken here waits for nothing while it is held, and a part that
# refers to it may still be written.
TAKE = """
SELECT id, title, synopsis, keywords, kind, genres, year, original_language, maturity_rating
  FROM content WHERE listed AND embedded_as IS NULL
 ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED"""


class PostgresPending:
    """Fills `Pending`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def take(self, limit: int) -> AsyncIterator[Batch]:
        async with self._database.transaction() as session:
            rows = await session.fetch(TAKE, limit)
            yield _Batch(session, [_described(row) for row in rows])

    async def gone(self, limit: int) -> list[int]:
        rows = await self._database.rows(
            "SELECT id FROM content WHERE embedded_as IS NOT NULL AND NOT listed ORDER BY id LIMIT $1", limit
        )
        return [row[0] for row in rows]

    async def forget(self, ids: Sequence[int]) -> None:
        await self._database.execute(
            "UPDATE content SET embedded_as = NULL WHERE id = ANY($1::bigint[])", list(ids)
        )

    async def forget_others(self, encoder: str) -> None:
        await self._database.execute("UPDATE content SET embedded_as = NULL WHERE embedded_as <> $1", encoder)

    async def listed(self) -> set[int]:
        rows = await self._database.rows("SELECT id FROM content WHERE listed")
        return {row[0] for row in rows}

    async def embedded(self, encoder: str) -> set[int]:
        rows = await self._database.rows("SELECT id FROM content WHERE listed AND embedded_as = $1", encoder)
        return {row[0] for row in rows}


class _Batch:
    def __init__(self, session: Session, works: Sequence[Described]) -> None:
        self._session = session
        self.works = works

    async def done(self, encoder: str) -> None:
        await self._session.execute(
            "UPDATE content SET embedded_as = $1 WHERE id = ANY($2::bigint[])",
            encoder,
            [work.id for work in self.works],
        )


def _described(row: Row) -> Described:
    return Described(
        id=row["id"],
        title=row["title"],
        synopsis=row["synopsis"],
        keywords=tuple(row["keywords"]),
        traits=Traits(
            kind=row["kind"],
            genres=tuple(row["genres"]),
            year=row["year"],
            language=row["original_language"],
            maturity=row["maturity_rating"],
        ),
    )
