"""The state of accounts in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.catalog.restriction import Restriction, placing, sql_of_any
from domain.platform.paging import Cut, Keyset, Page, SortKey
from domain.platform.postgres import Database, Row
from domain.sync.clock import Timestamp
from domain.sync.model import Reaction, Tags, Verdict, WatchlistEntry, WatchProgress
from domain.sync.service import WatchlistOrder

PROGRESS = """p.content_id, p.viewing, p.position_seconds, p.duration_seconds, p.completed, p.hlc,
    p.hlc_device, p.device_id, p.updated_at"""

LATEST_VIEWING = """NOT EXISTS (
    SELECT FROM progress later
     WHERE later.account_id = p.account_id AND later.content_id = p.content_id
       AND later.viewing > p.viewing)"""

ENTRIES = """SELECT content_id, min(added_at) AS added_at,
           (array_agg(added_by ORDER BY added_at, tag))[1] AS device_id,
           array_agg(tag::text ORDER BY added_at, tag) AS tags
      FROM watchlist_tag
     WHERE account_id = $1 AND NOT removed AND added_at IS NOT NULL"""

RECENT = Keyset(
    "recent",
    (
        SortKey("p.updated_at", "timestamptz", descending=True),
        SortKey("p.content_id", "bigint"),
        SortKey("p.viewing", "int", descending=True),
    ),
)
WATCHLIST = {
    WatchlistOrder.NEWEST: Keyset(
        "newest",
        (SortKey("e.added_at", "timestamptz", descending=True), SortKey("e.content_id", "bigint")),
    ),
    WatchlistOrder.OLDEST: Keyset(
        "oldest", (SortKey("e.added_at", "timestamptz"), SortKey("e.content_id", "bigint"))
    ),
}


class PostgresSync:
    """Fills `SyncStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def progress(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, WatchProgress]:
        rows = await self._database.rows(
            f"""SELECT DISTINCT ON (p.content_id) {PROGRESS} FROM progress p
                 WHERE p.account_id = $1 AND p.content_id = ANY($2::bigint[])
                 ORDER BY p.content_id, p.viewing DESC""",
            account_id,
            content_ids,
        )
        return {row[0]: _progress(row) for row in rows}

    async def viewing(self, account_id: str, content_id: int, viewing: int) -> WatchProgress | None:
        row = await self._database.row(
            f"""SELECT {PROGRESS} FROM progress p
                 WHERE p.account_id = $1 AND p.content_id = $2 AND p.viewing = $3""",
            account_id,
            content_id,
            viewing,
        )
        return None if row is None else _progress(row)

    async def viewings(self, account_id: str, content_id: int) -> list[WatchProgress]:
        rows = await self._database.rows(
            f"""SELECT {PROGRESS} FROM progress p
                 WHERE p.account_id = $1 AND p.content_id = $2 ORDER BY p.viewing""",
            account_id,
            content_id,
        )
        return [_progress(row) for row in rows]

    async def save_progress(self, account_id: str, progress: WatchProgress) -> None:
        await self._database.execute(
            """INSERT INTO progress (account_id, content_id, viewing, position_seconds, duration_seconds,
                                     completed, hlc, hlc_device, device_id, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
               ON CONFLICT (account_id, content_id, viewing) DO UPDATE
                  SET (position_seconds, duration_seconds, completed, hlc, hlc_device, device_id, updated_at)
                    = (EXCLUDED.position_seconds, EXCLUDED.duration_seconds, EXCLUDED.completed,
                       EXCLUDED.hlc, EXCLUDED.hlc_device, EXCLUDED.device_id, EXCLUDED.updated_at)""",
            account_id,
            progress.content_id,
            progress.viewing,
            progress.position_seconds,
            progress.duration_seconds,
            progress.completed,
            progress.version.clock,
            progress.version.device,
            progress.device_id,
            progress.updated_at,
        )

    async def in_progress(
        self,
        account_id: str,
        since: datetime,
        from_seconds: int,
        cut: Cut,
        within: Restriction | None = None,
    ) -> Page[WatchProgress]:
        return await self._recent(
            f"NOT p.completed AND p.updated_at >= $2 AND p.position_seconds >= $3 AND {LATEST_VIEWING}",
            [account_id, since, from_seconds],
            cut,
            within,
        )

    async def history(
        self, account_id: str, cut: Cut, within: Restriction | None = None
    ) -> Page[WatchProgress]:
        return await self._recent("TRUE", [account_id], cut, within)

    async def watchlist(
        self, account_id: str, order: WatchlistOrder, cut: Cut, within: Restriction | None = None
    ) -> Page[WatchlistEntry]:
        keyset = WATCHLIST[order]
        arguments: list[Any] = [account_id]
        shown = _shown(within, "content_id", arguments)
        counted = list(arguments)
        beyond, sort = keyset.clauses(cut, arguments)
        rows = await self._database.rows(
            f"""SELECT e.*, {keyset.select()} FROM ({ENTRIES} AND {shown} GROUP BY content_id) e
                 WHERE {beyond} ORDER BY {sort} LIMIT {cut.size + 1}""",
            *arguments,
        )

        async def count() -> int:
            total: int = await self._database.value(
                f"""SELECT count(DISTINCT content_id) FROM watchlist_tag
                     WHERE account_id = $1 AND NOT removed AND added_at IS NOT NULL AND {shown}""",
                *counted,
            )
            return total

        return keyset.page(rows, cut, _entry, count)

    async def entries(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, WatchlistEntry]:
        rows = await self._database.rows(
            f"{ENTRIES} AND content_id = ANY($2::bigint[]) GROUP BY content_id", account_id, content_ids
        )
        return {row[0]: _entry(row) for row in rows}

    async def tags(self, account_id: str, content_id: int) -> Tags:
        rows = await self._database.rows(
            """SELECT tag, added_at IS NOT NULL, removed FROM watchlist_tag
                WHERE account_id = $1 AND content_id = $2""",
            account_id,
            content_id,
        )
        return Tags(
            added=frozenset(tag for tag, added, _ in rows if added),
            removed=frozenset(tag for tag, _, removed in rows if removed),
        )

    async def add_tag(
        self, account_id: str, content_id: int, tag: str, version: Timestamp, at: datetime
    ) -> None:
        await self._database.execute(
            """INSERT INTO watchlist_tag (account_id, tag, content_id, added_at, added_hlc, added_by)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (account_id, tag) DO UPDATE
                  SET (added_at, added_hlc, added_by) = (EXCLUDED.added_at, EXCLUDED.added_hlc,
                                                         EXCLUDED.added_by)
                WHERE watchlist_tag.added_at IS NULL AND watchlist_tag.content_id = EXCLUDED.content_id""",
            account_id,
            tag,
            content_id,
            at,
            version.clock,
            version.device,
        )

    async def remove_tags(self, account_id: str, content_id: int, tags: Sequence[str]) -> None:
        """Also tags that never arrived: their addition must find them removed. Other titles' tags stay."""
        await self._database.execute(
            """INSERT INTO watchlist_tag (account_id, tag, content_id, removed)
               SELECT $1, tag, $2, true FROM unnest($3::uuid[]) AS tag
               ON CONFLICT (account_id, tag) DO UPDATE SET removed = true
                WHERE watchlist_tag.content_id = EXCLUDED.content_id""",
            account_id,
            content_id,
            tags,
        )

    async def reactions(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, Reaction]:
        rows = await self._database.rows(
            """SELECT content_id, verdict, stars, hlc, hlc_device, updated_at FROM reaction
                WHERE account_id = $1 AND content_id = ANY($2::bigint[])""",
            account_id,
            content_ids,
        )
        return {row[0]: _reaction(row) for row in rows}

    async def save_reaction(self, account_id: str, reaction: Reaction) -> None:
        await self._database.execute(
            """INSERT INTO reaction (account_id, content_id, verdict, stars, hlc, hlc_device, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (account_id, content_id) DO UPDATE
                  SET (verdict, stars, hlc, hlc_device, updated_at)
                    = (EXCLUDED.verdict, EXCLUDED.stars, EXCLUDED.hlc, EXCLUDED.hlc_device,
                       EXCLUDED.updated_at)""",
            account_id,
            reaction.content_id,
            reaction.verdict,
            reaction.stars,
            reaction.version.clock,
            reaction.version.device,
            reaction.updated_at,
        )

    async def _recent(
        self, condition: str, arguments: list[Any], cut: Cut, within: Restriction | None
    ) -> Page[WatchProgress]:
        where = f"{condition} AND {_shown(within, 'p.content_id', arguments)}"
        counted = list(arguments)
        beyond, sort = RECENT.clauses(cut, arguments)
        rows = await self._database.rows(
            f"""SELECT {PROGRESS}, {RECENT.select()} FROM progress p
                 WHERE p.account_id = $1 AND {where} AND {beyond} ORDER BY {sort} LIMIT {cut.size + 1}""",
            *arguments,
        )

        async def count() -> int:
            total: int = await self._database.value(
                f"SELECT count(*) FROM progress p WHERE p.account_id = $1 AND {where}", *counted
            )
            return total

        return RECENT.page(rows, cut, _progress, count)


def _shown(within: Restriction | None, content_id: str, arguments: list[Any]) -> str:
    return "TRUE" if within is None else sql_of_any(within, content_id, placing(arguments))


def _progress(row: Row) -> WatchProgress:
    return WatchProgress(
        content_id=row[0],
        viewing=row[1],
        position_seconds=row[2],
        duration_seconds=row[3],
        completed=row[4],
        version=Timestamp(row[5], row[6]),
        device_id=row[7],
        updated_at=row[8],
    )


def _entry(row: Row) -> WatchlistEntry:
    return WatchlistEntry(row["content_id"], row["added_at"], row["device_id"], tuple(row["tags"]))


def _reaction(row: Row) -> Reaction:
    verdict = None if row[1] is None else Verdict(row[1])
    return Reaction(row[0], verdict, row[2], Timestamp(row[3], row[4]), row[5])
