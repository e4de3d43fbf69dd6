"""The state of accounts in PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.catalog.restriction import Restriction
from domain.platform.paging import Cut, Keyset, Page, SortKey
from domain.platform.postgres import Row
from domain.sync.clock import Timestamp
from domain.sync.model import (
    Conflict,
    ConflictKind,
    ContendingWrite,
    Marks,
    Reaction,
    WatchlistEntry,
    WatchProgress,
)
from domain.sync.postgres_continuing import PostgresContinuing, shown_within
from domain.sync.postgres_ledger import (
    MARK,
    PROGRESS,
    REACTION,
    to_marks,
    to_progress,
    to_reaction,
    to_version,
)
from domain.sync.service import WatchlistOrder

ENTRIES = """SELECT t.content_id, min(t.added_at) AS added_at,
           (array_agg(t.added_by ORDER BY t.added_at, t.tag))[1] AS device_id,
           array_agg(t.tag::text ORDER BY t.added_at, t.tag) AS tags,
           coalesce(min(m.value ->> 'is') FILTER (WHERE m.hlc >= t.oldest_hlc), min(t.oldest_place))
               COLLATE "C" AS place,
           max(t.newest_hlc) AS added_hlc, max(t.newest_by) AS added_by,
           max(m.hlc) FILTER (WHERE m.hlc >= t.oldest_hlc) AS moved_hlc,
           max(m.hlc_device) FILTER (WHERE m.hlc >= t.oldest_hlc) AS moved_by
      FROM (SELECT *, min(added_hlc) OVER titles AS oldest_hlc,
                   first_value(place) OVER titles AS oldest_place,
                   last_value(added_hlc) OVER titles AS newest_hlc,
                   last_value(added_by) OVER titles AS newest_by
              FROM watchlist_tag
             WHERE account_id = $1 AND NOT removed AND added_at IS NOT NULL
            WINDOW titles AS (PARTITION BY content_id ORDER BY added_hlc, added_by COLLATE "C"
                              ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) t
      LEFT JOIN title_mark m
        ON m.account_id = t.account_id AND m.content_id = t.content_id AND m.kind = 'place'"""

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
    WatchlistOrder.MANUAL: Keyset("manual", (SortKey("e.place", "text"), SortKey("e.content_id", "bigint"))),
}
CONFLICTS = Keyset("conflicts", (SortKey("sc.id", "bigint", descending=True),))


class PostgresSync(PostgresContinuing):
    """Fills `SyncStore`."""

    async def progress(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, WatchProgress]:
        rows = await self._database.rows(
            f"""SELECT DISTINCT ON (p.content_id) {PROGRESS} FROM progress p
                 WHERE p.account_id = $1 AND p.content_id = ANY($2::bigint[])
                 ORDER BY p.content_id, p.viewing DESC""",
            account_id,
            content_ids,
        )
        return {row[0]: to_progress(row) for row in rows}

    async def history(
        self, account_id: str, cut: Cut, within: Restriction | None = None
    ) -> Page[WatchProgress]:
        arguments: list[Any] = [account_id]
        shown = shown_within(within, "p.content_id", arguments)
        counted = list(arguments)
        beyond, sort = RECENT.clauses(cut, arguments)
        rows = await self._database.rows(
            f"""SELECT {PROGRESS}, {RECENT.select()} FROM progress p
                 WHERE p.account_id = $1 AND {shown} AND {beyond} ORDER BY {sort} LIMIT {cut.size + 1}""",
            *arguments,
        )

        async def count() -> int:
            total: int = await self._database.value(
                f"SELECT count(*) FROM progress p WHERE p.account_id = $1 AND {shown}", *counted
            )
            return total

        return RECENT.page(rows, cut, to_progress, count)

    async def watchlist(
        self, account_id: str, order: WatchlistOrder, cut: Cut, within: Restriction | None = None
    ) -> Page[WatchlistEntry]:
        keyset = WATCHLIST[order]
        arguments: list[Any] = [account_id]
        shown = shown_within(within, "t.content_id", arguments)
        counted = list(arguments)
        beyond, sort = keyset.clauses(cut, arguments)
        rows = await self._database.rows(
            f"""SELECT e.*, {keyset.select()} FROM ({ENTRIES} WHERE {shown} GROUP BY t.content_id) e
                 WHERE {beyond} ORDER BY {sort} LIMIT {cut.size + 1}""",
            *arguments,
        )

        async def count() -> int:
            total: int = await self._database.value(
                f"""SELECT count(DISTINCT t.content_id) FROM watchlist_tag t
                     WHERE account_id = $1 AND NOT removed AND added_at IS NOT NULL AND {shown}""",
                *counted,
            )
            return total

        return keyset.page(rows, cut, to_entry, count)

    async def parts(self, content_id: int) -> list[int]:
        rows = await self._database.rows(
            """WITH RECURSIVE part AS (
                   SELECT $1::bigint AS id
                    UNION ALL
                   SELECT c.id FROM content c JOIN part ON c.parent_id = part.id)
               SELECT id FROM part""",
            content_id,
        )
        return [row[0] for row in rows]

    async def entries(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, WatchlistEntry]:
        rows = await self._database.rows(
            f"{ENTRIES} WHERE t.content_id = ANY($2::bigint[]) GROUP BY t.content_id",
            account_id,
            content_ids,
        )
        return {row[0]: to_entry(row) for row in rows}

    async def neighbour(self, account_id: str, place: str, *, behind: bool) -> str | None:
        """The place next to this one on the list, behind or before it; nothing at its end."""
        sign, function = (">", "min") if behind else ("<", "max")
        found: str | None = await self._database.value(
            f"""SELECT {function}(e.place) FROM ({ENTRIES} GROUP BY t.content_id) e
                 WHERE e.place {sign} $2""",
            account_id,
            place,
        )
        return found

    async def reactions(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, Reaction]:
        rows = await self._database.rows(
            f"SELECT {REACTION} FROM reaction WHERE account_id = $1 AND content_id = ANY($2::bigint[])",
            account_id,
            content_ids,
        )
        return {row[0]: to_reaction(row) for row in rows}

    async def marks(self, account_id: str, content_ids: Sequence[int]) -> Mapping[int, Marks]:
        rows = await self._database.rows(
            f"SELECT {MARK} FROM title_mark WHERE account_id = $1 AND content_id = ANY($2::bigint[])",
            account_id,
            content_ids,
        )
        return to_marks(rows)

    async def conflicts(self, account_id: str, cut: Cut, within: Restriction | None = None) -> Page[Conflict]:
        arguments: list[Any] = [account_id]
        shown = shown_within(within, "sc.content_id", arguments)
        counted = list(arguments)
        beyond, sort = CONFLICTS.clauses(cut, arguments)
        rows = await self._database.rows(
            f"""SELECT content_id, kind, lost, lost_hlc, lost_device, won, won_hlc, won_device, noted_at,
                       {CONFLICTS.select()}
                  FROM sync_conflict sc
                 WHERE account_id = $1 AND {shown} AND {beyond} ORDER BY {sort} LIMIT {cut.size + 1}""",
            *arguments,
        )

        async def count() -> int:
            total: int = await self._database.value(
                f"SELECT count(*) FROM sync_conflict sc WHERE account_id = $1 AND {shown}", *counted
            )
            return total

        return CONFLICTS.page(rows, cut, _conflict, count)


def to_entry(row: Row) -> WatchlistEntry:
    """From a row that begins with the columns of `ENTRIES`."""
    version = None if row[5] is None or row[6] is None else Timestamp(row[5], row[6])
    if row[7] is not None:
        moved = Timestamp(row[7], row[8])
        version = moved if version is None else max(version, moved)
    return WatchlistEntry(row[0], row[1], row[2], tuple(row[3]), row[4], version)


def _conflict(row: Row) -> Conflict:
    return Conflict(
        content_id=row[0],
        kind=ConflictKind(row[1]),
        lost=ContendingWrite(row[2], to_version(row[3], row[4])),
        won=ContendingWrite(row[5], to_version(row[6], row[7])),
        noted_at=row[8],
    )
