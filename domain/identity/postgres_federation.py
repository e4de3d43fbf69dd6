"""Accounts and whom they belong to elsewhere, in PostgreSQL."""

from datetime import datetime

from domain.identity.federation import Link, Outsider
from domain.identity.model import Account
from domain.identity.postgres import COLUMNS, NEW_EPOCH, PostgresAccounts, account_of
from domain.platform.postgres import Database


class PostgresLinks:
    """Fills `LinkStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.by_email = PostgresAccounts(database).by_email

    async def linked(self, provider: str, subject: str) -> Account | None:
        row = await self._database.row(
            f"""SELECT {COLUMNS} FROM account WHERE id = (
                    SELECT account_id FROM linked_identity WHERE provider = $1 AND subject = $2)""",
            provider,
            subject,
        )
        return None if row is None else account_of(row)

    async def open(self, account: Account) -> bool:
        done = await self._database.value(
            """INSERT INTO account (id, email, display_name, region, language, roles, tier, created_at,
                                    email_verified_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
               ON CONFLICT (email) DO NOTHING RETURNING TRUE""",
            account.id,
            account.email,
            account.display_name,
            account.region,
            account.language,
            list(account.roles),
            account.tier,
            account.created_at,
            account.email_verified_at,
        )
        return done is True

    async def link(self, account_id: str, outsider: Outsider, at: datetime) -> bool:
        done = await self._database.value(
            """INSERT INTO linked_identity (provider, subject, account_id, linked_at)
               VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING TRUE""",
            outsider.provider,
            outsider.subject,
            account_id,
            at,
        )
        return done is True

    async def links(self, account_id: str) -> list[Link]:
        rows = await self._database.rows(
            """SELECT provider, min(linked_at) FROM linked_identity WHERE account_id = $1
                GROUP BY provider ORDER BY 2, 1""",
            account_id,
        )
        return [Link(row[0], row[1]) for row in rows]

    async def unlink(self, account_id: str, provider: str) -> bool:
        rows = await self._database.rows(
            "DELETE FROM linked_identity WHERE account_id = $1 AND provider = $2 RETURNING 1",
            account_id,
            provider,
        )
        await self._database.execute(NEW_EPOCH, account_id)
        return bool(rows)
