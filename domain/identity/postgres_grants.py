"""Authorisation codes and device codes in PostgreSQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.identity.grants import Code, DeviceCode, Pushed
from domain.identity.model import Terms
from domain.platform.postgres import Database, Row


class PostgresGrants:
    """Fills `GrantStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_code(self, code: bytes, granted: Code) -> None:
        await self._database.execute(
            """INSERT INTO authorization_code (hash, client_id, account_id, redirect_uri, challenge, terms,
                                               nonce, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
            code,
            granted.client_id,
            granted.account_id,
            granted.redirect_uri,
            granted.challenge,
            _packed(granted.terms),
            granted.nonce,
            granted.expires_at,
        )

    async def code(self, code: bytes) -> Code | None:
        row = await self._database.row(
            """SELECT client_id, account_id, redirect_uri, challenge, terms, expires_at, nonce, used_at,
                      session_id
                 FROM authorization_code WHERE hash = $1""",
            code,
        )
        return None if row is None else Code(**dict(row) | {"terms": _unpacked(row["terms"])})

    async def use_code(self, code: bytes, session_id: str, at: datetime) -> bool:
        done = await self._database.value(
            """UPDATE authorization_code SET used_at = $3, session_id = $2
                WHERE hash = $1 AND used_at IS NULL RETURNING TRUE""",
            code,
            session_id,
            at,
        )
        return done is True

    async def push(self, reference: bytes, pushed: Pushed, expires_at: datetime) -> None:
        await self._database.execute(
            """INSERT INTO pushed_request (hash, client_id, parameters, expires_at)
               VALUES ($1, $2, $3, $4)""",
            reference,
            pushed.client_id,
            [list(pair) for pair in pushed.parameters],
            expires_at,
        )

    async def pushed(self, reference: bytes, now: datetime) -> Pushed | None:
        row = await self._database.row(
            "SELECT client_id, parameters FROM pushed_request WHERE hash = $1 AND expires_at > $2",
            reference,
            now,
        )
        return None if row is None else Pushed(row[0], [(name, value) for name, value in row[1]])

    async def add_device(self, code: bytes, waiting: DeviceCode) -> bool:
        done = await self._database.value(
            """INSERT INTO device_code (hash, user_code, client_id, scopes, resources, key_thumbprint,
                                        interval_seconds, expires_at, address)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
               ON CONFLICT (user_code) DO NOTHING RETURNING TRUE""",
            code,
            waiting.user_code,
            waiting.client_id,
            sorted(waiting.scopes),
            list(waiting.resources),
            waiting.key_thumbprint,
            waiting.interval_seconds,
            waiting.expires_at,
            waiting.address,
        )
        return done is True

    async def poll_device(self, code: bytes, at: datetime, slower_seconds: int) -> DeviceCode | None:
        row = await self._database.row(
            """WITH before AS (
                   SELECT hash, coalesce($2 < polled_at + make_interval(secs => interval_seconds), false)
                                AS too_soon
                     FROM device_code WHERE hash = $1 FOR UPDATE)
               UPDATE device_code d
                  SET polled_at = $2,
                      interval_seconds = interval_seconds + CASE WHEN too_soon THEN $3 ELSE 0 END
                 FROM before WHERE d.hash = before.hash
               RETURNING d.*, too_soon""",
            code,
            at,
            slower_seconds,
        )
        return None if row is None else device_of(row, too_soon=row["too_soon"])

    async def waiting_device(self, user_code: str, now: datetime) -> DeviceCode | None:
        row = await self._database.row(
            """SELECT * FROM device_code
                WHERE user_code = $1 AND expires_at > $2 AND account_id IS NULL AND denied_at IS NULL""",
            user_code,
            now,
        )
        return None if row is None else device_of(row)

    async def decide(self, user_code: str, account_id: str | None, terms: Terms | None, at: datetime) -> bool:
        done = await self._database.value(
            """UPDATE device_code
                  SET account_id = $2, terms = $3, denied_at = CASE WHEN $2::uuid IS NULL THEN $4 END
                WHERE user_code = $1 AND expires_at > $4 AND account_id IS NULL AND denied_at IS NULL
               RETURNING TRUE""",
            user_code,
            account_id,
            None if terms is None else _packed(terms),
            at,
        )
        return done is True

    async def use_device(self, code: bytes, at: datetime) -> bool:
        done = await self._database.value(
            """UPDATE device_code SET used_at = $2
                WHERE hash = $1 AND used_at IS NULL AND account_id IS NOT NULL RETURNING TRUE""",
            code,
            at,
        )
        return done is True

    async def client_may(self, client_id: str, terms: Terms) -> bool:
        may = await self._database.value(
            """SELECT TRUE FROM oauth_client
                WHERE id = $1 AND disabled_at IS NULL AND scopes @> $2::text[] AND (NOT bound OR $3)
                  FOR SHARE""",
            client_id,
            sorted(terms.scopes or ()),
            terms.key_thumbprint is not None,
        )
        return may is True

    async def forget(self, before: datetime) -> int:
        count = await self._database.value(
            """WITH codes AS (DELETE FROM authorization_code WHERE expires_at < $1 RETURNING 1),
                    devices AS (DELETE FROM device_code WHERE expires_at < $1 RETURNING 1),
                    pushed AS (DELETE FROM pushed_request WHERE expires_at < $1 RETURNING 1)
               SELECT (SELECT count(*) FROM codes) + (SELECT count(*) FROM devices)
                    + (SELECT count(*) FROM pushed)""",
            before,
        )
        return int(count)


def device_of(row: Row, *, too_soon: bool = False) -> DeviceCode:
    return DeviceCode(
        user_code=row["user_code"],
        client_id=row["client_id"],
        scopes=frozenset(row["scopes"]),
        resources=tuple(row["resources"]),
        key_thumbprint=row["key_thumbprint"],
        interval_seconds=row["interval_seconds"],
        expires_at=row["expires_at"],
        address=row["address"],
        too_soon=too_soon,
        account_id=row["account_id"],
        terms=None if row["terms"] is None else _unpacked(row["terms"]),
        denied_at=row["denied_at"],
        used_at=row["used_at"],
    )


def _packed(terms: Terms) -> dict[str, Any]:
    at = terms.authenticated_at
    return {
        "scopes": None if terms.scopes is None else sorted(terms.scopes),
        "methods": list(terms.methods),
        "authenticated_at": None if at is None else at.isoformat(),
        "resources": list(terms.resources),
        "key_thumbprint": terms.key_thumbprint,
    }


def _unpacked(packed: Mapping[str, Any]) -> Terms:
    scopes, at = packed["scopes"], packed["authenticated_at"]
    return Terms(
        scopes=None if scopes is None else frozenset(scopes),
        methods=tuple(packed["methods"]),
        authenticated_at=None if at is None else datetime.fromisoformat(at),
        resources=tuple(packed["resources"]),
        key_thumbprint=packed["key_thumbprint"],
    )
