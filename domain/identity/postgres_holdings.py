"""All that is kept of an account, in whichever table: found by what refers to it, so nothing is forgotten."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.identity.avatars import Picture
from domain.identity.model import Account
from domain.identity.postgres import COLUMNS, account_of
from domain.platform.postgres import Database

# Tables that refer to an account, with the column; those that refer to such a table go with its rows.
OF_ACCOUNTS = """
SELECT holder.relname AS name, attribute.attname AS key
  FROM pg_constraint reference
  JOIN pg_class holder ON holder.oid = reference.conrelid
  JOIN pg_attribute attribute ON attribute.attrelid = holder.oid AND attribute.attnum = reference.conkey[1]
 WHERE reference.contype = 'f' AND reference.confrelid = 'account'::regclass
 ORDER BY 1"""

# Tables that refer to one of those and to no account, with the column and what it refers to.
BEYOND = """
SELECT holder.relname AS name, attribute.attname AS key, parent.relname AS parent, named.attname AS parent_key
  FROM pg_constraint reference
  JOIN pg_class holder ON holder.oid = reference.conrelid
  JOIN pg_class parent ON parent.oid = reference.confrelid
  JOIN pg_attribute attribute ON attribute.attrelid = holder.oid AND attribute.attnum = reference.conkey[1]
  JOIN pg_attribute named ON named.attrelid = parent.oid AND named.attnum = reference.confkey[1]
 WHERE reference.contype = 'f' AND parent.relname = ANY($1::text[]) AND holder.relname <> ALL($1::text[])
   AND cardinality(reference.conkey) = 1
 ORDER BY 1"""

SECRET_NAMES = ("hash", "secret", "digest", "token", "salt", "fingerprint", "sealed", "nonce")
"""Parts of the names of columns that nobody is shown, not even the owner; nor is what is no text."""
SHOWN = f"""
SELECT table_name::text AS name, array_agg(column_name::text ORDER BY ordinal_position) AS columns
  FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = ANY($1::text[]) AND data_type <> 'bytea'
   AND column_name !~ '({"|".join(SECRET_NAMES)})'
 GROUP BY 1 ORDER BY 1"""


class PostgresHoldings:
    """Fills `ClosingStore` and `Holdings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(self, account_id: str, at: datetime) -> Account | None:
        row = await self._database.row(
            f"UPDATE account SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL RETURNING {COLUMNS}",
            account_id,
            at,
        )
        return None if row is None else account_of(row)

    async def reopen(self, account_id: str) -> Account | None:
        row = await self._database.row(
            f"""UPDATE account SET closed_at = NULL WHERE id = $1 AND closed_at IS NOT NULL
                RETURNING {COLUMNS}""",
            account_id,
        )
        return None if row is None else account_of(row)

    async def due(self, closed_before: datetime, limit: int) -> Sequence[str]:
        rows = await self._database.rows(
            "SELECT id FROM account WHERE closed_at <= $1 ORDER BY closed_at LIMIT $2", closed_before, limit
        )
        return [row[0] for row in rows]

    async def erase(self, account_id: str, closed_before: datetime) -> bool:
        """What has no reference to the account is found by its address, or by its id in an event."""
        row = await self._database.row(
            "DELETE FROM account WHERE id = $1 AND closed_at <= $2 RETURNING email", account_id, closed_before
        )
        if row is None:
            return False
        await self._database.execute("DELETE FROM letter WHERE address = $1", row["email"])
        await self._database.execute(
            "DELETE FROM outbox WHERE key = $1 OR payload ->> 'account' = $1", account_id
        )
        return True

    async def columns(self) -> Mapping[str, Sequence[str]]:
        """What the owner is shown, by table."""
        rows = await self._database.rows(SHOWN, ["account", *await self._conditions()])
        return {row["name"]: row["columns"] for row in rows}

    async def _conditions(self) -> dict[str, str]:
        """Which rows of a table are of the account `$1`, by table: its own, or those of its own rows."""
        own = {row["name"]: row["key"] for row in await self._database.rows(OF_ACCOUNTS)}
        found = {name: f'"{key}" = $1' for name, key in own.items()}
        for name, key, parent, parent_key in await self._database.rows(BEYOND, list(own)):
            within = f'SELECT "{parent_key}" FROM "{parent}" WHERE "{own[parent]}" = $1'
            found.setdefault(name, f'"{key}" IN ({within})')
        return found

    async def of_account(self, account_id: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The rows of an account, by table; tables without one are missing."""
        conditions = {"account": "id = $1"} | await self._conditions()
        found: dict[str, Sequence[Mapping[str, Any]]] = {}
        for name, columns in (await self.columns()).items():
            shown = ", ".join(f'"{column}"' for column in columns)
            rows = await self._database.rows(
                f"""SELECT to_jsonb(shown) AS row
                      FROM (SELECT {shown} FROM "{name}" WHERE {conditions[name]}) AS shown""",
                account_id,
            )
            if rows:
                found[name] = [row["row"] for row in rows]
        return found


class PostgresAvatars:
    """Fills `Avatars`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(self, account_id: str, name: str, picture: Picture) -> None:
        await self._database.execute(
            """INSERT INTO avatar (account_id, name, content_type, picture) VALUES ($1, $2, $3, $4)
               ON CONFLICT (account_id) DO UPDATE SET name = $2, content_type = $3, picture = $4""",
            account_id,
            name,
            picture.content_type,
            picture.data,
        )

    async def remove(self, account_id: str) -> bool:
        removed = await self._database.value(
            "DELETE FROM avatar WHERE account_id = $1 RETURNING TRUE", account_id
        )
        return removed is True

    async def named(self, name: str) -> Picture | None:
        row = await self._database.row("SELECT content_type, picture FROM avatar WHERE name = $1", name)
        return None if row is None else Picture(*row)

    async def names(self, account_ids: Sequence[str]) -> Mapping[str, str]:
        rows = await self._database.rows(
            "SELECT account_id, name FROM avatar WHERE account_id = ANY($1::uuid[])", account_ids
        )
        return {row[0]: row[1] for row in rows}
