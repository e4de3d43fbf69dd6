"""Sessions and revocations in PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from domain.identity.challenges import Purpose
from domain.identity.model import Account, LoginSession, SessionEnd
from domain.identity.postgres import COLUMNS as ACCOUNT
from domain.identity.postgres import NEW_EPOCH, account_of
from domain.identity.revocations import Revocation
from domain.identity.session_store import Presented, Rotation
from domain.platform.postgres import Database, Row

COLUMNS: Final = """s.id, s.family_id, s.account_id, s.client_id, s.scopes, s.methods, s.authenticated_at,
    s.created_at, s.last_used_at, s.expires_at, s.final_at, s.address, s.user_agent, s.resources,
    s.key_thumbprint, s.acting_id, s.ended_at, s.end_reason, s.device_id, s.acting_in"""
WIDTH: Final = 20

OVERLAP: Final = "interval '60 seconds'"
"""Longer than a transaction may take: what committed out of order is found by the next look."""


class PostgresSessions:
    """Fills `SessionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, session: LoginSession, token: bytes) -> None:
        await self._database.execute(
            """WITH added AS (
                   INSERT INTO login_session (id, family_id, account_id, client_id, scopes, methods,
                                              authenticated_at, created_at, last_used_at, expires_at,
                                              final_at, address, user_agent, resources, key_thumbprint,
                                              acting_id, acting_in)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11, $12, $14, $15, $16, $17)
                   RETURNING id)
               INSERT INTO refresh_token (hash, session_id, issued_at) SELECT $13, id, $8 FROM added""",
            session.id,
            session.family_id,
            session.account_id,
            session.client_id,
            None if session.scopes is None else sorted(session.scopes),
            list(session.methods),
            session.authenticated_at,
            session.created_at,
            session.expires_at,
            session.final_at,
            session.address,
            session.user_agent,
            token,
            list(session.resources),
            session.key_thumbprint,
            session.acting_id,
            session.acting_in,
        )

    async def rotate(self, rotation: Rotation) -> LoginSession | None:
        # Who finds the row locked waits, then sees it used and changes nothing: one statement, one winner.
        row = await self._database.row(
            f"""WITH used AS (
                    UPDATE refresh_token t SET used_at = $5, salt = $3
                      FROM login_session s
                     WHERE t.hash = $1 AND t.used_at IS NULL AND s.id = t.session_id AND s.client_id = $4
                       AND s.key_thumbprint IS NOT DISTINCT FROM $9 AND s.ended_at IS NULL
                       AND s.expires_at > $5
                    RETURNING t.session_id),
                next AS (
                    INSERT INTO refresh_token (hash, session_id, issued_at)
                    SELECT $2, session_id, $5 FROM used)
                UPDATE login_session s
                   SET last_used_at = $5, expires_at = least(s.final_at, $5 + $6::interval),
                       address = coalesce($7, s.address), user_agent = coalesce($8, s.user_agent)
                  FROM used WHERE s.id = used.session_id
                RETURNING {COLUMNS}""",
            rotation.old,
            rotation.new,
            rotation.salt,
            rotation.client_id,
            rotation.at,
            rotation.idle,
            rotation.by.address,
            rotation.by.user_agent,
            rotation.key_thumbprint,
        )
        return None if row is None else session_of(row)

    async def presented(self, token: bytes) -> Presented | None:
        row = await self._database.row(
            f"""SELECT {COLUMNS}, t.used_at, t.salt
                  FROM refresh_token t JOIN login_session s ON s.id = t.session_id WHERE t.hash = $1""",
            token,
        )
        return None if row is None else Presented(session_of(row), row[WIDTH], row[WIDTH + 1])

    async def sessions(self, ids: Sequence[str]) -> Mapping[str, LoginSession]:
        rows = await self._database.rows(
            f"SELECT {COLUMNS} FROM login_session s WHERE s.id = ANY($1::uuid[])", ids
        )
        return {row["id"]: session_of(row) for row in rows}

    async def standing(self, account_id: str, now: datetime) -> list[LoginSession]:
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM login_session s
                 WHERE s.account_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2
                 ORDER BY s.last_used_at DESC, s.id""",
            account_id,
            now,
        )
        return [session_of(row) for row in rows]

    async def standing_with(self, client_id: str, now: datetime) -> list[LoginSession]:
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM login_session s
                 WHERE s.client_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2""",
            client_id,
            now,
        )
        return [session_of(row) for row in rows]

    async def acting(self, administrator_id: str, now: datetime) -> list[LoginSession]:
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM login_session s
                 WHERE s.acting_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2""",
            administrator_id,
            now,
        )
        return [session_of(row) for row in rows]

    async def acting_in(self, ids: Sequence[str], now: datetime) -> list[LoginSession]:
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM login_session s
                 WHERE s.acting_in = ANY($1::uuid[]) AND s.ended_at IS NULL AND s.expires_at > $2""",
            list(ids),
            now,
        )
        return [session_of(row) for row in rows]

    async def hold(self, account_id: str, sign_in_epoch: int) -> bool:
        held = await self._database.value(
            "SELECT TRUE FROM account WHERE id = $1 AND sign_in_epoch = $2 FOR SHARE",
            account_id,
            sign_in_epoch,
        )
        return held is True

    async def held(self, account_ids: Sequence[str]) -> Mapping[str, Account]:
        # Not shared: of two who hold it and then change it, each would wait for the other.
        rows = await self._database.rows(
            f"SELECT {ACCOUNT} FROM account WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE",
            list(account_ids),
        )
        return {row["id"]: account_of(row) for row in rows}

    async def stands(self, session_id: str, account_id: str, now: datetime) -> bool:
        standing = await self._database.value(
            """SELECT TRUE FROM login_session
                WHERE id = $1 AND account_id = $2 AND ended_at IS NULL AND expires_at > $3 FOR SHARE""",
            session_id,
            account_id,
            now,
        )
        return standing is True

    async def withdraw(self, account_id: str, now: datetime) -> None:
        # A statement of its own, so that the next sees what those wrote who are waited for.
        await self._database.execute(NEW_EPOCH, account_id)
        await self._database.execute(
            """WITH codes AS (
                   DELETE FROM authorization_code
                    WHERE account_id = $1 AND used_at IS NULL AND expires_at > $2),
                questions AS (DELETE FROM challenge WHERE account_id = $1 AND purpose = $3)
               UPDATE device_code SET account_id = NULL, terms = NULL, denied_at = $2
                WHERE account_id = $1 AND used_at IS NULL AND expires_at > $2""",
            account_id,
            now,
            Purpose.SIGN_IN.value,
        )

    async def withdraw_with(self, client_id: str, now: datetime) -> None:
        await self._database.execute(
            """WITH codes AS (
                   DELETE FROM authorization_code
                    WHERE client_id = $1 AND used_at IS NULL AND expires_at > $2)
               UPDATE device_code SET account_id = NULL, terms = NULL, denied_at = $2
                WHERE client_id = $1 AND used_at IS NULL AND expires_at > $2""",
            client_id,
            now,
        )

    async def device_of(self, session_id: str) -> str | None:
        found: str | None = await self._database.value(
            "SELECT device_id FROM login_session WHERE id = $1", session_id
        )
        return found

    async def tie(self, session_id: str, device_id: str) -> None:
        await self._database.execute(
            "UPDATE login_session SET device_id = $2 WHERE id = $1", session_id, device_id
        )

    async def end(
        self, sessions: Iterable[LoginSession], end: SessionEnd, at: datetime, until: datetime
    ) -> list[str]:
        rows = await self._database.rows(
            """WITH ended AS (
                   UPDATE login_session SET ended_at = $2, end_reason = $3
                    WHERE id = ANY($1::uuid[]) AND ended_at IS NULL RETURNING id)
               INSERT INTO revocation (id, reason, until) SELECT id, $3, $4 FROM ended
               ON CONFLICT (id) DO NOTHING RETURNING id""",
            [session.id for session in sessions],
            at,
            end.value,
            until,
        )
        return [row[0] for row in rows]

    async def revoke(self, revoked: Revocation) -> None:
        # An account may be suspended, restored, and suspended again while the first is still on record.
        await self._database.execute(
            """INSERT INTO revocation (id, reason, until) VALUES ($1, $2, $3)
               ON CONFLICT (id) DO UPDATE SET reason = $2, until = $3, at = now()""",
            revoked.id,
            revoked.end.value,
            revoked.until,
        )

    async def forget(self, before: datetime) -> int:
        count = await self._database.value(
            """WITH sessions AS (
                   DELETE FROM login_session WHERE least(ended_at, expires_at) < $1 RETURNING 1),
               revocations AS (DELETE FROM revocation WHERE until < $1 RETURNING 1)
               SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM revocations)""",
            before,
        )
        return int(count)


class PostgresRevocations:
    """Fills `RevocationRecord` for one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looked_at: datetime | None = None

    async def news(self) -> Sequence[Revocation]:
        rows = await self._database.rows(
            f"""SELECT id, reason, until, now() FROM revocation
                 WHERE at > coalesce($1::timestamptz - {OVERLAP}, '-infinity')
                 UNION ALL SELECT NULL, NULL, NULL, now()""",
            self._looked_at,
        )
        self._looked_at = rows[-1][3]
        return [Revocation(row[0], SessionEnd(row[1]), row[2]) for row in rows if row[0] is not None]


def session_of(row: Row) -> LoginSession:
    """A session from a row that begins with `COLUMNS`."""
    values = list(row)[:WIDTH]
    scopes, methods, resources, end = values[4], values[5], values[13], values[17]
    values[4] = None if scopes is None else frozenset(scopes)
    values[5], values[13] = tuple(methods), tuple(resources)
    values[17] = None if end is None else SessionEnd(end)
    return LoginSession(*values)
