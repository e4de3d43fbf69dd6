"""Viewing profiles in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from domain.identity.hours import Hours
from domain.identity.viewing import Controls, Current, ViewingProfile
from domain.platform.postgres import Database, Row

PROFILE = """p.id, p.account_id, p.name, p.max_rating, p.shows_unrated, p.blocked_genres, p.hours_start,
             p.hours_end, p.hours_zone, p.is_default, p.created_at"""


class PostgresViewing:
    """Fills `ViewingStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def profiles(self, account_id: str) -> Sequence[ViewingProfile]:
        rows = await self._database.rows(
            f"SELECT {PROFILE} FROM viewing_profile p WHERE p.account_id = $1 ORDER BY p.created_at, p.id",
            account_id,
        )
        return [_profile(row) for row in rows]

    async def current(self, account_id: str, session_id: str | None) -> Current:
        row = await self._database.row(
            f"""SELECT {PROFILE}, unlock.until
                  FROM (SELECT) AS one
                  LEFT JOIN viewing_choice choice ON choice.session_id = $2
                  LEFT JOIN viewing_profile p ON p.account_id = $1
                   AND CASE WHEN choice.session_id IS NULL THEN p.is_default
                            ELSE p.id = choice.profile_id END
                  LEFT JOIN viewing_unlock unlock ON unlock.session_id = $2""",
            account_id,
            session_id,
        )
        if row is None:
            return Current(None, None)
        return Current(None if row["id"] is None else _profile(row), row["until"])

    async def current_on(self, account_id: str, device_id: str, now: datetime) -> Current:
        session_id = await self._database.value(
            """SELECT id FROM login_session
                WHERE account_id = $1 AND device_id = $2 AND ended_at IS NULL AND expires_at > $3
                ORDER BY last_used_at DESC, id LIMIT 1""",
            account_id,
            device_id,
            now,
        )
        return await self.current(account_id, session_id)

    async def save(self, profile: ViewingProfile) -> None:
        controls, hours = profile.controls, profile.controls.hours
        async with self._database.transaction() as session:
            if profile.is_default:
                await session.execute(
                    "UPDATE viewing_profile SET is_default = FALSE WHERE account_id = $1 AND id <> $2",
                    profile.account_id,
                    profile.id,
                )
            await session.execute(
                """INSERT INTO viewing_profile (id, account_id, name, max_rating, shows_unrated,
                       blocked_genres, hours_start, hours_end, hours_zone, limiting, is_default, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                   ON CONFLICT (id) DO UPDATE
                      SET (name, max_rating, shows_unrated, blocked_genres, hours_start, hours_end,
                           hours_zone, limiting, is_default)
                        = (EXCLUDED.name, EXCLUDED.max_rating, EXCLUDED.shows_unrated,
                           EXCLUDED.blocked_genres, EXCLUDED.hours_start, EXCLUDED.hours_end,
                           EXCLUDED.hours_zone, EXCLUDED.limiting, EXCLUDED.is_default)""",
                profile.id,
                profile.account_id,
                profile.name,
                controls.max_rating,
                controls.shows_unrated,
                list(controls.blocked_genres),
                None if hours is None else hours.start,
                None if hours is None else hours.end,
                None if hours is None else hours.time_zone,
                controls.limiting,
                profile.is_default,
                profile.created_at,
            )

    async def remove(self, account_id: str, profile_id: str) -> Sequence[str] | None:
        async with self._database.transaction() as session:
            # Whoever chooses it at this moment is found below, or finds it gone.
            await session.execute("SELECT FROM viewing_profile WHERE id = $1 FOR UPDATE", profile_id)
            rows = await session.fetch(
                "SELECT session_id FROM viewing_choice WHERE profile_id = $1", profile_id
            )
            gone = await session.fetchval(
                "DELETE FROM viewing_profile WHERE account_id = $1 AND id = $2 RETURNING TRUE",
                account_id,
                profile_id,
            )
        return [row[0] for row in rows] if gone else None

    async def choose(self, session_id: str, profile_id: str | None) -> None:
        await self._database.execute(
            """WITH locked AS (DELETE FROM viewing_unlock WHERE session_id = $1),
                    unproven AS (DELETE FROM session_proof WHERE session_id = $1)
               INSERT INTO viewing_choice (session_id, profile_id) VALUES ($1, $2)
               ON CONFLICT (session_id) DO UPDATE SET profile_id = $2""",
            session_id,
            profile_id,
        )

    async def pin_hash(self, account_id: str) -> str | None:
        found = await self._database.value(
            "SELECT pin_hash FROM parental_pin WHERE account_id = $1", account_id
        )
        return None if found is None else str(found)

    async def set_pin(self, account_id: str, pin_hash: str) -> None:
        await self._database.execute(
            """INSERT INTO parental_pin (account_id, pin_hash) VALUES ($1, $2)
               ON CONFLICT (account_id) DO UPDATE SET pin_hash = $2""",
            account_id,
            pin_hash,
        )

    async def unlock(self, session_id: str, until: datetime) -> None:
        await self._database.execute(
            """INSERT INTO viewing_unlock (session_id, until) VALUES ($1, $2)
               ON CONFLICT (session_id) DO UPDATE SET until = $2""",
            session_id,
            until,
        )


def _profile(row: Row) -> ViewingProfile:
    identity, account_id, name, rating, unrated, genres, start, end, zone, is_default, created_at = row[:11]
    hours = None if start is None else Hours(start, end, zone)
    controls = Controls(rating, unrated, tuple(genres), hours)
    return ViewingProfile(identity, account_id, name, controls, is_default, created_at)
