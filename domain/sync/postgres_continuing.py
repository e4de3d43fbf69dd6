"""What a viewer goes on with, in PostgreSQL: what was begun, and the episodes behind what was finished."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.catalog.restriction import Restriction, placing, sql_of_any
from domain.platform.paging import Cut, Keyset, Page, SortKey
from domain.platform.postgres import Database
from domain.sync.model import CONTINUE_FOR, RESUME_FROM_SECONDS, WatchProgress
from domain.sync.postgres_ledger import PROGRESS, to_progress

BEGUN = f"(%s.completed OR %s.position_seconds >= {RESUME_FROM_SECONDS})"
"""Came far enough to be gone on with, or to be gone on behind."""
LATER = '(%s.hlc, %s.hlc_device COLLATE "C")'

NOT_PUT_AWAY = f"""NOT EXISTS (
    SELECT FROM title_mark m
     WHERE m.account_id = p.account_id AND m.content_id IN (c.id, c.parent_id, above.parent_id)
       AND m.value ->> 'is' = 'true'
       AND (m.kind = 'hidden' OR m.kind = 'dropped' AND {LATER % ("m", "m")} > {LATER % ("p", "p")}))"""
"""A title is hidden until that is taken back, dropped until it is watched on; a series with its episodes."""

# Of each title the latest viewing, or the latest of those that a further condition lets count.
PLAYED = """
    SELECT p.*, c.kind, coalesce(above.parent_id, above.id, c.id) AS work_id,
           above.number AS season_number, c.number AS number
      FROM progress p JOIN content c ON c.id = p.content_id AND c.deleted_at IS NULL
      LEFT JOIN content above ON above.id = c.parent_id
     WHERE p.account_id = $1
       AND NOT EXISTS (SELECT FROM progress later
                        WHERE later.account_id = p.account_id AND later.content_id = p.content_id
                          AND later.viewing > p.viewing %s)"""

LAST = """
    SELECT DISTINCT ON (work_id) * FROM played
     ORDER BY work_id, hlc DESC, season_number DESC, number DESC, content_id DESC"""
"""What was played last of each work, by the clocks of the devices."""

SKIPPED = f"""EXISTS (
    SELECT FROM title_mark m
     WHERE m.account_id = $1 AND m.content_id IN (e.id, season.id) AND m.value ->> 'is' = 'true'
       AND (m.kind = 'hidden' OR m.kind = 'dropped' AND NOT EXISTS (
               SELECT FROM progress w JOIN content part ON part.id = w.content_id
                WHERE w.account_id = $1 AND m.content_id IN (part.id, part.parent_id)
                  AND {BEGUN % ("w", "w")}
                  AND {LATER % ("w", "w")} > {LATER % ("m", "m")})))"""

TIMES = "(SELECT count(*) FROM progress w WHERE w.account_id = $1 AND w.content_id = %s AND w.completed)"

# Watched less often than the last: so it is the first one that is new, and of a rewatch the very next.
NEXT = f"""
    SELECT e.id, e.runtime_seconds
      FROM content season JOIN content e ON e.parent_id = season.id
     WHERE season.parent_id = p.work_id AND season.number > 0
       AND season.deleted_at IS NULL AND e.deleted_at IS NULL
       AND (season.number, e.number) > (coalesce(p.season_number, 0), coalesce(p.number, 0))
       AND coalesce(e.release_date <= $2::timestamptz, TRUE)
       AND {TIMES % "e.id"} < greatest({TIMES % "p.content_id"}, 1)
       AND NOT {SKIPPED} AND {{shown}}
     ORDER BY season.number, e.number LIMIT 1"""

BEHIND = f"""
    SELECT next.id AS content_id, coalesce(own.viewing + own.completed::int, 1) AS viewing,
           CASE WHEN own.completed THEN 0 ELSE coalesce(own.position_seconds, 0) END AS position_seconds,
           coalesce(own.duration_seconds, next.runtime_seconds, 0) AS duration_seconds,
           FALSE AS completed, p.hlc, p.hlc_device, p.device_id, p.updated_at,
           NULL::timestamptz AS completed_at, p.work_id
      FROM last p CROSS JOIN LATERAL ({NEXT}) next
      LEFT JOIN LATERAL (SELECT * FROM progress own
                          WHERE own.account_id = $1 AND own.content_id = next.id
                          ORDER BY own.viewing DESC LIMIT 1) own ON TRUE
     WHERE p.completed AND p.kind = 'episode'"""

CONTINUING = f"""
    WITH played AS ({PLAYED % ("AND " + BEGUN % ("later", "later"))}
            AND {BEGUN % ("p", "p")} AND {NOT_PUT_AWAY}
            AND p.updated_at >= $2::timestamptz - interval '{CONTINUE_FOR.days} days'),
         last AS ({LAST})
    SELECT {PROGRESS}, p.work_id FROM last p WHERE NOT p.completed AND {{shown_begun}}
     UNION ALL ({BEHIND})"""
"""By account and moment: columns of progress, and the film, series or album that each is, or is a part of."""

NEXT_EPISODES = f"""
    WITH played AS ({PLAYED % ""} AND c.kind = 'episode' AND above.parent_id = ANY($3::bigint[])),
         last AS ({LAST})
    SELECT series.id, CASE WHEN p.completed IS FALSE THEN p.content_id ELSE next.id END
      FROM unnest($3::bigint[]) series (id)
      LEFT JOIN last ON last.work_id = series.id
      CROSS JOIN LATERAL (SELECT series.id AS work_id, last.content_id, last.season_number, last.number,
                                 last.completed) p
      LEFT JOIN LATERAL ({NEXT}) next ON TRUE"""

RECENT = Keyset(
    "continuing",
    (
        SortKey("p.updated_at", "timestamptz", descending=True),
        SortKey("p.content_id", "bigint"),
        SortKey("p.viewing", "int", descending=True),
    ),
)


EVERYTHING = CONTINUING.format(shown="TRUE", shown_begun="TRUE")


def sql_of_continuing(arguments: list[Any], within: Restriction | None) -> str:
    """The statement of what is gone on with; what `within` asks for is put behind the arguments."""
    if within is None:  # nearly always, and filling in so long a text takes its time
        return EVERYTHING
    return CONTINUING.format(
        shown=shown_within(within, "e.id", arguments),
        shown_begun=shown_within(within, "p.content_id", arguments),
    )


class PostgresContinuing:
    """What of `SyncStore` is about going on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def continuing(
        self, account_id: str, at: datetime, cut: Cut, within: Restriction | None = None
    ) -> Page[WatchProgress]:
        arguments: list[Any] = [account_id, at]
        listed = sql_of_continuing(arguments, within)
        counted = list(arguments)
        beyond, sort = RECENT.clauses(cut, arguments)
        rows = await self._database.rows(
            f"""SELECT p.*, {RECENT.select()} FROM ({listed}) p
                 WHERE {beyond} ORDER BY {sort} LIMIT {cut.size + 1}""",
            *arguments,
        )

        async def count() -> int:
            total: int = await self._database.value(f"SELECT count(*) FROM ({listed}) p", *counted)
            return total

        return RECENT.page(rows, cut, to_progress, count)

    async def next_episodes(
        self,
        account_id: str | None,
        series_ids: Sequence[int],
        at: datetime,
        within: Restriction | None = None,
    ) -> Mapping[int, int]:
        arguments: list[Any] = [account_id, at, series_ids]
        statement = NEXT_EPISODES.format(shown=shown_within(within, "e.id", arguments))
        rows = await self._database.rows(statement, *arguments)
        return {row[0]: row[1] for row in rows if row[1] is not None}


def shown_within(within: Restriction | None, content_id: str, arguments: list[Any]) -> str:
    return "TRUE" if within is None else sql_of_any(within, content_id, placing(arguments))
