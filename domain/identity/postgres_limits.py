"""What administrators set of the rate limits, in PostgreSQL."""

from collections.abc import Sequence

from domain.identity.limits import Asking, Limit, Place, RateLimitSetting
from domain.platform.postgres import Database


class PostgresRateLimits:
    """Fills `RateLimitStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self) -> Sequence[RateLimitSetting]:
        rows = await self._database.rows(
            "SELECT endpoint, asking, per_minute, per_hour, burst, changed_at FROM rate_limit"
        )
        return [
            RateLimitSetting(row[0], Asking(row[1]), Limit(row[2], row[3], row[4]), row[5]) for row in rows
        ]

    async def put(self, setting: RateLimitSetting) -> None:
        limit = setting.limit
        await self._database.execute(
            """INSERT INTO rate_limit (endpoint, asking, per_minute, per_hour, burst, changed_at)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (endpoint, asking) DO UPDATE
                  SET per_minute = $3, per_hour = $4, burst = $5, changed_at = $6""",
            setting.endpoint,
            setting.asking.value,
            limit.per_minute,
            limit.per_hour,
            limit.burst,
            setting.changed_at,
        )

    async def drop(self, place: Place) -> bool:
        dropped = await self._database.value(
            "DELETE FROM rate_limit WHERE endpoint = $1 AND asking = $2 RETURNING TRUE",
            place.endpoint,
            place.asking.value,
        )
        return dropped is True
