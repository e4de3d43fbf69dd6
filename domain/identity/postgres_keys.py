"""API keys in PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from domain.identity.api_keys import ApiKey
from domain.identity.model import SessionEnd
from domain.identity.policy import implied
from domain.platform.postgres import Database, Row

COLUMNS = """id, account_id, name, prefix, fingerprint, scopes, per_minute, created_at, expires_at,
             last_used_at, revoked_at"""


class PostgresApiKeys:
    """Fills `ApiKeyStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: ApiKey, most: int) -> bool:
        async with self._database.transaction() as session:
            # Held before they are counted, so that two at once do not both find room.
            await session.execute("SELECT FROM account WHERE id = $1 FOR UPDATE", key.account_id)
            added = await session.fetchval(
                """INSERT INTO api_key (id, account_id, name, prefix, fingerprint, scopes, per_minute,
                                        created_at, expires_at)
                   SELECT $1, account.id, $3, $4, $5, $6, $7, $8, $9 FROM account
                    WHERE account.id = $2
                      AND (SELECT count(*) FROM api_key k
                            WHERE k.account_id = account.id AND k.revoked_at IS NULL) < $10
                   RETURNING TRUE""",
                key.id,
                key.account_id,
                key.name,
                key.prefix,
                key.fingerprint,
                [scope.value for scope in key.scopes],
                key.per_minute,
                key.created_at,
                key.expires_at,
                most,
            )
        return added is True

    async def by_prefix(self, prefixes: Sequence[str]) -> Mapping[str, ApiKey]:
        rows = await self._database.rows(
            f"SELECT {COLUMNS} FROM api_key WHERE prefix = ANY($1::text[])", prefixes
        )
        return {row["prefix"]: key_of(row) for row in rows}

    async def of(self, account_id: str) -> list[ApiKey]:
        rows = await self._database.rows(
            f"SELECT {COLUMNS} FROM api_key WHERE account_id = $1 ORDER BY created_at DESC, id", account_id
        )
        return [key_of(row) for row in rows]

    async def found(self, ids: Sequence[str]) -> Mapping[str, ApiKey]:
        rows = await self._database.rows(f"SELECT {COLUMNS} FROM api_key WHERE id = ANY($1::uuid[])", ids)
        return {row["id"]: key_of(row) for row in rows}

    async def revoke(
        self, ids: Iterable[str], at: datetime, end: SessionEnd, until: datetime
    ) -> list[ApiKey]:
        rows = await self._database.rows(
            f"""WITH revoked AS (
                    UPDATE api_key SET revoked_at = $2 WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL
                    RETURNING {COLUMNS}),
                told AS (
                    INSERT INTO revocation (id, reason, until) SELECT id, $3, $4 FROM revoked
                    ON CONFLICT (id) DO NOTHING)
                SELECT {COLUMNS} FROM revoked""",
            list(ids),
            at,
            end.value,
            until,
        )
        return [key_of(row) for row in rows]

    async def note_use(self, uses: Mapping[str, datetime]) -> None:
        await self._database.execute(
            """UPDATE api_key SET last_used_at = greatest(last_used_at, used.at)
                 FROM unnest($1::uuid[], $2::timestamptz[]) AS used(id, at) WHERE api_key.id = used.id""",
            list(uses),
            list(uses.values()),
        )


def key_of(row: Row) -> ApiKey:
    """A key from a row of `COLUMNS`; scopes that there are no more grant nothing."""
    values = list(row)
    kept = set(values[5])
    values[5] = tuple(sorted(scope for scope in implied(kept) if scope.value in kept))
    return ApiKey(*values)
