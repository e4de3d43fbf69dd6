"""What is watched and wanted now, from the traces that watching and wanting leave in PostgreSQL."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.catalog.filters import Filter, sql_conditions
from domain.discovery.model import Trend, TrendWindow
from domain.platform.postgres import Database

LENGTHS: Mapping[TrendWindow, timedelta] = {
    TrendWindow.DAY: timedelta(days=1),
    TrendWindow.WEEK: timedelta(days=7),
}
LONGEST = 1_000
"""Works of a list: those with traces, and the best known."""

STARTED, WATCHED, FINISHED, WANTED, LIKED = 1.0, 0.5, 1.0, 0.75, 0.75
PRIOR = 2.0
"""What the best known work has before anybody watches it, in viewers who just started one."""

# A viewer counts once a work and kind of trace, by the latest one; half as much after a third of the window.
# What is done to an episode or a track is done to its series or album.
HEAT = f"""
WITH trace AS (
    SELECT account_id, content_id, started_at AS at, {STARTED} AS weight, 's' AS kind FROM playback_session
     WHERE started_at > $1 AND started_at <= $2
     UNION ALL
    SELECT account_id, content_id, updated_at, CASE WHEN completed THEN {FINISHED} ELSE {WATCHED} END, 'p'
      FROM progress WHERE updated_at > $1 AND updated_at <= $2
     UNION ALL
    SELECT account_id, content_id, added_at, {WANTED}, 'w' FROM watchlist_tag
     WHERE NOT removed AND added_at > $1 AND added_at <= $2
     UNION ALL
    SELECT account_id, content_id, updated_at, {LIKED}, 'r' FROM reaction
     WHERE (verdict = 'like' OR stars >= 4) AND updated_at > $1 AND updated_at <= $2
), latest AS (
    SELECT coalesce(whole.parent_id, whole.id, part.id) AS id, trace.account_id, trace.kind,
           max(trace.weight * power(0.5, extract(epoch FROM $2 - trace.at) / $3::float8)) AS heat
      FROM trace
      JOIN content part ON part.id = trace.content_id
      LEFT JOIN content whole ON whole.id = part.parent_id
     WHERE $4::text IS NULL
        OR EXISTS (SELECT FROM account WHERE account.id = trace.account_id AND account.region = $4)
     GROUP BY 1, 2, 3
), hot AS MATERIALIZED (
    SELECT id, sum(heat) AS heat FROM latest GROUP BY id
)"""


class PostgresTrends:
    """Fills `Trends`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def trending(
        self, window: TrendWindow, region: str | None, wanted: Filter, as_of: datetime
    ) -> list[Trend]:
        length = LENGTHS[window]
        arguments: list[Any] = [as_of - length, as_of, length.total_seconds() / 3, region]
        where = sql_conditions(wanted, arguments)
        rows = await self._database.rows(
            f"""{HEAT}, candidate AS (
                    SELECT id FROM hot
                     UNION
                    (SELECT c.id FROM content c WHERE {where}
                      ORDER BY c.popularity DESC, c.id LIMIT {LONGEST}))
                SELECT c.id, round((coalesce(hot.heat, 0) + {PRIOR} * c.popularity / 100)::numeric, 6)::float8
                       AS score
                  FROM candidate JOIN content c USING (id) LEFT JOIN hot USING (id)
                 WHERE {where}
                 ORDER BY score DESC, c.id LIMIT {LONGEST}""",
            *arguments,
        )
        moment = int(as_of.timestamp())
        return [Trend(row[0], row[1], moment) for row in rows]
