"""The record of the catalogue's changes in PostgreSQL, written by triggers."""

from domain.catalog.changes import RECORD_KEPT_SECONDS, Changes
from domain.platform.postgres import Database

# A transaction is told once, as soon as it can be seen: it is visible now and was not at the last look.
# Numbers in the order of writing would miss what commits late, and a lock against that would hold up imports.
NEWS = """
WITH now AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot)
SELECT now.snapshot::text, c.everything, c.content_ids, c.person_ids
  FROM now LEFT JOIN catalog_change c
    ON c.xid >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
   AND NOT pg_visible_in_snapshot(c.xid::text::xid8, $1::text::pg_snapshot)"""

FORGET = "DELETE FROM catalog_change WHERE at < now() - make_interval(secs => $1) RETURNING 1"


class PostgresChangeRecord:
    """Fills `ChangeRecord`, for one reader; it begins with what is committed after the first call, or where
    another reader was, by what that had `seen`.
    """

    def __init__(self, database: Database, seen: str | None = None) -> None:
        self._database = database
        self.seen = seen

    async def news(self) -> Changes:
        rows = await self._database.rows(NEWS, self.seen)
        before, self.seen = self.seen, rows[0]["snapshot"]
        told = [row for row in rows if row["everything"] is not None]
        return Changes(
            content_ids=frozenset(key for row in told for key in row["content_ids"]),
            person_ids=frozenset(key for row in told for key in row["person_ids"]),
            everything=_went_back(before, self.seen) or any(row["everything"] for row in told),
        )

    async def forget(self) -> int:
        """Drops what every reader has seen long ago; how many entries that were."""
        return len(await self._database.rows(FORGET, RECORD_KEPT_SECONDS))


def _went_back(before: str | None, after: str) -> bool:
    """Whether the database is another one, such as a copy that was put in its place."""
    return before is not None and _end(after) < _end(before)


def _end(snapshot: str) -> int:
    """The first transaction that a snapshot, `xmin:xmax:running`, knows nothing of."""
    return int(snapshot.split(":")[1])
